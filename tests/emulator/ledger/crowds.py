"""Postings that queue behind a commit that is held at a gate, for the tests of the batching writer."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from shared.faults import Refused, Retryable
from shared.ledger.model import Account, AccountType, Floor, JournalEntry
from shared.ledger.use_cases.writer import COMPANY
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.asked import passes
from tests.emulator.lines import Commit, Switch

if TYPE_CHECKING:
    from tests.emulator.ledger.conftest import Bookkeeping

WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))
SECONDS = 60
T = TypeVar("T")


@dataclass
class Gate:
    """Holds a commit back until the test opens it, and says when it is there."""

    then: Switch
    reached: Event = field(default_factory=Event)
    open: Event = field(default_factory=Event)

    def __call__(self, commit: Commit) -> Any:
        """Wait, then do what was asked with the commit."""
        self.reached.set()
        assert self.open.wait(SECONDS)
        return self.then(commit)


def a_withdrawal(amount: int, name: str) -> JournalEntry:
    """Money taken out of the wallet."""
    return a_sale(amount, name=name, to=WALLET.code, of="assets:bank")


def a_deposit(amount: int, name: str) -> JournalEntry:
    """Money put into the wallet."""
    return a_sale(amount, name=name, to="assets:bank", of=WALLET.code)


def post(kept: "Bookkeeping", entry: JournalEntry) -> str:
    """Post, and say what came of it: posted, replayed, a refusal's code, or retry."""
    try:
        done = kept.books.post(a_call(entry.cause), entry)
    except Refused as refusal:
        return refusal.code
    except Retryable:
        return "retry"
    return "replayed" if done.replayed else "posted"


@dataclass
class Crowd:
    """Withdrawals that queue behind one whose commit is held at a gate."""

    wallet: "Bookkeeping"
    pool: ThreadPoolExecutor

    def behind(
        self, gate: Gate, entries: list[JournalEntry], first: JournalEntry | None = None
    ) -> tuple[Future[str], list[Future[str]]]:
        """The leader's answer and those of the entries that wait behind it when the gate opens."""
        leads = partial(post, self.wallet, first or a_withdrawal(1, "leader"))
        return self.queued(gate, leads, [partial(post, self.wallet, entry) for entry in entries])

    def queued(
        self, gate: Gate, leads: Callable[[], T], follow: Sequence[Callable[[], T]]
    ) -> tuple[Future[T], list[Future[T]]]:
        """As `behind`, of whatever is asked of the writer."""
        self.wallet.line.commits.insert(0, gate)
        leader = self.pool.submit(leads)
        assert gate.reached.wait(SECONDS)
        before = self.wallet.line.paths.copy()
        followers = [self.pool.submit(one) for one in follow]
        self.all_wait(len(follow))
        assert self.wallet.line.paths == before, "they waited for the leader and sent nothing"
        gate.open.set()
        return leader, followers

    def behind_two(self, entries: list[JournalEntry]) -> list[Future[str]]:
        """The answers of sales that wait behind two commits of sales, as many as are on their way at once."""
        one, two = Gate(passes), Gate(passes)
        self.wallet.line.commits[:0] = [one, two]
        self.pool.submit(post, self.wallet, a_sale(1, name="first"))
        assert one.reached.wait(SECONDS)
        for number in range(COMPANY):
            assert not two.reached.is_set()
            self.pool.submit(post, self.wallet, a_sale(1, name=f"company-{number}"))
        assert two.reached.wait(SECONDS)
        followers = [self.pool.submit(post, self.wallet, entry) for entry in entries]
        self.all_wait(len(entries))
        two.open.set()
        one.open.set()
        return followers

    def all_wait(self, number: int) -> None:
        """Until so many stand in the writer's queue."""
        for _ in range(60_000):
            if self.wallet.books.writer.waiting >= number:
                return
            Event().wait(0.001)
        message = "they never came to wait"
        raise AssertionError(message)


def in_wallet(kept: "Bookkeeping") -> int:
    """What the wallet holds, by its totals."""
    rows = kept.reports.trial_balance(ACME, "2026-11").rows
    return sum(row.amount for row in rows if row.account == WALLET.code)


def some(number: int, amount: int = 1) -> list[JournalEntry]:
    """So many withdrawals."""
    return [a_withdrawal(amount, f"w{one}") for one in range(number)]
