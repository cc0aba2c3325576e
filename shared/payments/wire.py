"""Payments on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from shared.identity import TenantId
from shared.payments.model import EventKind, EventState, Payment, PaymentState, StoredEvent
from shared.payments.records import PAYMENTS
from shared.ports import Ref, tenant_ref
from shared.wire import MoneyWire, PageQuery, Wire

ObjectId = Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]


class PaymentAnswer(Wire):
    """Money that a partner took, or is about to: matched to an invoice, unapplied, given back or taken back."""

    id: str
    partner: str
    reference: str
    state: PaymentState
    invoice_id: str | None
    customer_id: str | None
    received: MoneyWire
    matched: MoneyWire
    unapplied: MoneyWire
    refunded: MoneyWire
    reversed: MoneyWire
    occurred_at: datetime

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """The payment on the wire."""
        received, matched, unapplied, refunded, taken_back = (
            MoneyWire(amount=amount, currency=payment.currency)
            for amount in (payment.received, payment.matched, payment.unapplied, payment.refunded, payment.reversed)
        )
        return cls(
            id=payment.id,
            partner=payment.partner,
            reference=payment.reference,
            state=payment.state,
            invoice_id=payment.invoice_id or None,
            customer_id=payment.customer_id or None,
            received=received,
            matched=matched,
            unapplied=unapplied,
            refunded=refunded,
            reversed=taken_back,
            occurred_at=payment.occurred_at,
        )


class EventAnswer(Wire):
    """An event of the inbox: what a partner told, with its own names of the payment and object, and what became of it.

    `entry_id` is the journal entry that it caused; where the ledger refused it, the entry says why.
    """

    id: str
    partner: str
    account: str | None
    event_id: str
    type: str
    kind: EventKind
    payment: str | None
    object: str | None
    money: MoneyWire | None
    state: EventState
    key_id: str
    replays: int
    refused: str | None
    entry_id: str | None
    occurred_at: datetime
    received_at: datetime

    @classmethod
    def of(cls, stored: StoredEvent) -> Self:
        """The event on the wire."""
        event = stored.event
        return cls(
            id=stored.key,
            partner=event.partner,
            account=event.account or None,
            event_id=event.id,
            type=event.type,
            kind=event.kind,
            payment=event.payment or None,
            object=event.object or None,
            money=MoneyWire.of(event.money) if event.money else None,
            state=stored.state,
            key_id=stored.key_id,
            replays=stored.replays,
            refused=stored.refused or None,
            entry_id=stored.entry_id or None,
            occurred_at=event.occurred_at,
            received_at=stored.received_at,
        )


class PaymentPath(Wire):
    """The payment in the path."""

    id: ObjectId


class ListQuery(PageQuery):
    """Which page."""


class EventQuery(PageQuery):
    """Events of one state, of one partner, or all."""

    state: EventState | None = None
    partner: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$")] | None = None


class EventPath(Wire):
    """The event in the path."""

    id: ObjectId


class AskTask(Wire):
    """An event whose partner is asked how much it is of."""

    event: ObjectId
    replay: Annotated[int, Field(ge=0)] = 0


class ApplyTask(Wire):
    """An event to apply, and what to read along."""

    event: ObjectId
    payment: Annotated[str, Field(pattern=r"^([a-z2-7]{52})?$")]
    invoice: Annotated[str, Field(pattern=r"^([a-z2-7]{52})?$")]
    object: Annotated[str, Field(pattern=r"^((refunds|disputes|payouts)/[a-z2-7]{52})?$")] = ""
    replay: Annotated[int, Field(ge=0)] = 0

    def along(self, tenant: TenantId) -> list[Ref]:
        """What the event is about, to be read with it."""
        places = ((PAYMENTS, self.payment), ("invoices", self.invoice), tuple(self.object.split("/")))
        return [tenant_ref(tenant, place[0], place[1]) for place in places if place[-1]]
