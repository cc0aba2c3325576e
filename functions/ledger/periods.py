"""Months of the books: list them, close them, reopen them."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.model import Period
from shared.ledger.rules.control import Operation
from shared.ledger.wire.accounts import CloseOrder, ControlAnswer, PeriodAnswer, ReopenOrder
from shared.ledger.wire.entries import PeriodPath
from shared.listing import Listing
from shared.wire import PageAnswer, PageQuery
from shared.wiring import house

api = Api("periods", house)


@api.route("GET", "/v1/ledger/periods", answers=PageAnswer[PeriodAnswer])
def list_periods(call: Call, query: PageQuery) -> Listing[Period]:
    """Months that were posted to or closed, in order."""
    return house().chart.periods(call.tenant, query.limit, query.cursor)


@api.route("POST", "/v1/ledger/periods/{period}/close", answers=ControlAnswer)
def close(call: Call, path: PeriodPath, body: CloseOrder) -> Done[Operation]:
    """Close a month, softly or hard; answered when nothing that it excludes can land any more."""
    return house().controls.run(call.because(body.reason or ""), body.control, path.period)


@api.route("POST", "/v1/ledger/periods/{period}/reopen", answers=ControlAnswer)
def reopen(call: Call, path: PeriodPath, body: ReopenOrder) -> Done[Operation]:
    """Let a closed month take entries again, for a reason that is kept; its version grows."""
    return house().controls.run(call.because(body.reason), body.control, path.period)


@functions_framework.http
def periods(request: Request) -> Response:
    """The door."""
    return api.serve(request)
