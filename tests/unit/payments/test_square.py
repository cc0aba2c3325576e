"""Square's events: the state of what they are of says what they tell."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Secret
from shared.payments.partners.square import KINDS, Square
from shared.payments.refusals import BadSignature, NotAnEvent
from tests.builders import NOON
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import square

LIVE = secret_of("square")
INVOICE = "a" * 52
OWN: dict[str, Any] = {"payment_id": "pay_9", "disputed_payment": {"payment_id": "pay_9"}}


def told(event: Any) -> PartnerEvent:
    """What an event says."""
    return Square().parse(json.dumps(event).encode(), NOON)


def test_the_address_is_part_of_what_is_signed() -> None:
    """What was sent to another endpoint is not for this one, and a secret without an address proves nothing."""
    body, headers = delivery("square", square())
    for url in (f"{LIVE.url}/", LIVE.url.upper(), ""):
        with pytest.raises(BadSignature):
            Square().prove(body, headers, [Secret("other", LIVE.value, url=url)], NOON)
    bare = Secret("bare", LIVE.value)
    body, headers = delivery("square", square(), secret=bare)
    with pytest.raises(BadSignature):
        Square().prove(body, headers, [bare], NOON)


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, kinds in KINDS.items() for status in kinds])
def test_every_kind_is_read(name: str, status: str) -> None:
    """By the event's name and the state."""
    event = told(square(name, status, **OWN))
    family = name.partition(".")[0]
    assert (event.kind, event.money) == (KINDS[name][status], Money(12_000, "GBP"))
    assert event.payment == {"payment": "pay_1", "payout": ""}.get(family, "pay_9")
    assert event.object == ("" if family == "payment" else "pay_1")
    assert event.account == "MERCHANT1"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("payment.updated", "NEW"),
        ("refund.updated", "PENDING"),
        ("dispute.created", "INQUIRY_EVIDENCE_REQUIRED"),
        ("dispute.state.updated", "INQUIRY_CLOSED"),
        ("dispute.state.updated", "PROCESSING"),
        ("payout.sent", "SENT"),
        ("webhooks.test_notification", ""),
        ("invoice.payment_made", "PAID"),
    ],
)
def test_an_event_that_is_nothing_for_the_books_is_kept(name: str, status: str) -> None:
    """An inquiry takes nothing; a refund that waits gave nothing back yet."""
    assert told(square(name, status)).kind is EventKind.OTHER


def test_a_payment_tells_all_that_was_received_and_the_fees_when_they_are_known() -> None:
    """The tip is in the total; adjustments can be negative, and no fee is none."""
    fees = [{"type": "INITIAL", "amount_money": {"amount": 250, "currency": "GBP"}}]
    lower = {"type": "ADJUSTMENT", "amount_money": {"amount": -50, "currency": "GBP"}}
    total = {"amount": 13_000, "currency": "GBP"}
    event = told(square(total_money=total, processing_fee=[*fees, lower]))
    assert (event.money, event.fee) == (Money(13_000, "GBP"), Money(200, "GBP"))
    assert told(square()).fee is None
    assert told(square(processing_fee=[])).fee is None
    euros = {"amount_money": {"amount": 1, "currency": "EUR"}}
    odd: Any
    for odd in ([lower], [euros], [{}], "x", 7):
        with pytest.raises(NotAnEvent):
            told(square(processing_fee=odd))


def test_the_reference_is_ours() -> None:
    """And perhaps our invoice's id."""
    assert (told(square()).reference, told(square()).invoice_id) == ("INV-2026-000001", "")
    assert told(square(reference_id=INVOICE)).invoice_id == INVOICE
    assert told(square(reference_id=None)).reference == ""


def test_a_withdrawal_is_no_payout() -> None:
    """Square writes it as a negative one: somebody has to look."""
    with pytest.raises(NotAnEvent):
        told(square("payout.paid", "PAID", amount_money={"amount": -5, "currency": "GBP"}))


def test_times_to_the_nanosecond_are_read() -> None:
    """Cut to what we keep."""
    event = square() | {"created_at": "2022-07-13T20:30:59.037339943Z"}
    assert told(event).occurred_at == datetime(2022, 7, 13, 20, 30, 59, 37_339, tzinfo=UTC)
