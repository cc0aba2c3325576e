"""Stripe's events, signed over time and body.

Shapes: the objects of Stripe's library 16.1.0 and "Types of events" in its documentation; scheme: "Receive Stripe
events in your webhook endpoint" there; read 2026-11.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from emulators.partners.telling import Event, Happening, hmac_of, worded
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

API_VERSION: Final = "2026-10-28"

NAMES: Final[Mapping[EventKind, str]] = {
    EventKind.PAYMENT_PENDING: "payment_intent.processing",
    EventKind.PAYMENT_SUCCEEDED: "payment_intent.succeeded",
    EventKind.PAYMENT_FAILED: "payment_intent.payment_failed",
    EventKind.REFUND_SUCCEEDED: "refund.created",
    EventKind.REFUND_FAILED: "refund.failed",
    EventKind.DISPUTE_OPENED: "charge.dispute.created",
    EventKind.DISPUTE_WON: "charge.dispute.closed",
    EventKind.DISPUTE_LOST: "charge.dispute.closed",
    EventKind.PAYOUT_PAID: "payout.paid",
    EventKind.PAYOUT_FAILED: "payout.failed",
}
STATUS: Final[Mapping[EventKind, str]] = {
    EventKind.PAYMENT_PENDING: "processing",
    EventKind.PAYMENT_SUCCEEDED: "succeeded",
    EventKind.PAYMENT_FAILED: "requires_payment_method",
    EventKind.REFUND_SUCCEEDED: "succeeded",
    EventKind.REFUND_FAILED: "failed",
    EventKind.DISPUTE_OPENED: "needs_response",
    EventKind.DISPUTE_WON: "won",
    EventKind.DISPUTE_LOST: "lost",
    EventKind.PAYOUT_PAID: "paid",
    EventKind.PAYOUT_FAILED: "failed",
}


class Stripe:
    """Stripe as it speaks to an endpoint."""

    kinds = NAMES.keys()
    fees: frozenset[EventKind] = frozenset()

    def event(self, told: Happening) -> Event:
        """See `Partner`."""
        name = worded(NAMES, told, "Stripe")
        return envelope(told.id, name, told.at, _SAID[name.partition(".")[0]](told))

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """One event a delivery, as Stripe lays it out."""
        del secret  # it signs the headers
        (event,) = events
        return json.dumps(event, indent=2).encode()

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """The time, and its signature with the body."""
        timestamp = int(at.timestamp())
        made = hmac_of(secret.value, f"{timestamp}.".encode() + body).hex()
        return {"stripe-signature": f"t={timestamp},v1={made}"}


def envelope(identity: str, name: str, at: datetime, said: Mapping[str, Any]) -> Event:
    """An event of an object."""
    return {
        "id": identity,
        "object": "event",
        "api_version": API_VERSION,
        "created": int(at.timestamp()),
        "data": {"object": said},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": name,
    }


def payment_intent(told: Happening) -> dict[str, Any]:
    """A payment."""
    received = told.money.amount if told.kind is EventKind.PAYMENT_SUCCEEDED else 0
    return {
        **_amount(told),
        "id": told.payment,
        "object": "payment_intent",
        "amount_received": received,
        "latest_charge": _charge_id(told),
        "metadata": {"invoice_id": told.invoice_id} if told.invoice_id else {},
        "receipt_email": told.payer.email,
        "shipping": {"name": told.payer.name, "address": {"country": told.payer.country}},
    }


def part_of_a_payment(told: Happening) -> dict[str, Any]:
    """A refund or a dispute."""
    return {**_amount(told), "id": told.object, "charge": _charge_id(told), "payment_intent": told.payment}


def _payout(told: Happening) -> dict[str, Any]:
    return {**_amount(told), "id": told.object, "object": "payout", "arrival_date": int(told.at.timestamp())}


def _amount(told: Happening) -> dict[str, Any]:
    return {
        "amount": told.money.amount,
        "currency": told.money.currency.lower(),
        "created": int(told.at.timestamp()),
        "status": STATUS[told.kind],
    }


def _charge_id(told: Happening) -> str:
    return f"ch_{told.payment.removeprefix('pi_')}"


_SAID: Final = {
    "payment_intent": payment_intent,
    "charge": part_of_a_payment,
    "refund": part_of_a_payment,
    "payout": _payout,
}
"""How the events of each family say it, by the first word of their names."""
