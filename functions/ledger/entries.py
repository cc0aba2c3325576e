"""Journal entries: post one, read one, list them, reverse one, show its memo."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.identity import StoredId
from shared.ledger.records import RecordedEntry
from shared.ledger.use_cases.dry_run import DryRun
from shared.ledger.use_cases.reversals import Reversed
from shared.ledger.use_cases.seals import Inclusion
from shared.ledger.wire.batches import DryRunAnswer
from shared.ledger.wire.entries import EntryAnswer, EntryPath, EntryQuery
from shared.ledger.wire.memos import EntryDisclosure, NewEntryWithMemo
from shared.ledger.wire.reversals import ReversalsAnswer, ReversalsQuery, ReverseOrder
from shared.ledger.wire.seals import InclusionAnswer
from shared.listing import Listing
from shared.privacy import Disclosed
from shared.privacy.wire import DisclosureAnswer
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("entries", house)


@api.route("POST", "/v1/ledger/entries", status=201, answers=EntryAnswer)
def post_entry(call: Call, body: NewEntryWithMemo) -> Done[RecordedEntry]:
    """Post a journal entry whose debits equal its credits in every currency."""
    return house().memos.post(call, body.entry(call), body.memo)


@api.route("POST", "/v1/ledger/entries/dry_run", answers=DryRunAnswer, writes=False)
def dry_run_entry(call: Call, body: NewEntryWithMemo) -> DryRun:
    """What posting this entry would come to now; nothing is written."""
    return house().dry_runs.entry(call, body.entry(call))


@api.route("GET", "/v1/ledger/entries", answers=PageAnswer[EntryAnswer])
def list_entries(call: Call, query: EntryQuery) -> Listing[RecordedEntry]:
    """Journal entries, posted and refused, all or of one account."""
    return house().books.entries(call.tenant, query.account, query.limit, query.cursor)


@api.route("GET", "/v1/ledger/entries/{id}", answers=EntryAnswer)
def read_entry(call: Call, path: EntryPath) -> RecordedEntry:
    """One journal entry."""
    return house().books.entry(call.tenant, StoredId(path.id))


@api.route("POST", "/v1/ledger/entries/{id}/reverse", status=201, answers=EntryAnswer)
def reverse(call: Call, path: EntryPath, body: ReverseOrder) -> Done[RecordedEntry]:
    """Post the other side of an entry, all that is left of it or parts of its lines."""
    return house().reversals.reverse(call, body.order(path.id))


@api.route("GET", "/v1/ledger/entries/{id}/reversals", answers=ReversalsAnswer)
def list_reversals(call: Call, path: EntryPath, query: ReversalsQuery) -> Reversed:
    """What reversed an entry, refused attempts among it, and what is left of it by line."""
    return house().reversals.of(call.tenant, StoredId(path.id), query.limit, query.cursor)


@api.route("POST", "/v1/ledger/entries/{id}/disclosures", status=201, answers=DisclosureAnswer)
def disclose(call: Call, path: EntryPath, body: EntryDisclosure) -> Done[Disclosed]:
    """Open an entry's memo; who asked and why is recorded first."""
    return house().memos.disclose(call, StoredId(path.id), body.purpose)


@api.route("GET", "/v1/ledger/entries/{id}/inclusion", answers=InclusionAnswer)
def inclusion(call: Call, path: EntryPath) -> Inclusion:
    """The proof that an entry is under a signed seal."""
    return house().seals.inclusion(call.tenant, StoredId(path.id))


@functions_framework.http
def entries(request: Request) -> Response:
    """The door."""
    return api.serve(request)
