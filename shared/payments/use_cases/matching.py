"""Matching: a payment that was applied as unapplied cash finds its invoices by a query, in a step of its own.

So that applying an event stays one reading. What the query proposes is committed under the condition that the payment
is still as it was; each payment is matched at most once, also when people undid it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shared.calls import Call, Done
from shared.desk import Desk
from shared.faults import Retryable
from shared.identity import Cause, TenantId
from shared.invoicing.model import Invoice, InvoiceState
from shared.invoicing.records import INVOICES, invoice_ref, number_ref, read_either, read_invoice
from shared.listing import pages
from shared.payments.allocations import Allocation, Basis, Slice, allocation_ref, read_allocation
from shared.payments.model import Payment
from shared.payments.records import payment_ref, read_payment
from shared.payments.refusals import AllocationExceedsCash, AllocationExceedsOpen
from shared.payments.rules.matching import by_amount, by_reference
from shared.payments.use_cases.allocations import Allocations
from shared.ports import Query, Where

DOOR: Final = "match_payment"
MOST_PAGES: Final = 4
"""Pages of a customer's open invoices that are looked through: with more, nobody says which one an amount is for."""

_OPEN: Final = Where("state", "in", [InvoiceState.ISSUED.value, InvoiceState.PARTLY_PAID.value])


class Matching:
    """The matching of every tenant's payments."""

    def __init__(self, desk: Desk, allocations: Allocations) -> None:
        """Read from `desk`'s store; commit through `allocations`."""
        self._store, self._allocations = desk.store, allocations

    def match(self, call: Call, payment_id: str, numbers: Sequence[str]) -> Done[Allocation | None]:
        """Allocate a payment to the invoices that its reference numbered, or to its customer's only one that fits.

        None where there is a doubt: then the cash stays unapplied, of its customer if that is known.

        Raises:
            Retryable: the payment is not there yet, or it or an invoice moved on in between.
            Refused: by the ledger (recorded).
        """
        call = replace(call, cause=Cause("system", DOOR, payment_id), once=False)
        place = allocation_ref(call.tenant, call.cause.stored_id("allocation"))
        ref = payment_ref(call.tenant, payment_id)
        found = self._store.get([ref, place])
        document, known = found[ref], found[place]
        if document is None:
            message = "the payment is not there yet"
            raise Retryable(message, detail={"payment": payment_id})
        if known is not None:
            return Done(read_allocation(known), replayed=True)
        payment = read_payment(document)
        slices, basis = self._proposed(call.tenant, payment, numbers)
        if not slices:
            return Done(None, replayed=True)
        try:
            done = self._allocations.allocate(call, payment_id, slices, basis, version=payment.version)
        except (AllocationExceedsCash, AllocationExceedsOpen) as late:
            message = "an invoice or the payment moved on"
            raise Retryable(message, detail=late.detail) from late
        return Done(done.answer, done.replayed, done.messages)

    def _proposed(self, tenant: TenantId, payment: Payment, numbers: Sequence[str]) -> tuple[tuple[Slice, ...], Basis]:
        if not payment.unapplied:
            return (), Basis.REFERENCE
        if numbers:
            return by_reference(payment, self._named(tenant, numbers)), Basis.REFERENCE
        if not payment.customer:
            return (), Basis.AMOUNT
        return by_amount(payment, self._open(tenant, payment.customer)), Basis.AMOUNT

    def _named(self, tenant: TenantId, numbers: Sequence[str]) -> list[Invoice]:
        """The invoices of these numbers; none if one of them is not ours."""
        bound = self._store.get([number_ref(tenant, number) for number in numbers])
        ids = [str(document["invoice_id"]) for document in bound.values() if document is not None]
        if len(ids) != len(numbers):
            return []
        documents = self._store.get([invoice_ref(tenant, key) for key in ids]).values()
        read = [read_either(document) for document in documents if document is not None]
        return [invoice for invoice in read if isinstance(invoice, Invoice)]

    def _open(self, tenant: TenantId, customer: str) -> list[Invoice]:
        """The customer's open invoices; none if there are more than can be looked through."""
        query = Query(INVOICES, tenant, (Where("customer_id", "==", customer), _OPEN))
        read = list(pages(self._store, query, most=MOST_PAGES))
        if read[-1].cursor is not None:
            return []
        return [read_invoice(document) for page in read for document in page.documents]
