"""Events of every partner with defaults, in the shapes that the partners document; the payer's name is in each."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from tests.builders import NOON
from tests.unit.payments import stripe_events

PAYER: Final = stripe_events.PAYER
TIME: Final = NOON.isoformat()


def adyen(code: str = "AUTHORISATION", success: str = "true", *, value: Any = 12_000, **changes: Any) -> dict[str, Any]:
    """An item of 120.00 pounds, not signed yet; an original reference is in it when it is given."""
    item = {
        "pspReference": "QFQTPCQ8HXSKGK82",
        "merchantAccountCode": "AcmeUK",
        "merchantReference": "INV-2026-000001",
        "amount": {"value": value, "currency": "GBP"},
        "eventCode": code,
        "success": success,
        "eventDate": "2026-11-16T13:00:00+01:00",
        "reason": PAYER,
    }
    return {"NotificationRequestItem": item | changes}


def airwallex(name: str = "payment_intent.succeeded", **changes: Any) -> dict[str, Any]:
    """An event of an intent of 120.00 pounds; changed is what it is of."""
    said = {
        "id": "int_1",
        "merchant_order_id": "INV-2026-000001",
        "amount": 120.00,
        "captured_amount": 120.00,
        "currency": "GBP",
        "customer": {"first_name": PAYER},
    }
    return {
        "id": f"evt_{name}",
        "name": name,
        "account_id": "acct_1",
        "created_at": "2026-11-16T12:00:00+0000",
        "data": {"object": said | changes},
    }


def gocardless(name: str = "payments.confirmed", *, event: str = "EV1", **links: str) -> dict[str, Any]:
    """An event of a payment, or of what else the links name."""
    resource, _, action = name.partition(".")
    return {
        "id": event,
        "created_at": "2026-11-16T12:00:00.000Z",
        "resource_type": resource,
        "action": action,
        "links": links or {"payment": "PM1"},
        "details": {"origin": "bank", "description": PAYER},
        "metadata": {},
    }


def square(name: str = "payment.updated", status: str = "COMPLETED", **changes: Any) -> dict[str, Any]:
    """An event of a payment of 120.00 pounds, or of what else it is changed to."""
    family = name.partition(".")[0]
    said = {
        "id": "pay_1",
        "status": status,
        "state": status,
        "amount_money": {"amount": 12_000, "currency": "GBP"},
        "total_money": {"amount": 12_000, "currency": "GBP"},
        "reference_id": "INV-2026-000001",
        "note": PAYER,
    }
    return {
        "merchant_id": "MERCHANT1",
        "type": name,
        "event_id": f"evt_{name}",
        "created_at": "2026-11-16T12:00:00.000000000Z",
        "data": {"type": family, "id": "pay_1", "object": {family: said | changes}},
    }


def wise(name: str = "incoming-transfer#credited", **data: Any) -> dict[str, Any]:
    """An event of an incoming transfer, or of what else the data name."""
    return {
        "data": data or {"incoming_transfer_id": "it-1", "occurred_at": TIME, "sender": PAYER},
        "subscription_id": "01234567-89ab-cdef-0123-456789abcdef",
        "event_type": name,
        "schema_version": "4.0.0",
        "sent_at": TIME,
    }


def standard(name: str = "payment.succeeded", *, event: str = "evt_1", **changes: Any) -> dict[str, Any]:
    """An event in our own words, of a payment of 120.00 pounds."""
    said = {"payment": "p-1", "object": "o-1", "amount": 12_000, "currency": "GBP", "payer": PAYER}
    return {"id": event, "type": name, "timestamp": TIME, "data": said | changes}


def paid(partner: str, payment: str = "p-1", amount: int = 12_000, reference: str = "") -> dict[str, Any]:
    """A payment in pounds that succeeded, as this partner tells it; some tell no amount or carry no reference."""
    return _PAID[partner](payment, amount, reference)


def _adyen_paid(payment: str, amount: int, reference: str) -> dict[str, Any]:
    return adyen(value=amount, pspReference=payment, merchantReference=reference)


def _airwallex_paid(payment: str, amount: int, reference: str) -> dict[str, Any]:
    major = float(Decimal(amount).scaleb(-2))
    event = airwallex(id=payment, amount=major, captured_amount=major, merchant_order_id=reference)
    return event | {"id": f"evt_{payment}"}


def _gocardless_paid(payment: str, amount: int, reference: str) -> dict[str, Any]:
    del amount  # GoCardless does not tell it
    told = gocardless(event=f"EV_{payment}", payment=payment)
    return told | {"resource_metadata": {"invoice_id": reference}}


def _square_paid(payment: str, amount: int, reference: str) -> dict[str, Any]:
    event = square(id=payment, total_money={"amount": amount, "currency": "GBP"}, reference_id=reference)
    return event | {"event_id": f"evt_{payment}"}


def _standard_paid(payment: str, amount: int, reference: str) -> dict[str, Any]:
    return standard(event=f"evt_{payment}", payment=payment, amount=amount, invoice_id=reference, reference=reference)


def _stripe_paid(payment: str, amount: int, reference: str) -> dict[str, Any]:
    return stripe_events.paid(payment, amount, invoice=reference)


def _wise_paid(payment: str, amount: int, reference: str) -> dict[str, Any]:
    del amount, reference  # Wise does not tell them
    return wise(incoming_transfer_id=payment, occurred_at=TIME, sender=PAYER)


_PAID: Final[dict[str, Callable[[str, int, str], dict[str, Any]]]] = {
    "adyen": _adyen_paid,
    "airwallex": _airwallex_paid,
    "gocardless": _gocardless_paid,
    "square": _square_paid,
    "standard": _standard_paid,
    "stripe": _stripe_paid,
    "wise": _wise_paid,
}
