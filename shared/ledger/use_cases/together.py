"""Several postings in one commit, each answered for itself: what an independent batch and the batching writer share.

One alone takes the fast path at once. Several take it when every total was there when last written; else one slow path
for all, before anything has failed. After any failed or unanswered commit the entries are looked for, and what is
missing takes the slow path in halves, and in halves of a half that fails, down to one alone (docs/ledger.md, rules 1,
3, 4): what makes a commit fail then fails by itself, rivals that crowd each other out lock half as much each time, and
a late commit, which is all or nothing, finds an id taken as soon as one half stands.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.calls import Call, Outcome
from shared.desk import Desk, audit_record
from shared.faults import Refused, Retryable
from shared.identity import StoredId, TenantId
from shared.ledger.model import JournalEntry, accounts_of
from shared.ledger.records import RecordedEntry, entry_ref
from shared.ledger.rules.batches import Gathered, gather_fast, gather_refs, gather_slow
from shared.ledger.rules.posting import Cards, accounts_seen, slow_refs
from shared.ledger.use_cases.answered import answered_before
from shared.ledger.use_cases.memory import Memory
from shared.ledger.use_cases.planning import planned
from shared.ports import Create, Decision, Document, Ref, View, Write

POST: Final = "entry.post"
APART_SECONDS: Final = 30
"""From the request's arrival on: after it nothing more is begun in parts, below every door's timeout."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry under the call that it is answered to; the call's own audit record goes with it if it is `audited`."""

    call: Call
    entry: JournalEntry
    audited: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one entry; `replayed` when it had become so before."""

    entry: JournalEntry
    outcome: RecordedEntry | Refused | Retryable
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Cover:
    """The record of some postings together, written once, with their first commit."""

    ref: Ref
    writes: Callable[[View], tuple[Write, ...]]
    """What is written, given a view that has read `ref`; () when it is there. A refusal posts nothing."""


@dataclass(frozen=True, slots=True)
class Order:
    """Postings of one tenant that share a commit; no id occurs twice. `lead` names the commit."""

    tenant: TenantId
    lead: StoredId
    postings: tuple[Posting, ...]
    covers: tuple[Cover, ...] = ()

    @classmethod
    def joined(cls, orders: Sequence["Order"]) -> "Order":
        """Several of one tenant, at least one, as one commit under the first one's name."""
        postings = tuple(posting for order in orders for posting in order.postings)
        return cls(orders[0].tenant, orders[0].lead, postings, tuple(one for order in orders for one in order.covers))

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """The entries."""
        return tuple(posting.entry for posting in self.postings)

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Where the records, and each entry, would be found."""
        return (*self._records, *(entry_ref(self.tenant, entry.id) for entry in self.entries))

    @property
    def single(self) -> bool:
        """Whether it is one posting, without a record beside the entry."""
        return len(self.postings) == 1 and not self.covers

    def read_in(self, view: View) -> bool:
        """Whether a view has looked for what the order writes."""
        last = entry_ref(self.tenant, self.postings[-1].entry.id) if self.postings else self.covers[-1].ref
        return view.has_read(last)

    def covering(self, view: View | None = None) -> tuple[Write, ...]:
        """The records as a view finds them; without one, as if none were there: the commit then finds out."""
        seen = View(dict.fromkeys(self._records)) if view is None else view
        return tuple(write for cover in self.covers for write in cover.writes(seen))

    @property
    def _records(self) -> tuple[Ref, ...]:
        return tuple(cover.ref for cover in self.covers)


def gather_permitted(order: Order, cards: Cards, view: View, memory: Memory) -> Gathered | None:
    """The fast path, if every total that it demands has been seen, or is seen now: looking for them costs one read.

    None when one is missing: then the commit would fail, and what fails goes in parts.
    """
    fast = gather_fast(order.tenant, order.entries, cards, view, lead=order.lead)
    if fast is None:
        return None
    unknown = tuple(memory.unknown_totals(fast.totals))
    view.need(unknown)
    return None if any(view[ref] is None for ref in unknown) else fast


class Together:
    """Posts orders."""

    def __init__(self, desk: Desk, memory: Memory, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Post through `desk`; `monotonic` tells when to stop taking entries in parts."""
        self._store, self._memory, self._monotonic = desk.store, memory, monotonic

    def ends_at(self) -> float:
        """When an order that comes now is no longer taken in parts."""
        return self._monotonic() + APART_SECONDS

    def settle(self, order: Order, ends_at: float) -> tuple[Result, ...]:
        """Post each by itself, as many as go in one commit; one result a posting, in their order.

        Raises:
            Refused: by one of the order's covers; nothing was posted.
            Retryable: nothing is known, not even what was there before.
        """
        if order.single:
            return (self._alone(order.postings[0]),)
        return self._settled(order, (), ends_at)

    def settle_alone(self, order: Order, ends_at: float) -> tuple[Result, ...]:
        """As `settle`, on the slow path from the start: for one that others failed with."""
        if order.single:
            return (self._slowly(order.postings[0]),)
        return self._settled(order, order.refs, ends_at)

    def _settled(self, order: Order, first: tuple[Ref, ...], ends_at: float) -> tuple[Result, ...]:
        try:
            return self.at_once(order, first)
        except Retryable:
            return self.in_parts(order, ends_at)

    def at_once(self, order: Order, first: tuple[Ref, ...] = ()) -> tuple[Result, ...]:
        """All in one commit; with all of its refs read `first`, on the slow path.

        Raises:
            Refused: by one of the order's covers; nothing was posted.
            Retryable: the commit failed or was not answered; the next step is to look for what it would have written.
        """
        tried = set[Ref]()
        try:
            results = self._store.transact(first, lambda view: self._at_once(order, view, tried), attempts=1)
        except Retryable:
            self._memory.forget_totals(frozenset(tried))
            raise
        self._memory.note_totals(frozenset(tried))
        return results

    def in_parts(self, order: Order, ends_at: float) -> tuple[Result, ...]:
        """After a commit of it that failed: what is there is answered from there, the rest goes on in halves."""
        known = self._found(order)
        missing = tuple(posting for posting in order.postings if posting.entry.id not in known)
        fresh = {result.entry.id: result for result in self._apart(order.tenant, missing, ends_at)}
        return tuple(known.get(entry.id) or fresh[entry.id] for entry in order.entries)

    def _at_once(self, order: Order, view: View, tried: set[Ref]) -> Decision[tuple[Result, ...]]:
        """All in one commit; what is there already is answered from there."""
        entries = order.entries
        cards = self._memory.cards(order.tenant, accounts_of(entries))
        if not order.read_in(view):
            fast = gather_permitted(order, cards, view, self._memory)
            if fast:
                tried |= fast.totals
                return _decided(order.postings, fast, order.covering())
        view.need((*order.refs, *gather_refs(order.tenant, entries, cards)))
        found, covering = _known(order, view), order.covering(view)
        rest = tuple(posting for posting in order.postings if posting.entry.id not in found)
        asked = tuple(posting.entry for posting in rest)
        for entry in asked:
            self._memory.note_accounts(order.tenant, accounts_seen(order.tenant, entry, view))
        slow = gather_slow(order.tenant, asked, view, order.lead, linked=False)
        tried |= slow.totals
        decision = _decided(rest, slow, covering)
        fresh = {result.entry.id: result for result in decision.answer}
        results = tuple(found.get(entry.id) or fresh[entry.id] for entry in entries)
        return Decision(results, decision.writes, decision.loose | _unchanging(order, found))

    def _found(self, order: Order) -> Mapping[StoredId, Result]:
        """After a failure: what is there of the order, once its records are, too."""

        def look(view: View) -> Decision[Mapping[StoredId, Result]]:
            view.need(order.refs)
            known = _known(order, view)
            return Decision(known, order.covering(view), frozenset(order.refs))

        return self._store.transact(order.refs, look)

    def _apart(self, tenant: TenantId, postings: tuple[Posting, ...], ends_at: float) -> tuple[Result, ...]:
        """Each half on the slow path by itself; one that fails, apart again."""
        middle = len(postings) // 2
        halves = [half for half in (postings[:middle], postings[middle:]) if half]
        return tuple(result for half in halves for result in self._half(tenant, half, ends_at))

    def _half(self, tenant: TenantId, postings: tuple[Posting, ...], ends_at: float) -> tuple[Result, ...]:
        if self._monotonic() > ends_at:
            message = "there was no time left for this entry"
            return tuple(Result(posting.entry, Retryable(message)) for posting in postings)
        if len(postings) == 1:
            return (self._slowly(postings[0]),)
        half = Order(tenant, postings[0].entry.id, postings)
        try:
            return self.at_once(half, half.refs)
        except Retryable:
            return self._apart(tenant, postings, ends_at)

    def _slowly(self, posting: Posting) -> Result:
        """One entry on the slow path by itself."""
        return self._alone(posting, slow_refs(posting.call.tenant, posting.entry))

    def _alone(self, posting: Posting, first: tuple[Ref, ...] = ()) -> Result:
        """One entry by itself: on the slow path if all that it looks at is read `first`, else on the fast one."""
        tenant, entry = posting.call.tenant, posting.entry
        tried = set[Ref]()

        def decide(view: View) -> Decision[Result]:
            if view.failures:
                self._memory.forget_totals(frozenset(tried))
                tried.clear()
            plan = planned(self._memory, tenant, entry, view)
            if isinstance(plan, Document):
                return Decision(again(posting, plan))
            tried.update(write.ref for write in plan.writes if write.ref.collection == "totals")
            records = (_record(posting, plan.refusal),) if posting.audited else ()
            return Decision(_fresh(posting, plan.refusal), (*plan.writes, *records), plan.loose)

        try:
            result = self._store.transact(first, decide)
        except Retryable as fault:
            return Result(entry, fault)
        self._memory.note_totals(frozenset(tried))
        return result


