"""The libraries of Standard Webhooks and of Svix, and the published vector, judge what we accept."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import standardwebhooks
import svix

from shared.clock import SystemClock
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Piece, Secret
from shared.payments.partners.standard import Standard
from shared.payments.refusals import BadSignature, OutsideReplayWindow
from tests.builders import NOON
from tests.conformance.vectors import vector_of
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import standard

VECTOR: Final = vector_of("standard")
SECRET: Final = secret_of("standard")
BODY: Final = json.dumps(standard())


def ours(body: str, headers: dict[str, str], at: datetime, secret: Secret = SECRET) -> Piece:
    """The one piece that a delivery proves to us."""
    (piece,) = Standard().prove(body.encode(), headers, [secret], at).pieces
    return piece


def headers_of(family: str, message_id: str, at: datetime, signature: str) -> dict[str, str]:
    """The three headers, under the names of a family."""
    values = {"id": message_id, "timestamp": str(int(at.timestamp())), "signature": signature}
    return {f"{family}-{name}": value for name, value in values.items()}


def test_the_published_vector_is_accepted_in_its_time_and_not_later() -> None:
    """A signature that was made elsewhere, byte for byte."""
    then, secret = datetime.fromtimestamp(VECTOR["timestamp"], UTC), Secret("published", VECTOR["secret"].encode())
    headers = headers_of("webhook", VECTOR["id"], then, VECTOR["signature"])
    assert ours(VECTOR["body"], headers, then, secret)
    for seconds in (-301, 301, 86_400):
        with pytest.raises(OutsideReplayWindow):
            ours(VECTOR["body"], headers, then + timedelta(seconds=seconds), secret)


@pytest.mark.parametrize(("library", "family"), [(standardwebhooks, "webhook"), (svix, "svix")])
def test_what_the_libraries_sign_is_accepted(library: Any, family: str) -> None:
    """Under the names that each of them sends."""
    signature = library.Webhook(SECRET.value.decode()).sign("evt_1", NOON, BODY)
    event = Standard().parse(ours(BODY, headers_of(family, "evt_1", NOON, signature), NOON).raw, NOON)
    assert (event.kind, event.id) == (EventKind.PAYMENT_SUCCEEDED, "evt_1")


@pytest.mark.parametrize("library", [standardwebhooks, svix])
def test_what_we_take_for_signed_the_libraries_accept(library: Any) -> None:
    """The scheme as we read it is the one that they verify; they know no other time than now."""
    now = SystemClock().now()
    body, headers = delivery("standard", standard(), at=now)
    library.Webhook(SECRET.value.decode()).verify(body, headers)
    assert ours(body.decode(), headers, now)


def test_an_id_with_a_full_stop_is_refused_though_the_libraries_take_it() -> None:
    """The specification warns of it: id and time could change places. Here we are stricter on purpose."""
    now = SystemClock().now()
    body, headers = delivery("standard", standard(event="msg.1"), at=now)
    standardwebhooks.Webhook(SECRET.value.decode()).verify(body, headers)
    with pytest.raises(BadSignature):
        ours(body.decode(), headers, now)


def test_a_timestamp_that_is_no_whole_number_is_refused_though_the_libraries_read_it() -> None:
    """They cut the fraction away that was sent, and check what was not."""
    now = SystemClock().now()
    body, headers = delivery("standard", standard(), at=now)
    headers["webhook-timestamp"] += ".0"
    standardwebhooks.Webhook(SECRET.value.decode()).verify(body, headers)
    with pytest.raises(BadSignature):
        ours(body.decode(), headers, now)


def test_neither_takes_a_body_altered_after_signing() -> None:
    """One amount changed."""
    now = SystemClock().now()
    body, headers = delivery("standard", standard(), at=now)
    altered = body.replace(b"12000", b"12001").decode()
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET.value.decode()).verify(altered, headers)
    with pytest.raises(BadSignature):
        ours(altered, headers, now)
