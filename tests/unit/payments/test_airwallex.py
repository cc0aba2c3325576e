"""Airwallex's events: amounts are decimal, and disputes take money in some stages only."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.airwallex import KINDS, Airwallex
from shared.payments.refusals import BadSignature, NotAnEvent
from tests.builders import NOON
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import airwallex

INVOICE = "a" * 52


def told(event: Any) -> PartnerEvent:
    """What an event says."""
    return Airwallex().parse(json.dumps(event).encode(), NOON)


def test_every_kind_is_read() -> None:
    """Each event that the books know finds its fields."""
    own = {"payment_intent_id": "int_9", "amount_payer_pays": 120.0, "source_currency": "GBP", "stage": "CHARGEBACK"}
    for name, kind in KINDS.items():
        event = told(airwallex(name, **own))
        assert (event.kind, event.money) == (kind, Money(12_000, "GBP")), name


@pytest.mark.parametrize("header", ["", "now", "-1", "1.5", "\u0661\u0662", "1e9", "9" * 4_000])
def test_an_odd_timestamp_is_refused(header: str) -> None:
    """It is a whole number of milliseconds."""
    body, headers = delivery("airwallex", airwallex())
    with pytest.raises(BadSignature):
        Airwallex().prove(body, headers | {"x-timestamp": header}, [secret_of("airwallex")], NOON)


@pytest.mark.parametrize(
    ("amount", "currency", "money"),
    [
        ("16.66", "USD", Money(1_666, "USD")),
        ("0.1", "usd", Money(10, "USD")),
        ("62723", "KRW", Money(62_723, "KRW")),
        ("1.234", "BHD", Money(1_234, "BHD")),
        ("12794.270", "AUD", Money(1_279_427, "AUD")),
        ("1e2", "EUR", Money(10_000, "EUR")),
    ],
)
def test_an_amount_is_read_exactly(amount: str, currency: str, money: Money) -> None:
    """From the digits that came, never through a binary fraction."""
    raw = json.dumps(airwallex(currency=currency)).replace('"captured_amount": 120.0', f'"captured_amount": {amount}')
    assert Airwallex().parse(raw.encode(), NOON).money == money


@pytest.mark.parametrize("amount", [16.666, "16.66", 0, -1, True, None, [1], 10**14, 1e-400, Decimal("1E+400")])
def test_an_amount_that_is_none_is_refused(amount: Any) -> None:
    """More digits than the currency has, texts, and what is not positive."""
    text = str(amount) if isinstance(amount, Decimal) else json.dumps(amount)
    raw = json.dumps(airwallex()).replace('"captured_amount": 120.0', f'"captured_amount": {text}')
    with pytest.raises(NotAnEvent):
        Airwallex().parse(raw.encode(), NOON)


def test_what_was_captured_is_what_was_received() -> None:
    """Less than was asked for, perhaps."""
    event = told(airwallex(captured_amount=100.0))
    assert event.money == Money(10_000, "GBP")


def test_the_order_is_our_reference_and_perhaps_our_invoice() -> None:
    """Metadata names the invoice before the order does."""
    assert told(airwallex()).reference == "INV-2026-000001"
    assert told(airwallex(merchant_order_id=INVOICE)).invoice_id == INVOICE
    assert told(airwallex(metadata={"invoice_id": INVOICE})).invoice_id == INVOICE
    assert told(airwallex(metadata="odd", merchant_order_id=7)).invoice_id == ""


def test_older_and_newer_forms_of_the_envelope_are_read() -> None:
    """The account was named otherwise, and the time is not in all of them."""
    event = airwallex()
    older = {name: value for name, value in event.items() if name not in {"account_id", "created_at"}}
    assert told(older | {"accountId": "acct_2"}).account == "acct_2"
    assert told(older).occurred_at == NOON
    assert told(event | {"created_at": "2026-11-16T23:00:00+1100"}).occurred_at == datetime(
        2026, 11, 16, 12, tzinfo=UTC
    )


def test_a_refund_is_one_refund_of_its_payment() -> None:
    """By its own amount."""
    event = told(airwallex("refund.settled", id="rfd_1", payment_intent_id="int_1", amount=1.5))
    assert (event.payment, event.object, event.money) == ("int_1", "rfd_1", Money(150, "GBP"))


@pytest.mark.parametrize(
    ("name", "stage", "kind"),
    [
        ("payment_dispute.requires_response", "RFI", EventKind.OTHER),
        ("payment_dispute.requires_response", "PRE_CHARGEBACK", EventKind.OTHER),
        ("payment_dispute.requires_response", "CHARGEBACK", EventKind.DISPUTE_OPENED),
        ("payment_dispute.accepted", "RFI", EventKind.OTHER),
        ("payment_dispute.accepted", "PRE_CHARGEBACK", EventKind.DISPUTE_LOST),
        ("payment_dispute.challenged", "CHARGEBACK", EventKind.OTHER),
        ("payment_dispute.reversed", "PRE_CHARGEBACK", EventKind.OTHER),
        ("payment_dispute.reversed", "CHARGEBACK", EventKind.DISPUTE_WON),
        ("payment_dispute.expired", "RFI", EventKind.OTHER),
        ("payment_dispute.expired", "CHARGEBACK", EventKind.DISPUTE_LOST),
        ("payment_dispute.pending_closure", "PRE_ARBITRATION", EventKind.OTHER),
        ("payment_dispute.pending_decision", "ARBITRATION", EventKind.OTHER),
    ],
)
def test_a_dispute_takes_money_in_some_stages_only(name: str, stage: str, kind: EventKind) -> None:
    """A question, or a warning before the chargeback, takes none."""
    assert told(airwallex(name, payment_intent_id="int_1", stage=stage)).kind is kind


@pytest.mark.parametrize(
    ("stage", "place"), [("CHARGEBACK", 0), ("PRE_ARBITRATION", 1), ("ARBITRATION", 2), ("NEW", 0), (None, 0)]
)
def test_a_dispute_is_decided_anew_at_each_later_stage(stage: str | None, place: int) -> None:
    """Under the same id: what is said at a later one stands over the earlier ones."""
    assert told(airwallex("payment_dispute.lost", payment_intent_id="int_1", stage=stage)).round == place


def test_a_deposit_is_a_payment_with_what_its_payer_wrote() -> None:
    """Of which only an invoice's number is kept: payers write their names there."""
    deposit = airwallex("deposit.settled", id="dep_1", reference="INV-2026-000001")
    bare = deposit | {"data": deposit["data"]["object"]}
    assert told(deposit) == told(bare)
    assert (told(deposit).payment, told(deposit).reference) == ("dep_1", "INV-2026-000001")
    for written in ("Grace Canary", "Grace", "rent 7", "", None, 7):
        assert told(airwallex("deposit.settled", reference=written)).reference == ""
    assert told(airwallex("deposit.settled", reference=INVOICE)).invoice_id == INVOICE


def test_a_charge_and_a_payout_tell_their_fee() -> None:
    """A payout in the currency that left our wallet."""
    assert told(airwallex("charge.settled", fee=1.2)).fee == Money(120, "GBP")
    own = {"amount_payer_pays": 68.14, "source_currency": "SGD", "fee_amount": 3, "fee_currency": "SGD"}
    event = told(airwallex("payout.transfer.paid", **own))
    assert (event.payment, event.object) == ("", "int_1")
    assert (event.money, event.fee) == (Money(6_814, "SGD"), Money(300, "SGD"))
    assert told(airwallex("payout.transfer.paid", **(own | {"fee_amount": 0}))).fee is None


@pytest.mark.parametrize("name", ["payment_attempt.paid", "payment_intent.created", "issuing.card.active", "new.event"])
def test_an_event_that_is_nothing_for_the_books_is_kept(name: str) -> None:
    """The intent tells what its attempts do."""
    assert told(airwallex(name)).kind is EventKind.OTHER
    assert told(airwallex(name) | {"data": None}).kind is EventKind.OTHER
