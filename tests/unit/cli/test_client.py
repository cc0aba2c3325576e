"""What the command asks of the API it asks again while the API says to come later, and no longer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from shared.cli.client import READS, ApiRefused, Client
from shared.identity import SystemIds


class Api(HTTPServer):
    """Answers with the statuses it was given, one after the other, and then with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        """The next status."""
        self.server.asked += 1
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        body = json.dumps({"detail": "not now", "code": "retry_later"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """The next status."""
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[Api]:
    """A server on a free port."""
    with Api() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def a_client(api: Api) -> tuple[Client, list[float]]:
    """A client, and the pauses that it made."""
    pauses: list[float] = []
    return Client(f"http://127.0.0.1:{api.server_port}", "key", SystemIds(), pauses.append), pauses


def test_a_busy_api_is_asked_again(api: Api) -> None:
    """A page of a long export that is not answered in time is read a moment later."""
    client, pauses = a_client(api)
    api.statuses = [503, 429]
    assert client.get("/v1/ledger/journal")["code"] == "retry_later"
    assert (api.asked, pauses) == (3, [0.5, 1.0])


def test_an_api_that_stays_busy_is_given_up(api: Api) -> None:
    """After a number of times that is known."""
    client, pauses = a_client(api)
    api.statuses = [503] * (READS + 1)
    with pytest.raises(ApiRefused, match="not now"):
        client.get("/")
    assert (api.asked, len(pauses)) == (READS, READS - 1)


def test_what_was_refused_is_not_asked_again(api: Api) -> None:
    """Neither a refusal, nor a POST: whoever sends one decides."""
    client, pauses = a_client(api)
    api.statuses = [404, 503]
    with pytest.raises(ApiRefused):
        client.get("/")
    with pytest.raises(ApiRefused):
        client.post("/", {})
    assert (api.asked, pauses) == (2, [])


def test_a_body_nested_too_deep_is_refused_here(api: Api) -> None:
    """It ended the import that it was a line of."""
    client, _ = a_client(api)
    nest: list[object] = []
    for _ in range(100_000):
        nest = [nest]
    with pytest.raises(ApiRefused, match="nested too deep") as refused:
        client.post("/x", {"nest": nest})
    assert refused.value.status == 400
