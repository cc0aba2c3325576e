"""The door that `receive_webhook` is measured beside: the same two RPCs, one commit and one task, and nothing else.

Served as the doors are: by functions-framework under gunicorn, with the same workers and threads.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from emulators import host_process
from emulators.addresses import LOOPBACK, Leases, answers
from emulators.catalogue import REPOSITORY
from emulators.cloud import LocalCloud
from emulators.processes import Program, inherited_environment, start, wait_until_ready
from shared.events import Command
from shared.identity import stored_id
from shared.payments.use_cases.inbox import DOOR, QUEUE
from shared.ports import Create, Decision, tenant_ref
from shared.wiring import house
from tests.bench.world import TENANT

_TEXT: Final = "x" * 960
_TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@functions_framework.http
def bare_door(request: Request) -> Response:
    """Create one document of 1 KB and one task, both named by the body; a GET only says that the door is there."""
    if request.method == "POST":
        key, rooms = stored_id("bare", request.get_data(as_text=True)), house()
        decision = Decision(None, (Create(tenant_ref(TENANT, "bench", key), {"schema": 1, "text": _TEXT}),))
        rooms.store.transact((), lambda _: decision)
        rooms.queue.enqueue(Command(key, TENANT, DOOR, QUEUE, {"event": key}, _TRACE, None))
    return Response('{"received": true}', 200, content_type="application/json")


def application() -> Any:
    """The WSGI application."""
    return functions_framework.create_app("bare_door", __file__)  # type: ignore[no-untyped-call]  # it has no types


@contextlib.contextmanager
def bare_host(cloud: LocalCloud) -> Iterator[str]:
    """The bare door on a host of its own beside the cloud's, up while the context is open; its address."""
    with tempfile.TemporaryDirectory(prefix="daybook-bare-") as home, contextlib.closing(Leases(Path(home))) as leases:
        port, log = leases.lease(), Path(home) / "bare.log"
        command = (*host_process.command(port)[:-1], f"{__name__}:application()")
        variables = {"PYTHONPATH": str(REPOSITORY), **cloud.environment()}
        child = start(Program("bare", command, log, log, inherited_environment(variables), REPOSITORY))
        url = f"http://{LOOPBACK}:{port}"
        try:
            wait_until_ready({"bare": (child, lambda: answers(url))})
            yield url
        finally:
            child.stop()
