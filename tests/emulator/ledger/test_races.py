"""Postings from four instances race every control operation: nothing lands past the answer, nothing is half applied.

`DAYBOOK_RACE_POSTS=10000 python -m pytest tests/emulator/ledger/test_races.py` races as many postings as wanted
against each operation.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Final, cast

import pytest

from shared.faults import Refused, Retryable
from shared.ledger.model import Account, AccountType, Floor, JournalEntry, credit, debit
from shared.ledger.records import create_account, guard_ref, inflow_ref
from shared.ledger.rules.control import Control, Terms
from shared.ports import Decision
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.ledger.orders import (
    BANK,
    SALES,
    TRANSIT,
    WALLET,
    account_of,
    an_entry,
    live_totals,
    money,
    pays,
    post,
    spends,
)

POSTS: Final = int(os.environ.get("DAYBOOK_RACE_POSTS", "400"))  # noqa: TID251 - how long to race, for people
"""Postings raced against each control operation; the bound that keeps this test short."""

INSTANCES: Final = 4
ASKED_AGAIN: Final = 2_000
"""Times a posting is asked for again while it is to be retried."""

MONTH: Final = "2026-11"


@pytest.fixture
def writers(settings: Settings, kept: Bookkeeping) -> Iterator[list[Bookkeeping]]:
    """Four instances besides the one that controls, over books with a wallet and an account in transit."""
    accounts = (
        Account(WALLET, AccountType.LIABILITY, "Wallet"),
        Account(TRANSIT, AccountType.ASSET, "In transit"),
    )
    writes = tuple(write for account in accounts for write in create_account(ACME, account))
    kept.store.transact((), lambda _: Decision(None, writes))
    instances = [bookkeeping(settings) for _ in range(INSTANCES)]
    yield instances
    for instance in instances:
        instance.line.close()


@dataclass
class Race:
    """What every posting of a race came to, and which of them began after the operation was answered."""

    kept: Bookkeeping
    writers: list[Bookkeeping]
    make: Callable[[str, int], JournalEntry]
    outcomes: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)

    def run(self, operation: Callable[[], object]) -> "Race":
        """Post from all instances: a quarter before the operation, half beside it, the rest once it is answered."""
        for number, writer in enumerate(self.writers):  # every instance remembers the accounts
            post(writer, self.make(f"warm-{number}", number))
        begun, answered = Event(), Event()

        def one(number: int) -> tuple[str, bool]:
            if number == POSTS // 4:
                begun.set()
            if number >= POSTS * 3 // 4:  # so that no machine is fast enough to miss the answer
                answered.wait(60)
            after = answered.is_set()
            return self._ask(self.writers[number % INSTANCES], self.make(f"race-{number}", number)), after

        def order() -> None:
            begun.wait(60)
            try:
                operation()
            finally:
                answered.set()

        with ThreadPoolExecutor(INSTANCES + 1) as pool:
            ordered = pool.submit(order)
            for outcome, after in pool.map(one, range(POSTS)):
                self.outcomes[outcome] += 1
                self.late[outcome] += after
            ordered.result()
        assert POSTS // 4 <= self.late.total() < POSTS
        assert self.kept.proven()
        return self

    @property
    def posted(self) -> int:
        """Entries of the race that were posted, those that warmed up included."""
        return self.outcomes["posted"] + INSTANCES

    @staticmethod
    def _ask(writer: Bookkeeping, entry: JournalEntry) -> str:
        for _ in range(ASKED_AGAIN):
            try:
                post(writer, entry)
            except Refused as refusal:
                return refusal.code
            except Retryable:
                continue
            return "posted"
        return "never"

    def sums(self, code: str, currency: str = "EUR") -> tuple[int, int]:
        """Debits and credits of an account, as the books say."""
        rows = self.kept.reports.trial_balance(ACME, MONTH).rows
        return next((row.debits, row.credits) for row in rows if (row.account, row.currency) == (code, currency))


def a_cent(name: str, _: int) -> JournalEntry:
    """A sale of one cent."""
    return a_sale(1, name=name)


@pytest.mark.parametrize("control", [Control.SOFT_CLOSE, Control.HARD_CLOSE, Control.FREEZE], ids=str)
def test_nothing_lands_on_what_was_closed_or_frozen(
    kept: Bookkeeping, writers: list[Bookkeeping], control: Control
) -> None:
    """Each posting is posted or refused, none is posted that began after the answer."""
    target, name, code = (
        (MONTH, "month", "period_closed") if control.is_period else (SALES, "account", "account_frozen")
    )
    race = Race(kept, writers, a_cent).run(lambda: kept.controls.run(a_call("control"), control, target))
    assert race.outcomes.keys() == {"posted", code}
    assert race.late["posted"] == 0
    assert live_totals(kept, name, target) == 0
    assert race.sums(SALES) == (0, race.posted)


def test_nothing_lands_on_a_closed_account(kept: Bookkeeping, writers: list[Bookkeeping]) -> None:
    """Every posting moves the account and leaves it at zero, so that it can be closed at any moment."""

    def through(name: str, _: int) -> JournalEntry:
        there, back = debit(TRANSIT, money(2)), credit(TRANSIT, money(2))
        return an_entry(name, there, back, debit(BANK, money(1)), credit(SALES, money(1)))

    race = Race(kept, writers, through)
    race.run(lambda: kept.controls.run(a_call("close"), Control.CLOSE_ACCOUNT, TRANSIT))
    assert race.outcomes.keys() == {"posted", "account_closed"}
    assert race.late["posted"] == 0
    assert live_totals(kept, "account", TRANSIT) == 0
    assert race.sums(TRANSIT) == (2 * race.posted, 2 * race.posted)
    assert race.sums(SALES) == (0, race.posted)


def test_resharding_refuses_nothing_and_loses_nothing(kept: Bookkeeping, writers: list[Bookkeeping]) -> None:
    """Every posting is posted; the old version's totals are retired while the new one's grow."""
    race = Race(kept, writers, a_cent)
    race.run(lambda: kept.controls.run(a_call("reshard"), Control.RESHARD, SALES, Terms(shards=3)))
    assert race.outcomes == {"posted": POSTS}
    account = account_of(kept, SALES)
    assert (account.shards, live_totals(kept, "account", SALES, below=account.version)) == (3, 0)
    assert 1 <= live_totals(kept, "account", SALES) <= 3
    assert race.sums(SALES) == (0, POSTS + INSTANCES)


def test_nothing_goes_past_a_floor_once_it_is_added(kept: Bookkeeping, writers: list[Bookkeeping]) -> None:
    """The guard begins with what landed before and sees all that comes after.

    What is left at the end, which is whatever came in after the last refusal, can be spent to the last cent and no
    further.
    """

    def in_and_out(name: str, number: int) -> JournalEntry:
        return pays(name, 1) if number % 2 else spends(name, 2)

    post(kept, pays("fund", POSTS // 3))
    race = Race(kept, writers, in_and_out).run(
        lambda: kept.controls.set_floor(a_call("floor"), WALLET, Floor("EUR", 0))
    )
    assert race.outcomes.keys() == {"posted", "insufficient_funds"}
    account = account_of(kept)
    assert (account.floor, live_totals(kept, "account", WALLET, below=account.version)) == (Floor("EUR", 0), 0)
    refs = [guard_ref(ACME, WALLET), inflow_ref(ACME, WALLET)]
    guard, inflow = (
        cast("dict[str, object]", document and document.fields) for document in kept.store.get(refs).values()
    )
    spent, received = race.sums(WALLET)
    assert (guard["spent"], inflow["credits"]) == (spent, received)
    assert spent <= received
    if received > spent:
        post(kept, spends("the rest", received - spent))
    with pytest.raises(Refused, match="below its floor"):
        post(kept, spends("one more", 1))
    assert race.sums(WALLET) == (received, received)


def test_nothing_lands_in_a_currency_that_was_dropped(kept: Bookkeeping, writers: list[Bookkeeping]) -> None:
    """Euros go on; pounds are refused from the answer on."""

    def either(name: str, number: int) -> JournalEntry:
        return pays(name, 1, "GBP" if number % 3 else "EUR", to=SALES)

    race = Race(kept, writers, either)
    euros_only = Terms(currencies=("EUR",))
    race.run(lambda: kept.controls.run(a_call("currencies"), Control.SET_CURRENCIES, SALES, euros_only))
    assert race.outcomes.keys() == {"posted", "currency_not_kept"}
    euros, pounds = race.sums(SALES)[1], race.sums(SALES, "GBP")[1]
    assert euros == len([n for n in (*range(POSTS), *range(INSTANCES)) if n % 3 == 0])
    assert euros + pounds == race.posted


def test_a_floor_that_is_removed_refuses_no_more_and_loses_nothing(
    kept: Bookkeeping, writers: list[Bookkeeping]
) -> None:
    """What began after the answer is posted whatever the balance; the figures are the journal's."""
    kept.controls.set_floor(a_call("floor"), WALLET, Floor("EUR", 4))
    race = Race(kept, writers, lambda name, _: spends(name, 1))
    race.run(lambda: kept.controls.set_floor(a_call("remove"), WALLET, None))
    assert race.outcomes.keys() == {"posted", "insufficient_funds"}
    assert race.late["insufficient_funds"] == 0
    assert race.sums(WALLET) == (race.posted, 0)
