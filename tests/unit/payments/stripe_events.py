"""Stripe's events with defaults, and the header that signs them, by Stripe's own library."""

import json
from datetime import datetime
from typing import Any, Final

from stripe import WebhookSignature

from tests.builders import NOON

SECRET: Final = b"whsec_test_secret"
OLD_SECRET: Final = b"whsec_older_secret"
PAYER: Final = "Grace Canary-Hopper"


def paid(
    payment: str = "pi_1", amount: Any = 12_000, *, event: str = "", invoice: Any = None, **changes: Any
) -> dict[str, Any]:
    """A payment of 120.00 pounds that succeeded; the payer's name is in it, as in life."""
    said = {
        "id": payment,
        "object": "payment_intent",
        "amount": amount,
        "amount_received": amount,
        "currency": "gbp",
        "metadata": {} if invoice is None else {"invoice_id": invoice},
        "shipping": {"name": PAYER},
    }
    return _event(event or f"evt_paid_{payment}", "payment_intent.succeeded", said | changes)


def refunded(
    payment: str = "pi_1", amount: Any = 12_000, *, refund: str = "re_1", kind: str = "refund.created", **changes: Any
) -> dict[str, Any]:
    """So much of a payment was given back by one refund, or as `kind` and the status say."""
    said = {
        "id": refund,
        "object": "refund",
        "charge": f"ch_{payment}",
        "payment_intent": payment,
        "amount": amount,
        "currency": "gbp",
        "metadata": {},
        "status": "succeeded",
        "destination_details": {"name": PAYER},
    }
    named = f"evt_{kind}_{refund}_{amount}_{changes.get('status', '')}"
    return _event(named, kind, said | changes)


def of_kind(name: str, **changes: Any) -> dict[str, Any]:
    """An event of any other type, of an object with 7.00 pounds in it."""
    said = {"id": "x_1", "payment_intent": "pi_1", "amount": 700, "currency": "gbp", "status": "needs_response"}
    return _event(f"evt_{name}", name, said | changes)


def _event(identity: str, kind: str, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": identity,
        "object": "event",
        "type": kind,
        "api_version": "2026-10-28",
        "created": int(NOON.timestamp()),
        "pending_webhooks": 1,
        "data": {"object": said},
    }


def body_of(event: Any) -> bytes:
    """The bytes that Stripe sends."""
    return json.dumps(event, indent=2).encode()


def signed(body: bytes, at: datetime = NOON, secret: bytes = SECRET) -> dict[str, str]:
    """The header by Stripe's own library."""
    header = WebhookSignature.generate_signature_header(body.decode(), secret.decode(), int(at.timestamp()))
    return {"stripe-signature": header}
