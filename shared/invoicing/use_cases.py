"""Invoices: drafted, issued once under the next number, listed, and aged.

Issuing is one commit: the invoice under its number, the series' next value, the number bound to
the invoice, the journal entry and the announcement, or nothing of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final, TypeAlias

from shared.calls import Call, Done, Outcome
from shared.customers.model import Customer
from shared.customers.records import customer_ref, read_customer
from shared.desk import Desk
from shared.identity import TenantId
from shared.invoicing.model import DraftInvoice, Happening, Invoice, InvoiceState
from shared.invoicing.records import (
    INVOICES,
    invoice_ref,
    number_ref,
    read_draft,
    read_either,
    read_invoice,
    read_series,
    series_ref,
    write_draft,
    write_invoice,
    write_series,
)
from shared.invoicing.refusals import UnknownCustomer, UnknownInvoice
from shared.invoicing.rules.ageing import Age, receivables_by_age
from shared.invoicing.rules.issuing import draft_net, issue, issue_lines, next_number, tax_question
from shared.invoicing.rules.states import require
from shared.ledger.model import JournalEntry
from shared.ledger.use_cases.posting import Booking, Books
from shared.listing import Listing, every
from shared.money import Money
from shared.ports import Create, Document, Query, Ref, Update, Value, View, Where, Write
from shared.tax.model import Buyer, BuyerKind, Seller
from shared.tax.use_cases import Taxes

TOPIC: Final = "invoicing"

Either: TypeAlias = DraftInvoice | Invoice


class Invoicing:
    """The invoices of every tenant."""

    def __init__(self, desk: Desk, books: Books, taxes: Taxes, seller: Callable[[TenantId], Seller]) -> None:
        """Write through `desk` and `books`; `seller` tells who supplies, for a tenant."""
        self._desk, self._books, self._taxes, self._seller = desk, books, taxes, seller

    def draft(self, call: Call, wanted: DraftInvoice) -> Done[Either]:
        """Write a draft for a customer.

        Raises:
            UnknownCustomer: there is no such customer.
            Invalid: its lines come to more than an amount may be.
        """
        draft_net(wanted)
        draft = replace(wanted, id=call.cause.stored_id("invoice"))
        ref, customer = invoice_ref(call.tenant, draft.id), customer_ref(call.tenant, draft.customer_id)

        def decide(view: View) -> Outcome[Either]:
            _customer(view[customer])
            return Outcome(ref, "invoice.draft", draft, (Create(ref, write_draft(draft)),))

        return self._desk.perform(call, [customer], decide, read_either)

    def issue(self, call: Call, invoice_id: str) -> Done[Either]:
        """Give a draft its number, date and tax, and post it.

        Raises:
            UnknownInvoice: there is none under this id.
            WrongState: it was issued or discarded before.
            NotSupported, TaxNotDetermined: tax cannot be told.
            Refused: by the ledger; recorded.
            Retryable: too many issue at once.
        """
        ref, series_place = invoice_ref(call.tenant, invoice_id), series_ref(call.tenant)
        seller = self._seller(call.tenant)

        def decide(view: View) -> Booking[Either]:
            view.need((ref, series_place))
            draft = _draft(view[ref])
            customer = _customer(view[customer_ref(call.tenant, draft.customer_id)])
            series = next_number(read_series(view[series_place]), call.at.date())
            buyer = Buyer(customer.country, BuyerKind(customer.kind.value), customer.vat_id)
            tax = self._taxes.calculate(tax_question(draft, seller, buyer, series.issued_on))
            invoice = issue(draft, series.number, series.issued_on, tax)
            number = Create(number_ref(call.tenant, invoice.number), {"schema": 1, "invoice_id": invoice.id})
            issued = _replaced(view[ref], invoice)
            counted = _write(series_place, view[series_place], write_series(series.series))
            told = call.announcement(TOPIC, "invoice.issued", invoice.id, invoice.version, _data(invoice))
            outcome: Outcome[Either] = Outcome(ref, "invoice.issue", invoice, (issued, counted, number), (told,))
            return Booking(outcome, _entry(call, invoice))

        return self._books.perform(call, [ref, series_place], decide, read_either)

    def invoice(self, tenant: TenantId, invoice_id: str) -> Either:
        """One draft or invoice.

        Raises:
            UnknownInvoice: there is none under this id.
        """
        ref = invoice_ref(tenant, invoice_id)
        return read_either(_known(self._desk.store.get([ref])[ref]))

    def page(self, tenant: TenantId, where: Mapping[str, str], limit: int, cursor: str | None) -> Listing[Either]:
        """Drafts and invoices in the order of their ids, by state and customer, a page at a time."""
        conditions = tuple(Where(field, "==", value) for field, value in where.items())
        page = self._desk.store.query(Query(INVOICES, tenant, conditions, limit=limit, after=cursor))
        return Listing(tuple(read_either(document) for document in page.documents), page.cursor)

    def receivables_by_age(self, tenant: TenantId, on: date) -> Mapping[str, Mapping[Age, Money]]:
        """What is open of the invoices issued by a day, by currency and age, read at one instant."""
        store = self._desk.store
        at = store.read_time()
        owing = Where("state", "in", [InvoiceState.ISSUED.value, InvoiceState.PARTLY_PAID.value])
        invoices = map(read_invoice, every(store, Query(INVOICES, tenant, (owing,)), at=at))
        return receivables_by_age(invoices, on)


def _entry(call: Call, invoice: Invoice) -> JournalEntry:
    return JournalEntry(
        call.cause.stored_id("entry"),
        issue_lines(invoice),
        invoice.issued_on,
        str(call.cause),
        call.request_hash,
        reference=invoice.number,
    )


def _data(invoice: Invoice) -> dict[str, str | int]:
    return {
        "number": invoice.number,
        "customer_id": invoice.customer_id,
        "gross": invoice.gross.amount,
        "currency": invoice.currency,
    }


def _known(document: Document | None) -> Document:
    if document is None:
        message = "no such invoice"
        raise UnknownInvoice(message, field="id")
    return document


def _draft(document: Document | None) -> DraftInvoice:
    known = _known(document)
    require(InvoiceState(known["state"]), Happening.ISSUE)
    return read_draft(known)


def _customer(document: Document | None) -> Customer:
    if document is None:
        message = "no such customer"
        raise UnknownCustomer(message, field="customer_id")
    return read_customer(document)


def _replaced(document: Document | None, invoice: Invoice) -> Write:
    known = _known(document)
    return Update(known.ref, write_invoice(invoice), known.version)


def _write(ref: Ref, document: Document | None, fields: Mapping[str, Value]) -> Write:
    return Update(ref, fields, document.version) if document else Create(ref, fields)
