"""Payments and partners' events: read, list, and allocate to invoices."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.money import Money
from shared.payments.allocations import Allocation
from shared.payments.model import Payment, StoredEvent
from shared.payments.use_cases.virtual_accounts import VirtualAccount
from shared.payments.wire import (
    AllocationAnswer,
    AllocationOrder,
    AllocationPath,
    EventAnswer,
    EventPath,
    EventQuery,
    ListQuery,
    PaymentAnswer,
    PaymentPath,
    ReasonOrder,
    VirtualAccountAnswer,
    VirtualAccountOrder,
    VirtualAccountPath,
    WriteOffLimitOrder,
    WriteOffLimitsAnswer,
)
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("payments", house)


@api.route("GET", "/v1/payments", answers=PageAnswer[PaymentAnswer])
def list_payments(call: Call, query: ListQuery) -> Listing[Payment]:
    """Payments."""
    return house().payments.page(call.tenant, query.limit, query.cursor)


@api.route("GET", "/v1/payments/events", answers=PageAnswer[EventAnswer])
def list_events(call: Call, query: EventQuery) -> Listing[StoredEvent]:
    """Partners' events and what became of them; the refused and quarantined ones want a look."""
    inbox = house().inbox
    return inbox.page(call.tenant, query.limit, query.cursor, state=query.state, partner=query.partner)


@api.route("GET", "/v1/payments/events/{id}", answers=EventAnswer)
def read_event(call: Call, path: EventPath) -> StoredEvent:
    """One event and what became of it."""
    return house().inbox.event(call.tenant, path.id)


@api.route("POST", "/v1/payments/events/{id}/replay", answers=EventAnswer)
def replay_event(call: Call, path: EventPath) -> Done[StoredEvent]:
    """Apply an event again that was refused or got stuck, or that was kept and is understood by now."""
    return house().inbox.replay(call, path.id)


@api.route("GET", "/v1/payments/{id}", answers=PaymentAnswer)
def read_payment(call: Call, path: PaymentPath) -> Payment:
    """One payment."""
    return house().payments.payment(call.tenant, path.id)


@api.route("POST", "/v1/payments/{id}/allocations", status=201, answers=AllocationAnswer)
def allocate_payment(call: Call, path: PaymentPath, body: AllocationOrder) -> Done[Allocation]:
    """Apply what is unapplied of a payment, or held of it as its customer's credit, to invoices of one customer."""
    return house().allocations.allocate(call, path.id, body.slices())


@api.route("GET", "/v1/payments/{id}/allocations", answers=PageAnswer[AllocationAnswer])
def list_allocations(call: Call, path: PaymentPath, query: ListQuery) -> Listing[Allocation]:
    """A payment's allocations, also those that were undone."""
    return house().allocations.page(call.tenant, path.id, query.limit, query.cursor)


@api.route("POST", "/v1/payments/{id}/allocations/{allocation}/undo", answers=AllocationAnswer)
def undo_allocation(call: Call, path: AllocationPath, body: ReasonOrder) -> Done[Allocation]:
    """Take back what is left of an allocation by a new entry: its invoices are open again, its money is unapplied."""
    return house().allocations.undo(call.because(body.reason), path.id, path.allocation)


@api.route("POST", "/v1/payments/virtual_accounts", status=201, answers=VirtualAccountAnswer)
def assign_virtual_account(call: Call, body: VirtualAccountOrder) -> Done[VirtualAccount]:
    """Give a virtual account to a customer: money that comes to it is theirs. Its number is not kept."""
    return house().virtual_accounts.assign(call, body.number, body.customer_id)


@api.route("GET", "/v1/payments/virtual_accounts", answers=PageAnswer[VirtualAccountAnswer])
def list_virtual_accounts(call: Call, query: ListQuery) -> Listing[VirtualAccount]:
    """Virtual accounts and whose they are, by the blind indexes of their numbers."""
    return house().virtual_accounts.page(call.tenant, query.limit, query.cursor)


@api.route("POST", "/v1/payments/virtual_accounts/{id}/release", answers=VirtualAccountAnswer)
def release_virtual_account(call: Call, path: VirtualAccountPath, body: ReasonOrder) -> Done[VirtualAccount]:
    """Take a virtual account from its customer; it can be given to another then."""
    return house().virtual_accounts.release(call.because(body.reason), path.id)


@api.route("GET", "/v1/payments/write_off_limits", answers=WriteOffLimitsAnswer)
def list_write_off_limits(call: Call) -> tuple[Money, ...]:
    """How much of an invoice may be written off, by currency."""
    return house().write_off_limits.all(call.tenant)


@api.route("POST", "/v1/payments/write_off_limits", answers=WriteOffLimitsAnswer)
def set_write_off_limit(call: Call, body: WriteOffLimitOrder) -> Done[tuple[Money, ...]]:
    """Say how much of an invoice in a currency may be written off when a payment is allocated to it."""
    return house().write_off_limits.set(call.because(body.reason), body.limit.money())


@functions_framework.http
def payments(request: Request) -> Response:
    """The door."""
    return api.serve(request)
