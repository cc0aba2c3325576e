"""Airwallex's events, signed over time and body; amounts are JSON numbers of major units.

Shapes and scheme: "Listen for webhook events", "Payment webhooks", "Deposits", "Transfers" and "Dispute flow" in
Airwallex's documentation, read 2026-11. It tells a reversal of bank deposits only.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from emulators.partners.telling import Event, Happening, hmac_of, instant, worded
from shared.money import Money, minor_digits
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

NAMES: Final[Mapping[EventKind, str]] = {
    EventKind.PAYMENT_PENDING: "payment_intent.pending",
    EventKind.PAYMENT_SUCCEEDED: "payment_intent.succeeded",
    EventKind.PAYMENT_FAILED: "payment_intent.payment_failed",
    EventKind.PAYMENT_REVERSED: "deposit.reversed",
    EventKind.REFUND_SUCCEEDED: "refund.settled",
    EventKind.REFUND_FAILED: "refund.failed",
    EventKind.DISPUTE_OPENED: "payment_dispute.requires_response",
    EventKind.DISPUTE_WON: "payment_dispute.won",
    EventKind.DISPUTE_LOST: "payment_dispute.lost",
    EventKind.PAYOUT_PAID: "payout.transfer.paid",
    EventKind.PAYOUT_FAILED: "payout.transfer.failed",
}


class Airwallex:
    """Airwallex as it speaks to an endpoint."""

    kinds = NAMES.keys()
    fees = frozenset({EventKind.PAYOUT_PAID})

    def event(self, told: Happening) -> Event:
        """See `Partner`."""
        name = worded(NAMES, told, "Airwallex")
        return envelope(told.id, name, told.at, _SAID[name.partition(".")[0]](told))

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """One event a delivery."""
        del secret  # it signs the headers
        (event,) = events
        return json.dumps(event, indent=1).encode()

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """Milliseconds, and their signature with the body."""
        timestamp = str(int(at.timestamp() * 1_000))
        return {"x-timestamp": timestamp, "x-signature": hmac_of(secret.value, timestamp.encode() + body).hex()}


def envelope(identity: str, name: str, at: datetime, said: Mapping[str, Any]) -> Event:
    """An event of an object."""
    return {
        "id": identity,
        "name": name,
        "account_id": "acct_1",
        "created_at": instant(at),
        "data": {"object": said},
    }


def payment_intent(told: Happening) -> dict[str, Any]:
    """A payment."""
    received = told.kind is EventKind.PAYMENT_SUCCEEDED
    return {
        **_amount(told),
        "id": told.payment,
        "captured_amount": major(told.money) if received else 0,
        "merchant_order_id": told.reference or told.invoice_id,
        "metadata": {"invoice_id": told.invoice_id} if told.invoice_id else {},
        "customer": {"first_name": told.payer.name, "email": told.payer.email},
    }


def major(money: Money) -> float:
    """An amount as Airwallex's JSON has it; a double holds the fifteen digits of any amount exactly as written."""
    return float(Decimal(money.amount).scaleb(-minor_digits(money.currency)))


def _part_of_a_payment(told: Happening) -> dict[str, Any]:
    """A refund or a dispute."""
    return {**_amount(told), "id": told.object, "payment_intent_id": told.payment}


def _deposit(told: Happening) -> dict[str, Any]:
    return {**_amount(told), "id": told.payment, "payer": {"name": told.payer.name}, "reference": told.reference}


def _transfer(told: Happening) -> dict[str, Any]:
    fee = told.fee or Money(0, told.money.currency)
    return {
        "id": told.object,
        "amount_payer_pays": major(told.money),
        "source_currency": told.money.currency,
        "fee_amount": major(fee),
        "fee_currency": fee.currency,
    }


def _amount(told: Happening) -> dict[str, Any]:
    return {"amount": major(told.money), "currency": told.money.currency}


_SAID: Final = {
    "payment_intent": payment_intent,
    "deposit": _deposit,
    "refund": _part_of_a_payment,
    "payment_dispute": _part_of_a_payment,
    "payout": _transfer,
}
"""How the events of each family say it, by the first word of their names."""
