import subprocess
import sys
from collections.abc import Callable

import pytest
from werkzeug.test import Client

from shared.faults import NotFound, Refused, Retryable, Unauthenticated
from shared.http.webhooks import Delivery, webhook_door
from shared.identity import keyed_hash
from shared.limits import WEBHOOK_BYTES
from tests.builders import ACME, NOON
from tests.unit.http.conftest import LogLines, client_of
from tests.unit.http.problems import assert_problem
from tests.unit.http.rooms import Rooms

PATH = "/v1/webhooks/acme/stripe"
BODY = b'{ "id": "evt_1",\r\n "name": "Ann Example" }'

Handle = Callable[[Delivery], object]


def a_door(rooms: Rooms, handle: Handle) -> Client:
    """The webhook door with that use case behind it."""
    return client_of(lambda request: webhook_door(request, "receive_webhook", lambda: rooms, handle))


def failing(fault: Exception) -> Handle:
    """A use case that raises."""

    def handle(_: Delivery) -> object:
        raise fault

    return handle


def test_a_delivery_arrives_as_sent(rooms: Rooms) -> None:
    """Raw bytes and every header, tenant and partner from the path; the cause is left to the use case."""
    given: list[Delivery] = []
    answer = a_door(rooms, given.append).post(PATH, data=BODY, headers={"Stripe-Signature": "t=1,v1=00"})
    assert (answer.status_code, answer.get_json()) == (200, {"received": True})
    (delivery,) = given
    assert (delivery.tenant, delivery.partner, delivery.body) == (ACME, "stripe", BODY)
    assert delivery.headers["stripe-signature"] == "t=1,v1=00"
    call = delivery.call
    assert (call.tenant, call.principal, call.at, call.once) == (ACME, "partner:stripe", NOON, False)
    assert (call.cause.namespace, call.cause.key) == ("webhook:stripe", "")
    assert call.request_hash == keyed_hash(b"secret", BODY)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/webhooks/acme",
        "/v1/webhooks/acme/",
        "/v1/webhooks//stripe",
        "/v1/webhooks/acme/stripe/x",
        "/v1/webhooks/ACME/stripe",
        "/v1/webhooks/acme%2Fx/stripe",
        "/v1/webhooks/acme/str%00ipe",
        "/v1/webhooks/acme/stripe%0a",
        "/",
    ],
)
def test_a_path_that_names_no_tenant_and_partner_is_not_found(rooms: Rooms, path: str) -> None:
    """Nothing but the one form is a webhook's address."""
    given: list[Delivery] = []
    assert_problem(a_door(rooms, given.append).post(path, data=BODY), 404, "not_found")
    assert given == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Unauthenticated("the signature is not the partner's"), 401, "unauthenticated"),
        (NotFound("there is no such tenant"), 404, "not_found"),
        (Refused("no"), 422, "refused"),
        (Retryable("not now"), 503, "retry_later"),
        (KeyError("Ann Example"), 500, "internal_error"),
    ],
)
def test_what_the_use_case_raises_is_answered(rooms: Rooms, fault: Exception, status: int, code: str) -> None:
    """A partner is told whether to come again, and nothing about whom it was."""
    answer = a_door(rooms, failing(fault)).post(PATH, data=BODY)
    assert_problem(answer, status, code)
    assert "Ann" not in answer.text


def test_too_large_a_delivery_is_refused(rooms: Rooms) -> None:
    """A partner's events are far smaller than the limit."""
    given: list[Delivery] = []
    assert_problem(a_door(rooms, given.append).post(PATH, data=b" " * (WEBHOOK_BYTES + 1)), 413, "too_large")
    assert_problem(a_door(rooms, given.append).get(PATH), 405, "method_not_allowed")
    assert given == []


def test_a_delivery_is_silent_in_print_and_log(rooms: Rooms, log_lines: LogLines) -> None:
    """Neither its repr nor the request's line shows body, headers or signature."""
    given: list[Delivery] = []
    a_door(rooms, given.append).post(PATH, data=BODY, headers={"Stripe-Signature": "t=1,v1=feed"})
    (line,) = log_lines()
    assert (line["route"], line["tenant"], line["principal"]) == (
        "/v1/webhooks/{tenant}/{partner}",
        "acme",
        "partner:stripe",
    )
    for text in (str(line), repr(given[0])):
        assert "Ann" not in text
        assert "feed" not in text


def test_the_webhook_door_wakes_without_what_it_does_not_use() -> None:
    """Neither flask-openapi3 nor jwt nor pydantic is loaded for a webhook."""
    script = (
        "import sys; import shared.http.webhooks; "
        "print([name for name in ('flask_openapi3', 'jwt', 'pydantic', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert done.stdout.strip() == "[]"
