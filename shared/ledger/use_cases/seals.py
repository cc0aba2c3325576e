"""Sealing: snapshots of the journal under Merkle roots, chained and signed (docs/ledger.md, rule 9).

A seal and the pages of its leaves are one commit that must find no seal of its number: whoever is
killed before it leaves nothing behind, and of two at once one makes it and the other goes on from it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, cast

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.faults import Retryable
from shared.identity import StoredId, TenantId
from shared.keys import Signer
from shared.ledger.records import entry_ref
from shared.ledger.refusals import JournalAltered, NotSealedYet, UnknownEntry, UnknownSeal
from shared.ledger.rules.merkle import inclusion_proof
from shared.ledger.rules.seals import (
    BEGINNING,
    LOOK_BACK,
    Leaf,
    Seal,
    Window,
    cut,
    leaf_of,
    micros,
    next_seal,
    plain_fields,
    read_leaves,
    read_seal,
    root_over,
    write_leaves,
    write_seal,
)
from shared.ledger.rules.verifying import UNREADABLE
from shared.listing import Listing, pages
from shared.ports import Check, Create, Document, Page, Query, Queue, Ref, View, Where, Write, tenant_ref
from shared.rounds import Round

ROUND: Final = Round("start_ledger_seals", "seal_ledger", "seals", "hour")

SEAL_ENTRIES: Final = 10_000
"""Entries a seal, about: its pages are one commit of some 1.5 MB. A longer stretch becomes several seals."""

LEAVES_A_PAGE: Final = 2_000
"""Leaves a document: some 300 kB."""

SEALS_A_TASK: Final = 50
READ_PAGE: Final = 1_000
"""Entries a query: they come one by one, so that only the time of a call bounds it."""
LOOKS: Final = 3
"""Readings of one instant before a count that does not fit is believed: an emulator shows a late commit late."""

SETTLED: Final = timedelta(seconds=2)
"""A seal ends that much before now: nothing that it should hold can still be on its way."""

_MICROSECOND: Final = timedelta(microseconds=1)
_log = structlog.get_logger(__name__)


def seal_ref(tenant: TenantId, number: int) -> Ref:
    """Where a seal is kept."""
    return tenant_ref(tenant, "seals", f"{number:08d}")


def leaves_ref(tenant: TenantId, number: int, page: int) -> Ref:
    """Where a page of a seal's leaves is kept."""
    return Ref(f"{seal_ref(tenant, number).path}/leaves/{page:06d}")


@dataclass(frozen=True, slots=True)
class Sealing:
    """What a run came to: the last seal there is, and how many this run made."""

    last: Seal | None
    made: int


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry is under a seal: its leaf's place and the hashes beside its way to the root."""

    entry: StoredId
    seal: Seal
    leaf: Leaf
    index: int
    path: tuple[bytes, ...]


