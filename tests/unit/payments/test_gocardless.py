"""GoCardless's batches: one signature for all, a piece for each, and never an amount."""

import json
from typing import Any

import pytest

from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.gocardless import KINDS, MOST_EVENTS, GoCardless
from shared.payments.refusals import BadSignature, NotAnEvent
from tests.builders import NOON
from tests.unit.payments.partner_events import delivery, secret_of, signed
from tests.unit.payments.partner_samples import gocardless

LIVE = [secret_of("gocardless")]
INVOICE = "a" * 52


def told(event: Any) -> PartnerEvent:
    """What one event of a batch says."""
    return GoCardless().parse(json.dumps(event).encode(), NOON)


def pieces(body: bytes) -> list[bytes]:
    """The pieces that a signed body proves."""
    return [piece.raw for piece in GoCardless().prove(body, signed("gocardless", body), LIVE, NOON).pieces]


def test_each_event_is_a_piece_in_the_very_bytes_that_came() -> None:
    """However they are spaced."""
    first, second = b'{"id" :"EV1", "x": "\\u00e9"}', '{"id":\n"EV2", "x": "é, ] }"}'.encode()
    body = b' {"meta": {"webhook_id": "WB1"}, "events" : [ ' + first + b" ,\n" + second + b"]} "
    assert pieces(body) == [first, second]


def test_a_full_batch_is_taken_in_and_a_fuller_one_kept_whole() -> None:
    """No event of a body that is not GoCardless's kind is acted on, and none is lost."""
    events = [gocardless(event=f"EV{number}") for number in range(MOST_EVENTS + 1)]
    body, headers = delivery("gocardless", *events[:MOST_EVENTS])
    assert len(GoCardless().prove(body, headers, LIVE, NOON).pieces) == MOST_EVENTS
    body, _ = delivery("gocardless", *events)
    assert pieces(body) == [body]


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"events": []}', b'{"events": {}}', b'{"events": [1], "events": [2]}', b'{"events": [1,]}', b"\xff"],
)
def test_a_signed_body_that_is_no_list_of_events_is_kept_whole(body: bytes) -> None:
    """And makes no event: it goes to quarantine."""
    assert pieces(body) == [body]
    with pytest.raises(NotAnEvent):
        GoCardless().parse(body, NOON)


def test_one_event_that_makes_none_leaves_the_others() -> None:
    """Each is read by itself."""
    body, headers = delivery("gocardless", gocardless(), {"id": 7})
    good, bad = GoCardless().prove(body, headers, LIVE, NOON).pieces
    assert GoCardless().parse(good.raw, NOON).kind is EventKind.PAYMENT_SUCCEEDED
    with pytest.raises(NotAnEvent):
        GoCardless().parse(bad.raw, NOON)


def test_the_signature_is_as_gocardless_writes_it() -> None:
    """In lower case, and whole."""
    body, headers = delivery("gocardless", gocardless())
    made = headers["webhook-signature"]
    for header in (made.upper(), made[:-1], f" {made}", f"{made},{made}"):
        with pytest.raises(BadSignature):
            GoCardless().prove(body, {"webhook-signature": header}, LIVE, NOON)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_is_read_without_an_amount(name: str) -> None:
    """What was paid is asked of GoCardless."""
    links = {"payment": "PM1", "refund": "RF1", "payout": "PO1", "organisation": "OR1"}
    if name.startswith("payouts."):
        del links["payment"]
    event = told(gocardless(name, **links))
    assert (event.kind, event.money, event.account, event.type) == (KINDS[name], None, "OR1", name)
    assert event.payment == ("" if name.startswith("payouts.") else "PM1")


def test_objects_are_named_by_their_links() -> None:
    """A chargeback has no id but its payment's; a refund's event may not name the payment."""
    assert told(gocardless("payments.charged_back")).object == "PM1"
    refund = told(gocardless("refunds.paid", refund="RF1"))
    assert (refund.payment, refund.object) == ("", "RF1")
    assert told(gocardless("payouts.paid", payout="PO1")).object == "PO1"
    with pytest.raises(NotAnEvent):
        told(gocardless("payments.confirmed", mandate="MD1"))


def test_our_invoice_is_in_the_metadata_of_the_payment() -> None:
    """What else stands there is not ours."""
    assert told(gocardless() | {"resource_metadata": {"invoice_id": INVOICE}}).invoice_id == INVOICE
    assert told(gocardless() | {"resource_metadata": {"invoice_id": "Grace"}}).invoice_id == ""
    assert told(gocardless() | {"resource_metadata": []}).invoice_id == ""


@pytest.mark.parametrize("name", ["mandates.created", "payments.paid_out", "refunds.refund_settled", "new.thing"])
def test_an_event_that_is_nothing_for_the_books_is_kept(name: str) -> None:
    """That a payment is in a payout is for the payout to say."""
    assert told(gocardless(name, mandate="MD1")).kind is EventKind.OTHER
