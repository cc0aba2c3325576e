"""The whole journal, a page at a time, all pages as of one instant."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.api import Api
from shared.ledger.use_cases.export import JournalPage
from shared.ledger.wire.seals import JournalAnswer, JournalQuery
from shared.wiring import house

api = Api("journal", house)


@api.route("GET", "/v1/ledger/journal", answers=JournalAnswer)
def read_journal(call: Call, query: JournalQuery) -> JournalPage:
    """Entries with every field as stored, by id; the first page has the chart, the last totals and closed months."""
    return house().journals.page(call.tenant, query.limit, query.cursor)


@functions_framework.http
def journal(request: Request) -> Response:
    """The door."""
    return api.serve(request)
