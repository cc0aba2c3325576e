"""Seals of the journal: list them, read one, read its leaves."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.api import Api
from shared.ledger.rules.seals import Leaf, Seal
from shared.ledger.wire.seals import LeavesAnswer, LeavesQuery, SealAnswer, SealPath
from shared.listing import Listing
from shared.wire import PageAnswer, PageQuery
from shared.wiring import house

api = Api("seals", house)


@api.route("GET", "/v1/ledger/seals", answers=PageAnswer[SealAnswer])
def list_seals(call: Call, query: PageQuery) -> Listing[Seal]:
    """Seals, newest first."""
    return house().seals.page(call.tenant, query.limit, query.cursor)


@api.route("GET", "/v1/ledger/seals/{number}", answers=SealAnswer)
def read_seal(call: Call, path: SealPath) -> Seal:
    """One seal."""
    return house().seals.one(call.tenant, path.number)


@api.route("GET", "/v1/ledger/seals/{number}/leaves", answers=LeavesAnswer)
def read_leaves(call: Call, path: SealPath, query: LeavesQuery) -> tuple[Leaf, ...]:
    """A page of a seal's leaves, in the order of its tree."""
    return house().seals.leaves(call.tenant, path.number, query.page)


@functions_framework.http
def seals(request: Request) -> Response:
    """The door."""
    return api.serve(request)
