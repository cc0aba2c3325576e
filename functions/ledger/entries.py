"""Journal entries: post one, read one, list them."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.identity import StoredId
from shared.ledger.records import RecordedEntry
from shared.ledger.wire import EntryAnswer, EntryPath, EntryQuery, NewEntry
from shared.listing import Listing
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("entries", house)


@api.route("POST", "/v1/ledger/entries", status=201, answers=EntryAnswer)
def post_entry(call: Call, body: NewEntry) -> Done[RecordedEntry]:
    """Post a journal entry whose debits equal its credits in every currency."""
    return house().books.post(call, body.entry(call))


@api.route("GET", "/v1/ledger/entries", answers=PageAnswer[EntryAnswer])
def list_entries(call: Call, query: EntryQuery) -> Listing[RecordedEntry]:
    """Journal entries, posted and refused, all or of one account."""
    return house().books.entries(call.tenant, query.account, query.limit, query.cursor)


@api.route("GET", "/v1/ledger/entries/{id}", answers=EntryAnswer)
def read_entry(call: Call, path: EntryPath) -> RecordedEntry:
    """One journal entry."""
    return house().books.entry(call.tenant, StoredId(path.id))


@functions_framework.http
def entries(request: Request) -> Response:
    """The door."""
    return api.serve(request)
