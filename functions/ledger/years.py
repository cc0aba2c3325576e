"""Years of the books: close one."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.rules.closing import Year
from shared.ledger.wire.statements import CloseYearOrder, YearAnswer, YearPath
from shared.wiring import house

api = Api("years", house)


@api.route("POST", "/v1/ledger/years/{year}/close", answers=YearAnswer)
def close_year(call: Call, path: YearPath, body: CloseYearOrder) -> Done[Year]:
    """Move revenue and expenses to retained earnings and close the year's months for good."""
    return house().year_ends.close(call.because(body.reason), int(path.year), body.last_month)


@functions_framework.http
def years(request: Request) -> Response:
    """The door."""
    return api.serve(request)
