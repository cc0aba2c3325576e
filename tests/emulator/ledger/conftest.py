"""A tenant's books on the real emulator, with a line that can be made to fail."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from shared.clock import SystemClock
from shared.desk import Desk
from shared.events import Announcement, Command
from shared.gcp.firestore import FirestoreStore
from shared.ledger.chart import opening_chart
from shared.ledger.records import create_account
from shared.ledger.use_cases.control import Controls
from shared.ledger.use_cases.posting import Books
from shared.ledger.use_cases.proofs import Proofs
from shared.ledger.use_cases.reports import Reports
from shared.outbox import Outbox
from shared.ports import Decision, View
from shared.settings import Settings
from tests.builders import ACME, a_call
from tests.emulator.ledger.crowds import WALLET, Crowd, a_deposit, a_withdrawal
from tests.emulator.lines import Line


@dataclass
class Kept:
    """A queue and bus that keep what they are given, in order."""

    commands: list[Command] = field(default_factory=list)
    announcements: list[Announcement] = field(default_factory=list)

    def enqueue(self, command: Command) -> None:
        """Keep a command."""
        self.commands.append(command)

    def publish(self, announcement: Announcement) -> None:
        """Keep an announcement."""
        self.announcements.append(announcement)


@dataclass
class Bookkeeping:
    """Everything about the books of one tenant, over one line."""

    line: Line
    store: FirestoreStore
    sent: Kept
    desk: Desk
    books: Books
    controls: Controls
    reports: Reports
    proofs: Proofs

    def proven(self, key: str = "proof") -> bool:
        """Whether the totals are the fold of the journal, and everything balances."""
        return self.proofs.prove(a_call(key)).answer.holds


def bookkeeping(settings: Settings) -> Bookkeeping:
    """Another instance, with nothing remembered, over the same database."""
    line, sent = Line(settings), Kept()
    store = FirestoreStore(settings, settings.database, rpc=line)
    desk = Desk(store, Outbox(store, sent, sent, SystemClock()))
    reports = Reports(desk)
    return Bookkeeping(line, store, sent, desk, Books(desk), Controls(desk), reports, Proofs(desk, sent))


@pytest.fixture
def kept(settings: Settings) -> Iterator[Bookkeeping]:
    """The books of a tenant whose chart is open."""
    books = bookkeeping(settings)
    chart = Decision(None, opening_chart(ACME))

    def open_chart(view: View) -> Decision[None]:
        opened = view.failures and view[chart.writes[0].ref]  # a cold emulator may land it after its time was over
        return Decision(None) if opened else chart

    books.store.transact((), open_chart)
    yield books
    books.line.close()


@pytest.fixture
def other(settings: Settings, kept: Bookkeeping) -> Iterator[Bookkeeping]:
    """Another instance that serves the same tenant."""
    del kept
    books = bookkeeping(settings)
    yield books
    books.line.close()


@pytest.fixture
def wallet(kept: Bookkeeping) -> Bookkeeping:
    """A wallet with 1,000 in it, known to the instance that serves it."""
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, WALLET)))
    kept.books.post(a_call("deposit"), a_deposit(1_000, "deposit"))
    for number in range(20):
        kept.books.post(a_call(f"warm-{number}"), a_withdrawal(1, f"warm-{number}"))
        kept.books.post(a_call(f"back-{number}"), a_deposit(1, f"back-{number}"))
    return kept


@pytest.fixture
def crowd(wallet: Bookkeeping) -> Iterator[Crowd]:
    """A crowd at the wallet."""
    with ThreadPoolExecutor(40) as pool:
        yield Crowd(wallet, pool)
