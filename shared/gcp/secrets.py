"""Named secrets, newest first, remembered for a minute: a new value is in force everywhere within it."""

import re
from pathlib import Path
from typing import Any, Final

import google_crc32c
import grpc

from shared.clock import Clock
from shared.expiring import Expiring
from shared.gcp.messages import Messages
from shared.gcp.rpc import Method, Rpc, RpcFailed, silent
from shared.keys import SecretMissing
from shared.settings import Settings

HOST: Final = "secretmanager.googleapis.com"
FRESH_SECONDS: Final = 60
"""How long values are used before they are looked up again, by the house's clock."""

VERSIONS: Final = 10
"""Live values of one secret that are looked at; rotation needs two."""

_REMEMBERED: Final = 1_000
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")

_MISSING: Final = frozenset({grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED})
"""There is none, or this door's account may not know whether there is: either way it is not there for it."""

_types: Final = Messages("google.cloud.secretmanager_v1", "service")
_SERVICE: Final = "/google.cloud.secretmanager.v1.SecretManagerService"
_LIST: Final = Method(
    f"{_SERVICE}/ListSecretVersions",
    _types.ListSecretVersionsRequest,
    _types.ListSecretVersionsResponse,
    route="parent",
)
_ACCESS: Final = Method(
    f"{_SERVICE}/AccessSecretVersion",
    _types.AccessSecretVersionRequest,
    _types.AccessSecretVersionResponse,
    route="name",
)


class SecretManagerSecrets:
    """Secret Manager as the port `Secrets`: every enabled version of a secret is a live value."""

    def __init__(self, settings: Settings, clock: Clock, *, rpc: Rpc | None = None) -> None:
        """Look in the settings' project, through `rpc` where a test brings its own."""
        self._project = f"projects/{settings.project}"
        self._rpc = rpc or Rpc(HOST)
        self._known: Expiring[str, tuple[bytes, ...]] = Expiring(clock, seconds=FRESH_SECONDS, size=_REMEMBERED)

    def versions(self, name: str) -> tuple[bytes, ...]:
        """All live values, newest first; see the port."""
        return self._known.get(_checked(name), lambda: self._load(name))

    def _load(self, name: str) -> tuple[bytes, ...]:
        request = _types.ListSecretVersionsRequest(
            parent=f"{self._project}/secrets/{name}", filter="state:ENABLED", page_size=VERSIONS
        )
        try:
            listed = self._rpc.ask(_LIST, request).versions
            found = tuple(self._access(version.name) for version in listed)
        except RpcFailed as failed:
            if failed.status in _MISSING:
                raise _missing(name) from failed
            raise
        if not found:
            raise _missing(name)
        return found

    def _access(self, version: str) -> bytes:
        payload: Any = self._rpc.ask(_ACCESS, _types.AccessSecretVersionRequest(name=version)).payload
        if payload.data_crc32c != google_crc32c.value(payload.data):
            raise silent(_ACCESS)
        return bytes(payload.data)


class FileSecrets:
    """Files as the port `Secrets`: `{folder}/{name}`, one value a line, newest first."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Look in `folder`."""
        self._folder = folder
        self._known: Expiring[str, tuple[bytes, ...]] = Expiring(clock, seconds=FRESH_SECONDS, size=_REMEMBERED)

    def versions(self, name: str) -> tuple[bytes, ...]:
        """All live values, newest first; see the port."""
        return self._known.get(_checked(name), lambda: self._load(name))

    def _load(self, name: str) -> tuple[bytes, ...]:
        try:
            lines = (self._folder / name).read_bytes().splitlines()
        except FileNotFoundError:
            raise _missing(name) from None
        found = tuple(line.strip() for line in lines if line.strip())
        if not found:
            raise _missing(name)
        return found


def _checked(name: str) -> str:
    """A name that is one: what a webhook's path says must not lead out of the folder."""
    if not _NAME.fullmatch(name):
        message = "no secret has such a name"
        raise SecretMissing(message)
    return name


def _missing(name: str) -> SecretMissing:
    message = f"the secret {name} has no live value"
    return SecretMissing(message)
