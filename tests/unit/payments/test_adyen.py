"""Adyen's items: each proven by itself, and nothing read that is not signed."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Proven
from shared.payments.partners.adyen import KINDS, MOST_ITEMS, Adyen
from shared.payments.refusals import BadSignature, NotAnEvent
from tests.builders import NOON
from tests.unit.payments.partner_events import adyen_body, adyen_signed, delivery, secret_of
from tests.unit.payments.partner_samples import adyen

LIVE = [secret_of("adyen")]
INVOICE = "a" * 52


def proven(*items: Any) -> Proven:
    """What a delivery of these items proves."""
    return Adyen().prove(adyen_body(list(items)), {}, LIVE, NOON)


def told(item: Any) -> PartnerEvent:
    """What a signed item says."""
    (piece,) = proven(adyen_signed(item)).pieces
    return Adyen().parse(piece.raw, NOON)


def with_said(item: Any, **changes: Any) -> Any:
    """An item changed after it was signed."""
    return {"NotificationRequestItem": item["NotificationRequestItem"] | changes}


# --- which items we believe --------------------------------------------------------------


def test_a_forged_item_is_counted_and_the_others_are_believed() -> None:
    """One that was slipped into a batch takes no honest one with it, nor comes in with them."""
    honest, forged = adyen_signed(adyen()), with_said(adyen_signed(adyen()), pspReference="OTHER")
    found = proven(honest, forged, honest)
    assert ([json.loads(piece.raw) for piece in found.pieces], found.forged) == ([honest, honest], 1)
    with pytest.raises(BadSignature):
        proven(forged)


def test_a_piece_is_the_very_bytes_of_its_item() -> None:
    """What was signed is kept as it came."""
    item = json.dumps(adyen_signed(adyen()), indent=3).encode()
    body = b'{ "live" : "false", "notificationItems" : [ ' + item + b" ] }"
    assert [piece.raw for piece in Adyen().prove(body, {}, LIVE, NOON).pieces] == [item]


SIGNED = ["pspReference", "originalReference", "merchantAccountCode", "merchantReference", "eventCode", "success"]


@pytest.mark.parametrize("name", SIGNED)
@pytest.mark.parametrize("value", ["other", "", None, 7, ["x"], {"x": 1}])
def test_a_signed_value_cannot_be_changed(name: str, value: Any) -> None:
    """Neither to another nor to none."""
    with pytest.raises(BadSignature):
        proven(with_said(adyen_signed(adyen("REFUND", originalReference="PAY1")), **{name: value}))


@pytest.mark.parametrize(
    "amount", [{"value": 12_001}, {"value": "12000"}, {"value": 12_000.0}, {"currency": "EUR"}, {}]
)
def test_a_signed_amount_cannot_be_changed(amount: dict[str, Any]) -> None:
    """Nor written in another way."""
    given_amount = {"value": 12_000, "currency": "GBP"}
    changed = given_amount | amount if amount else amount
    with pytest.raises(BadSignature):
        proven(with_said(adyen_signed(adyen()), amount=changed))


def test_a_value_with_a_separator_in_it_is_refused() -> None:
    """Adyen does not escape, so that one signature would stand for two items."""
    shifted = adyen_signed(adyen(originalReference="A:B", merchantAccountCode="C"))
    same = with_said(shifted, originalReference="A", merchantAccountCode="B:C")
    assert shifted["NotificationRequestItem"]["additionalData"] == same["NotificationRequestItem"]["additionalData"]
    for item in (shifted, same, adyen_signed(adyen(eventCode="A:B"))):
        with pytest.raises(BadSignature):
            proven(item)


def test_our_own_reference_may_hold_separators() -> None:
    """A regression: three values before it and four behind hold none, so it can stand for nothing else."""
    assert proven(adyen_signed(adyen(merchantReference="order:1:2")))


@pytest.mark.parametrize("signature", [None, 7, "", "\ud800", "a" * 5_000, ["x"]])
def test_an_odd_signature_is_a_forged_one(signature: Any) -> None:
    """Whatever stands in its place."""
    with pytest.raises(BadSignature):
        proven(with_said(adyen_signed(adyen()), additionalData={"hmacSignature": signature}))
    with pytest.raises(BadSignature):
        proven(with_said(adyen_signed(adyen()), additionalData=signature))


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b'{"notificationItems": {}}', b'{"notificationItems": []}', b"\xff", b"[" * 9_999],
)
def test_a_body_without_a_signed_item_proves_nothing(body: bytes) -> None:
    """Adyen signs nothing but items."""
    with pytest.raises(BadSignature):
        Adyen().prove(body, {}, LIVE, NOON)


def test_a_batch_has_a_limit() -> None:
    """Far beyond what Adyen sends."""
    item = adyen_signed(adyen())
    assert len(proven(*[item] * MOST_ITEMS).pieces) == MOST_ITEMS
    with pytest.raises(BadSignature):
        proven(*[item] * (MOST_ITEMS + 1))


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_items_of_any_kind_are_forged_ones(item: Any) -> None:
    """Never an error of ours."""
    with pytest.raises(BadSignature):
        proven(item, {"NotificationRequestItem": item}, {"NotificationRequestItem": {"additionalData": item}})


# --- what an item says -------------------------------------------------------------------


def test_what_is_not_signed_is_not_read() -> None:
    """Another date, reason and data beside it change nothing: the time is ours."""
    item = adyen_signed(adyen(merchantReference=INVOICE))
    changed = with_said(
        item,
        eventDate="1999-01-01T00:00:00Z",
        reason="paid twice",
        additionalData=item["NotificationRequestItem"]["additionalData"] | {"modification.action": "cancel"},
    )
    first, second = (Adyen().parse(proven(each).pieces[0].raw, NOON) for each in (item, changed))
    assert first == second
    assert first.occurred_at == NOON
    assert Adyen().parse(json.dumps(item).encode(), NOON + timedelta(days=1)).id == first.id


def test_an_authorisation_is_a_payment_of_its_own() -> None:
    """Our reference comes back with it, and our account with Adyen is named."""
    event = told(adyen())
    assert (event.kind, event.payment, event.object) == (EventKind.PAYMENT_SUCCEEDED, "QFQTPCQ8HXSKGK82", "")
    assert (event.money, event.reference, event.invoice_id) == (Money(12_000, "GBP"), "INV-2026-000001", "")
    assert (event.id, event.account) == ("QFQTPCQ8HXSKGK82:AUTHORISATION:true", "AcmeUK")
    assert told(adyen(merchantReference=INVOICE)).invoice_id == INVOICE


@pytest.mark.parametrize(
    ("code", "success"), sorted(set(KINDS) - {("AUTHORISATION", "true"), ("AUTHORISATION", "false")})
)
def test_what_follows_names_its_payment(code: str, success: str) -> None:
    """By the payment's own reference; refunds and disputes have one too."""
    event = told(adyen(code, success, originalReference="PAY1"))
    assert (event.kind, event.payment) == (KINDS[code, success], "PAY1")
    assert event.object == ("" if event.kind is EventKind.PAYMENT_REVERSED else "QFQTPCQ8HXSKGK82")


