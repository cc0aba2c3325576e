"""Reversing an entry: the reversal and what it leaves of the original land in one commit, or a refusal does.

What is left is a document of its own, created by the first reversal and then changed only unchanged
since read, so that reversals at once never take more than was posted. The posting itself goes through
the books like any other: periods, freezes and floors hold, also where undoing takes money back.
"""

from dataclasses import dataclass, replace
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.faults import Refused
from shared.identity import StoredId, TenantId
from shared.ledger.model import RefusedCommand, Reverses
from shared.ledger.records import RecordedEntry, entry_ref, read_entry, reversals_ref, write_entry
from shared.ledger.refusals import UnknownEntry
from shared.ledger.rules.reversals import ReversalOrder, undo, whole
from shared.ledger.use_cases.answered import answered_before
from shared.ledger.use_cases.posting import Booking, Books
from shared.listing import Listing
from shared.ports import Create, Document, Query, Ref, Update, View, Where, Write

ACTION: Final = "entry.reverse"


@dataclass(frozen=True, slots=True)
class Reversed:
    """An entry, a page of the entries that reversed it or were refused to, and what is left of it by line."""

    original: RecordedEntry
    left: tuple[int, ...]
    reversals: Listing[RecordedEntry]


class Reversals:
    """The corrections of every tenant."""

    def __init__(self, desk: Desk, books: Books) -> None:
        """Read through `desk`, post through `books`."""
        self._store, self._books = desk.store, books

    def reverse(self, call: Call, order: ReversalOrder) -> Done[RecordedEntry]:
        """Post the other side of an entry's lines, all that is left or parts; the reversal is the idempotency record.

        Raises:
            UnknownEntry: there is no such entry; nothing is recorded, for an entry may yet come.
            EntryIdReused: the id was used with another request.
            Refused: recorded under the reversal's id, now or earlier, by the rules of reversals or of posting.
            Retryable: contention or silence outlasted the attempts.
        """
        refs = (entry_ref(call.tenant, order.original), reversals_ref(call.tenant, order.original))

        def decide(view: View) -> Booking[RecordedEntry]:
            return _decide(call, order, view)

        return self._books.perform(replace(call, once=False), refs, decide, read_entry)

    def of(self, tenant: TenantId, entry_id: StoredId, limit: int, cursor: str | None) -> Reversed:
        """What reversed an entry, by id, a page at a time, and what is left of it: both as of one instant.

        Raises:
            UnknownEntry: there is none under this id.
        """
        at = self._store.read_time()
        entry, reversals = entry_ref(tenant, entry_id), reversals_ref(tenant, entry_id)
        documents = self._store.get([entry, reversals], at=at)
        original = _original(documents[entry])
        where = (Where("reverses", "==", entry_id),)
        page = self._store.query(Query("entries", tenant, where, limit=limit, after=cursor), at=at)
        listed = Listing(tuple(read_entry(document) for document in page.documents), page.cursor)
        return Reversed(original, _left(original, documents[reversals]), listed)


def _decide(call: Call, order: ReversalOrder, view: View) -> Booking[RecordedEntry]:
    """The call's own trace first; then what is left decides, and only then the books."""
    command = _command(call, order)
    own, original_ref = (entry_ref(call.tenant, key) for key in (command.id, order.original))
    known = view[own] if view.failures or view.has_read(own) else None
    if known is not None:
        return Booking(Outcome(own, ACTION, answered_before(call, command, known)))
    original = _original(view[original_ref])
    document = view[reversals_ref(call.tenant, order.original)]
    try:
        undone = undo(original, _left(original, document), order.parts)
    except Refused as refusal:
        return Booking(_refused(call, command, original_ref, refusal))
    entry = undone.entry(command, order.original).posted_at(call.at)
    left = _write_left(reversals_ref(call.tenant, order.original), document, undone.left)
    fresh = RecordedEntry(entry, posted=True, recorded_at=call.at, refusal=None)
    return Booking(Outcome(own, ACTION, fresh, (left,), loose=_never_changes(original_ref)), entry)


def _command(call: Call, order: ReversalOrder) -> RefusedCommand:
    """The order under its call's id, as it is kept when it is refused before its lines are known."""
    return RefusedCommand(
        call.cause.stored_id("entry"),
        (),
        order.effective_on or call.at.date(),
        str(call.cause),
        call.request_hash,
        order.kind,
        order.reference,
        reverses=Reverses(order.original, ()),
    ).posted_at(call.at)


def _refused(call: Call, command: RefusedCommand, original: Ref, refusal: Refused) -> Outcome[RecordedEntry]:
    """The refusal under the command's id, so that a late commit of the same command finds it taken."""
    record = write_entry(call.tenant, command, refusal)
    answer = RecordedEntry(command, posted=False, recorded_at=call.at, refusal=None)
    return Outcome(record.ref, ACTION, answer, (record,), loose=_never_changes(original), refusal=refusal)


def _never_changes(original: Ref) -> frozenset[Ref]:
    """An entry is created once and stays as it is: having read it is enough."""
    return frozenset({original})


def _original(document: Document | None) -> RecordedEntry:
    if document is None:
        message = "no such journal entry"
        raise UnknownEntry(message, field="id")
    return read_entry(document)


def _left(original: RecordedEntry, document: Document | None) -> tuple[int, ...]:
    return whole(original) if document is None else tuple(cast("list[int]", document["left"]))


def _write_left(ref: Ref, document: Document | None, left: tuple[int, ...]) -> Write:
    """What is left by line; the version says how many reversals took from it."""
    if document is None:
        return Create(ref, {"schema": 1, "left": list(left), "version": 1})
    return Update(ref, {"left": list(left), "version": cast("int", document["version"]) + 1}, document.version)
