"""What each command costs in reads, writes and remote calls: by lines of the entry and by age of the account.

Counted, not timed, once everything is warm: a posting must cost the same on an account of 100,000 entries as on
one of ten. `python -m tests.bench costs` prints the table that docs/ledger-costs.md shows.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from shared import counters
from shared.counters import Operations
from shared.gcp.firestore import HOST, FirestoreStore, resource_headers
from shared.gcp.patience import Patience
from shared.gcp.rpc import Rpc
from shared.identity import stored_id
from shared.ledger.model import Account, AccountType, JournalEntry, Line, credit, debit, month_of
from shared.ledger.records import create_account
from shared.ledger.rules.holds import PostOrder
from shared.ledger.rules.reversals import ReversalOrder
from shared.ledger.rules.statements import Question
from shared.ledger.use_cases.batches import Batch, Mode
from shared.ledger.use_cases.holds import HoldOrder
from shared.ledger.use_cases.together import Posting
from shared.money import Money
from shared.ports import Decision, Store
from shared.wiring import House
from tests.bench.rows import Row
from tests.bench.world import TENANT, World, a_call

AGES: Final = (10, 1_000, 100_000)
"""Entries that an account has before anything is counted."""

LINES: Final = (2, 10, 100)
"""Lines of an entry, each on an account of its own; one line alone balances with nothing and is refused."""

BATCH: Final = 500
WARMING: Final = 24
"""Postings after which every shard of the totals is there."""

PAGE: Final = 100
STATEMENT_RPCS: Final = 3
SIDE_ACCOUNTS: Final = 99


def rows(world: World) -> Iterator[Row]:
    """Operations of a posting, of what else moves money, and of what reads, for each age."""
    house = PatientHouse(world.house.settings)
    _open(house)
    for age in AGES:
        _grow(house, age)
        yield from _of_account(house, age)


def _of_account(house: House, age: int) -> Iterator[Row]:
    code = _code(age)
    for count in LINES:
        lines = _lines(code, count)
        for number in range(WARMING):
            _post(house, f"warm-{age}-{count}-{number}", lines)
        spent = _counted(lambda: _post(house, f"counted-{age}-{count}", lines))  # noqa: B023 - called at once
        yield _row(f"posting of {count} lines", age, spent).exactly(count + 2)
    for name, work in _commands(house, age).items():
        yield _row(name, age, _counted(work))
    question = Question(TENANT, code, date(2000, 1, 1), house.clock.now().date())
    call = a_call(house, f"statement-{age}")
    first = house.statements.page(call, question, PAGE, None)
    for name, cursor in (("first", None), ("next", first.next_cursor)):
        if name == "first" or cursor:
            spent = _counted(lambda: house.statements.page(call, question, PAGE, cursor))  # noqa: B023 - as above
            row = Row(f"statement, {name} page of {PAGE}, account of {age:,} entries", spent.rpcs, "RPCs", _said(spent))
            yield row.at_most(STATEMENT_RPCS)


def _commands(house: House, age: int) -> dict[str, Callable[[], object]]:
    """What else is counted, in this order: each is done once before, so that its documents are there."""
    code, lines = _code(age), _lines(_code(age), 2)
    later = house.clock.now() + timedelta(days=7)

    def hold(key: str) -> Callable[[], object]:
        return lambda: house.holds.reserve(a_call(house, key), HoldOrder(lines, later))

    for number in range(WARMING):
        hold(f"hold-warm-{age}-{number}")()
    kept = house.holds.reserve(a_call(house, f"hold-kept-{age}"), HoldOrder(lines, later)).answer
    given = house.holds.reserve(a_call(house, f"hold-given-{age}"), HoldOrder(lines, later)).answer
    entry = stored_id("bench", f"counted-{age}-2")
    posted, voided = a_call(house, f"hold-post-{age}"), a_call(house, f"hold-void-{age}")
    undo = a_call(house, f"reverse-{age}")
    now = house.clock.now().date()
    return {
        "hold of 2 lines": hold(f"hold-counted-{age}"),
        "posting of a hold": lambda: house.holds.post(posted, kept.id, PostOrder()),
        "voiding of a hold": lambda: house.holds.void(voided, given.id),
        "reversal of 2 lines": lambda: house.reversals.reverse(undo, ReversalOrder(entry)),
        "dry run of 2 lines": lambda: house.dry_runs.entry(
            a_call(house, f"dry-{age}"), _entry(house, f"dry-{age}", lines)
        ),
        "balance on a day": lambda: house.balances.on(TENANT, code, now),
        "trial balance": lambda: house.reports.trial_balance(TENANT, month_of(now)),
    }


def _counted(work: Callable[[], object]) -> Operations:
    spent = counters.begin()
    work()
    return spent


def _row(name: str, age: int, spent: Operations) -> Row:
    return Row(f"{name}, account of {age:,} entries", spent.writes, "writes", _said(spent))


def _said(spent: Operations) -> str:
    return f"{spent.reads} reads, {spent.writes} writes, {spent.rpcs} RPCs"


class PatientHouse(House):
    """A house that waits for the emulator: it has no indexes and looks at every entry for each page of a statement."""

    @cached_property
    def store(self) -> Store:
        """The main database."""
        settings = self.settings
        patience = Patience(call_seconds=60, total_seconds=120)
        headers = resource_headers(settings, settings.database)
        rpc = Rpc(HOST, settings.firestore_endpoint, metadata=headers, patience=patience)
        return FirestoreStore(settings, settings.database, rpc=rpc)


# --- what it is done with ----------------------------------------------------------------


def _open(house: House) -> None:
    side = [Account(_side(number), AccountType.REVENUE, "Bench") for number in range(SIDE_ACCOUNTS)]
    own = [Account(_code(age), AccountType.ASSET, "Bench") for age in AGES]
    decision = Decision(None, tuple(write for account in (*side, *own) for write in create_account(TENANT, account)))
    house.store.transact((), lambda _: decision)


def _grow(house: House, age: int) -> None:
    """Bring an account to its age, in batches."""
    lines = _lines(_code(age), 2)
    for start in range(0, age, BATCH):
        key = f"grow-{age}-{start}"
        call = a_call(house, key)
        postings = tuple(
            Posting(call, _entry(house, f"{key}#{one}", lines), audited=False) for one in range(min(BATCH, age - start))
        )
        house.batches.post(call, Batch(stored_id("bench", key), Mode.LINKED, postings))


def _post(house: House, key: str, lines: tuple[Line, ...]) -> None:
    house.books.post(a_call(house, key), _entry(house, key, lines))


def _entry(house: House, key: str, lines: tuple[Line, ...]) -> JournalEntry:
    day = house.clock.now().date()
    return JournalEntry(stored_id("bench", key), lines, day, key, "bench", posted_on=day)


def _lines(code: str, count: int) -> tuple[Line, ...]:
    money = Money(100, "GBP")
    credits_ = tuple(credit(_side(number), money) for number in range(count - 1))
    return (debit(code, Money(100 * (count - 1), "GBP")), *credits_)


def _code(age: int) -> str:
    return f"assets:aged:{age}"


def _side(number: int) -> str:
    return f"revenue:aged:{number}"
