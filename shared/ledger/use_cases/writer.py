"""The batching writer: postings that wait for one hot account with a floor share its next commit.

Every debit of a floored account moves its guard, so two commits at once mean that one fails. Here a process
sends one at a time: whoever finds none on its way leads and takes with it all that wait by then; who comes
meanwhile waits for the next. Nobody waits for company, so the window is the commit on its way, and an idle
account answers as fast as without a writer. Postings into the account do not pass here: inflows are blind.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final

from shared.calls import Call
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.model import AccountCode, JournalEntry
from shared.ledger.use_cases.together import Order, Posting, Result, Together
from shared.limits import BATCH_LINES, WRITER_ENTRIES

WAIT_SECONDS: Final = 40
"""How long a posting waits for its leader: longer than a leader takes whose answers come, shorter than any door."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """One caller in the queue; `woken` when its result is there or when it is its turn to lead."""

    posting: Posting
    leads: bool = False
    result: Result | None = None
    woken: Event = field(default_factory=Event)


@dataclass(slots=True, eq=False)
class _Lane:
    """The queue of one account; it exists while somebody leads."""

    key: tuple[TenantId, AccountCode]
    waiting: deque[_Ticket] = field(default_factory=deque)


class Writer:
    """One for each process, shared by its threads."""

    def __init__(self, together: Together, *, entries: int = WRITER_ENTRIES, wait_seconds: int = WAIT_SECONDS) -> None:
        """Commit by `together`, at most `entries` at a time."""
        self._together, self._entries, self._wait_seconds = together, entries, wait_seconds
        self._lock = Lock()
        self._lanes: dict[tuple[TenantId, AccountCode], _Lane] = {}

    @property
    def waiting(self) -> int:
        """Postings in the queues now, of all accounts."""
        with self._lock:
            return sum(len(lane.waiting) for lane in self._lanes.values())

    def post(self, call: Call, entry: JournalEntry, account: AccountCode) -> Result:
        """Post with the next commit of `account`; the result is this entry's own.

        A leader that dies leaves whoever it took along with a `Retryable` result: the same request finds
        what became of it.
        """
        ticket = _Ticket(Posting(call, entry))
        lane = self._queue(ticket, (call.tenant, account))
        try:
            if not ticket.leads:
                ticket.woken.wait(self._wait_seconds)
            if ticket.leads:
                self._lead(lane)
        finally:
            self._leave(lane, ticket)
        return ticket.result or _unknown(ticket)

    def _queue(self, ticket: _Ticket, key: tuple[TenantId, AccountCode]) -> _Lane:
        """Stand in the account's queue, at its head if nobody leads."""
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane(key)
                ticket.leads = True
            lane.waiting.append(ticket)
            return lane

    def _lead(self, lane: _Lane) -> None:
        """Commit for all that wait now, the leader's own first, and wake them whatever happens."""
        taken = self._take(lane)
        try:
            postings = tuple(ticket.posting for ticket in taken)
            order = Order(lane.key[0], postings[0].entry.id, postings)
            for ticket, result in zip(taken, self._together.settle(order), strict=True):
                ticket.result = result
        except Retryable as fault:
            for ticket in taken:
                ticket.result = Result(ticket.posting.entry, Retryable(fault.message, detail=fault.detail))
        finally:
            for ticket in taken:
                ticket.woken.set()

    def _take(self, lane: _Lane) -> Sequence[_Ticket]:
        """From the head of the queue, no more lines than a batch may have; one that is asked twice goes once."""
        with self._lock:
            taken: dict[str, _Ticket] = {}
            left: deque[_Ticket] = deque()
            lines = 0
            while lane.waiting and len(taken) < self._entries:
                entry = lane.waiting[0].posting.entry
                lines += 0 if entry.id in taken else len(entry.lines)
                if lines > BATCH_LINES:
                    break
                ticket = lane.waiting.popleft()
                if entry.id in taken:  # the next commit finds what becomes of it now
                    left.append(ticket)
                else:
                    taken[entry.id] = ticket
            lane.waiting.extendleft(reversed(left))
            return tuple(taken.values())

    def _leave(self, lane: _Lane, ticket: _Ticket) -> None:
        """Leave the queue, answered or not; a leader hands over to the next in it."""
        with self._lock:
            if ticket in lane.waiting:
                lane.waiting.remove(ticket)
            if not ticket.leads:
                return
            if lane.waiting:
                lane.waiting[0].leads = True
                lane.waiting[0].woken.set()
            else:
                del self._lanes[lane.key]


def _unknown(ticket: _Ticket) -> Result:
    message = "whoever posted for this request is gone"
    return Result(ticket.posting.entry, Retryable(message))
