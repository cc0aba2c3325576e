"""Months of the books: list them, close them."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.model import Period
from shared.ledger.rules.control import Operation
from shared.ledger.wire import CloseOrder, ControlAnswer, PeriodPath, PeriodsAnswer
from shared.wiring import house

api = Api("periods", house)


@api.route("GET", "/v1/ledger/periods", answers=PeriodsAnswer)
def list_periods(call: Call) -> tuple[Period, ...]:
    """Every month that was posted to or closed, in order."""
    return house().chart.periods(call.tenant)


@api.route("POST", "/v1/ledger/periods/{period}/close", answers=ControlAnswer)
def close(call: Call, path: PeriodPath, body: CloseOrder) -> Done[Operation]:
    """Close a month, softly or hard; answered when nothing that it excludes can land any more."""
    return house().controls.run(call.because(body.reason or ""), body.control, path.period)


@functions_framework.http
def periods(request: Request) -> Response:
    """The door."""
    return api.serve(request)
