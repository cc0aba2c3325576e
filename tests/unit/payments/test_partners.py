"""What holds for every partner: which bytes we believe, and that nothing a stranger sends is an error of ours."""

import json
import traceback
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Refused
from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners import PARTNERS as ADAPTERS
from shared.payments.partners import partner_named
from shared.payments.partners.adapter import Proven, Secret
from shared.payments.refusals import BadSignature, NotAnEvent, OutsideReplayWindow, UnknownPartner
from tests.builders import NOON
from tests.unit.payments.partner_events import PARTNERS, delivery, secret_of, signed
from tests.unit.payments.partner_samples import paid

INVOICE = "a" * 52
WITH_TIME = ("airwallex", "standard", "stripe")
WITHOUT_AMOUNT = ("gocardless", "wise")

each_partner = pytest.mark.parametrize("partner", PARTNERS)


def test_every_partner_is_tested_here() -> None:
    """A new adapter comes with its sample."""
    assert set(ADAPTERS) == set(PARTNERS)
    with pytest.raises(UnknownPartner):
        partner_named("nobody")


def proven(partner: str, body: bytes, headers: dict[str, str], secrets: Sequence[Secret] = ()) -> Proven:
    """What a delivery at noon proves, under the newest secret unless others are given."""
    return ADAPTERS[partner].prove(body, headers, secrets or [secret_of(partner)], NOON)


def told(partner: str, event: Any) -> PartnerEvent:
    """What the one event of a proven delivery says."""
    (piece,) = proven(partner, *delivery(partner, event)).pieces
    return ADAPTERS[partner].parse(piece.raw, NOON)


# --- which bytes we believe --------------------------------------------------------------


@each_partner
def test_a_payment_is_told_alike_by_all(partner: str) -> None:
    """Each in its own words: the payment, when it was, how much where the partner says, and our invoice."""
    event = told(partner, paid(partner, "p-7", 12_345, INVOICE))
    assert (event.partner, event.kind, event.payment) == (partner, EventKind.PAYMENT_SUCCEEDED, "p-7")
    assert event.money == (None if partner in WITHOUT_AMOUNT else Money(12_345, "GBP"))
    assert event.invoice_id == ("" if partner == "wise" else INVOICE)
    assert (event.occurred_at, event.object) == (NOON, "")
    assert "Canary" not in repr(event)


@each_partner
def test_a_payment_told_twice_is_one_event_and_two_payments_are_two(partner: str) -> None:
    """The id comes from the event alone."""
    assert told(partner, paid(partner)).id == told(partner, paid(partner)).id
    assert told(partner, paid(partner)).id != told(partner, paid(partner, "p-2")).id


@each_partner
def test_a_rotated_secret_counts_while_it_is_live(partner: str) -> None:
    """The piece says which of the live secrets signed it."""
    new, old = secret_of(partner), secret_of(partner, "old")
    body, headers = delivery(partner, paid(partner), secret=old)
    assert [piece.key_id for piece in proven(partner, body, headers, [new, old]).pieces] == ["old"]
    with pytest.raises(BadSignature):
        proven(partner, body, headers, [new])


@each_partner
def test_without_a_usable_secret_nothing_is_believed(partner: str) -> None:
    """An empty one signs for everybody, and one in another form for nobody."""
    body, headers = delivery(partner, paid(partner))
    for value in (b"", b"whsec_", b"whsec_?", b"\xff", b"-----BEGIN PUBLIC KEY-----"):
        with pytest.raises(BadSignature):
            proven(partner, body, headers, [Secret("odd", value, url="https://daybook.example")])
    with pytest.raises(BadSignature):
        ADAPTERS[partner].prove(body, headers, [], NOON)


@pytest.mark.parametrize("partner", [partner for partner in PARTNERS if partner not in {"adyen", "wise"}])
def test_an_empty_secret_signs_for_nobody(partner: str) -> None:
    """A signature under the empty key can be made by all, and is believed from none."""
    empty = Secret("empty", b"", url=secret_of(partner).url)
    body = json.dumps(paid(partner)).encode()
    with pytest.raises(BadSignature):
        proven(partner, body, signed(partner, body, secret=empty), [empty])


@pytest.mark.parametrize("partner", WITH_TIME)
@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_within_five_minutes_either_way_a_signature_counts(partner: str, seconds: int) -> None:
    """The clocks of two houses differ a little."""
    body, headers = delivery(partner, paid(partner), at=NOON + timedelta(seconds=seconds))
    assert proven(partner, body, headers).pieces


