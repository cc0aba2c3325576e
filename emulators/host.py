"""Every door of the catalogue on one port, each loaded by functions-framework as in production.

A dispatcher picks the door and passes the request on as it is: by the longest path prefix for
public doors (`/v1/invoices/abc/issue` reaches `invoices` with its whole path), by `/{door}` for
private ones. `host_process` says how it is run.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIEnvironment

import functions_framework
from functions_framework import _function_registry as registry

from emulators.catalogue import REPOSITORY, Catalogue, Function, HttpPath, load_catalogue
from emulators.host_process import DOORS_VARIABLE, HEALTH_PATH, ROOT_VARIABLE

App: TypeAlias = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def application() -> "Dispatcher":
    """The doors that the environment asks for, loaded.

    Raises:
        CatalogueMistaken: the catalogue is wrong or a door has no file.
    """
    root = Path(os.environ.get(ROOT_VARIABLE) or REPOSITORY)  # noqa: TID251 - the host's own switches, no setting of a door
    names = [name for name in os.environ.get(DOORS_VARIABLE, "").split(",") if name]  # noqa: TID251 - as above
    return mount(load_catalogue(root, names), root)


def mount(catalogue: Catalogue, root: Path) -> "Dispatcher":
    """Load the doors of a catalogue from their files under `root`."""
    public: dict[str, App] = {}
    private: dict[str, App] = {}
    for function in catalogue.functions:
        app = load_door(function, root)
        match function.trigger:
            case HttpPath(path):
                public[path] = app
            case _:
                private[f"/{function.name}"] = app
    return Dispatcher(public, private, tuple(one.name for one in catalogue.functions))


def load_door(function: Function, root: Path) -> App:
    """One door as functions-framework makes it, leaving the process as it was for the next one."""
    with _undisturbed(function):
        app: App = functions_framework.create_app(function.name, str(root / function.file))  # type: ignore[no-untyped-call]  # the framework has no types
    return app


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """The WSGI application: doors by path prefix, doors by name, and the answer to all other paths."""

    public: Mapping[str, App]
    private: Mapping[str, App]
    names: tuple[str, ...]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand the request to its door, path unchanged."""
        path = environ.get("PATH_INFO") or "/"
        if app := self.find(path):
            return app(environ, start_response)
        if path == HEALTH_PATH:
            return _answer(start_response, "200 OK", "application/json", self._health())
        return _answer(start_response, "404 Not Found", "application/problem+json", _not_found(path))

    def find(self, path: str) -> App | None:
        """The door of a path; the longest prefix of whole segments wins."""
        if app := self.private.get(path.rstrip("/")):
            return app
        prefix = path.rstrip("/")
        while prefix:
            if app := self.public.get(prefix):
                return app
            prefix = prefix.rpartition("/")[0]
        return None

    def _health(self) -> Mapping[str, Any]:
        return {"doors": self.names, "master": os.getppid(), "worker": os.getpid()}


def _not_found(path: str) -> Mapping[str, Any]:
    return {
        "type": "https://daybook.dev/problems/not_found",
        "title": "Not Found",
        "status": 404,
        "detail": f"no door serves {path[:200]}",
        "code": "not_found",
        "field": None,
        "retryable": False,
    }


def _answer(start: StartResponse, status: str, kind: str, value: Mapping[str, Any]) -> Iterable[bytes]:
    body = json.dumps(value).encode()
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


@contextlib.contextmanager
def _undisturbed(function: Function) -> Iterator[None]:
    """Put back what the framework leaves behind: search path, environment, bare module name, registered name."""
    path, modules = list(sys.path), sys.modules.get(function.name)
    switches = {name: os.environ.get(name) for name in ("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE")}  # noqa: TID251 - the framework's
    try:
        yield
    finally:
        sys.path[:] = path
        registry.REGISTRY_MAP.pop(function.name, None)
        for name, value in switches.items():
            os.environ.pop(name, None)  # noqa: TID251 - as above
            if value is not None:
                os.environ[name] = value  # noqa: TID251 - as above
        if loaded := sys.modules.pop(function.name, None):
            sys.modules[f"functions.{function.domain}.{function.name}"] = loaded
        if modules is not None:
            sys.modules[function.name] = modules
