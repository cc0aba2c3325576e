"""Payments and partners' events: read and list."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.payments.model import Payment, StoredEvent
from shared.payments.wire import EventAnswer, EventPath, EventQuery, ListQuery, PaymentAnswer, PaymentPath
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


@api.route("POST", "/v1/payments/events/{id}/replay", answers=EventAnswer)
def replay_event(call: Call, path: EventPath) -> Done[StoredEvent]:
    """Apply an event again that was refused or got stuck, or that was kept and is understood by now."""
    return house().inbox.replay(call, path.id)


@api.route("GET", "/v1/payments/{id}", answers=PaymentAnswer)
def read_payment(call: Call, path: PaymentPath) -> Payment:
    """One payment."""
    return house().payments.payment(call.tenant, path.id)


@functions_framework.http
def payments(request: Request) -> Response:
    """The door."""
    return api.serve(request)