@pytest.mark.parametrize("partner", WITH_TIME)
@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400])
def test_a_stale_or_future_signature_is_refused(partner: str, seconds: int) -> None:
    """What was recorded yesterday cannot be played again, nor prepared for tomorrow."""
    body, headers = delivery(partner, paid(partner), at=NOON + timedelta(seconds=seconds))
    with pytest.raises(OutsideReplayWindow):
        proven(partner, body, headers)


@pytest.mark.parametrize("partner", [partner for partner in PARTNERS if partner != "adyen"])
@given(data=st.data())
def test_a_body_altered_in_one_byte_is_refused(partner: str, data: st.DataObject) -> None:
    """Any byte, any other value."""
    body, headers = delivery(partner, paid(partner))
    place, difference = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    with pytest.raises(BadSignature):
        proven(partner, body[:place] + bytes([body[place] ^ difference]) + body[place + 1 :], headers)


# --- what strangers send -----------------------------------------------------------------

NAMES = sorted({name for partner in PARTNERS for name in delivery(partner, paid(partner))[1]})
VALUES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="v1, =.0123456789abcdef-\u0661\u00df\ud800", max_size=60),
    st.sampled_from(["", "v1,", "v1", " ", "1794830400", "-1", "9" * 400, "1e9", "x" * 100_000, "\ud800", "=="]),
)


@each_partner
@given(data=st.data())
def test_whatever_the_headers_say_the_answer_is_a_refusal(partner: str, data: st.DataObject) -> None:
    """Malformed, missing, absurd, or true but for one: never an error of ours."""
    body, headers = delivery(partner, paid(partner))
    named = sorted(headers) or NAMES
    changed = data.draw(st.dictionaries(st.sampled_from(named), VALUES, min_size=1))
    altered = {**headers, **changed} if data.draw(st.booleans()) else changed
    if partner != "adyen" and altered != headers:
        with pytest.raises((BadSignature, OutsideReplayWindow)):
            proven(partner, body, altered)
    elif partner == "adyen":
        assert proven(partner, body, altered).pieces, "Adyen signs within the body"


@each_partner
@given(body=st.binary(max_size=300))
def test_whatever_a_strangers_body_says_it_proves_nothing(partner: str, body: bytes) -> None:
    """Never an error of ours."""
    with pytest.raises((BadSignature, OutsideReplayWindow)):
        proven(partner, body, dict.fromkeys(NAMES, "0" * 64))


@pytest.mark.parametrize("partner", [partner for partner in PARTNERS if partner != "adyen"])
@given(body=st.binary(max_size=300))
def test_proven_bytes_of_any_kind_are_at_least_one_piece(partner: str, body: bytes) -> None:
    """What the partner signed is kept, whatever it is, and read as an event or as none."""
    for piece in proven(partner, body, signed(partner, body)).pieces:
        with pytest.raises(NotAnEvent):
            ADAPTERS[partner].parse(piece.raw, NOON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@each_partner
@given(value=JSON)
def test_any_json_is_an_event_or_a_refusal(partner: str, value: Any) -> None:
    """Never an error of ours."""
    with pytest.raises(NotAnEvent):
        ADAPTERS[partner].parse(json.dumps(value).encode(), NOON)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a JSON value."""
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A JSON value with another one in one place."""
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


@each_partner
@given(data=st.data())
def test_any_value_in_any_place_of_an_event_is_an_event_or_a_refusal(partner: str, data: st.DataObject) -> None:
    """Never an error of ours, and never an amount that is no money."""
    event = paid(partner, reference=INVOICE)
    path = data.draw(st.sampled_from(list(places(event))))
    altered = json.dumps(replaced(event, path, data.draw(JSON))).encode()
    try:
        said = ADAPTERS[partner].parse(altered, NOON)
    except NotAnEvent:
        return
    assert said.partner == partner
    assert said.money is None or said.money.amount > 0
    assert said.invoice_id in {"", INVOICE}


@each_partner
def test_a_refusal_holds_nothing_of_the_body(partner: str) -> None:
    """Neither in its words nor in an error behind it: a traceback may end in a log."""
    for raw in (b'{"id": "Grace Canary"', b'"Grace Canary"', b'{"id": "Grace Canary", "type": 1}', b"\xffGrace Canary"):
        with pytest.raises(Refused) as refusal:
            ADAPTERS[partner].parse(raw, NOON)
        seen = [refusal.value, refusal.value.__cause__, refusal.value.__context__]
        told_of = "".join(traceback.format_exception(refusal.value)) + repr([vars(fault) for fault in seen if fault])
        assert "Canary" not in told_of
        assert seen[1:] == [None, None]
