"""A server that takes its time to say hello, as a cold emulator on a busy machine does."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from emulators.addresses import LOOPBACK
from shared.gcp import firestore_methods as methods
from shared.gcp.rpc import Rpc

SILENT_SECONDS = 1.5
"""Longer than gRPC would wait for a server's greeting if told to reconnect within a second."""


def carry(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until nothing does."""
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


@pytest.fixture
def slow_endpoint(firestore_endpoint: str) -> Iterator[str]:
    """The emulator behind a door that lets each connection wait before it passes anything on."""
    host, port = firestore_endpoint.split(":")
    closing = threading.Event()
    with contextlib.ExitStack() as held:
        door = held.enter_context(socket.create_server((LOOPBACK, 0)))

        def serve(visitor: socket.socket) -> None:
            closing.wait(SILENT_SECONDS)
            with visitor, socket.create_connection((host, int(port))) as inside:
                threading.Thread(target=carry, args=(inside, visitor), daemon=True).start()
                carry(visitor, inside)

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield f"{LOOPBACK}:{door.getsockname()[1]}"
        closing.set()


def test_a_server_slow_to_greet_is_waited_for(slow_endpoint: str) -> None:
    """Each attempt to connect may take as long as a call; giving up sooner, again and again, never got through."""
    rpc = Rpc("", slow_endpoint)
    request = methods.BATCH_GET.request(database="projects/slow/databases/(default)")
    request.documents.append("projects/slow/databases/(default)/documents/clock/now")
    answers = rpc.ask(methods.BATCH_GET, request)
    rpc.close()
    assert [answer.missing for answer in answers if answer.missing] == list(request.documents)
