"""Payments on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from shared.identity import TenantId
from shared.limits import ALLOCATION_INVOICES, AMOUNT_MINOR, MATCHED_NUMBERS
from shared.money import Money
from shared.payments.allocations import Allocation, AllocationState, Basis, KeptRate, Slice
from shared.payments.model import EventKind, EventState, Payment, PaymentState, Share, StoredEvent, Thing
from shared.payments.partners.reading import INVOICE_NUMBER
from shared.payments.records import PAYMENTS, TALLIES, TRACKED, VIRTUAL_ACCOUNTS
from shared.payments.use_cases.virtual_accounts import VirtualAccount
from shared.ports import Ref, tenant_ref
from shared.wire import DecimalText, IsoDate, MoneyWire, PageQuery, ShortText, Wire

ObjectId = Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]


class PositiveMoney(MoneyWire):
    """An amount above zero."""

    amount: Annotated[int, Field(ge=1, le=AMOUNT_MINOR)]


class MoneyFromZero(MoneyWire):
    """An amount of zero or more."""

    amount: Annotated[int, Field(ge=0, le=AMOUNT_MINOR)]


class AllocatedAnswer(Wire):
    """What is left of an allocation on one invoice."""

    allocation_id: str
    invoice_id: str
    taken: MoneyWire
    settled: MoneyWire


class PaymentAnswer(Wire):
    """Money that a partner took, or is about to: matched to invoices, unapplied, given back or taken back.

    Of what is matched, `allocated` went to invoices by allocations; the rest to the invoice that the payment named.
    """

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
    allocated: tuple[AllocatedAnswer, ...]
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
            customer_id=payment.customer or None,
            received=received,
            matched=matched,
            unapplied=unapplied,
            refunded=refunded,
            reversed=taken_back,
            allocated=tuple(
                AllocatedAnswer(
                    allocation_id=share.allocation,
                    invoice_id=share.invoice_id,
                    taken=MoneyWire(amount=share.taken, currency=payment.currency),
                    settled=MoneyWire(amount=share.settled, currency=share.currency),
                )
                for share in payment.shares
            ),
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
    account: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    replay: Annotated[int, Field(ge=0)] = 0

    def along(self, tenant: TenantId) -> list[Ref]:
        """What the event is about, to be read with it."""
        about = ((PAYMENTS, self.payment), ("invoices", self.invoice), (VIRTUAL_ACCOUNTS, self.account))
        own = (TALLIES, self.payment if self.object.startswith(TRACKED[Thing.REFUND]) else "")
        places = (*about, own, tuple(self.object.split("/")))
        return [tenant_ref(tenant, place[0], place[1]) for place in places if place[-1]]


class MatchTask(Wire):
    """A payment to match, and the numbers of our invoices that its reference named, if it named any."""

    payment: ObjectId
    numbers: Annotated[
        tuple[Annotated[str, Field(pattern=INVOICE_NUMBER)], ...], Field(max_length=MATCHED_NUMBERS)
    ] = ()


# --- virtual accounts --------------------------------------------------------------------


class VirtualAccountOrder(Wire):
    """An account's number, and whose it is; the number is kept as a blind index only."""

    number: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{2,63}$", examples=["GB33BUKB20201555555555"])]
    customer_id: ObjectId


class VirtualAccountPath(Wire):
    """The virtual account in the path."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class VirtualAccountAnswer(Wire):
    """A virtual account by the blind index of its number; `customer_id` is null once it was released."""

    id: str
    customer_id: str | None

    @classmethod
    def of(cls, account: VirtualAccount) -> Self:
        """The account on the wire."""
        return cls(id=account.id, customer_id=account.customer_id or None)


# --- allocations -------------------------------------------------------------------------


class SliceOrder(Wire):
    """So much of an invoice to settle, in the invoice's currency; `write_off` gives up what is left of it."""

    invoice_id: ObjectId
    amount: PositiveMoney
    write_off: bool = False


class AllocationOrder(Wire):
    """The invoices to settle with a payment, all of one customer and one currency: all of them, or none."""

    lines: Annotated[tuple[SliceOrder, ...], Field(min_length=1, max_length=ALLOCATION_INVOICES)]

    def slices(self) -> tuple[Slice, ...]:
        """What is asked for."""
        return tuple(Slice(line.invoice_id, line.amount.money(), line.write_off) for line in self.lines)


class ReasonOrder(Wire):
    """Why; it is kept on record."""

    reason: ShortText


class AllocationPath(Wire):
    """The payment and its allocation in the path."""

    id: ObjectId
    allocation: ObjectId


class ShareAnswer(Wire):
    """What went to one invoice: `taken` of the payment settled `settled` of it; a loss is a `gain` below zero."""

    invoice_id: str
    taken: MoneyWire
    settled: MoneyWire
    written_off: MoneyWire
    gain: MoneyWire | None

    @classmethod
    def of(cls, share: Share, currency: str) -> Self:
        """The share of a payment in that currency on the wire."""
        return cls(
            invoice_id=share.invoice_id,
            taken=MoneyWire(amount=share.taken, currency=currency),
            settled=MoneyWire(amount=share.settled, currency=share.currency),
            written_off=MoneyWire(amount=share.written_off, currency=share.currency),
            gain=MoneyWire(amount=share.gain, currency=share.books) if share.gain else None,
        )


class KeptRateAnswer(Wire):
    """One unit of `base`, the invoices' currency, in `quote`, the payment's, as `source` published it on a day."""

    base: str
    quote: str
    rate: DecimalText
    source: str
    published_on: IsoDate


class AllocationAnswer(Wire):
    """An allocation as it was made, and whether it was undone since; what went back to the payer is on the payment."""

    id: str
    payment_id: str
    customer_id: str
    state: AllocationState
    basis: Basis
    taken: MoneyWire
    lines: tuple[ShareAnswer, ...]
    rate: KeptRateAnswer | None
    entry_id: str
    principal: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    undo_entry_id: str | None

    @classmethod
    def of(cls, made: Allocation) -> Self:
        """The allocation on the wire."""
        return cls(
            id=made.id,
            payment_id=made.payment_id,
            customer_id=made.customer_id,
            state=made.state,
            basis=made.basis,
            taken=MoneyWire.of(made.taken),
            lines=tuple(ShareAnswer.of(share, made.taken.currency) for share in made.shares),
            rate=_rate(made.kept_rate) if made.kept_rate else None,
            entry_id=made.entry_id,
            principal=made.principal,
            made_at=made.made_at,
            undone_by=made.undone_by or None,
            undone_at=made.undone_at,
            undo_entry_id=made.undo_entry_id or None,
        )


def _rate(kept: KeptRate) -> KeptRateAnswer:
    rate = kept.rate
    return KeptRateAnswer(
        base=rate.base, quote=rate.quote, rate=rate.rate, source=rate.source, published_on=kept.published_on
    )


class WriteOffLimitOrder(Wire):
    """From now on at most so much of an invoice in this currency may be written off; zero for nothing."""

    limit: MoneyFromZero
    reason: ShortText


class WriteOffLimitsAnswer(Wire):
    """What may be written off of an invoice, by currency; nothing in the others."""

    limits: tuple[MoneyWire, ...]

    @classmethod
    def of(cls, limits: tuple[Money, ...]) -> Self:
        """The limits on the wire."""
        return cls(limits=tuple(map(MoneyWire.of, limits)))
