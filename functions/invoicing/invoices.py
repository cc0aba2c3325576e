"""Invoices: draft, issue, read, list, age."""

from collections.abc import Mapping

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.invoicing.rules.ageing import Age
from shared.invoicing.use_cases import Either
from shared.invoicing.wire import AgeingAnswer, AgeingQuery, InvoiceAnswer, InvoicePath, InvoiceQuery, NewInvoice
from shared.listing import Listing
from shared.money import Money
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("invoices", house)


@api.route("POST", "/v1/invoices", status=201, answers=InvoiceAnswer)
def draft(call: Call, body: NewInvoice) -> Done[Either]:
    """Write a draft: it has no number and is in no books."""
    return house().invoicing.draft(call, body.draft())


@api.route("GET", "/v1/invoices", answers=PageAnswer[InvoiceAnswer])
def list_invoices(call: Call, query: InvoiceQuery) -> Listing[Either]:
    """Drafts and invoices, by state and customer."""
    return house().invoicing.page(call.tenant, query.where(), query.limit, query.cursor)


@api.route("GET", "/v1/invoices/receivables_by_age", answers=AgeingAnswer)
def receivables_by_age(call: Call, query: AgeingQuery) -> Mapping[str, Mapping[Age, Money]]:
    """What customers owe on a day, by currency and age."""
    return house().invoicing.receivables_by_age(call.tenant, query.on)


@api.route("GET", "/v1/invoices/{id}", answers=InvoiceAnswer)
def read_invoice(call: Call, path: InvoicePath) -> Either:
    """One draft or invoice."""
    return house().invoicing.invoice(call.tenant, path.id)


@api.route("POST", "/v1/invoices/{id}/issue", answers=InvoiceAnswer)
def issue(call: Call, path: InvoicePath) -> Done[Either]:
    """Issue a draft: it gets the next number, today's date and its tax, and is posted."""
    return house().invoicing.issue(call, path.id)


@functions_framework.http
def invoices(request: Request) -> Response:
    """The door."""
    return api.serve(request)
