import json
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client

from emulators.host import App, Dispatcher


def _door(name: str) -> App:
    def door(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{name} {environ['PATH_INFO']}".encode()]

    return door


@pytest.fixture
def client() -> Client:
    """A client of four doors."""
    public = {
        "/v1/payments": _door("payments"),
        "/v1/ledger/accounts": _door("accounts"),
        "/v1/ledger": _door("ledger"),
    }
    return Client(Dispatcher(public, {"/post_payslips": _door("post_payslips")}, ("payments",)))


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/v1/payments", "payments /v1/payments"),
        ("/v1/payments/p1/events", "payments /v1/payments/p1/events"),
        ("/v1/ledger/accounts/1200/freeze", "accounts /v1/ledger/accounts/1200/freeze"),
        ("/v1/ledger/accountsx", "ledger /v1/ledger/accountsx"),
        ("/post_payslips", "post_payslips /post_payslips"),
        ("/post_payslips/", "post_payslips /post_payslips/"),
    ],
)
def test_the_longest_prefix_of_whole_segments_serves_the_unchanged_path(client: Client, path: str, served: str) -> None:
    """A door sees the path as it was asked for."""
    assert client.post(path).text == served


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/paymentsx", "/post_payslips/x", "/v2/payments"])
def test_a_path_without_a_door_is_a_problem(client: Client, path: str) -> None:
    """Nothing else answers, and it does so in the API's form."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.text)["code"] == "not_found"


def test_health_lists_the_doors(client: Client) -> None:
    """Whoever starts the host can see what it serves."""
    assert json.loads(client.get("/healthz").text)["doors"] == ["payments"]
