"""Posting beside raw commits: the fast path must stay near what the store itself can do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from shared import counters
from shared.calls import Outcome
from shared.desk import Desk
from shared.events import Announcement, Command
from shared.gcp.firestore import HOST, FirestoreStore, resource_headers
from shared.gcp.firestore_methods import COMMIT
from shared.gcp.rpc import Method, Rpc, RpcFailed
from shared.identity import stored_id
from shared.ledger.model import Account, AccountType, JournalEntry, credit, debit
from shared.ledger.records import RecordedEntry, account_ref, create_account, entry_ref, read_entry
from shared.ledger.use_cases.posting import Booking, Books
from shared.money import Money
from shared.outbox import Outbox
from shared.ports import Create, Decision, View, tenant_ref
from shared.settings import Settings
from shared.wiring import House
from tests.bench.crew import Crew, Tally, crew
from tests.bench.rows import Row
from tests.bench.world import TENANT, World, a_call

ACCOUNTS: Final = 200
HOT: Final = ("assets:clearing:stripe", "assets:receivable")
SECONDS: Final = 3.0
WARMING_SECONDS: Final = 10.0
"""Before anything counts: the emulator's Java compiles what is used often, and a posting uses more of it."""

SHAPES: Final = ((1, 8), (2, 4))
"""Processes and threads."""

WARMING: Final = 60
"""Postings after which every shard of the totals is there, and the outbox has just been emptied."""

PREBUILT: Final = 6_000
"""Requests a thread has ready before the clock runs: more than it can send in all its rounds."""

BAR: Final = 0.7
OF_RAW: Final = "best of 3 alternating rounds"
_TEXT: Final = "x" * 960


def rows(world: World) -> Iterator[Row]:
    """Raw commits a second and two-line postings beside them, and what one posting costs."""
    open_accounts(world.house)
    with crew(world.cloud.settings(), *SHAPES[-1]) as workers:
        for work in (raw, post_on_many, post_on_two):
            workers.round(work, WARMING_SECONDS)
    for processes, threads in SHAPES:
        with crew(world.cloud.settings(), processes, threads) as workers:
            yield from _beside_raw(workers)
    yield from _cost(world.house)


def _beside_raw(workers: Crew) -> Iterator[Row]:
    barred = {
        post_on_many: f"posting, {ACCOUNTS} accounts",
        post_on_two: "posting, 2 hot accounts",
    }
    informing = {
        prebuilt_on_many: f"ceiling: requests of postings built before, {ACCOUNTS} accounts",
        prebuilt_on_two: "ceiling: requests of postings built before, 2 hot accounts",
        post_alone: f"single posts (no outbox row), {ACCOUNTS} accounts",
        post_alone_on_two: "single posts (no outbox row), 2 hot accounts",
        post_and_publish: "posting, announced on Pub/Sub",
    }
    best = workers.alternating((raw, *barred, *informing), SECONDS)
    shape = f"{workers.shape}, {OF_RAW}"
    yield Row(f"raw commits, {workers.shape}", best[raw].per_second, "commits/s", f"one 1 KB document each, {shape}")
    for work, name in (barred | informing).items():
        tally = best[work]
        ratio = tally.per_second / best[raw].per_second
        row = Row(f"{name}, {workers.shape}", tally.per_second, "postings/s", f"{_said(tally)}; {shape}", ratio)
        yield row.at_least(BAR) if work in barred else row


def _said(tally: Tally) -> str:
    return ", ".join(f"{each:.2f} {name}" for name, each in tally.operations.items() if each)


# --- kinds of work -----------------------------------------------------------------------


def raw(house: House, name: str) -> Callable[[int], object]:
    """Create one document of 1 KB a commit, through the same store."""

    def create(number: int) -> None:
        ref = tenant_ref(TENANT, "bench", stored_id(name, str(number)))
        decision = Decision(None, (Create(ref, {"schema": 1, "text": _TEXT}),))
        house.store.transact((), lambda _: decision)

    return create


def post_on_many(house: House, name: str) -> Callable[[int], object]:
    """Post between changing accounts, with the audit record and an announcement in the outbox."""
    return _announced(house, _with_letterbox(house), name, many=True)


def post_on_two(house: House, name: str) -> Callable[[int], object]:
    """The same between always the same two accounts."""
    return _announced(house, _with_letterbox(house), name, many=False)


def prebuilt_on_many(house: House, name: str) -> Callable[[int], object]:
    """Send the requests of `post_on_many`, built before: as if deciding and encoding cost nothing."""
    return _prebuilt(house, name, many=True)


def prebuilt_on_two(house: House, name: str) -> Callable[[int], object]:
    """The same for `post_on_two`."""
    return _prebuilt(house, name, many=False)


def post_and_publish(house: House, name: str) -> Callable[[int], object]:
    """The same on changing accounts, and the announcement goes out to Pub/Sub before the next."""
    return _announced(house, house.books, name, many=True)


def post_alone(house: House, name: str) -> Callable[[int], object]:
    """Post with nothing to announce, as a journal entry of the API: what waits together shares a commit."""
    return _alone(house, name, many=True)


