"""Posting: a fact and its journal entry land together, once, or a refusal of them does.

First the fast path on remembered accounts; after any failed or unanswered commit the slow path,
which looks for the entry itself before it decides anything again (docs/ledger.md, rules 1, 3, 4).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, NoReturn, TypeVar, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.faults import NotFound, Refused, Retryable
from shared.identity import StoredId, TenantId
from shared.ledger.model import AccountCode, JournalEntry, Line
from shared.ledger.records import RecordedEntry, entry_ref, read_entry
from shared.ledger.refusals import UnknownAccount, UnknownEntry
from shared.ledger.rules.posting import Plan, moved
from shared.ledger.use_cases.answered import answered_before
from shared.ledger.use_cases.memory import Memory
from shared.ledger.use_cases.planning import planned
from shared.ledger.use_cases.together import Order, Posting, Result, Together
from shared.ledger.use_cases.writer import AnyAccount, Lane, Writer
from shared.listing import Listing
from shared.ports import Contradiction, Document, Query, Ref, View, Where, Write

T = TypeVar("T")


def _nothing(_: Refused) -> tuple[Write, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Booking(Generic[T]):
    """An outcome and the journal entry that belongs to it.

    What `if_refused` says is written instead of the outcome's writes when the ledger refuses the entry, so
    that whoever caused it sees the refusal where they look.
    """

    outcome: Outcome[T]
    entry: JournalEntry | None = None
    if_refused: Callable[[Refused], tuple[Write, ...]] = _nothing
    wait_for_accounts_until: datetime | None = None
    """A queued cause may be ahead of its account: until then an unknown one is `Retryable`."""
    release: tuple[Line, ...] = ()
    """Lines that a hold reserved and this entry's commit sets free, on the entry's own accounts."""


def recording(
    call: Call, fact: Ref, action: str, decide: Callable[[View], Booking[T]], *, makes: bool = False
) -> Callable[[View], Booking[T]]:
    """The decision, whose refusals are recorded: so they are answered for ever.

    Else a late copy of a request that was refused would be carried out once nothing stands against it. A request that
    `makes` the fact is refused on record also where what it is about is not there, for that may come; where the fact
    itself is not there, there is nothing to record it of. What no client asks has no answer to keep: it looks again.
    """

    def recorded(view: View) -> Booking[T]:
        try:
            return decide(view)
        except Refused as refusal:
            if not call.once or (isinstance(refusal, NotFound) and not makes):
                raise
            return Booking(Outcome(fact, action, cast("T", None), refusal=refusal))

    return recorded


class Books:
    """The journal of every tenant."""

    def __init__(self, desk: Desk) -> None:
        """Post through `desk`."""
        self._desk = desk
        self.memory = Memory()
        self.together = Together(desk, self.memory)
        self.writer = Writer(self.together)

    def perform(
        self,
        call: Call,
        refs: Sequence[Ref],
        decide: Callable[[View], Booking[T]],
        again: Callable[[Document], T],
    ) -> Done[T]:
        """As `Desk.perform`, for a decision that posts a journal entry in the same commit.

        Raises:
            Refused: by `decide`, by the ledger (recorded under the entry's id), or recorded earlier.
            Retryable: contention or silence outlasted the attempts.
        """

        def outcome(view: View) -> Outcome[T]:
            booking = decide(view)
            if booking.entry is None:
                return booking.outcome
            entry = booking.entry.posted_at(call.at)
            plan = self._plan(call, booking, entry, view)
            return _with_plan(call, booking, entry, plan)

        return self._desk.perform(call, refs, outcome, again)

    def post(self, call: Call, entry: JournalEntry) -> Done[RecordedEntry]:
        """Post one entry whose id is the call's own; the entry itself is the idempotency record.

        Two lines with remembered accounts cost no read, one commit, three writes and the audit record; less
        when others wait with it, for then they share a commit.

        Raises:
            EntryIdReused: the id was used with another request.
            Refused: recorded under the entry's id, now or earlier.
            Retryable: contention or silence outlasted the attempts.
        """
        entry = entry.posted_at(call.at)
        order = Order(call.tenant, entry.id, (Posting(call, entry),))
        return _done(*self.writer.post(order, self._lane(call.tenant, entry)))

    def entry(self, tenant: TenantId, entry_id: StoredId) -> RecordedEntry:
        """One entry.

        Raises:
            UnknownEntry: there is none under this id.
        """
        missing = UnknownEntry("no such journal entry", field="id")
        return read_entry(document_at(self._desk.store, entry_ref(tenant, entry_id), missing))

    def entries(
        self, tenant: TenantId, account: AccountCode | None, limit: int, cursor: str | None
    ) -> Listing[RecordedEntry]:
        """Entries in the order of their ids, all or those of one account, a page at a time."""
        where = (Where("accounts", "array_contains", account),) if account else ()
        page = self._desk.store.query(Query("entries", tenant, where, limit=limit, after=cursor))
        return Listing(tuple(read_entry(document) for document in page.documents), page.cursor)

    def _lane(self, tenant: TenantId, entry: JournalEntry) -> Lane:
        """The first account with a floor that the entry takes from, as far as this process knows; else the rest's."""
        for code, card in self.memory.cards(tenant, entry.accounts).items():
            if card.floor and moved(entry.lines, card)[1]:
                return code
        return AnyAccount.SINGLE

    def _plan(self, call: Call, booking: Booking[T], entry: JournalEntry, view: View) -> Plan:
        plan = planned(self.memory, call.tenant, entry, view, release=booking.release)
        if isinstance(plan, Document):
            _contradict(call, entry, plan)
        patience = booking.wait_for_accounts_until
        if isinstance(plan.refusal, UnknownAccount) and patience and call.at < patience:
            message = "the account is not there yet"
            raise Retryable(message, detail=plan.refusal.detail)
        return plan


def _contradict(call: Call, entry: JournalEntry, known: Document) -> NoReturn:
    """The entry's refusal if the journal has one; else its fact says that it is not posted, and it is."""
    answered_before(call, entry, known)
    message = f"the entry {entry.id} is posted and its fact says it is not"
    raise Contradiction(message)


def _done(result: Result) -> Done[RecordedEntry]:
    if isinstance(result.outcome, RecordedEntry):
        return Done(result.outcome, result.replayed)
    raise result.outcome


def _with_plan(call: Call, booking: Booking[T], entry: JournalEntry, plan: Plan) -> Outcome[T]:
    outcome, loose = booking.outcome, booking.outcome.loose | plan.loose
    if plan.refusal is None:
        return replace(outcome, writes=(*outcome.writes, *plan.writes), loose=loose)
    return replace(
        outcome,
        fact=entry_ref(call.tenant, entry.id),
        writes=(*booking.if_refused(plan.refusal), *plan.writes),
        messages=(),
        loose=loose,
        refusal=plan.refusal,
    )
