"""Stripe's events with defaults, as `emulators.partners` words and signs them."""

import json
from datetime import datetime
from typing import Any, Final

from emulators.partners import PARTNERS
from emulators.partners.stripe import envelope, part_of_a_payment, payment_intent
from emulators.partners.telling import Happening, Payer
from shared.money import Money
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret
from tests.builders import NOON

SECRET: Final = b"whsec_test_secret"
OLD_SECRET: Final = b"whsec_older_secret"
PAYER: Final = "Grace Canary-Hopper"


def paid(
    payment: str = "pi_1", amount: Any = 12_000, *, event: str = "", invoice: Any = None, **changes: Any
) -> dict[str, Any]:
    """A payment of 120.00 pounds that succeeded; the payer's name is in it, as in life."""
    said = payment_intent(_pounds(EventKind.PAYMENT_SUCCEEDED, "pi_1")) | {"id": payment, "amount": amount}
    said |= {"amount_received": amount, "metadata": {} if invoice is None else {"invoice_id": invoice}}
    return _event(event or f"evt_paid_{payment}", "payment_intent.succeeded", said | changes)


def refunded(
    payment: str = "pi_1", amount: Any = 12_000, *, refund: str = "re_1", kind: str = "refund.created", **changes: Any
) -> dict[str, Any]:
    """So much of a payment was given back by one refund, or as `kind` and the status say."""
    said = part_of_a_payment(_pounds(EventKind.REFUND_SUCCEEDED, payment, refund)) | {"amount": amount}
    named = f"evt_{kind}_{refund}_{amount}_{changes.get('status', '')}"
    return _event(named, kind, said | {"destination_details": {"name": PAYER}} | changes)


def of_kind(name: str, **changes: Any) -> dict[str, Any]:
    """An event of any other type, of an object with 7.00 pounds in it."""
    said = {"id": "x_1", "payment_intent": "pi_1", "amount": 700, "currency": "gbp", "status": "needs_response"}
    return _event(f"evt_{name}", name, said | changes)


def _pounds(kind: EventKind, payment: str, about: str = "") -> Happening:
    return Happening(kind, "", NOON, Money(12_000, "GBP"), payment=payment, object=about, payer=Payer(PAYER))


def _event(identity: str, kind: str, said: dict[str, Any]) -> dict[str, Any]:
    return envelope(identity, kind, NOON, said)


def body_of(event: Any) -> bytes:
    """The bytes that Stripe sends."""
    return json.dumps(event, indent=2).encode()


def signed(body: bytes, at: datetime = NOON, secret: bytes = SECRET) -> dict[str, str]:
    """The header by Stripe's own library."""
    return PARTNERS["stripe"].headers(body, at, Secret("", secret))