class Seals:
    """The seals of every tenant."""

    def __init__(self, desk: Desk, signer: Signer, queue: Queue, *, settled: timedelta = SETTLED) -> None:
        """Read and write through `desk`, sign with `signer`, ask for seals by `queue`."""
        self._desk, self._store, self._signer, self._queue = desk, desk.store, signer, queue
        self._settled = settled

    # --- sealing

    def start(self, tenants: Iterable[TenantId], at: datetime, traceparent: str) -> None:
        """Ask for this hour's seal of each tenant; asked again within it, the queue knows the task.

        Raises:
            Retryable: it is not certain that the queue has them all.
        """
        ROUND.ask(self._queue, tenants, f"{at:%Y-%m-%dT%H}", traceparent)

    def seal(self, call: Call) -> Done[Sealing]:
        """Seal all entries whose commit is older than a moment; nothing new makes no seal.

        Raises:
            Retryable: there is more than one task should seal, or a rival was faster time and again.
            JournalAltered: the newest seal, which the next would have to name, cannot be read.
        """
        at, made = self._store.read_time() - self._settled, 0
        for _ in range(SEALS_A_TASK):
            last = self.last(call.tenant)
            if last and last.through >= at:
                return Done(Sealing(last, made), replayed=not made)
            for window in self._windows(call.tenant, last, at):
                checked, more = self._checked(call.tenant, last, window)
                if not checked.leaves:
                    return Done(Sealing(last, made), replayed=not made)
                seal = self._signed(call.tenant, last, checked, more)
                kept = self._keep(call, seal, checked)
                made += kept.signature == seal.signature
                last = kept
                if kept.signature != seal.signature:
                    break  # a rival's: what it covers decides what comes next
                if made >= SEALS_A_TASK:
                    message = "there is more to seal"
                    raise Retryable(message)
        message = "rivals were faster time and again"
        raise Retryable(message)

    def _windows(self, tenant: TenantId, last: Seal | None, at: datetime) -> Iterator[Window]:
        """What the next seals cover, in order, the last one through `at`.

        An entry's `recorded_at` is never after its commit, so once entries up to an instant of it are
        read, none that was committed before that instant is missing.
        """
        after = last.through if last else BEGINNING
        waiting: list[Leaf] = []
        recorded: list[datetime] = []
        enough = SEAL_ENTRIES
        for documents in self._recorded_since(tenant, _before(after), at):
            recorded += [cast("datetime", document["recorded_at"]) for document in documents]
            waiting += [_leaf(document) for document in documents if document.created_at > after]
            if len(waiting) < enough:
                continue
            through = min(recorded[-1] - _MICROSECOND, at)
            ready = sorted(leaf for leaf in waiting if leaf.created <= micros(through))
            if len(ready) >= SEAL_ENTRIES:
                yield from cut(ready, through, SEAL_ENTRIES)
                after = through
                waiting = [leaf for leaf in waiting if leaf.created > micros(through)]
                recorded = recorded[bisect_left(recorded, _before(after)) :]
            enough = max(SEAL_ENTRIES, 2 * len(waiting))  # restored entries all wait to the end: look seldom
        *parts, final = cut(sorted(waiting), at, SEAL_ENTRIES)
        yield from parts
        after = parts[-1].through if parts else after
        yield replace(final, seen=len(recorded) - bisect_left(recorded, _before(after)))

    def _signed(self, tenant: TenantId, last: Seal | None, window: Window, more: int) -> Seal:
        # Every door of the journal loads this module, and only who signs pays for the library.
        from shared.ledger.rules.low_s import low_s  # noqa: PLC0415 - as said

        seal = next_seal(tenant, last, window, page=LEAVES_A_PAGE, key_version=self._signer.key_version)
        seal = replace(seal, counted=seal.cumulative + more)
        return seal.signed(low_s(self._signer.sign(seal.statement)))

    def _checked(self, tenant: TenantId, last: Seal | None, window: Window) -> tuple[Window, int]:
        """The window, and by how many entries the store's own count of its stretch differs from what was read.

        Only the stretch is counted, so that it costs the same however long the journal is. Where the count
        does not agree the stretch is read again, so the window that comes back may hold more.
        """
        if window.seen is None:
            return window, 0
        since = _before(last.through if last else BEGINNING)
        query = Query("entries", tenant, (Where("recorded_at", ">=", since),))
        more = self._store.aggregate(query, at=window.through)["count"] - window.seen
        for _ in range(LOOKS):
            if not more:
                return window, 0
            window, seen = self._reread(tenant, last, window)
            more = self._store.aggregate(query, at=window.through)["count"] - seen
        if more:
            _log.error("ledger_seal_count_differs", tenant=tenant, through=window.through.isoformat(), more=more)
        return window, more

    def _reread(self, tenant: TenantId, last: Seal | None, window: Window) -> tuple[Window, int]:
        """The last window with what another reading of its instant finds, and how many documents that saw."""
        after, seen, leaves = last.through if last else BEGINNING, 0, set(window.leaves)
        for documents in self._recorded_since(tenant, _before(after), window.through):
            seen += len(documents)
            leaves |= {_leaf(document) for document in documents if document.created_at > after}
        return replace(window, leaves=tuple(sorted(leaves))), seen

    def _recorded_since(self, tenant: TenantId, since: datetime, at: datetime) -> Iterator[tuple[Document, ...]]:
        recorded = (Where("recorded_at", ">=", since),)
        query = Query("entries", tenant, recorded, ("recorded_at",), limit=READ_PAGE, as_is=True)
        return (page.documents for page in pages(self._store, query, at=at) if page.documents)

    def _keep(self, call: Call, seal: Seal, window: Window) -> Seal:
        """Write the seal with its leaves, or answer the one that is there."""
        ref = seal_ref(call.tenant, seal.number)
        writes: list[Write] = [Create(ref, write_seal(seal))]
        for page in range(seal.pages):
            leaves = window.leaves[page * LEAVES_A_PAGE : (page + 1) * LEAVES_A_PAGE]
            place = leaves_ref(call.tenant, seal.number, page)
            writes.append(Create(place, {"schema": 1, "leaves": write_leaves(leaves)}))
        if seal.number > 1:
            writes.append(Check(seal_ref(call.tenant, seal.number - 1)))

        def decide(view: View) -> Outcome[Seal]:
            known = view[ref]
            if known is not None:
                return Outcome(ref, "ledger.seal", seal_of(call.tenant, known))
            return Outcome(ref, "ledger.seal", seal, tuple(writes))

        return self._desk.perform(call, [ref], decide, lambda document: seal_of(call.tenant, document)).answer

    # --- reading

    def last(self, tenant: TenantId) -> Seal | None:
        """The newest seal.

        Raises:
            JournalAltered: it cannot be read.
        """
        newest = self._newest_first(tenant, 1, None).documents
        return seal_of(tenant, newest[0]) if newest else None

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Seal]:
        """Seals, newest first, without those that cannot be read: the log names them, and verifying the gap."""
        page, seals = self._newest_first(tenant, limit, cursor), list[Seal]()
        for document in page.documents:
            with suppress(JournalAltered):
                seals.append(seal_of(tenant, document))
        return Listing(tuple(seals), page.cursor)

    def _newest_first(self, tenant: TenantId, limit: int, cursor: str | None) -> Page:
        return self._store.query(Query("seals", tenant, order=("-number",), limit=limit, after=cursor, as_is=True))

    def one(self, tenant: TenantId, number: int) -> Seal:
        """One seal.

        Raises:
            UnknownSeal: there is none of this number.
            JournalAltered: it cannot be read.
        """
        return seal_of(tenant, self._found(seal_ref(tenant, number)))

    def leaves(self, tenant: TenantId, number: int, page: int) -> tuple[Leaf, ...]:
        """A page of a seal's leaves, from 0.

        Raises:
            UnknownSeal: there is no such seal or page, or somebody garbled it: whoever verifies names the seal.
        """
        document = self._found(leaves_ref(tenant, number, page))
        try:
            return read_leaves(cast("str", document["leaves"]))
        except UNREADABLE as error:
            message = "the page of leaves cannot be read: run daybook verify"
            raise UnknownSeal(message, field="page") from error

    def inclusion(self, tenant: TenantId, entry_id: StoredId) -> Inclusion:
        """The proof that an entry, as it stands, is under a seal: whoever checks it recomputes the leaf.

        Raises:
            UnknownEntry: there is none under this id.
            NotSealedYet: its commit is after the last seal, or the seal of that stretch does not hold it.
            JournalAltered: the entry is not as it was sealed, the leaves do not lead to the root, or the seal is none.
        """
        place = entry_ref(tenant, entry_id)
        document = self._store.get([place], as_is=True)[place]
        if document is None:
            message = "no such journal entry"
            raise UnknownEntry(message, field="id")
        covering = Query(
            "seals", tenant, (Where("through", ">=", document.created_at),), ("through",), limit=1, as_is=True
        )
        found = self._store.query(covering).documents
        if not found:
            message = "the entry is younger than the last seal"
            raise NotSealedYet(message, field="id")
        seal = seal_of(tenant, found[0])
        leaves = [leaf for page in range(seal.pages) for leaf in self.leaves(tenant, seal.number, page)]
        if root_over(leaves).hex() != seal.root:
            raise _altered(seal, "its leaves do not lead to its root")
        index = next((number for number, leaf in enumerate(leaves) if leaf.id == entry_id), None)
        if index is None:
            message = f"the entry is not under seal {seal.number}: run daybook verify"
            raise NotSealedYet(message, field="id", detail={"seal": seal.number})
        if leaves[index] != _leaf(document):
            raise _altered(seal, "the entry is not as it was sealed")
        path = inclusion_proof([leaf.hash for leaf in leaves], index)
        return Inclusion(entry_id, seal, leaves[index], index, path)

    def _found(self, ref: Ref) -> Document:
        document = self._store.get([ref], as_is=True)[ref]
        if document is None:
            message = "there is no such seal"
            raise UnknownSeal(message, field="number")
        return document


def seal_of(tenant: TenantId, document: Document) -> Seal:
    """The seal that a document keeps.

    Raises:
        JournalAltered: somebody garbled it; the log says which, for a person is to look.
    """
    try:
        return read_seal(document.fields)
    except UNREADABLE as error:
        key = document.ref.key
        number = int(key) if key.isdecimal() else key
        _log.error("ledger_seal_unreadable", tenant=tenant, number=number)
        message = f"seal {number} cannot be read: run daybook verify"
        raise JournalAltered(message, field="number", detail={"seal": number}) from error


def _before(after: datetime) -> datetime:
    """The earliest instant that an entry committed after `after` says it was recorded at."""
    return max(BEGINNING, after - LOOK_BACK)


def _altered(seal: Seal, why: str) -> JournalAltered:
    message = f"seal {seal.number}: {why}: run daybook verify"
    return JournalAltered(message, field="id", detail={"seal": seal.number})


def _leaf(document: Document) -> Leaf:
    return leaf_of(document.ref.key, micros(document.created_at), plain_fields(document.fields))
