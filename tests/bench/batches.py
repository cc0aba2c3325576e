"""Batches beside raw batched creates, the writer on one hot account with a floor, and peers for scale."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from shared.faults import Fault, Retryable
from shared.identity import StoredId, stored_id
from shared.ledger.model import Account, AccountType, Floor, JournalEntry, Line, credit, debit
from shared.ledger.records import create_account
from shared.ledger.use_cases.batches import Batch, BatchResult, Mode
from shared.ledger.use_cases.together import Posting, Result
from shared.money import Money
from shared.ports import Create, Decision, tenant_ref
from shared.wiring import House
from tests.bench import posting
from tests.bench.by_google import ByGoogle
from tests.bench.crew import Crew, Tally, Work, crew
from tests.bench.rows import Row
from tests.bench.world import TENANT, World, a_call, world

SIZES: Final = (50, 200, 450)

ACCOUNTS: Final = 1_000
SHARDS: Final = 4
HOT: Final = ("assets:clearing:stripe", "assets:receivable")
POT: Final = Account("liabilities:bench:pot", AccountType.LIABILITY, "Pot", shards=1, floor=Floor("GBP", 0))
RICH: Final = 10**12
SECONDS: Final = 3.0
WARMING_SECONDS: Final = 6.0
CREW: Final = (2, 16)
"""Processes and threads, of batches: as many callers as an instance of `batches` takes at once."""

CROWD: Final = (2, 32)
"""Of single posts beside raw commits and peers: as many callers as an instance of `entries` takes at once."""

SINGLES: Final[Mapping[Work, tuple[str, str]]] = {
    posting.post_alone: ("uniform", f"{posting.ACCOUNTS} accounts"),
    posting.post_alone_on_two: ("hot", "2 hot accounts"),
}

WRITERS: Final = (1, 8)
HOT_BAR, RANDOM_BAR, WRITER_BAR = 0.8, 0.5, 300
PEER: Final[Mapping[str, tuple[int, int]]] = {
    "uniform": (3_000, 3_800),
    "hot": (1_700, 1_900),
    "batches": (6_500, 9_300),
}
"""Entries a second of pgledger on PostgreSQL on such a machine, from and to."""

TRIES: Final = 5
"""Times a batch that is told to come again comes."""

OF_RAW: Final = "best of 3 alternating rounds"
_TEXT: Final = "x" * 960


def rows(place: World) -> Iterator[Row]:
    """Entries a second in batches of each size, on a hot account with a floor, and beside a peer's.

    Each size has a cloud of its own: the emulator keeps all in memory, and when that is full it answers nobody.
    """
    fastest = 0.0
    for size in SIZES:
        with world() as own:
            best = _measured(own, size)
        fastest = max(fastest, best[on_many(size)].per_second * size)
        yield from _beside_raw(size, best)
    yield _beside_peer("batches", fastest, f"independent batches on {ACCOUNTS} random accounts, the best size")
    _open_accounts(place.house)
    with crew(place.cloud.settings(), *CROWD) as workers:
        for work in (posting.raw, *SINGLES):
            workers.round(work, WARMING_SECONDS)
        yield from _singles(workers, beside_peers=True)
    with crew(place.cloud.settings(), *WRITERS) as workers:
        yield from _singles(workers, beside_peers=False)
        yield from _writer(workers)


def _measured(place: World, size: int) -> Mapping[Work, Tally]:
    """A round of each kind that only warms up, then the best of some."""
    _open_accounts(place.house)
    works = (raw(size), ByGoogle(size), on_two(size), on_many(size))
    with crew(place.cloud.settings(), *CREW) as workers:
        for work in works:
            workers.round(work, WARMING_SECONDS)
        return workers.alternating(works, SECONDS)


def _beside_raw(size: int, best: Mapping[Work, Tally]) -> Iterator[Row]:
    base, how = best[raw(size)].per_second * size, f"{CREW[0]} processes x {CREW[1]} threads, {OF_RAW}"
    name = f"in batches of {size}"
    yield Row(f"raw creates {name}", base, "documents/s", f"1 KB documents, {how}")
    google = best[ByGoogle(size)].per_second * size
    yield Row(f"raw creates {name}, Google's client", google, "documents/s", f"1 KB documents, {how}", google / base)
    for accounts, where, bar in ((0, "2 hot accounts", HOT_BAR), (ACCOUNTS, "1,000 random", RANDOM_BAR)):
        tally = best[Posts(size, accounts)]
        entries = tally.per_second * size
        cost = f"{tally.operations['rpcs']:.2f} RPCs a batch, {tally.operations['writes'] / size:.2f} writes an entry"
        yield Row(f"entries {name}, {where}", entries, "entries/s", f"{cost}; {how}", entries / base).at_least(bar)
        beside = f"entries {name}, {where}, beside Google's client"
        yield Row(beside, entries, "entries/s", how, entries / google).at_least(bar)


def _singles(workers: Crew, *, beside_peers: bool) -> Iterator[Row]:
    """Journal entries one a request, by so many callers."""
    best = workers.alternating((posting.raw, ByGoogle(1), *SINGLES), SECONDS)
    base, google = best[posting.raw].per_second, best[ByGoogle(1)].per_second
    how = f"one 1 KB document each, {OF_RAW}"
    yield Row(f"raw commits, {workers.shape}", base, "commits/s", how)
    yield Row(f"raw commits, Google's client, {workers.shape}", google, "commits/s", how, google / base)
    for work, (kind, where) in SINGLES.items():
        tally = best[work]
        cost = f"{tally.operations['rpcs']:.2f} RPCs and {tally.operations['writes']:.2f} writes a posting"
        name = f"single posts, {where}, {workers.shape}"
        how = f"with their audit records, {cost}, {OF_RAW}"
        yield Row(name, tally.per_second, "postings/s", how, tally.per_second / base).at_least(HOT_BAR)
        beside = Row(f"{name}, beside Google's client", tally.per_second, "postings/s", how, tally.per_second / google)
        yield beside.at_least(HOT_BAR)
        if beside_peers:
            yield _beside_peer(kind, tally.per_second, f"single posts with their audit records, {workers.shape}")


def _beside_peer(kind: str, value: float, how: str) -> Row:
    low, high = PEER[kind]
    text = f"{how}; pgledger on PostgreSQL {low:,} to {high:,}/s"
    return Row(f"beside pgledger, {kind}", value, "entries/s", text, value / high)


def _writer(workers: Crew) -> Iterator[Row]:
    """Withdrawals only, at a pot that never runs dry: whatever is not posted is an error."""
    workers.round(from_pot, WARMING_SECONDS / 2)
    tally = max((workers.round(from_pot, SECONDS) for _ in range(3)), key=lambda tally: tally.per_second)
    cost = f"{tally.operations['rpcs']:.2f} RPCs a posting"
    row = Row(
        "posting from 1 hot account with a floor, 8 writers",
        tally.per_second,
        "postings/s",
        f"{cost}, no error (one would end the run); ratio to {WRITER_BAR}/s; {workers.shape}",
        tally.per_second / WRITER_BAR,
    )
    yield row.at_least(1)


# --- kinds of work -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Creates:
    """Create so many documents of 1 KB a commit; equal values are the same work, also in another process."""

    size: int

    def __call__(self, house: House, name: str) -> Callable[[int], object]:
        """A thread's way of doing it."""
        return partial(_create, house, name, self.size)


