"""Doors that do as they are told: a web server that notes each request and answers by a script."""

import queue
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from emulators.addresses import LOOPBACK
from tests.emulator.services.patience import PATIENCE_SECONDS, eventually


@dataclass(frozen=True, slots=True)
class Hit:
    """A request that a door received."""

    method: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Door:
    """One path of the test's web server: answers as scripted, 200 when the script is over."""

    url: str
    hits: list[Hit] = field(default_factory=list)
    script: "queue.SimpleQueue[tuple[int, dict[str, str]]]" = field(default_factory=queue.SimpleQueue)
    open: threading.Event = field(default_factory=threading.Event)

    def answers(self, *statuses: int, **headers: str) -> None:
        """Answer the next requests with these."""
        for status in statuses:
            self.script.put((status, {name.replace("_", "-"): value for name, value in headers.items()}))

    def wait_for(self, number: int) -> list[Hit]:
        """All hits, once there are so many."""
        eventually(lambda: len(self.hits) >= number)
        return self.hits

    def take(self, hit: Hit) -> tuple[int, dict[str, str]]:
        """Note a request and say what to answer; waits while the door is shut."""
        self.hits.append(hit)
        self.open.wait(PATIENCE_SECONDS)
        return (200, {}) if self.script.empty() else self.script.get()


class Street(ThreadingHTTPServer):
    """The web server of all doors of the run."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Visit)
        self.url = f"http://{LOOPBACK}:{self.server_port}"
        self.doors: dict[str, Door] = {}

    def door(self, name: str) -> Door:
        """A new door, open."""
        door = self.doors[f"/{name}"] = Door(f"{self.url}/{name}")
        door.open.set()
        return door


class _Visit(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Street

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hit = Hit(self.command, dict(self.headers.items()), body)
        status, headers = self.server.doors[self.path].take(hit)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = _any  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the overridden name
        """Stay silent."""
