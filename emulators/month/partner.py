"""The payment partner: events in Stripe's shape, signed by Stripe's own library, each told twice and in no order.

A delivery that is not answered with 2xx is signed anew and told again, as Stripe does.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as time_of_day
from http import HTTPStatus
from random import Random  # noqa: TID251 - seeded: every run shuffles alike
from typing import Any, Final, Protocol

import stripe

from emulators.month.client import Line, Refusal, waits
from emulators.month.expectations import ExpectedEvent
from emulators.month.inputs import Customer, MonthInputs, Told
from shared.clock import Clock

TELLINGS: Final = 2
"""How often every event is told."""

API_VERSION: Final = "2026-10-28"
HAPPENED_AT: Final = time_of_day(9, 30, tzinfo=UTC)


class Watching(Protocol):
    """Who wants to know of deliveries while they are made, from any thread."""

    def delivering(self, number: int) -> None:
        """Delivery `number`, counted from 1, is about to be sent."""

    def delivery_failed(self, number: int) -> None:
        """Delivery `number` got no answer, or was told to come again."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Stripe as one tenant's endpoint hears it."""

    line: Line
    clock: Clock
    tenant: str
    secret: str
    watching: Watching

    def deliver(self, number: int, event: Mapping[str, Any]) -> None:
        """Tell of an event until it is acknowledged.

        Raises:
            Refusal: refused, or not acknowledged in time.
        """
        payload = json.dumps(event)
        for wait in waits():
            self.watching.delivering(number)
            response = self.line.send("POST", f"/v1/webhooks/{self.tenant}/stripe", **self._signed(payload))
            if response is not None and response.ok:
                return
            if response is not None and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                message = f"event {event['id']}: {response.status_code} {response.text[:300]}"
                raise Refusal(message)
            self.line.tally.add("failed_deliveries")
            self.watching.delivery_failed(number)
            time.sleep(wait)
        message = f"event {event['id']}: never acknowledged"
        raise Refusal(message)

    def _signed(self, payload: str) -> dict[str, Any]:
        """The request of an attempt made now, as Stripe's own library signs and reads it."""
        told_at = int(self.clock.now().timestamp())
        header = stripe.WebhookSignature.generate_signature_header(payload, self.secret, told_at)
        stripe.WebhookSignature.verify_header(payload, header, self.secret)
        return {"data": payload.encode(), "headers": {"Stripe-Signature": header, "Content-Type": "application/json"}}


def shuffled(events: Sequence[Mapping[str, Any]], seed: str) -> list[Mapping[str, Any]]:
    """Every event as often as it is told, in an order that the seed alone decides."""
    deliveries = list(events) * TELLINGS
    Random(seed).shuffle(deliveries)  # noqa: S311 - shuffles, hides nothing
    return deliveries


def told(events: Sequence[ExpectedEvent], inputs: MonthInputs, invoice_ids: Mapping[str, str]) -> Iterator[Any]:
    """The events in Stripe's shape; `invoice_ids` are ours by the files' references."""
    for event in events:
        invoice = inputs.invoice_of(event.settlement)
        customer = invoice.customer
        if event.settlement.kind is Told.PAYMENT:
            about = _payment_intent(event, customer, invoice_ids[invoice.row.reference])
            yield _event(event, "payment_intent.succeeded", about)
        else:
            received = inputs.payment_of(event.settlement)
            yield _event(event, "refund.created", _refund(event, customer, received.reference))


def event_id(event: ExpectedEvent) -> str:
    """Stripe's id of an event."""
    return f"evt_{event.settlement.reference.replace('-', '')}"


def payment_intent_id(reference: str) -> str:
    """Stripe's id of a payment of the files."""
    return f"pi_{reference.replace('-', '')}"


def _event(event: ExpectedEvent, kind: str, about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": event_id(event),
        "object": "event",
        "api_version": API_VERSION,
        "created": _created(event),
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def _payment_intent(event: ExpectedEvent, customer: Customer, invoice_id: str) -> dict[str, Any]:
    return {
        "id": payment_intent_id(event.settlement.reference),
        "object": "payment_intent",
        "amount": event.amount,
        "amount_received": event.amount,
        "created": _created(event),
        "currency": customer.currency.lower(),
        "latest_charge": f"ch_{event.settlement.reference.replace('-', '')}",
        "metadata": {"invoice_id": invoice_id},
        "receipt_email": customer.email,
        "shipping": {"name": customer.name, "address": {"country": customer.country}},
        "status": "succeeded",
    }


def _refund(event: ExpectedEvent, customer: Customer, payment: str) -> dict[str, Any]:
    return {
        "id": f"re_{event.settlement.reference.replace('-', '')}",
        "object": "refund",
        "amount": event.amount,
        "charge": f"ch_{payment.replace('-', '')}",
        "created": _created(event),
        "currency": customer.currency.lower(),
        "metadata": {},
        "payment_intent": payment_intent_id(payment),
        "reason": "requested_by_customer",
        "status": "succeeded",
    }


def _created(event: ExpectedEvent) -> int:
    return int(datetime.combine(event.settlement.happened_on, HAPPENED_AT).timestamp())