@dataclass(frozen=True, slots=True)
class Posts:
    """Post batches of so many entries between any two of so many accounts; between HOT when there are none."""

    size: int
    accounts: int

    def __call__(self, house: House, name: str) -> Callable[[int], object]:
        """A thread's way of doing it."""
        return partial(_post, house, name, self)


raw = Creates


def on_two(size: int) -> Work:
    """Batches between always the same two accounts."""
    return Posts(size, 0)


def on_many(size: int) -> Work:
    """Batches between any two of ACCOUNTS."""
    return Posts(size, ACCOUNTS)


def from_pot(house: House, name: str) -> Callable[[int], object]:
    """Withdraw from the pot; a request that is told to come again comes again, and any refusal is an error."""

    def post(number: int) -> None:
        key = f"pot-{name}-{number}"
        call = a_call(house, key)
        house.books.post(call, _entry(call.at, key, _lines(POT.code, HOT[0], number)))

    return post


def _create(house: House, name: str, size: int, number: int) -> None:
    refs = [tenant_ref(TENANT, "bench", stored_id(name, str(size), str(number), str(one))) for one in range(size)]
    decision = Decision(None, tuple(Create(ref, {"schema": 1, "text": _TEXT}) for ref in refs))
    house.store.transact((), partial(_decided, decision))


