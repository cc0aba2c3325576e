"""Stripe's events: which bytes we believe, and what we read in them."""

import json
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Refused
from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Secret
from shared.payments.partners.reading import REPLAY_WINDOW_SECONDS
from shared.payments.partners.stripe import Stripe
from shared.payments.refusals import BadSignature, NotAnEvent, OutsideReplayWindow
from tests.builders import NOON
from tests.unit.payments.stripe_events import OLD_SECRET, SECRET, body_of, of_kind, paid, refunded, signed

BODY = body_of(paid())
INVOICE = "a" * 52
NEW, OLD = Secret("new", SECRET), Secret("old", OLD_SECRET)


def signer(body: bytes, headers: dict[str, str], *secrets: Secret) -> str:
    """The key that proves a body at noon, of the newest alone unless others are given."""
    (piece,) = Stripe().prove(body, headers, secrets or [NEW], NOON).pieces
    assert piece.raw == body
    return piece.key_id


def parsed(raw: bytes) -> PartnerEvent:
    """What a piece says; its own time is in it."""
    return Stripe().parse(raw, NOON + timedelta(days=1))


# --- the signature -----------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-REPLAY_WINDOW_SECONDS, 0, REPLAY_WINDOW_SECONDS])
def test_within_five_minutes_either_way_a_signature_counts(seconds: int) -> None:
    """The clocks of two houses differ a little."""
    assert signer(BODY, signed(BODY, NOON + timedelta(seconds=seconds))) == "new"


@pytest.mark.parametrize("seconds", [-REPLAY_WINDOW_SECONDS - 1, REPLAY_WINDOW_SECONDS + 1])
def test_a_stale_or_future_signature_is_refused(seconds: int) -> None:
    """What was recorded yesterday cannot be played again, nor prepared for tomorrow."""
    with pytest.raises(OutsideReplayWindow):
        signer(BODY, signed(BODY, NOON + timedelta(seconds=seconds)))


def test_a_forged_signature_is_refused_before_its_time_is_judged() -> None:
    """Who does not know the secret learns nothing about the clock."""
    with pytest.raises(BadSignature):
        signer(BODY, signed(BODY, NOON - timedelta(days=1), b"whsec_guessed"))


def test_a_rotated_secret_counts_while_it_is_live() -> None:
    """The piece says which of the live secrets signed it."""
    assert signer(BODY, signed(BODY, secret=OLD_SECRET), NEW, OLD) == "old"
    with pytest.raises(BadSignature):
        signer(BODY, signed(BODY, secret=OLD_SECRET))


def test_one_of_several_signatures_is_enough() -> None:
    """Schemes we do not know and signatures by others stand beside it."""
    header = signed(BODY)["stripe-signature"].replace(",", f",v0=abc,v1={'0' * 64},", 1)
    assert signer(BODY, {"stripe-signature": header}) == "new"


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_body_altered_in_one_byte_is_refused(place: int, difference: int) -> None:
    """Any byte, any other value."""
    altered = BODY[:place] + bytes([BODY[place] ^ difference]) + BODY[place + 1 :]
    with pytest.raises(BadSignature):
        signer(altered, signed(BODY))


def test_the_time_is_part_of_what_is_signed() -> None:
    """An old signature does not become fresh by a new time."""
    old = signed(BODY, NOON - timedelta(days=1))["stripe-signature"]
    fresh = f"t={int(NOON.timestamp())},{old.partition(',')[2]}"
    with pytest.raises(BadSignature):
        signer(BODY, {"stripe-signature": fresh})


HEADERS = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="tv10=,9 -+.\u0661\u00df", max_size=80),
    st.lists(st.sampled_from(["t=1", "t=", "v1=", "v1=ab", "t=-1", "t=" + "9" * 400, "v1", "=", ""])).map(",".join),
    st.text(alphabet=st.characters(), max_size=20).map(lambda text: f"t=1794830400,v1={text}"),
)


@given(HEADERS)
def test_whatever_the_header_says_the_answer_is_a_refusal(header: str) -> None:
    """Malformed, missing, absurd: never an error of ours."""
    with pytest.raises((BadSignature, OutsideReplayWindow)):
        signer(BODY, {"stripe-signature": header}, NEW, OLD)


def test_without_a_header_nothing_is_believed() -> None:
    """No signature, no event."""
    with pytest.raises(BadSignature):
        signer(BODY, {})


def test_a_header_beyond_its_limit_is_refused_unread() -> None:
    """A thousand signatures are not tried."""
    header = signed(BODY)["stripe-signature"] + ",v1=" * 1_000
    with pytest.raises(BadSignature):
        signer(BODY, {"stripe-signature": header})


# --- what it says ------------------------------------------------------------------------


