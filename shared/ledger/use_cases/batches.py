"""Batches: many entries under one request, linked (all or nothing) or independent (each answered for itself).

Every batch leaves one record, `batches/{id}`, and one audit record. A linked one lives and dies in one commit, and
its record excludes: posted or refused, never both. An independent one may take many commits; its record is
written with the first, and what a repeated request finds there is only that it is the same request: the answer
is read from the entries.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, audit_record, read_refusal, write_refusal
from shared.faults import IdempotencyKeyReused, Refused
from shared.identity import StoredId, TenantId
from shared.ledger.model import JournalEntry, accounts_of
from shared.ledger.records import RecordedEntry, entry_ref, read_entry
from shared.ledger.refusals import BatchTooLarge, EntryExists, RepeatedEntry
from shared.ledger.rules.batches import Gathered, gather_refs, gather_slow
from shared.ledger.rules.posting import accounts_seen
from shared.ledger.use_cases.posting import Books
from shared.ledger.use_cases.together import Cover, Order, Posting, Result, gather_permitted
from shared.ledger.use_cases.writer import AnyAccount
from shared.limits import BATCH_ENTRIES, BATCH_LINES
from shared.ports import Create, Decision, Document, Fields, Ref, Value, View, Write, tenant_ref

ACTION: Final = "batch.post"


class Mode(Enum):
    """Whether the entries of a batch stand and fall together."""

    LINKED = "linked"
    INDEPENDENT = "independent"


@dataclass(frozen=True, slots=True)
class Batch:
    """Postings in order, each under a call of its own, whose cause gives the entry's id.

    In an independent batch a place may hold a refusal instead: an entry that could not be built.
    """

    id: StoredId
    mode: Mode
    places: tuple[Posting | Refused, ...]

    def __post_init__(self) -> None:
        """Refuse what is too large for one commit, and one entry named twice."""
        entries, lines = len(self.places), sum(len(posting.entry.lines) for posting in self.postings)
        if entries > BATCH_ENTRIES or lines > BATCH_LINES:
            message = f"a batch has at most {BATCH_ENTRIES} entries and {BATCH_LINES} lines"
            raise BatchTooLarge(message, field="entries", detail={"entries": entries, "lines": lines})
        seen: set[StoredId] = set()
        for place, posting in enumerate(self.places):
            if isinstance(posting, Refused):
                continue
            if posting.entry.id in seen:
                message = "each entry of a batch is named once"
                raise RepeatedEntry(message, field=f"entries.{place}.key")
            seen.add(posting.entry.id)

    @property
    def postings(self) -> tuple[Posting, ...]:
        """Those that could be built."""
        return tuple(place for place in self.places if isinstance(place, Posting))

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """Their entries."""
        return tuple(posting.entry for posting in self.postings)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: one result a place, in order; a bare refusal where no entry could be built."""

    id: StoredId
    mode: Mode
    results: tuple[Result | Refused, ...]


class Batches:
    """Posts batches."""

    def __init__(self, desk: Desk, books: Books) -> None:
        """Post linked batches through `desk`, independent ones by the books' writer, with others that wait."""
        self._desk, self._books, self._memory = desk, books, books.memory

    def post(self, call: Call, batch: Batch) -> Done[BatchResult]:
        """Post a batch once.

        Raises:
            IdempotencyKeyReused: the cause came before with another request.
            Refused: of a linked batch, recorded under its id, now or earlier; `field` and `detail` name the entry.
            Retryable: of a linked batch, nothing is decided; of an independent one, not even what was there before.
        """
        match batch.mode:
            case Mode.LINKED:
                return self._linked(call, batch)
            case Mode.INDEPENDENT:
                return self._independent(call, batch)

    def _independent(self, call: Call, batch: Batch) -> Done[BatchResult]:
        ref = batch_ref(call.tenant, batch.id)

        def covering(view: View) -> tuple[Write, ...]:
            known = view[ref]
            if known is not None:
                _same_request(call, known)
                return ()
            return (Create(ref, write_batch(call, batch)), audit_record(call, Outcome(ref, ACTION, None)))

        order = Order(call.tenant, batch.id, batch.postings, (Cover(ref, covering),))
        settled = self._books.writer.post(order, AnyAccount.BATCHES)
        results = iter(settled)
        answer = BatchResult(
            batch.id, batch.mode, tuple(one if isinstance(one, Refused) else next(results) for one in batch.places)
        )
        return Done(answer, replayed=bool(settled) and all(result.replayed for result in settled))

    def _linked(self, call: Call, batch: Batch) -> Done[BatchResult]:
        ref, tried = batch_ref(call.tenant, batch.id), set[Ref]()

        def decide(view: View) -> Decision[Done[BatchResult] | Refused]:
            if view.failures:
                self._memory.forget_totals(frozenset(tried))
                tried.clear()
            known = view[ref] if view.failures or view.has_read(ref) else None
            if known is not None:
                return Decision(_linked_before(call, batch, known, view))
            gathered = self._gather(call, batch, view)
            tried.update(gathered.totals)
            return _linked_now(call, batch, gathered)

        done = self._desk.store.transact((), decide)
        if isinstance(done, Refused):
            raise done
        self._memory.note_totals(frozenset(tried))
        return done

    def _gather(self, call: Call, batch: Batch, view: View) -> Gathered:
        """What a linked batch writes: on the fast path if nothing failed yet and every total was there last time."""
        tenant, entries, ref = call.tenant, batch.entries, batch_ref(call.tenant, batch.id)
        cards = self._memory.cards(tenant, accounts_of(entries))
        if not view.failures and not view.has_read(ref):
            fast = gather_permitted(Order(tenant, batch.id, batch.postings), cards, view, self._memory)
            if fast:
                return fast
        view.need((ref, *gather_refs(tenant, entries, cards)))
        for entry in entries:
            self._memory.note_accounts(tenant, accounts_seen(tenant, entry, view))
        return judge_linked(tenant, batch, view)


