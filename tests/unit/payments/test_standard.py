"""Standard Webhooks: anyone who signs so and speaks in our words."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Secret
from shared.payments.partners.standard import KINDS, Standard
from shared.payments.refusals import BadSignature, NotAnEvent
from tests.builders import NOON
from tests.unit.payments.partner_events import delivery, secret_of, signed
from tests.unit.payments.partner_samples import standard

LIVE = [secret_of("standard")]
INVOICE = "a" * 52


def told(event: Any) -> PartnerEvent:
    """What an event says."""
    return Standard().parse(json.dumps(event).encode(), NOON)


def as_svix(headers: dict[str, str]) -> dict[str, str]:
    """The headers under their names of before."""
    return {name.replace("webhook-", "svix-"): value for name, value in headers.items()}


# --- the signature -----------------------------------------------------------------------


def test_the_names_of_before_count_too() -> None:
    """But all three of one kind."""
    body, headers = delivery("standard", standard())
    assert Standard().prove(body, as_svix(headers), LIVE, NOON).pieces
    with pytest.raises(BadSignature):
        Standard().prove(body, headers | {"webhook-id": ""} | as_svix(headers), LIVE, NOON)


def test_one_of_several_signatures_is_enough() -> None:
    """Those of other versions and of others stand beside it."""
    body, headers = delivery("standard", standard())
    given = f"v1a,abc v1,{base64.b64encode(bytes(32)).decode()} {headers['webhook-signature']} v2,x  "
    assert Standard().prove(body, headers | {"webhook-signature": given}, LIVE, NOON).pieces


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_id_and_time_are_part_of_what_is_signed(name: str) -> None:
    """A recorded message does not become another, nor fresh."""
    body, headers = delivery("standard", standard())
    with pytest.raises(BadSignature):
        Standard().prove(body, headers | {name: "1794830401"}, LIVE, NOON)


def test_an_id_with_a_full_stop_is_refused() -> None:
    """It could take the time's place."""
    body, headers = delivery("standard", standard(event="msg.1"))
    with pytest.raises(BadSignature):
        Standard().prove(body, headers, LIVE, NOON)


def test_a_body_that_names_another_event_than_its_header_is_refused() -> None:
    """Unless Svix delivers: its ids are its own. A body that names none is kept, and makes no event."""
    body = json.dumps(standard(event="evt_2")).encode()
    other = signed("standard", json.dumps(standard()).encode())["webhook-id"]
    headers = resigned(body, other)
    with pytest.raises(BadSignature):
        Standard().prove(body, headers, LIVE, NOON)
    assert Standard().prove(body, as_svix(headers), LIVE, NOON).pieces
    nameless = b'{"type": "payment.succeeded"}'
    assert Standard().prove(nameless, resigned(nameless, "msg_1"), LIVE, NOON).pieces


def resigned(body: bytes, message_id: str) -> dict[str, str]:
    """The headers of a body under another message id."""
    timestamp = str(int(NOON.timestamp()))
    key = base64.b64decode(LIVE[0].value.removeprefix(b"whsec_"))
    made = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(made).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def test_a_secret_may_come_without_prefix_and_padding() -> None:
    """As some senders show it."""
    body, headers = delivery("standard", standard())
    bare = Secret("bare", LIVE[0].value.removeprefix(b"whsec_").rstrip(b"="))
    assert Standard().prove(body, headers, [bare], NOON).pieces


# --- what it says ------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_is_read(name: str) -> None:
    """Our words, our fields."""
    event = told(standard(name))
    family = name.partition(".")[0]
    assert (event.kind, event.money, event.occurred_at) == (KINDS[name], Money(12_000, "GBP"), NOON)
    assert event.payment == ("" if family == "payout" else "p-1")
    assert event.object == ("" if family == "payment" else "o-1")


def test_fee_invoice_and_reference_may_be_left_out() -> None:
    """What else stands in their places is not ours."""
    full = told(standard(fee=240, invoice_id=INVOICE, reference="INV-2026-000001"))
    assert (full.fee, full.invoice_id, full.reference) == (Money(240, "GBP"), INVOICE, "INV-2026-000001")
    bare = told(standard(fee=0, invoice_id="Grace", reference=7))
    assert (bare.fee, bare.invoice_id, bare.reference) == (None, "", "")


@pytest.mark.parametrize(
    "event",
    [
        standard(amount="12000"),
        standard(amount=120.0),
        standard(fee=-1),
        standard(currency="XXX"),
        standard(payment=""),
        standard("refund.succeeded", object=None),
        standard() | {"timestamp": "2026-11-16T12:00:00"},
        standard() | {"timestamp": 1_794_830_400},
        standard() | {"id": None},
    ],
)
def test_what_is_not_in_our_shape_is_no_event(event: Any) -> None:
    """It goes to quarantine."""
    with pytest.raises(NotAnEvent):
        told(event)


def test_other_words_are_kept() -> None:
    """Whatever they hold."""
    assert told(standard("customer.created") | {"data": None}).kind is EventKind.OTHER
