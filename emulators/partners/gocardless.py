"""GoCardless's events, many to a delivery, signed over the body; they tell no amounts.

Shapes and scheme: GoCardless's API reference and "Stay up to date with webhooks" in its documentation, read 2026-11.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from emulators.partners.telling import Event, Happening, hmac_of, instant, worded
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

NAMES: Final[Mapping[EventKind, str]] = {
    EventKind.PAYMENT_PENDING: "payments.submitted",
    EventKind.PAYMENT_SUCCEEDED: "payments.confirmed",
    EventKind.PAYMENT_FAILED: "payments.failed",
    EventKind.REFUND_SUCCEEDED: "refunds.paid",
    EventKind.REFUND_FAILED: "refunds.failed",
    EventKind.DISPUTE_OPENED: "payments.charged_back",
    EventKind.DISPUTE_WON: "payments.chargeback_cancelled",
    EventKind.DISPUTE_LOST: "payments.chargeback_settled",
    EventKind.PAYOUT_PAID: "payouts.paid",
}


class GoCardless:
    """GoCardless as it speaks to an endpoint."""

    kinds = NAMES.keys()
    fees: frozenset[EventKind] = frozenset()

    def event(self, told: Happening) -> Event:
        """See `Partner`."""
        name = worded(NAMES, told, "GoCardless")
        event = envelope(told.id, name, told, _links(name.partition(".")[0], told))
        return event | ({"resource_metadata": {"invoice_id": told.invoice_id}} if told.invoice_id else {})

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """A delivery of events."""
        del secret  # it signs the headers
        return json.dumps({"events": list(events)}, indent=1).encode()

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """The body's signature; no time is signed."""
        del at
        return {"webhook-signature": hmac_of(secret.value, body).hex()}


def envelope(identity: str, name: str, told: Happening, links: Mapping[str, str]) -> Event:
    """An event of what the links name."""
    resource, _, action = name.partition(".")
    return {
        "id": identity,
        "created_at": instant(told.at),
        "resource_type": resource,
        "action": action,
        "links": dict(links),
        "details": {"origin": "bank", "description": told.payer.name},
        "metadata": {},
    }


def _links(resource: str, told: Happening) -> dict[str, str]:
    match resource:
        case "refunds":
            return {"refund": told.object, "payment": told.payment}
        case "payouts":
            return {"payout": told.object}
        case _:
            return {"payment": told.payment}
