"""Allocations: unapplied cash of a payment is applied to invoices by an order, and the order can be undone.

Each is one commit: payment, invoices, allocation, journal entry, totals, audit record and announcement. Undoing posts a
new entry; nothing that was posted changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Announcement, Json
from shared.faults import Retryable
from shared.identity import TenantId
from shared.invoicing.model import Happening, Invoice
from shared.invoicing.records import invoice_ref, read_either, write_settlement
from shared.invoicing.refusals import UnknownInvoice
from shared.invoicing.rules.states import require
from shared.ledger.entry_data import EntryData
from shared.ledger.model import JournalEntry
from shared.ledger.use_cases.posting import Booking, Books, recording
from shared.listing import Listing
from shared.payments.allocations import (
    ALLOCATIONS,
    Allocation,
    AllocationState,
    Basis,
    KeptRate,
    Slice,
    allocation_ref,
    read_allocation,
    read_limit,
    write_allocation,
    write_off_limit_ref,
    write_undoing,
)
from shared.payments.applying import TOPIC
from shared.payments.model import Payment
from shared.payments.records import payment_ref, read_payment, write_payment
from shared.payments.refusals import AllocationUndone, UnknownAllocation, UnknownPayment
from shared.payments.rules.allocating import Allocated, Terms, allocate, same_currency, take_back
from shared.payments.rules.exchanging import Exchange
from shared.ports import Create, Document, Query, Update, View, Where, Write

ALLOCATED: Final = "payment.allocated"
UNALLOCATED: Final = "payment.unallocated"


class Allocations:
    """The allocations of every tenant."""

    def __init__(self, desk: Desk, books: Books, exchange: Callable[[TenantId], Exchange]) -> None:
        """Write through `desk` and `books`; `exchange` is asked for when a tenant's currencies differ."""
        self._desk, self._books, self._exchange = desk, books, exchange

    def allocate(
        self,
        call: Call,
        payment_id: str,
        slices: Sequence[Slice],
        basis: Basis = Basis.ORDER,
        *,
        version: int | None = None,
    ) -> Done[Allocation]:
        """Apply what is unapplied of a payment, or held of it as its customer's credit, to invoices: all or none.

        `version` is the payment's that the order was made for; None for whatever stands.

        Raises:
            UnknownPayment, UnknownInvoice: there is none under this id; recorded.
            Refused: as `rules.allocating.allocate`, or by the ledger; recorded.
            Retryable: contention or silence outlasted the attempts, or the payment is not of that version any more.
        """
        ref = allocation_ref(call.tenant, call.cause.stored_id("allocation"))
        refs = [payment_ref(call.tenant, payment_id), *(invoice_ref(call.tenant, one.invoice_id) for one in slices)]
        limits = {write_off_limit_ref(call.tenant, one.amount.currency) for one in slices if one.write_off}

        def decide(view: View) -> Booking[Allocation]:
            view.need((*refs, *limits, *(() if call.once else (ref,))))
            known = None if call.once else view[ref]
            if known is not None:
                return Booking(Outcome(ref, "payment.allocate", read_allocation(known)))
            payment = _payment(view[refs[0]])
            if version not in {None, payment.version}:
                message = "the payment moved on"
                raise Retryable(message, detail={"payment": payment_id})
            invoices = _invoices(call.tenant, payment, [one.invoice_id for one in slices], view)
            limit = max([read_limit(view[place]) for place in limits], default=0)
            terms, rate = self._terms(call.tenant, payment, slices, Terms(ref.key, limit, same_currency, ""))
            made = allocate(payment, slices, invoices, terms)
            return _booked(call, made, replace(_allocation(call, ref.key, basis, made), kept_rate=rate), view)

        recorded = recording(call, ref, "payment.allocate", decide, makes=True)
        return self._books.perform(call, [*refs, *limits], recorded, read_allocation)

    def undo(self, call: Call, payment_id: str, allocation_id: str) -> Done[Allocation]:
        """Take back what is left of an allocation: the invoices are open again, and the money is unapplied.

        Raises:
            UnknownAllocation: the payment has none under this id.
            AllocationUndone: it was undone, or all of it went back to the payer; recorded.
            Refused: by the ledger; recorded.
            Retryable: contention or silence outlasted the attempts.
        """
        ref, place = allocation_ref(call.tenant, allocation_id), payment_ref(call.tenant, payment_id)

        def decide(view: View) -> Booking[Allocation]:
            view.need((ref, place))
            document = view[ref]
            known = read_allocation(document) if document else None
            if document is None or known is None or known.payment_id != payment_id:
                message = "the payment has no such allocation"
                raise UnknownAllocation(message, field="allocation")
            if known.state is AllocationState.UNDONE:
                message = "the allocation was undone before"
                raise AllocationUndone(message, field="allocation")
            payment = _payment(view[place])
            ids = [share.invoice_id for share in payment.shares if share.allocation == allocation_id]
            undone = take_back(payment, allocation_id, _invoices(call.tenant, payment, ids, view))
            return _unbooked(call, undone, known, view)

        recorded = recording(call, ref, "payment.unallocate", decide)
        return self._books.perform(call, [ref, place], recorded, read_allocation)

    def _terms(
        self, tenant: TenantId, payment: Payment, slices: Sequence[Slice], terms: Terms
    ) -> tuple[Terms, KeptRate | None]:
        """The terms, at a published rate where the slices are in another currency than the payment."""
        currency = slices[0].amount.currency
        if currency == payment.currency:
            return terms, None
        exchange = self._exchange(tenant)
        rate = exchange.kept_rate(payment, currency)
        return replace(terms, price=exchange.price, books=exchange.books), rate

    def page(self, tenant: TenantId, payment_id: str, limit: int, cursor: str | None) -> Listing[Allocation]:
        """The allocations of a payment in the order of their ids, a page at a time."""
        where = (Where("payment_id", "==", payment_id),)
        page = self._desk.store.query(Query(ALLOCATIONS, tenant, where, limit=limit, after=cursor))
        return Listing(tuple(read_allocation(document) for document in page.documents), page.cursor)