def post_alone_on_two(house: House, name: str) -> Callable[[int], object]:
    """The same between always the same two accounts."""
    return _alone(house, name, many=False)


def _alone(house: House, name: str, *, many: bool) -> Callable[[int], object]:
    def post(number: int) -> None:
        key = f"alone-{name}-{number}-{many}"
        house.books.post(a_call(house, key), _entry(house, key, number, many=many))

    return post


def _announced(house: House, books: Books, name: str, *, many: bool) -> Callable[[int], object]:
    def post(number: int) -> None:
        key = f"{name}-{number}-{many}-{'box' if books is not house.books else 'bus'}"
        call, entry = a_call(house, key), _entry(house, key, number, many=many)
        ref = entry_ref(TENANT, entry.id)
        fresh = RecordedEntry(entry, posted=True, recorded_at=call.at, refusal=None)
        said = call.announcement("payments", "bench.posted", entry.id, 1, {"entry": entry.id})

        def decide(_: View) -> Booking[RecordedEntry]:
            return Booking(Outcome(ref, "entry.post", fresh, messages=(said,)), entry)

        books.perform(call, (), decide, read_entry)

    return post


def _prebuilt(house: House, name: str, *, many: bool) -> Callable[[int], object]:
    kept = Kept(house.settings)
    return kept.sender(_announced(house, Books(kept.desk(house)), f"ready-{name}", many=many), PREBUILT)


def _entry(house: House, key: str, number: int, *, many: bool) -> JournalEntry:
    """Two lines; the pairs of accounts come round so that every account meets every other."""
    money = Money(1_000 + number % 1_000, "GBP")
    first = number % ACCOUNTS
    second = (first + 1 + number // ACCOUNTS % (ACCOUNTS - 1)) % ACCOUNTS
    to, of = (_account(first), _account(second)) if many else HOT
    lines = (debit(to, money), credit(of, money))
    return JournalEntry(stored_id("bench", key), lines, house.clock.now().date(), key, "bench")


# --- what it is done with ----------------------------------------------------------------


@dataclass(slots=True)
class Letterbox:
    """A queue and bus in this process that take everything and keep nothing: a commit is measured without its messages.

    The rows of the outbox are written and removed all the same.
    """

    taken: int = 0

    def enqueue(self, command: Command) -> None:
        """Take a command."""
        del command
        self.taken += 1

    def publish(self, announcement: Announcement) -> None:
        """Take an announcement."""
        del announcement
        self.taken += 1


class Kept(Rpc):
    """Reads for real; a commit is kept under the last of `postings`, and taken for done."""

    def __init__(self, settings: Settings) -> None:
        """Speak to the main database."""
        super().__init__(HOST, settings.firestore_endpoint, metadata=resource_headers(settings, settings.database))
        self.postings: list[list[Any]] = []

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Send a question, keep a commit."""
        if method is not COMMIT:
            return super().send(method, request, timeout_seconds)
        self.postings[-1].append(request)
        return COMMIT.response()

    def desk(self, house: House) -> Desk:
        """A desk whose commits are kept."""
        letterbox, store = Letterbox(), FirestoreStore(house.settings, house.settings.database, rpc=self)
        return Desk(store, Outbox(store, letterbox, letterbox, house.clock))

    def sender(self, post: Callable[[int], object], times: int) -> Callable[[int], object]:
        """Let `post` be done so often, and give what sends the requests of the n-th time."""
        for number in range(times):
            self.postings.append([])
            post(number)

        def send(number: int) -> None:
            for request in self.postings[number]:
                try:
                    Rpc.send(self, COMMIT, request, SECONDS)
                except RpcFailed:
                    return  # the first of a shard, which goes the slow way, or rivals in each other's way: no row's

        return send


@cache
def _with_letterbox(house: House) -> Books:
    letterbox = Letterbox()
    return Books(Desk(house.store, Outbox(house.store, letterbox, letterbox, house.clock)))


def _account(number: int) -> str:
    return f"assets:bench:{number}"


def open_accounts(house: House) -> None:
    """Open the accounts that change from posting to posting, unless they are there."""
    if house.store.get([account_ref(TENANT, _account(0))])[account_ref(TENANT, _account(0))]:
        return
    accounts = [Account(_account(number), AccountType.ASSET, "Bench") for number in range(ACCOUNTS)]
    decision = Decision(None, tuple(write for account in accounts for write in create_account(TENANT, account)))
    house.store.transact((), lambda _: decision)


def _cost(house: House) -> Iterator[Row]:
    """The operations of one posting whose accounts are known and whose totals exist."""
    post = post_on_two(house, "cost")
    for number in range(WARMING):
        post(number)
    operations = counters.begin()
    post(WARMING)
    how = "one posting on 2 accounts after others: entry, 2 totals, audit, outbox row"
    yield Row("posting: reads", operations.reads, "documents", how).exactly(0)
    yield Row("posting: remote calls", operations.rpcs, "RPCs", how).exactly(1)
    yield Row("posting: writes", operations.writes, "documents", how).exactly(5)