def judge_linked(tenant: TenantId, batch: Batch, view: View) -> Gathered:
    """Decide on a linked batch that has no record yet, on what is written now."""
    for place, entry in enumerate(batch.entries):
        if view[entry_ref(tenant, entry.id)] is not None:
            message = "the entry is in the journal already"
            # it never changes, and nothing else was decided on
            return Gathered((), {place: EntryExists(message, field="key")}, loose=frozenset(view.documents))
    return gather_slow(tenant, batch.entries, view, batch.id, linked=True)


def batch_ref(tenant: TenantId, batch_id: StoredId) -> Ref:
    """Where the record of a batch is kept."""
    return tenant_ref(tenant, "batches", batch_id)


def write_batch(call: Call, batch: Batch, refusal: Refused | None = None) -> dict[str, Value]:
    """A batch's record; of an independent one the outcomes are those of its entries."""
    return {
        "schema": 1,
        "mode": batch.mode.value,
        "cause": str(call.cause),
        "request_hash": call.request_hash,
        "entries": [entry.id for entry in batch.entries],
        "refusal": write_refusal(refusal) if refusal else None,
    }


def _linked_now(call: Call, batch: Batch, gathered: Gathered) -> Decision[Done[BatchResult] | Refused]:
    ref = batch_ref(call.tenant, batch.id)
    refusal = next((naming(batch, place, one) for place, one in gathered.refusals.items()), None)
    record = Create(ref, write_batch(call, batch, refusal))
    audit = audit_record(call, Outcome(ref, ACTION, None, refusal=refusal))
    posted = [RecordedEntry(entry, posted=True, recorded_at=call.at, refusal=None) for entry in batch.entries]
    answer = refusal or Done(BatchResult(batch.id, batch.mode, tuple(Result(one.entry, one) for one in posted)))
    return Decision(answer, (record, audit, *gathered.writes), gathered.loose)


def _linked_before(call: Call, batch: Batch, known: Document, view: View) -> Done[BatchResult] | Refused:
    _same_request(call, known)
    refusal = known["refusal"]
    if refusal is not None:
        return read_refusal(cast("Fields", refusal))
    refs = [entry_ref(call.tenant, entry.id) for entry in batch.entries]
    view.need(refs)
    posted = [read_entry(document) for document in map(view.__getitem__, refs) if document is not None]
    results = tuple(Result(one.entry, one, replayed=True) for one in posted)
    return Done(BatchResult(batch.id, batch.mode, results), replayed=True)


def naming(batch: Batch, place: int, refusal: Refused) -> Refused:
    """The same refusal, saying which entry it is about."""
    field = f"entries.{place}.{refusal.field}" if refusal.field else f"entries.{place}"
    detail = {**refusal.detail, "index": place, "entry": batch.entries[place].id}
    return type(refusal)(refusal.message, field=field, detail=detail)


def _same_request(call: Call, known: Document) -> None:
    if not call.asked_before(cast("str", known["request_hash"])):
        message = "this Idempotency-Key was used with another request"
        raise IdempotencyKeyReused(message, field="Idempotency-Key")