# --- what is known -----------------------------------------------------------------------


def _payment(document: Document | None) -> Payment:
    if document is None:
        message = "no such payment"
        raise UnknownPayment(message, field="id")
    return read_payment(document)


def _invoices(tenant: TenantId, payment: Payment, ids: Sequence[str], view: View) -> Mapping[str, Invoice]:
    """The invoices of these ids, and the one that the payment itself named, if it is matched to that."""
    wanted = [*ids, *([payment.invoice_id] if payment.own else [])]
    refs = {key: invoice_ref(tenant, key) for key in wanted}
    view.need(tuple(refs.values()))
    return {key: _issued(view[ref]) for key, ref in refs.items()}


def _issued(document: Document | None) -> Invoice:
    if document is None:
        message = "no such invoice"
        raise UnknownInvoice(message, field="lines")
    either = read_either(document)
    require(either.state, Happening.PAY)
    if not isinstance(either, Invoice):
        message = f"{document.ref.path} takes payments and is not issued"
        raise TypeError(message)
    return either


# --- what is written ---------------------------------------------------------------------


def _allocation(call: Call, key: str, basis: Basis, made: Allocated) -> Allocation:
    return Allocation(
        key,
        made.payment.id,
        made.shares[0].customer_id,
        basis,
        made.taken,
        made.shares,
        call.cause.stored_id("entry"),
        call.principal,
        call.at,
    )


def _booked(call: Call, made: Allocated, allocation: Allocation, view: View) -> Booking[Allocation]:
    ref = allocation_ref(call.tenant, allocation.id)
    writes = (*_moved(call, made, view), Create(ref, write_allocation(allocation)))
    told = (_told(call, ALLOCATED, made, allocation),)
    outcome = Outcome(ref, "payment.allocate", allocation, writes, told)
    rates = (allocation.kept_rate.rate,) if allocation.kept_rate else ()
    return Booking(outcome, replace(_entry(call, made), data=EntryData(rates=rates)))


def _unbooked(call: Call, undone: Allocated, known: Allocation, view: View) -> Booking[Allocation]:
    after = replace(
        known,
        state=AllocationState.UNDONE,
        undone_by=call.principal,
        undone_at=call.at,
        undo_entry_id=call.cause.stored_id("entry"),
    )
    document = view.named(allocation_ref(call.tenant, known.id))
    writes = (*_moved(call, undone, view), Update(document.ref, write_undoing(after), document.version))
    told = (_told(call, UNALLOCATED, undone, after),)
    return Booking(Outcome(document.ref, "payment.unallocate", after, writes, told), _entry(call, undone))


def _moved(call: Call, moved: Allocated, view: View) -> tuple[Write, ...]:
    """Payment and invoices as they are left."""
    payment = view.named(payment_ref(call.tenant, moved.payment.id))
    documents = [(invoice, view.named(invoice_ref(call.tenant, invoice.id))) for invoice in moved.invoices]
    settled = (Update(document.ref, write_settlement(invoice), document.version) for invoice, document in documents)
    return (Update(payment.ref, write_payment(moved.payment), payment.version), *settled)


def _entry(call: Call, moved: Allocated) -> JournalEntry:
    """Effective today: what was known before is not changed. One invoice gives it its number as reference."""
    numbers = [invoice.number for invoice in moved.invoices]
    return JournalEntry(
        call.cause.stored_id("entry"),
        moved.lines,
        call.at.date(),
        str(call.cause),
        call.request_hash,
        reference=numbers[0] if len(numbers) == 1 else "",
    )


def _told(call: Call, kind: str, moved: Allocated, allocation: Allocation) -> Announcement:
    payment = moved.payment
    data: dict[str, Json] = {
        "allocation_id": allocation.id,
        "customer_id": allocation.customer_id,
        "invoices": [
            {
                "invoice_id": one.invoice_id,
                "amount": one.settled,
                "written_off": one.written_off,
                "currency": one.currency,
            }
            for one in moved.shares
        ],
        "taken": moved.taken.amount,
        "unapplied": payment.unapplied,
        "currency": payment.currency,
    }
    return call.announcement(TOPIC, kind, payment.id, payment.version, data)
