"""Holds: set money aside, post it in full or in part, give it back, look at it."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.records import RecordedEntry
from shared.ledger.rules.holds import Hold
from shared.ledger.wire.entries import EntryAnswer
from shared.ledger.wire.holds import HoldAnswer, HoldPath, HoldQuery, NewHold, PostHold
from shared.listing import Listing
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("holds", house)


@api.route("POST", "/v1/ledger/holds", status=201, answers=HoldAnswer)
def reserve(call: Call, body: NewHold) -> Done[Hold]:
    """Set lines aside until they are posted, voided or expire; they count against what is available at once."""
    return house().holds.reserve(call, body.order())


@api.route("GET", "/v1/ledger/holds", answers=PageAnswer[HoldAnswer])
def list_holds(call: Call, query: HoldQuery) -> Listing[Hold]:
    """Holds, open, ended and refused; all, or of one account or state."""
    return house().holds.page(call.tenant, query.limit, query.cursor, account=query.account, state=query.state)


@api.route("GET", "/v1/ledger/holds/{id}", answers=HoldAnswer)
def read_hold(call: Call, path: HoldPath) -> Hold:
    """One hold as it stands."""
    return house().holds.hold(call.tenant, path.hold_id)


@api.route("POST", "/v1/ledger/holds/{id}/post", status=201, answers=EntryAnswer)
def post_hold(call: Call, path: HoldPath, body: PostHold) -> Done[RecordedEntry]:
    """Post what is left of a hold, or some of it, as a journal entry."""
    return house().holds.post(call, path.hold_id, body.order())


@api.route("POST", "/v1/ledger/holds/{id}/void", answers=HoldAnswer)
def void_hold(call: Call, path: HoldPath) -> Done[Hold]:
    """Give back all that a hold still reserves."""
    return house().holds.void(call, path.hold_id)


@functions_framework.http
def holds(request: Request) -> Response:
    """The door."""
    return api.serve(request)
