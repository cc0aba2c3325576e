"""Rows of an outbox whose queue and bus can be out of order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from shared.events import Announcement, Command
from shared.gcp.firestore import FirestoreStore
from shared.identity import StoredId, stored_id
from shared.outbox import Outbox, row
from shared.ports import Decision, Query, View
from shared.settings import Settings
from tests.builders import ACME, NOON
from tests.emulator.lines import Line
from tests.emulator.offices import SteppedClock


@dataclass
class Post:
    """A queue and bus that raise what is stated for a destination, and keep all else."""

    failing: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[StoredId] = field(default_factory=list)

    def enqueue(self, command: Command) -> None:
        """Take a command, or fail as its queue does."""
        self._take(command.queue, command.id)

    def publish(self, announcement: Announcement) -> None:
        """Take an announcement, or fail as its topic does."""
        self._take(announcement.topic, announcement.id)

    def _take(self, destination: str, message: StoredId) -> None:
        self.asked.append(destination)
        if destination in self.failing:
            raise self.failing[destination]
        self.sent.append(message)


@dataclass
class PostOffice:
    """An outbox over the real store, with its clock and its post in the test's hand."""

    store: FirestoreStore
    line: Line
    clock: SteppedClock
    post: Post
    outbox: Outbox

    def leave(self, *commands: Command) -> None:
        """Write rows that nobody has sent."""
        rows = Decision(None, tuple(row(command, NOON) for command in commands))

        def write(_: View) -> Decision[None]:
            return rows

        self.store.transact((), write)

    def waiting(self) -> int:
        """How many rows are left."""
        return len(self.store.query(Query("outbox", ACME)).documents)


def a_command(name: str, queue: str = "payroll") -> Command:
    """A command to a queue."""
    return Command(stored_id("review", name), ACME, "calculate_payslips", queue, {"run": name}, "")


@pytest.fixture
def post_office(settings: Settings) -> Iterator[PostOffice]:
    """An empty outbox."""
    line, clock, post = Line(settings), SteppedClock(), Post()
    store = FirestoreStore(settings, settings.database, rpc=line)
    yield PostOffice(store, line, clock, post, Outbox(store, post, post, clock))
    line.close()
