"""The payment partners: each event in its partner's own words, truly signed, told twice and in no order.

A delivery that is not answered with 2xx is signed anew and told again, as partners do.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from http import HTTPStatus
from random import Random  # noqa: TID251 - seeded: every run shuffles alike
from typing import Any, Final, Protocol

from emulators.month.clearing import dispute_of
from emulators.month.client import Line, Refusal, waits
from emulators.month.expectations import ExpectedEvent
from emulators.month.inputs import MonthInputs, Payout, Told, minor
from emulators.partners import PARTNERS
from emulators.partners.telling import Event, Happening, Payer
from shared.clock import Clock
from shared.money import Money
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

TELLINGS: Final = 2
"""How often every event is told."""

HAPPENED_AT: Final = time_of_day(9, 30, tzinfo=UTC)
BY_NUMBER: Final = frozenset({"adyen", "square"})
"""Partners that carry our invoice's number, as payers see it; the others carry its id."""

KINDS: Final[Mapping[Told, EventKind]] = {
    Told.PAYMENT: EventKind.PAYMENT_SUCCEEDED,
    Told.REFUND: EventKind.REFUND_SUCCEEDED,
    Told.DISPUTE: EventKind.DISPUTE_OPENED,
    Told.DISPUTE_WON: EventKind.DISPUTE_WON,
    Told.DISPUTE_LOST: EventKind.DISPUTE_LOST,
}
_PAYMENTS: Final = {"stripe": "pi_", "airwallex": "int_", "square": "pay_"}
"""How partners' ids of payments begin, where they are known by it."""


class Watching(Protocol):
    """Who wants to know of deliveries while they are made, from any thread."""

    def delivering(self, number: int) -> None:
        """Delivery `number`, counted from 1, is about to be sent."""

    def delivery_failed(self, number: int) -> None:
        """Delivery `number` got no answer, or was told to come again."""


@dataclass(frozen=True, slots=True)
class Invoices:
    """Our issued invoices by the files' references: their ids, and their numbers."""

    ids: Mapping[str, str]
    numbers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Telling:
    """An event as its partner words it, and the id that the partner gives it."""

    partner: str
    event_id: str
    day: date
    event: Event


@dataclass(frozen=True, slots=True)
class Partners:
    """All partners as one tenant's endpoints hear them."""

    line: Line
    clock: Clock
    tenant: str
    secrets: Mapping[str, Secret]
    watching: Watching

    def deliver(self, number: int, telling: Telling) -> None:
        """Tell of an event until it is acknowledged.

        Raises:
            Refusal: refused, or not acknowledged in time.
        """
        path = f"/v1/webhooks/{self.tenant}/{telling.partner}"
        for wait in waits():
            self.watching.delivering(number)
            response = self.line.send("POST", path, **self._signed(telling))
            if response is not None and response.ok:
                return
            if response is not None and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                message = f"event {telling.event_id}: {response.status_code} {response.text[:300]}"
                raise Refusal(message)
            self.line.tally.add("failed_deliveries")
            self.watching.delivery_failed(number)
            time.sleep(wait)
        message = f"event {telling.event_id}: never acknowledged"
        raise Refusal(message)

    def _signed(self, telling: Telling) -> dict[str, Any]:
        """The request of an attempt made now."""
        partner, secret = PARTNERS[telling.partner], self.secrets[telling.partner]
        body = partner.body([telling.event], secret)
        headers = partner.headers(body, self.clock.now(), secret)
        return {"data": body, "headers": {"Content-Type": "application/json", **headers}}


def shuffled(tellings: Sequence[Telling], seed: str) -> list[Telling]:
    """Every event as often as it is told, in an order that the seed alone decides."""
    deliveries = list(tellings) * TELLINGS
    Random(seed).shuffle(deliveries)  # noqa: S311 - shuffles, hides nothing
    return deliveries


def told(events: Sequence[ExpectedEvent], inputs: MonthInputs, invoices: Invoices) -> Iterator[Telling]:
    """The events in their partners' words."""
    for event in events:
        partner, each = inputs.partner_of(event.settlement), event.settlement
        happening = _happening(event, inputs, invoices)
        yield Telling(partner, event_id(event, inputs), each.delivered_on, PARTNERS[partner].event(happening))


def payouts_told(payouts: Sequence[Payout]) -> Iterator[Telling]:
    """Payouts in their partners' words."""
    for payout in payouts:
        row = payout.row
        money = Money(minor(row.amount, row.currency), row.currency)
        fee = Money(minor(row.fee, row.currency), row.currency)
        happening = Happening(
            EventKind.PAYOUT_PAID,
            payout_event_id(payout),
            datetime.combine(row.day, HAPPENED_AT),
            money,
            object=row.reference,
            fee=fee if fee.amount else None,
        )
        yield Telling(row.partner, happening.id, row.day, PARTNERS[row.partner].event(happening))


def event_id(event: ExpectedEvent, inputs: MonthInputs) -> str:
    """The partner's id of an event: Adyen's is put together from what it is about."""
    if inputs.partner_of(event.settlement) != "adyen":
        return f"evt_{_plain(event.settlement.reference)}"
    item = PARTNERS["adyen"].event(_happening(event, inputs, Invoices({}, {})))["NotificationRequestItem"]
    return ":".join(item[name] for name in ("pspReference", "eventCode", "success"))


def payout_event_id(payout: Payout) -> str:
    """The partner's id of the event that tells a payout."""
    return f"evt_{_plain(payout.row.reference)}"


def payment_id(partner: str, reference: str) -> str:
    """The partner's id of a payment of the files."""
    return f"{_PAYMENTS.get(partner, '')}{_plain(reference)}"


def _happening(event: ExpectedEvent, inputs: MonthInputs, invoices: Invoices) -> Happening:
    each, partner = event.settlement, inputs.partner_of(event.settlement)
    invoice, currency = inputs.invoice_of(each), inputs.currency_of(each)
    customer, reference = invoice.customer, invoice.row.reference
    by_number, fee = partner in BY_NUMBER, minor(each.fee, currency)
    return Happening(
        KINDS[each.kind],
        f"evt_{_plain(each.reference)}",
        datetime.combine(each.happened_on, HAPPENED_AT),
        Money(event.amount, currency),
        payment=payment_id(partner, inputs.payment_of(each).reference),
        object=_object(event, inputs),
        fee=Money(fee, currency) if fee else None,
        invoice_id="" if by_number else invoices.ids.get(reference, ""),
        reference=invoices.numbers.get(reference, "") if by_number else "",
        payer=Payer(customer.name, customer.email or "", customer.country),
    )


def _object(event: ExpectedEvent, inputs: MonthInputs) -> str:
    """The partner's id of the refund or dispute; a payment has none."""
    match event.settlement.kind:
        case Told.PAYMENT:
            return ""
        case Told.REFUND:
            return _plain(event.settlement.reference)
        case _:
            return _plain(dispute_of(inputs, event.settlement).reference)


def _plain(reference: str) -> str:
    return reference.replace("-", "")