def _post(house: House, name: str, kind: Posts, number: int) -> None:
    key = f"batch-{name}-{kind.size}-{kind.accounts}-{number}"
    call = a_call(house, key)
    postings = tuple(
        Posting(call, _entry(call.at, f"{key}#{one}", _lines(*_pair(key, one, kind.accounts), one)), audited=False)
        for one in range(kind.size)
    )
    batch = Batch(stored_id("bench", key), Mode.INDEPENDENT, postings)
    for left in reversed(range(TRIES)):  # hundreds of totals at once: the emulator lets some wait for locks in vain
        try:
            _all_posted(house.batches.post(call, batch).answer)
        except Retryable:
            if not left:
                raise
        else:
            return


def _all_posted(batch: BatchResult) -> None:
    for result in batch.results:
        if isinstance(result, Fault) or isinstance(result.outcome, Fault):
            raise _error(result)


def _pair(key: str, one: int, accounts: int) -> tuple[str, str]:
    """Two accounts that nobody could foresee, and the same ones again for the same batch."""
    if not accounts:
        return HOT
    first, step = divmod(zlib.crc32(f"{key}~{one}".encode()), accounts)
    return _account(first % accounts), _account((first + 1 + step % (accounts - 1)) % accounts)


def _error(result: Result | Fault) -> Fault:
    if isinstance(result, Fault):
        return result
    return result.outcome if isinstance(result.outcome, Fault) else Retryable("not posted")


def _entry(at: datetime, key: str, lines: tuple[Line, ...]) -> JournalEntry:
    day = at.date()
    return JournalEntry(stored_id("bench", key), lines, day, key, "bench", posted_on=day)


def _lines(to: str, of: str, number: int) -> tuple[Line, ...]:
    money = Money(1_000 + number % 1_000, "GBP")
    return debit(to, money), credit(of, money)


# --- what it is done with ----------------------------------------------------------------


def _account(number: int) -> str:
    return f"assets:batches:{number}"


def _open_accounts(house: House) -> None:
    posting.open_accounts(house)
    accounts = [Account(_account(number), AccountType.ASSET, "Bench", shards=SHARDS) for number in range(ACCOUNTS)]
    for start in range(0, ACCOUNTS, 250):
        writes = tuple(one for account in accounts[start : start + 250] for one in create_account(TENANT, account))
        house.store.transact((), partial(_decided, Decision(None, writes)))
    _open_totals(house)
    house.store.transact((), partial(_decided, Decision(None, create_account(TENANT, POT))))
    call = a_call(house, "pot")
    house.books.post(call, _entry(call.at, "pot", _pay_in()))


def _open_totals(house: House) -> None:
    """Post once to every shard of every account, as a month has after its first hours: one batch a shard."""
    leads = {zlib.crc32(lead.encode()) % SHARDS: (lead, key) for lead, key in map(_lead, range(64))}
    for lead, key in leads.values():
        call = a_call(house, key)
        pairs = [(_account(one), _account(one + 1)) for one in range(0, ACCOUNTS, 2)]
        entries = [_entry(call.at, f"{key}#{one}", _lines(*pair, one)) for one, pair in enumerate(pairs)]
        postings = tuple(Posting(call, entry, audited=False) for entry in entries)
        house.batches.post(call, Batch(lead, Mode.LINKED, postings))


def _lead(number: int) -> tuple[StoredId, str]:
    key = f"totals-{number}"
    return stored_id("bench", key), key


def _decided(decision: Decision[None], _: object) -> Decision[None]:
    return decision


def _pay_in() -> tuple[Line, ...]:
    money = Money(RICH, "GBP")
    return debit(HOT[0], money), credit(POT.code, money)
