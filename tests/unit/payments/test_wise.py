"""Wise's events: proven by a public key, named by what they say, and without amounts."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Secret
from shared.payments.partners.wise import Wise
from shared.payments.refusals import BadSignature, NotAnEvent
from tests.builders import NOON
from tests.unit.payments.partner_events import delivery, secret_of, wise_key
from tests.unit.payments.partner_samples import TIME, wise

LIVE = [secret_of("wise")]


def told(event: Any) -> PartnerEvent:
    """What an event says."""
    return Wise().parse(json.dumps(event).encode(), NOON)


def transfer(state: str, **changes: Any) -> dict[str, Any]:
    """A transfer of ours came to a state."""
    resource = {"type": "transfer", "id": 111, "profile_id": 222, "account_id": 333}
    data = {"resource": resource, "current_state": state, "previous_state": "processing", "occurred_at": TIME}
    return wise("transfers#state-change", **(data | changes))


def test_only_the_documented_signature_counts() -> None:
    """The same key with another hash or padding proves nothing."""
    body, _ = delivery("wise", wise())
    key = wise_key()
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    for made in (key.sign(body, padding.PKCS1v15(), hashes.SHA1()), key.sign(body, salted, hashes.SHA256())):  # noqa: S303
        with pytest.raises(BadSignature):
            Wise().prove(body, {"x-signature-sha256": base64.b64encode(made).decode()}, LIVE, NOON)


def test_a_key_of_another_kind_proves_nothing() -> None:
    """Wise signs with RSA."""
    body, headers = delivery("wise", wise())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(serialization.Encoding.PEM, form)
    with pytest.raises(BadSignature):
        Wise().prove(body, headers, [Secret("elliptic", other)], NOON)
    assert Wise().prove(body, headers, [Secret("elliptic", other), *LIVE], NOON).pieces


def test_an_incoming_transfer_is_a_payment_whose_amount_wise_is_asked_for() -> None:
    """The event names it and no more."""
    event = told(wise())
    assert (event.kind, event.payment, event.money) == (EventKind.PAYMENT_SUCCEEDED, "it-1", None)
    assert event.occurred_at == NOON


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("outgoing_payment_sent", EventKind.PAYOUT_PAID),
        ("funds_refunded", EventKind.PAYOUT_FAILED),
        ("bounced_back", EventKind.OTHER),
        ("cancelled", EventKind.OTHER),
        ("processing", EventKind.OTHER),
    ],
)
def test_a_transfer_is_a_payout(state: str, kind: EventKind) -> None:
    """Until its funds are back, one that came back may be sent again."""
    event = told(transfer(state))
    assert (event.kind, event.payment, event.account) == (kind, "", "222")
    assert event.object == ("" if kind is EventKind.OTHER else "111")


def test_an_event_is_named_by_what_it_says() -> None:
    """Sent again it is the same, whenever; another state, time, resource or subscription is another."""
    first = told(transfer("processing"))
    assert told(transfer("processing") | {"sent_at": "2027-01-01T00:00:00Z"}).id == first.id
    others = [
        transfer("funds_converted"),
        transfer("processing", occurred_at="2026-11-16T12:00:01Z"),
        transfer("processing", resource={"id": 112}),
        transfer("processing") | {"subscription_id": "another"},
    ]
    assert len({first.id, *(told(other).id for other in others)}) == 5


@pytest.mark.parametrize(
    "name",
    ["balances#credit", "balances#update", "swift-in#credit", "account-details-payment#state-change", "new#event"],
)
def test_what_tells_the_same_money_in_another_way_is_kept(name: str) -> None:
    """An incoming transfer is told once."""
    assert (
        told(wise(name, amount=70.5, currency="GBP", current_state="COMPLETED", occurred_at=TIME)).kind
        is EventKind.OTHER
    )


def test_the_time_is_the_events_then_the_sendings_then_ours() -> None:
    """Whichever is said."""
    sent = wise("new#event", x=1) | {"sent_at": "2026-11-16T11:00:00Z"}
    assert told(sent).occurred_at.hour == 11
    assert told(sent | {"sent_at": None}).occurred_at == NOON


@pytest.mark.parametrize("event", [wise(incoming_transfer_id=7), transfer("outgoing_payment_sent", resource={})])
def test_what_names_nothing_is_no_event(event: Any) -> None:
    """It goes to quarantine."""
    with pytest.raises(NotAnEvent):
        told(event)