def test_a_payment_tells_what_was_received_and_for_which_invoice() -> None:
    """Minor units and our own invoice's id; nothing personal is kept."""
    event = parsed(body_of(paid(invoice=INVOICE)))
    assert (event.kind, event.payment, event.money) == (EventKind.PAYMENT_SUCCEEDED, "pi_1", Money(12_000, "GBP"))
    assert (event.id, event.invoice_id, event.occurred_at) == ("evt_paid_pi_1", INVOICE, NOON)
    assert "Canary" not in repr(event)


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("refund.created", "succeeded", EventKind.REFUND_SUCCEEDED),
        ("refund.created", "pending", EventKind.OTHER),
        ("refund.created", "requires_action", EventKind.OTHER),
        ("refund.updated", "succeeded", EventKind.REFUND_SUCCEEDED),
        ("refund.updated", "failed", EventKind.REFUND_FAILED),
        ("refund.updated", "canceled", EventKind.REFUND_FAILED),
        ("charge.refund.updated", "succeeded", EventKind.REFUND_SUCCEEDED),
        ("charge.refund.updated", "failed", EventKind.REFUND_FAILED),
        ("refund.failed", "failed", EventKind.REFUND_FAILED),
    ],
)
def test_a_refund_is_told_by_its_own_id_and_status(name: str, status: str, kind: EventKind) -> None:
    """A regression: refunds were told as totals, and one that was made again after it failed was not seen."""
    event = parsed(body_of(refunded("pi_7", 500, refund="re_7", kind=name, status=status)))
    wanted = ("", "", None) if kind is EventKind.OTHER else ("pi_7", "re_7", Money(500, "GBP"))
    assert (event.kind, event.payment, event.object, event.money) == (kind, *wanted)


def test_a_total_of_an_account_that_is_told_no_single_refunds_is_not_lost() -> None:
    """It is quarantined, which an operator sees; where single refunds are told too, it would tell them twice."""
    total = of_kind("charge.refunded", amount_refunded=700)
    assert parsed(body_of(total)).kind is EventKind.OTHER
    for version in ("2020-08-27", "2024-09-30.acacia", None):
        with pytest.raises(NotAnEvent):
            parsed(body_of(total | {"api_version": version}))


@pytest.mark.parametrize(
    ("name", "kind", "payment", "own"),
    [
        ("payment_intent.processing", EventKind.PAYMENT_PENDING, "x_1", ""),
        ("payment_intent.payment_failed", EventKind.PAYMENT_FAILED, "x_1", ""),
        ("payment_intent.canceled", EventKind.PAYMENT_FAILED, "x_1", ""),
        ("refund.failed", EventKind.REFUND_FAILED, "pi_1", "x_1"),
        ("charge.dispute.created", EventKind.DISPUTE_OPENED, "pi_1", "x_1"),
        ("charge.dispute.funds_withdrawn", EventKind.DISPUTE_OPENED, "pi_1", "x_1"),
        ("payout.paid", EventKind.PAYOUT_PAID, "", "x_1"),
        ("payout.failed", EventKind.PAYOUT_FAILED, "", "x_1"),
    ],
)
def test_the_rest_of_a_payments_life(name: str, kind: EventKind, payment: str, own: str) -> None:
    """Each names its payment and what it is of by Stripe's ids; a payout is of no payment."""
    event = parsed(body_of(of_kind(name)))
    assert (event.kind, event.payment, event.object, event.money) == (kind, payment, own, Money(700, "GBP"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("won", EventKind.DISPUTE_WON),
        ("lost", EventKind.DISPUTE_LOST),
        ("warning_closed", EventKind.OTHER),
        ("prevented", EventKind.OTHER),
    ],
)
def test_a_dispute_closes_as_its_status_says(status: str, kind: EventKind) -> None:
    """An inquiry that closes gives nothing back, for it took nothing."""
    assert parsed(body_of(of_kind("charge.dispute.closed", status=status))).kind is kind


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_under_review"])
def test_an_inquiry_is_no_dispute_yet(status: str) -> None:
    """It takes nothing until it becomes one; then Stripe says that funds were withdrawn."""
    assert parsed(body_of(of_kind("charge.dispute.created", status=status))).kind is EventKind.OTHER


@pytest.mark.parametrize("name", ["charge.refunded", "charge.succeeded", "charge.dispute.updated"])
def test_what_would_tell_the_same_money_twice_is_only_kept(name: str) -> None:
    """The refunds tell of themselves, the intent of its payment."""
    assert parsed(body_of(of_kind(name))).kind is EventKind.OTHER


def test_an_event_of_a_connected_account_says_so() -> None:
    """Ids are unique within an account only."""
    assert parsed(body_of(paid() | {"account": "acct_1"})).account == "acct_1"
    assert parsed(body_of(paid())).account == ""


def test_a_test_of_a_connected_account_is_nothing_for_the_books() -> None:
    """A regression: live endpoints for connected accounts are told of tests too, and they were booked as money."""
    connected = paid() | {"account": "acct_1"}
    assert parsed(body_of(connected | {"livemode": False})).kind is EventKind.OTHER
    assert parsed(body_of(connected | {"livemode": True})).kind is EventKind.PAYMENT_SUCCEEDED
    assert parsed(body_of(paid() | {"livemode": False})).kind is EventKind.PAYMENT_SUCCEEDED  # its endpoint is a test


