"""Square's events, signed over the endpoint's address and the body.

Shapes and scheme: Square's webhooks reference and "Verify and validate an event notification" in its documentation,
read 2026-11.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from emulators.partners.telling import Event, Happening, hmac_of, in_base64, instant, worded
from shared.money import Money
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

NAMES: Final[Mapping[EventKind, tuple[str, str]]] = {
    EventKind.PAYMENT_PENDING: ("payment.created", "APPROVED"),
    EventKind.PAYMENT_SUCCEEDED: ("payment.updated", "COMPLETED"),
    EventKind.PAYMENT_FAILED: ("payment.updated", "FAILED"),
    EventKind.REFUND_SUCCEEDED: ("refund.updated", "COMPLETED"),
    EventKind.REFUND_FAILED: ("refund.updated", "FAILED"),
    EventKind.DISPUTE_OPENED: ("dispute.created", "EVIDENCE_REQUIRED"),
    EventKind.DISPUTE_WON: ("dispute.state.updated", "WON"),
    EventKind.DISPUTE_LOST: ("dispute.state.updated", "LOST"),
    EventKind.PAYOUT_PAID: ("payout.paid", "PAID"),
    EventKind.PAYOUT_FAILED: ("payout.failed", "FAILED"),
}
"""The event's name, and the state of what it is of."""


class Square:
    """Square as it speaks to an endpoint."""

    kinds = NAMES.keys()
    fees = frozenset({EventKind.PAYMENT_SUCCEEDED, EventKind.PAYOUT_PAID})

    def event(self, told: Happening) -> Event:
        """See `Partner`."""
        name, status = worded(NAMES, told, "Square")
        return envelope(told.id, name, told.at, _SAID[name.partition(".")[0]](status, told))

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """One event a delivery."""
        del secret  # it signs the headers
        (event,) = events
        return json.dumps(event, indent=1).encode()

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """The signature of address and body; no time is signed."""
        del at
        return {"x-square-hmacsha256-signature": in_base64(hmac_of(secret.value, secret.url.encode() + body))}


def envelope(identity: str, name: str, at: datetime, said: Mapping[str, Any]) -> Event:
    """An event of an object."""
    family = name.partition(".")[0]
    return {
        "merchant_id": "MERCHANT1",
        "type": name,
        "event_id": identity,
        "created_at": instant(at),
        "data": {"type": family, "id": said["id"], "object": {family: said}},
    }


def payment(status: str, told: Happening) -> dict[str, Any]:
    """A payment."""
    return {
        "id": told.payment,
        "status": status,
        "amount_money": _money(told.money),
        "total_money": _money(told.money),
        "processing_fee": _fees(told.fee),
        "reference_id": told.reference or told.invoice_id,
        "buyer_email_address": told.payer.email,
        "note": told.payer.name,
    }


def _refund(status: str, told: Happening) -> dict[str, Any]:
    return {
        "id": told.object,
        "status": status,
        "payment_id": told.payment,
        "amount_money": _money(told.money),
        "reason": told.payer.name,
    }


def _dispute(state: str, told: Happening) -> dict[str, Any]:
    disputed = {"payment_id": told.payment}
    return {"id": told.object, "state": state, "amount_money": _money(told.money), "disputed_payment": disputed}


def _payout(status: str, told: Happening) -> dict[str, Any]:
    money = _money(told.money)
    return {"id": told.object, "status": status, "amount_money": money, "payout_fee": _fees(told.fee)}


def _fees(fee: Money | None) -> list[dict[str, Any]]:
    return [{"amount_money": _money(fee)}] if fee else []


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}


_SAID: Final = {"payment": payment, "refund": _refund, "dispute": _dispute, "payout": _payout}
"""How the events of each family say it, by the first word of their names."""
