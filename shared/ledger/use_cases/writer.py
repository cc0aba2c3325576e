"""The batching writer: postings, and independent batches, that wait at the same time share the next commit.

Whoever finds no commit of its lane on its way leads and takes with it all that wait by then; who comes meanwhile waits
for the next. Nobody waits for company, so the window is the commit on its way, and an idle ledger answers as fast as
without a writer; under load the sums of an account merge, and a commit's cost is shared (docs/decisions, 10 and 12).

A floored account that single postings take from has a lane of its own and one commit at a time: every debit moves its
guard, so two at once mean that one fails. All other single postings of a tenant go in one lane: increments are blind
and stand in nobody's way. There a second commit begins beside the first once enough wait to share it, so that deciding
and storing overlap. Batches have a lane of their own, for a commit of hundreds would hold up single ones, and one
commit at a time until what waits fills another: they gain by sharing that a total is written once for more of them.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from threading import Event, Lock
from typing import Final, TypeAlias

from shared.faults import Retryable
from shared.identity import StoredId, TenantId
from shared.ledger.model import AccountCode
from shared.ledger.use_cases.together import Order, Result, Together
from shared.limits import BATCH_LINES, SHARED_LINES, WRITER_ENTRIES

STAND_SECONDS: Final = 8
"""How long a posting stands in the queue: whoever leads after that still ends before its door does."""

ANSWER_SECONDS: Final = 45
"""How long one that was taken along waits for its leader: with the time it stood, below its door's timeout."""

COMPANY: Final = 4
"""How many must wait for a second commit to begin while one is on its way: what fewer share is not worth a commit."""


class AnyAccount(Enum):
    """The lanes of what may share a commit whatever its accounts."""

    SINGLE = "single"
    BATCHES = "batches"


