"""The batching writer: single postings that wait at the same time share the next commit.

Whoever finds no commit of its lane on its way leads and takes with it all that wait by then; who comes meanwhile waits
for the next. Nobody waits for company, so the window is the commit on its way, and an idle ledger answers as fast as
without a writer; under load the sums of a busy account merge, and a commit's cost is shared (docs/decisions, 12).

A floored account that is taken from has a lane of its own and one commit at a time: every debit moves its guard, so two
at once mean that one fails. All else of a tenant goes in one lane: increments are blind and stand in nobody's way.
There a second commit begins beside the first once enough wait to share it, so that deciding and storing overlap.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final, TypeAlias

from shared.calls import Call
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.model import AccountCode, JournalEntry
from shared.ledger.use_cases.together import Order, Posting, Result, Together
from shared.limits import BATCH_LINES, WRITER_ENTRIES

STAND_SECONDS: Final = 8
"""How long a posting stands in the queue: whoever leads after that still ends before its door does."""

ANSWER_SECONDS: Final = 45
"""How long one that was taken along waits for its leader: as long as a leader takes whose answers come."""

COMPANY: Final = 4
"""How many must wait for a second commit to begin while one is on its way: what fewer share is not worth a commit."""

Lane: TypeAlias = AccountCode | None
"""Whose commits go one after the other: those that take from this account with a floor, or all others."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """One caller in the queue; `woken` when its result is there or when it is its turn to lead."""

    posting: Posting
    leads: bool = False
    apart: bool = False
    """Whether something is wrong with one of those it went with: then each finds out for itself."""
    result: Result | None = None
    woken: Event = field(default_factory=Event)


@dataclass(slots=True, eq=False)
class _Queue:
    """Those that wait in one lane; it exists while somebody leads, and then nobody waits without a leader."""

    key: tuple[TenantId, Lane]
    waiting: deque[_Ticket] = field(default_factory=deque)
    leaders: int = 0

    def appoint(self) -> None:
        """Let the first that waits lead, if nobody does, or enough wait for a commit beside the first."""
        beside = self.key[1] is None and self.leaders == 1 and len(self.waiting) >= COMPANY
        if self.waiting and not self.waiting[0].leads and (self.leaders == 0 or beside):
            self.leaders += 1
            self.waiting[0].leads = True
            self.waiting[0].woken.set()


class Writer:
    """One for each process, shared by its threads."""

    def __init__(
        self, together: Together, *, entries: int = WRITER_ENTRIES, stand_seconds: int = STAND_SECONDS
    ) -> None:
        """Commit by `together`, at most `entries` at a time."""
        self._together, self._entries, self._stand_seconds = together, entries, stand_seconds
        self._lock = Lock()
        self._queues: dict[tuple[TenantId, Lane], _Queue] = {}

    @property
    def waiting(self) -> int:
        """Postings in the queues now, of all lanes."""
        with self._lock:
            return sum(len(queue.waiting) for queue in self._queues.values())

    def post(self, call: Call, entry: JournalEntry, lane: Lane) -> Result:
        """Post with the next commit of `lane`; the result is this entry's own.

        A leader that dies leaves whoever it took along with a `Retryable` result: the same request finds
        what became of it. What nobody foresaw, such as a document that cannot be read, is raised for the entry
        that it is about and for no other.
        """
        ticket = _Ticket(Posting(call, entry))
        queue = self._stand(ticket, (call.tenant, lane))
        try:
            if not ticket.leads and not ticket.woken.wait(self._stand_seconds) and self._taken(queue, ticket):
                ticket.woken.wait(ANSWER_SECONDS)
            if ticket.leads:
                self._lead(queue)
        finally:
            self._leave(queue, ticket)
        if ticket.apart:
            return self._together.alone(ticket.posting)
        return ticket.result or _unknown(ticket)

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
            postings = tuple(ticket.posting for ticket in taken)
            order = Order(queue.key[0], postings[0].entry.id, postings)
            for ticket, result in zip(taken, self._together.settle(order), strict=True):
                ticket.result = result
        except Retryable as fault:
            for ticket in taken:
                ticket.result = Result(ticket.posting.entry, Retryable(fault.message, detail=fault.detail))
        except Exception:
            if len(taken) == 1:
                raise
            for ticket in taken:  # one of them is why, and it is not for the others to answer for it
                ticket.apart = True
        finally:
            for ticket in taken:
                ticket.woken.set()

    def _take(self, queue: _Queue) -> Sequence[_Ticket]:
        """From the head of the queue, no more lines than a batch may have; one that is asked twice goes once."""
        with self._lock:
            taken: dict[str, _Ticket] = {}
            left: deque[_Ticket] = deque()
            lines = 0
            while queue.waiting and len(taken) < self._entries:
                entry = queue.waiting[0].posting.entry
                lines += 0 if entry.id in taken else len(entry.lines)
                if lines > BATCH_LINES:
                    break
                ticket = queue.waiting.popleft()
                if entry.id in taken:  # the next commit finds what becomes of it now
                    left.append(ticket)
                else:
                    taken[entry.id] = ticket
            queue.waiting.extendleft(reversed(left))
            return tuple(taken.values())

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


def _unknown(ticket: _Ticket) -> Result:
    message = "it is not known yet what became of this posting"
    return Result(ticket.posting.entry, Retryable(message))