def test_a_refund_and_its_late_failure_are_of_the_same_refund() -> None:
    """But they are two events."""
    paid, failed = (told(adyen(code, originalReference="PAY1")) for code in ("REFUND", "REFUND_FAILED"))
    assert paid.object == failed.object
    assert (paid.kind, failed.kind) == (EventKind.REFUND_SUCCEEDED, EventKind.REFUND_FAILED)
    assert paid.id != failed.id


def test_a_dispute_that_names_no_payment_is_told_by_its_own_reference() -> None:
    """Adyen's examples of later stages lack the payment's."""
    event = told(adyen("CHARGEBACK_REVERSED"))
    assert (event.kind, event.payment, event.object) == (EventKind.DISPUTE_WON, "", "QFQTPCQ8HXSKGK82")
    with pytest.raises(NotAnEvent):
        told(adyen("REFUND"))


def test_cancel_or_refund_gives_the_money_back_whichever_it_was() -> None:
    """A regression: it was kept, for which of both it was is not signed; the amount is, and goes either way."""
    event = told(adyen("CANCEL_OR_REFUND", originalReference="PAY1"))
    assert (event.kind, event.payment, event.object) == (EventKind.REFUND_SUCCEEDED, "PAY1", "QFQTPCQ8HXSKGK82")
    assert event.money == Money(12_000, "GBP")


@pytest.mark.parametrize("code", ["CAPTURE", "NOTIFICATION_OF_CHARGEBACK", "REPORT_AVAILABLE", "NEW"])
def test_an_item_that_is_nothing_for_the_books_is_kept(code: str) -> None:
    """What is notified takes nothing yet; what is captured was told as paid."""
    assert told(adyen(code)).kind is EventKind.OTHER


def test_a_card_that_was_only_checked_paid_nothing() -> None:
    """Nothing is authorised on it."""
    assert told(adyen(value=0)).kind is EventKind.OTHER


@pytest.mark.parametrize(
    "item",
    [adyen(value=-1), adyen(amount={"value": 1, "currency": "XXX"}), adyen(pspReference="a/b"), adyen(eventCode="")],
)
def test_a_signed_item_that_makes_no_event_is_said_to_be_none(item: Any) -> None:
    """It goes to quarantine."""
    (piece,) = proven(adyen_signed(item)).pieces
    with pytest.raises(NotAnEvent):
        Adyen().parse(piece.raw, NOON)


def test_several_items_are_several_events() -> None:
    """Each under its own id."""
    body, headers = delivery("adyen", adyen(), adyen("REFUND", originalReference="PAY1"))
    pieces = Adyen().prove(body, headers, LIVE, NOON).pieces
    assert len({Adyen().parse(piece.raw, NOON).id for piece in pieces}) == 2