Lane: TypeAlias = AccountCode | AnyAccount
"""Whose commits go one after the other: those that take from this account with a floor, or all others."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """One caller in the queue; `woken` when its results are there or when it is its turn to lead."""

    order: Order
    lines: int
    """Of all its entries."""
    ends_at: float
    leads: bool = False
    apart: Callable[[Order, float], tuple[Result, ...]] | None = None
    """How it goes on by itself, out of the queue, when what it went with failed."""
    results: tuple[Result, ...] | None = None
    fault: Retryable | None = None
    woken: Event = field(default_factory=Event)

    def answered(self) -> tuple[Result, ...]:
        """Its own results, or why there are none; each caller raises a fault of its own."""
        if self.results is not None:
            return self.results
        if self.fault is not None:
            raise Retryable(self.fault.message, detail=self.fault.detail)
        message = "it is not known yet what became of this posting"
        raise Retryable(message)


@dataclass(slots=True, eq=False)
class _Queue:
    """Those that wait in one lane; it exists while somebody leads, and then nobody waits without a leader."""

    key: tuple[TenantId, Lane]
    waiting: deque[_Ticket] = field(default_factory=deque)
    leaders: int = 0

    def appoint(self) -> None:
        """Let the first that waits lead, if nobody does, or enough wait for a commit beside the first."""
        beside = self.leaders == 1 and self._worth_a_commit()
        if self.waiting and not self.waiting[0].leads and (self.leaders == 0 or beside):
            self.leaders += 1
            self.waiting[0].leads = True
            self.waiting[0].woken.set()

    def _worth_a_commit(self) -> bool:
        if self.key[1] is AnyAccount.BATCHES:
            return sum(ticket.lines for ticket in self.waiting) >= SHARED_LINES
        return self.key[1] is AnyAccount.SINGLE and len(self.waiting) >= COMPANY


class Writer:
    """One for each process, shared by its threads."""

    def __init__(
        self, together: Together, *, entries: int = WRITER_ENTRIES, stand_seconds: int = STAND_SECONDS
    ) -> None:
        """Commit by `together`, at most so many single `entries` at a time."""
        self._together, self._entries, self._stand_seconds = together, entries, stand_seconds
        self._lock = Lock()
        self._queues: dict[tuple[TenantId, Lane], _Queue] = {}

    @property
    def waiting(self) -> int:
        """Orders in the queues now, of all lanes."""
        with self._lock:
            return sum(len(queue.waiting) for queue in self._queues.values())

    def post(self, order: Order, lane: Lane) -> tuple[Result, ...]:
        """Post with the next commit of `lane`; the results are this order's own, one a posting.

        What nobody foresaw, such as a document that cannot be read, is raised for the order that it is about and for
        no other.

        Raises:
            Refused: by one of the order's covers; nothing was posted.
            Retryable: nothing is known, or the leader died: the same request finds what became of it.
        """
        lines = sum(len(posting.entry.lines) for posting in order.postings)
        ticket = _Ticket(order, lines, self._together.ends_at())
        queue = self._stand(ticket, (order.tenant, lane))
        try:
            if not ticket.leads and not ticket.woken.wait(self._stand_seconds) and self._taken(queue, ticket):
                ticket.woken.wait(ANSWER_SECONDS)
            if ticket.leads:
                self._lead(queue)
        finally:
            self._leave(queue, ticket)
        return ticket.apart(order, ticket.ends_at) if ticket.apart else ticket.answered()

    def _stand(self, ticket: _Ticket, key: tuple[TenantId, Lane]) -> _Queue:
        """Stand in the lane's queue, at its head if nobody leads."""
        with self._lock:
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = _Queue(key)
            queue.waiting.append(ticket)
            queue.appoint()
            return queue

    def _taken(self, queue: _Queue, ticket: _Ticket) -> bool:
        """Whether somebody took the ticket along; one that nobody did leaves the queue, unless it leads by now."""
        with self._lock:
            if ticket not in queue.waiting:
                return True
            if not ticket.leads:
                queue.waiting.remove(ticket)
            return False

    def _lead(self, queue: _Queue) -> None:
        """Commit for all that wait now, the leader's own first, and wake them whatever happens."""
        taken = self._take(queue)
        try:
            results = iter(self._settled(queue, Order.joined([ticket.order for ticket in taken]), taken[0].ends_at))
            for ticket in taken:
                ticket.results = tuple(islice(results, len(ticket.order.postings)))
        except Retryable as fault:
            for ticket in taken:
                ticket.fault = fault
                if queue.key[1] is AnyAccount.BATCHES:
                    ticket.apart = self._together.settle_alone if len(taken) > 1 else self._together.in_parts
        except Exception:
            if len(taken) == 1:
                raise
            for ticket in taken:  # one of them is why, and it is not for the others to answer for it
                ticket.apart = self._together.settle_alone
        finally:
            for ticket in taken:
                ticket.woken.set()

    def _settled(self, queue: _Queue, order: Order, ends_at: float) -> tuple[Result, ...]:
        """Batches are tried once: what fails goes on out of the lane, each for itself, and holds up nobody."""
        if queue.key[1] is AnyAccount.BATCHES:
            return self._together.at_once(order)
        return self._together.settle(order, ends_at)

    def _take(self, queue: _Queue) -> Sequence[_Ticket]:
        """From the head of the queue, as many as a commit has room for; what is asked twice goes once."""
        entries, lines = self._room(queue.key[1])
        with self._lock:
            taken, left, ids = list[_Ticket](), deque[_Ticket](), set[StoredId]()
            while queue.waiting:
                ticket = queue.waiting[0]
                own = {ticket.order.lead, *(posting.entry.id for posting in ticket.order.postings)}
                again = not ids.isdisjoint(own)
                if not again:
                    entries, lines = entries - len(ticket.order.postings), lines - ticket.lines
                if min(entries, lines) < 0:
                    break
                queue.waiting.popleft()
                if again:  # the next commit finds what becomes of it now
                    left.append(ticket)
                else:
                    taken.append(ticket)
                    ids |= own
            queue.waiting.extendleft(reversed(left))
            return taken

    def _room(self, lane: Lane) -> tuple[int, int]:
        """Entries and lines of a commit: room for any one order, and of two lines at least an entry."""
        return (SHARED_LINES // 2, SHARED_LINES) if lane is AnyAccount.BATCHES else (self._entries, BATCH_LINES)

    def _leave(self, queue: _Queue, ticket: _Ticket) -> None:
        """Leave the queue, answered or not; a leader hands over to the next in it."""
        with self._lock:
            if ticket in queue.waiting:
                queue.waiting.remove(ticket)
            if not ticket.leads:
                return
            queue.leaders -= 1
            queue.appoint()
            if queue.leaders == 0:
                del self._queues[queue.key]
