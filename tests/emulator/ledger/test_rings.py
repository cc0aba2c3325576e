"""Rings of transfers at once between floored accounts: everybody finishes, money stays, no floor breaks."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Final, cast

import pytest

from shared.faults import Refused, Retryable
from shared.ledger.model import Account, AccountType, Floor, JournalEntry, credit, debit
from shared.ledger.records import guard_ref, inflow_ref
from shared.ledger.rules.holds import PostOrder
from shared.ledger.use_cases.batches import Mode
from shared.ledger.use_cases.holds import HoldOrder
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale, euros
from tests.emulator.ledger.batching import outcomes
from tests.emulator.ledger.batching import post as post_batch
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.ledger.held import LATER, assert_reserved_adds_up, holds_of, with_money
from tests.emulator.ledger.mistakes import balance

PURSES: Final = tuple(f"liabilities:purse{number}" for number in range(6))
EACH: Final = 100
"""What every purse begins with, cents."""
THREADS: Final = 8
TURNS: Final = 8
"""Orders of every thread: the bound that keeps the test short."""
ASKED: Final = 40
"""How often an order that is told to come again does so, and no more."""


@pytest.fixture
def ring(settings: Settings, kept: Bookkeeping) -> Iterator[list[Bookkeeping]]:
    """Four instances that serve a ring of purses with money in each."""
    for code in PURSES:
        purse = Account(code, AccountType.LIABILITY, "Purse", shards=1, floor=Floor("EUR", 0))
        with_money(kept, EACH, purse)
    more = [bookkeeping(settings) for _ in range(3)]
    yield [kept, *more]
    for instance in more:
        instance.line.close()


def onward(place: int, amount: int, name: str) -> JournalEntry:
    """Money of one purse to the next in the ring."""
    return a_sale(amount, name=name, to=PURSES[place % len(PURSES)], of=PURSES[(place + 1) % len(PURSES)])


def single(books: Bookkeeping, place: int, amount: int, name: str) -> set[str]:
    """One transfer."""
    books.books.post(a_call(name), onward(place, amount, name))
    return {"posted"}


def linked(books: Bookkeeping, place: int, amount: int, name: str) -> set[str]:
    """The same money two purses on, or nowhere."""
    chain = [onward(place + step, amount, f"{name}-{step}") for step in range(2)]
    return set(outcomes(post_batch(books, Mode.LINKED, chain, name)))


def independent(books: Bookkeeping, place: int, amount: int, name: str) -> set[str]:
    """Three transfers at once on opposite sides of the ring, each for itself."""
    three = [onward(place + 2 * step, amount, f"{name}-{step}") for step in range(3)]
    found = set(outcomes(post_batch(books, Mode.INDEPENDENT, three, name)))
    if "retry" in found:
        message = "not all of them are decided"
        raise Retryable(message)
    return found


def two_phase(books: Bookkeeping, place: int, amount: int, name: str) -> set[str]:
    """Reserved, then posted in part and the rest let go, or let go whole."""
    of, to = PURSES[place % len(PURSES)], PURSES[(place + 1) % len(PURSES)]
    holds = holds_of(books)
    order = HoldOrder((debit(of, euros(amount)), credit(to, euros(amount))), LATER)
    hold = holds.reserve(a_call(name), order).answer.id
    if amount % 3 == 0:
        holds.void(a_call(f"{name}-void"), hold)
    else:
        part = euros((amount + 1) // 2)
        holds.post(a_call(f"{name}-post"), hold, PostOrder((debit(of, part), credit(to, part)), final=True))
    return {"posted"}


WAYS: Final = (single, linked, independent, two_phase)


def finished(act: Callable[[], set[str]]) -> set[str]:
    """What became of an order, told again under its own name as long as it is told to come again."""
    for _ in range(ASKED):
        try:
            return act()
        except Retryable:
            continue
        except Refused as refusal:
            return {refusal.code}
    return {"never finished"}


def lowest(books: Bookkeeping) -> int:
    """The least that any purse has to spend, all seen at one instant."""
    refs = [place(ACME, code) for code in PURSES for place in (guard_ref, inflow_ref)]
    seen = books.store.get(refs)
    rooms = []
    for code in PURSES:
        guard, inflow = seen[guard_ref(ACME, code)], seen[inflow_ref(ACME, code)]
        assert guard is not None
        assert inflow is not None
        limit, spent, held = (cast("int", guard[name]) for name in ("limit", "spent", "held"))
        rooms.append(limit + cast("int", inflow["credits"]) - spent - held)
    return min(rooms)


def test_rings_of_transfers_between_floored_accounts_finish_and_conserve_money(ring: list[Bookkeeping]) -> None:
    """Eight threads, four instances, six purses: single posts, batches of both kinds and holds, round the ring."""
    ready, over = Barrier(THREADS), Event()

    def drive(thread: int) -> set[str]:
        ready.wait(60)
        found = set()
        for turn in range(TURNS):
            way, amount = WAYS[(thread + turn) % len(WAYS)], 15 + (7 * thread + 11 * turn) % 60
            books, place, name = ring[thread % len(ring)], thread + turn, f"t{thread}-{turn}"
            found |= finished(lambda: way(books, place, amount, name))  # noqa: B023 - called at once
        return found

    def look() -> list[int]:
        rooms = []
        while not over.is_set():
            rooms.append(lowest(ring[0]))
        return rooms

    with ThreadPoolExecutor(THREADS + 1) as pool:
        watching = pool.submit(look)
        try:
            found = set[str]().union(*pool.map(drive, range(THREADS)))
        finally:
            over.set()
        rooms = watching.result(60)
    assert found == {"posted", "insufficient_funds"}
    assert rooms
    assert min(rooms) >= 0
    left = [balance(ring[0], code) for code in PURSES]
    assert (sum(left), min(left) >= 0) == (EACH * len(PURSES), True)
    assert_reserved_adds_up(ring[0].store)
    assert ring[0].proven()