@pytest.mark.parametrize(
    "invoice", ["INV-2026-000001", "2026/123", ".", "..", "__id__", "Grace Hopper", "A" * 52, "ä" * 255, 7, ["a"], {}]
)
def test_money_for_what_is_no_invoice_of_ours_still_comes_in(invoice: Any) -> None:
    """Metadata is free text of others: what is not one of our ids is neither kept in the clear nor a path."""
    event = parsed(body_of(paid(invoice=invoice)))
    assert (event.kind, event.invoice_id) == (EventKind.PAYMENT_SUCCEEDED, "")


@pytest.mark.parametrize("metadata", [None, [], "invoice", 3, {"invoice_id": None}])
def test_odd_metadata_does_not_turn_money_away(metadata: Any) -> None:
    """The payment succeeded all the same."""
    assert parsed(body_of(paid(metadata=metadata))).money == Money(12_000, "GBP")


@pytest.mark.parametrize("data", [None, {}, {"object": None}, [1], "x"])
def test_a_type_that_we_do_not_know_is_kept_whatever_it_holds(data: Any) -> None:
    """Stripe adds types as it likes; they are acknowledged and moved no money."""
    event = paid() | {"type": "invoice.finalized", "data": data}
    assert parsed(body_of(event)).kind is EventKind.OTHER


def without(field: str) -> dict[str, Any]:
    """A payment's event that lacks a field of the event or of its object."""
    event = paid()
    event.pop(field, None)
    event["data"]["object"].pop(field, None) if "data" in event else None
    return event


@pytest.mark.parametrize(
    "event",
    [
        *(without(field) for field in ("id", "type", "created", "data", "amount_received", "currency")),
        *(paid(amount=amount) for amount in (12.5, 1e30, "12000", None, True, 0, -5, 10**15 + 1, 10**400)),
        paid(currency="xyz"),
        paid(currency=7),
        paid(event="evt/1"),
        paid(event="evt\u0000"),
        paid(event="e" * 256),
        paid("pi/1"),
        refunded(payment_intent=None),
        *(paid() | {"created": created} for created in (10**11 * 100, 10**17, -(10**17), 10**30, 1.5, "now", True)),
        paid() | {"data": {"object": []}},
        paid() | {"type": ["payment_intent.succeeded"]},
        [paid()],
        "event",
        7,
        None,
    ],
)
def test_signed_bytes_that_make_no_event_are_said_to_be_none(event: Any) -> None:
    """Amounts are positive whole numbers, ids are ids, instants are in the calendar: or it goes to quarantine."""
    with pytest.raises(NotAnEvent):
        parsed(body_of(event))


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"NaN", b'{"id": Infinity}', b"[" * 100_000, b"9" * 5_000])
def test_bytes_that_are_no_json_are_no_event(raw: bytes) -> None:
    """However they fail."""
    with pytest.raises(NotAnEvent):
        parsed(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["id", "type", "created", "data"]), JSON)
def test_any_value_in_any_place_of_an_event_is_an_event_or_a_refusal(field: str, value: Any) -> None:
    """Never an error of ours."""
    try:
        parsed(body_of(paid() | {field: value}))
    except NotAnEvent:
        return


@given(st.sampled_from(["id", "amount_received", "currency", "metadata"]), JSON)
def test_any_value_in_any_place_of_a_payment_is_a_payment_or_a_refusal(field: str, value: Any) -> None:
    """Never an error of ours, and never an amount that is no money."""
    try:
        event = parsed(body_of(paid(**{field: value}) if field != "id" else paid(payment=value, event="evt_1")))
    except NotAnEvent:
        return
    assert event.money is not None
    assert event.money.amount > 0


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_refusal(raw: bytes) -> None:
    """Never an error of ours."""
    with pytest.raises(NotAnEvent):
        parsed(raw)


@pytest.mark.parametrize(
    "raw", [b'{"id": "Grace Canary"', b'"Grace Canary"', body_of(paid(currency="Grace Canary")), b"\xffGrace Canary"]
)
def test_a_refusal_holds_nothing_of_the_body(raw: bytes) -> None:
    """Neither in its words nor in an error behind it: a traceback may end in a log."""
    with pytest.raises(Refused) as refusal:
        parsed(raw)
    seen = [refusal.value, refusal.value.__cause__, refusal.value.__context__]
    told = "".join(traceback.format_exception(refusal.value)) + repr([vars(fault) for fault in seen if fault])
    assert "Canary" not in told
    assert seen[1:] == [None, None]


def test_an_event_is_read_the_same_however_its_json_is_spaced() -> None:
    """What is signed is the bytes; what is read is the JSON."""
    event = paid(invoice=INVOICE)
    assert parsed(json.dumps(event).encode()) == parsed(body_of(event))
    assert parsed(body_of(event)).occurred_at == datetime.fromtimestamp(event["created"], UTC)
