"""Every partner's samples, spoilt in every way that we know: a storable event or a refusal, and never an error."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings

from shared.limits import AMOUNT_MINOR
from shared.payments.model import PartnerEvent
from shared.payments.partners import PARTNERS as ADAPTERS
from shared.payments.refusals import BadSignature, NotAnEvent
from tests.builders import NOON
from tests.unit.payments.hostile import SAMPLES, enclosed, spoilt
from tests.unit.payments.partner_events import PARTNERS, adyen_signed, secret_of, signed

STORED_FROM, STORED_TO = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""What a document can hold of time."""

LONGEST = 4_096
"""Bytes of a text: a few names of 255 characters together."""

each_partner = pytest.mark.parametrize("partner", PARTNERS)


def judged(partner: str, raw: bytes) -> None:
    """A piece is an event that the inbox can store and the books can take, or it is none."""
    with contextlib.suppress(NotAnEvent):
        storable(ADAPTERS[partner].parse(raw, NOON))


def proven(partner: str, body: bytes) -> tuple[bytes, ...]:
    """The pieces of a signed body; none where what it says is part of its proof, and spoilt."""
    try:
        pieces = ADAPTERS[partner].prove(body, signed(partner, body), [secret_of(partner)], NOON).pieces
    except BadSignature:
        return ()
    return tuple(piece.raw for piece in pieces)


def storable(event: PartnerEvent) -> None:
    """Texts that are text and no path, instants that a calendar has, amounts that a ledger takes."""
    for text in (event.id, event.type, event.account, event.payment, event.object, event.invoice_id, event.reference):
        assert len(text.encode()) <= LONGEST
        assert "/" not in text
    assert event.id
    assert STORED_FROM <= event.occurred_at <= STORED_TO
    for money in (event.money, event.fee):
        assert money is None or 0 < money.amount <= AMOUNT_MINOR
        assert money is None or len(money.currency) == 3


@each_partner
def test_a_spoilt_event_is_a_storable_event_or_a_refusal(partner: str) -> None:
    """Signed by the partner itself, so that nothing but reading stands between it and the books."""

    @settings(max_examples=300)
    @given(body=spoilt(partner))
    @example(body=b"")
    @example(body=b"null")
    @example(body=b"[" * 200_000)
    @example(body=b'{"events": ' + b"[" * 200_000)
    @example(body=b'{"notificationItems": [' + b'{"a":' * 100_000)
    @example(body=b'{"notificationItems": [], "notificationItems": []}')
    @example(body=b"\xef\xbb\xbf{}")
    def holds(body: bytes) -> None:
        pieces = proven(partner, body)
        assert pieces or partner in {"adyen", "standard"}, "the others sign the bytes, whatever these say"
        for raw in pieces:
            judged(partner, raw)

    holds()


@each_partner
def test_every_sample_is_a_storable_event_as_it_is(partner: str) -> None:
    """Else spoiling them would show nothing."""
    for sample in SAMPLES[partner]:
        event = adyen_signed(sample) if partner == "adyen" else sample
        body = enclosed(partner, json.dumps(event))
        (piece,) = ADAPTERS[partner].prove(body, signed(partner, body), [secret_of(partner)], NOON).pieces
        storable(ADAPTERS[partner].parse(piece.raw, NOON))


def _amount(value: Any) -> dict[str, Any]:
    return {"id": "evt_1", "type": "payment.succeeded", "timestamp": NOON.isoformat()} | {
        "data": {"payment": "p-1", "amount": value, "currency": "GBP"}
    }


@pytest.mark.parametrize("amount", [AMOUNT_MINOR + 1, 2**63, 10**30])
def test_an_amount_beyond_the_ledgers_is_no_event(amount: int) -> None:
    """It would fit neither a document nor the books: quarantined, where people see it."""
    with pytest.raises(NotAnEvent):
        ADAPTERS["standard"].parse(json.dumps(_amount(amount)).encode(), NOON)
    assert ADAPTERS["standard"].parse(json.dumps(_amount(AMOUNT_MINOR)).encode(), NOON).money
