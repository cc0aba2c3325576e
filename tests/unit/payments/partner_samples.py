"""Events of every partner with defaults, as `emulators.partners` words them; the payer's name is in each."""

from dataclasses import replace
from typing import Any, Final

from emulators.partners import PARTNERS
from emulators.partners import adyen as adyen_words
from emulators.partners import airwallex as airwallex_words
from emulators.partners import gocardless as gocardless_words
from emulators.partners import square as square_words
from emulators.partners import standard as standard_words
from emulators.partners import wise as wise_words
from emulators.partners.telling import Happening, Payer
from shared.money import Money
from shared.payments.model import EventKind
from tests.builders import NOON
from tests.unit.payments import stripe_events

PAYER: Final = stripe_events.PAYER
TIME: Final = NOON.isoformat()
NUMBER: Final = "INV-2026-000001"
PAID: Final = Happening(
    EventKind.PAYMENT_SUCCEEDED, "evt_1", NOON, Money(12_000, "GBP"), payment="pay_1", payer=Payer(PAYER)
)
"""120.00 pounds."""


def adyen(code: str = "AUTHORISATION", success: str = "true", *, value: Any = 12_000, **changes: Any) -> dict[str, Any]:
    """An item of 120.00 pounds, not signed yet; an original reference is in it when it is given."""
    told = replace(PAID, payment="QFQTPCQ8HXSKGK82", reference=NUMBER)
    item = adyen_words.item(code, success, told)["NotificationRequestItem"]
    return {"NotificationRequestItem": item | {"amount": {"value": value, "currency": "GBP"}} | changes}


def airwallex(name: str = "payment_intent.succeeded", **changes: Any) -> dict[str, Any]:
    """An event of an intent of 120.00 pounds; changed is what it is of."""
    said = airwallex_words.payment_intent(replace(PAID, payment="int_1", reference=NUMBER))
    return airwallex_words.envelope(f"evt_{name}", name, NOON, said | changes)


def gocardless(name: str = "payments.confirmed", *, event: str = "EV1", **links: str) -> dict[str, Any]:
    """An event of a payment, or of what else the links name."""
    return gocardless_words.envelope(event, name, PAID, links or {"payment": "PM1"})


def square(name: str = "payment.updated", status: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    """An event of a payment of 120.00 pounds, or of what else it is changed to."""
    said = square_words.payment(status, replace(PAID, reference=NUMBER)) | {"state": status}
    return square_words.envelope(f"evt_{name}", name, NOON, said | changes)


def wise(name: str = "incoming-transfer#credited", **data: Any) -> dict[str, Any]:
    """An event of an incoming transfer, or of what else the data name."""
    credited = {"incoming_transfer_id": "it-1", "occurred_at": TIME, "sender": PAYER}
    return wise_words.envelope(name, NOON, data or credited)


def standard(name: str = "payment.succeeded", *, event: str = "evt_1", **changes: Any) -> dict[str, Any]:
    """An event in our own words, of a payment of 120.00 pounds."""
    said = {"payment": "p-1", "object": "o-1", "amount": 12_000, "currency": "GBP", "payer": PAYER}
    return standard_words.envelope(event, name, NOON, said | changes)


def paid(partner: str, payment: str = "p-1", amount: int = 12_000, reference: str = "") -> dict[str, Any]:
    """A payment in pounds that succeeded, as this partner tells it; some tell no amount or carry no reference."""
    told = replace(PAID, id=f"evt_{payment}", payment=payment, money=Money(amount, "GBP"))
    return PARTNERS[partner].event(replace(told, invoice_id=reference, reference=reference))
