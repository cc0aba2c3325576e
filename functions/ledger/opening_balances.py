"""Opening balances: what a tenant brings along when it migrates in."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.use_cases.opening import OpeningEntry
from shared.ledger.wire.statements import OpeningAnswer, OpeningOrder
from shared.wiring import house

api = Api("opening_balances", house)


@api.route("POST", "/v1/ledger/opening_balances", status=201, answers=OpeningAnswer)
def post_opening_balances(call: Call, body: OpeningOrder) -> Done[tuple[OpeningEntry, ...]]:
    """Post balances against one equity account, in as many entries as it takes; each is posted once."""
    return house().opening_balances.post(call, body.on, [row.row() for row in body.rows])


@functions_framework.http
def opening_balances(request: Request) -> Response:
    """The door."""
    return api.serve(request)