def _decided(
    postings: Sequence[Posting], gathered: Gathered, covering: Sequence[Write]
) -> Decision[tuple[Result, ...]]:
    results = tuple(
        _fresh(posting, gathered.refusals.get(place) or gathered.wait.get(place))
        for place, posting in enumerate(postings)
    )
    return Decision(results, (*covering, *gathered.writes, *_audit(postings, gathered)), gathered.loose)


def _fresh(posting: Posting, otherwise: Refused | Retryable | None) -> Result:
    posted = RecordedEntry(posting.entry, posted=True, recorded_at=posting.call.at, refusal=None)
    return Result(posting.entry, otherwise or posted)


def again(posting: Posting, known: Document) -> Result:
    """What a posting is answered whose entry is in the journal already."""
    try:
        return Result(posting.entry, answered_before(posting.call, posting.entry, known), replayed=True)
    except Refused as refusal:
        return Result(posting.entry, refusal, replayed=True)


def _known(order: Order, view: View) -> dict[StoredId, Result]:
    """What the view holds of the order's entries, by id."""
    documents = {posting: view[entry_ref(order.tenant, posting.entry.id)] for posting in order.postings}
    return {posting.entry.id: again(posting, known) for posting, known in documents.items() if known}


def _unchanging(order: Order, found: Iterable[StoredId]) -> frozenset[Ref]:
    """Entries never change, so nobody has to check that they did not."""
    return frozenset(entry_ref(order.tenant, entry_id) for entry_id in found)


def _audit(postings: Sequence[Posting], gathered: Gathered) -> tuple[Create, ...]:
    """The audit records of those that are decided and have one of their own."""
    return tuple(
        _record(posting, gathered.refusals.get(place))
        for place, posting in enumerate(postings)
        if posting.audited and place not in gathered.wait
    )


def _record(posting: Posting, refusal: Refused | None) -> Create:
    fact = entry_ref(posting.call.tenant, posting.entry.id)
    return audit_record(posting.call, Outcome(fact, POST, None, refusal=refusal))
