"""Holds at the same time on several instances: exactly one outcome each, never below the floor, all adds up."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event
from typing import Final, cast

import pytest

from shared.faults import Refused, Retryable
from shared.identity import StoredId
from shared.ledger.model import Line, credit, debit
from shared.ledger.records import guard_ref, inflow_ref
from shared.ledger.rules.control import Control
from shared.ledger.rules.holds import HoldState, PostOrder
from shared.ledger.use_cases.holds import HoldOrder
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale, euros
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.ledger.held import (
    AFTER,
    BANK,
    LATER,
    WALLET,
    a_hold,
    all_holds,
    assert_reserved_adds_up,
    at,
    holds_of,
    out_of,
    reserved,
    with_money,
)

ROUNDS: Final = 12
"""Times each race is run: the bound that keeps these tests short."""
STORM: Final = 160
"""Orders of a storm."""


@pytest.fixture
def instances(settings: Settings, kept: Bookkeeping) -> Iterator[list[Bookkeeping]]:
    """Four instances over one database."""
    more = [bookkeeping(settings) for _ in range(3)]
    yield [kept, *more]
    for instance in more:
        instance.line.close()


def outcome(act: Callable[[], object]) -> str:
    """`done`, or why not; told to come again one comes again, so often and no more."""
    for _ in range(20):
        try:
            act()
        except Retryable:
            continue
        except Refused as refusal:
            return refusal.code
        return "done"
    return "retry_later"


def at_once(acts: list[Callable[[], object]]) -> list[str]:
    """Begin all in the same moment; their outcomes in order."""
    ready = Barrier(len(acts))

    def begin(act: Callable[[], object]) -> str:
        ready.wait(30)
        return outcome(act)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(begin, acts))


def test_two_partial_posts_of_one_pending_amount_at_once(instances: list[Bookkeeping]) -> None:
    """Of eight parts of 30 of a hold of 100, by four instances, three are posted; the rest exceed it."""
    kept = instances[0]
    with_money(kept, 100)
    hold = reserved(kept, 100)
    part = PostOrder(out_of(WALLET, 30))

    def posting(number: int) -> Callable[[], object]:
        return lambda: holds_of(instances[number % 4]).post(a_call(f"p{number}"), hold, part)

    outcomes = at_once([posting(number) for number in range(8)])
    assert sorted(outcomes) == ["done"] * 3 + ["exceeds_hold"] * 5
    assert holds_of(kept).hold(ACME, hold).left == (10, 10)
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_the_same_post_eight_times_at_once_posts_once(instances: list[Bookkeeping]) -> None:
    """One key, four instances: one entry."""
    kept = instances[0]
    with_money(kept, 100)
    hold = reserved(kept, 100)
    part = PostOrder(out_of(WALLET, 30))

    def posting(number: int) -> Callable[[], object]:
        return lambda: holds_of(instances[number % 4]).post(a_call("p"), hold, part)

    assert at_once([posting(number) for number in range(8)]) == ["done"] * 8
    assert holds_of(kept).hold(ACME, hold).left == (70, 70)
    assert_reserved_adds_up(kept.store)


def test_the_same_hold_eight_times_at_once_is_held_once(instances: list[Bookkeeping]) -> None:
    """One key, four instances: one hold, though the money were enough for two."""
    kept = instances[0]
    with_money(kept, 100)

    def reserving(number: int) -> Callable[[], object]:
        return lambda: reserved(instances[number % 4], 40)

    assert at_once([reserving(number) for number in range(8)]) == ["done"] * 8
    assert [hold.left for hold in all_holds(kept.store, ACME)] == [(40, 40)]
    assert_reserved_adds_up(kept.store)


def test_post_beside_void_beside_expiry_has_one_outcome(instances: list[Bookkeeping]) -> None:
    """Whoever is first ends the hold; the others are told so; the money is there once."""
    kept = instances[0]
    with_money(kept, 100 * ROUNDS)
    ends: list[HoldState] = []
    for number in range(ROUNDS):
        hold = reserved(kept, 100, f"h{number}")
        posted, voided, expired = at_once(_endings(instances, hold, number))
        state = holds_of(kept).hold(ACME, hold).state
        ends.append(state)
        assert expired == "done"
        won = {HoldState.POSTED: ("done", "hold_ended"), HoldState.VOIDED: ("hold_ended", "done")}
        assert (posted, voided) == won.get(state, ("hold_ended", "hold_ended"))
    assert_reserved_adds_up(kept.store)
    left = 100 * (ROUNDS - ends.count(HoldState.POSTED))
    assert outcome(lambda: kept.books.post(a_call("w"), a_sale(left + 1, name="w", to=WALLET.code, of=BANK))) == (
        "insufficient_funds"
    )
    assert outcome(lambda: kept.books.post(a_call("x"), a_sale(left, name="x", to=WALLET.code, of=BANK))) == "done"
    assert kept.proven()


def _endings(instances: list[Bookkeeping], hold: StoredId, number: int) -> list[Callable[[], object]]:
    poster, voider, sweeper, _ = (holds_of(one) for one in instances)
    acts: list[Callable[[], object]] = [
        lambda: poster.post(a_call(f"p{number}"), hold, PostOrder()),
        lambda: voider.void(a_call(f"v{number}"), hold),
        lambda: sweeper.expire(at(f"e{number}", AFTER), hold),
    ]
    return acts


def test_a_storm_of_holds_and_posts_never_breaks_the_floor(instances: list[Bookkeeping]) -> None:
    """Deposits, withdrawals, holds, parts, voids from four instances: at every look the wallet is above its floor."""
    kept = instances[0]
    with_money(kept, 100)
    over = Event()

    def order(number: int) -> str:
        books, name = instances[number % 4], f"s{number}"
        if number % 8 == 0:
            return outcome(lambda: books.books.post(a_call(name), a_sale(20, name=name, to=BANK, of=WALLET.code)))
        if number % 8 == 1:
            return outcome(lambda: books.books.post(a_call(name), a_sale(30, name=name, to=WALLET.code, of=BANK)))
        return outcome(lambda: _hold_and_end(books, name, number))

    def look() -> int:
        looks = 0
        while not over.is_set():
            assert _available_in(kept) >= 0
            looks += 1
        return looks

    with ThreadPoolExecutor(5) as pool:
        watching = pool.submit(look)
        outcomes = list(pool.map(order, range(STORM)))
        over.set()
        assert watching.result(60)
    assert set(outcomes) == {"done", "insufficient_funds"}
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def _hold_and_end(books: Bookkeeping, name: str, number: int) -> None:
    """Hold 40, then post a part of it, post it to its end, give it back, or leave it open."""
    holds = holds_of(books)
    hold = holds.reserve(a_call(name), a_hold(40)).answer.id
    if number % 8 in {2, 3}:
        holds.post(a_call(f"{name}-p"), hold, PostOrder(out_of(WALLET, 10), final=number % 8 == 2))
    if number % 8 in {3, 4, 5, 6}:
        holds.void(a_call(f"{name}-v"), hold)


def _available_in(kept: Bookkeeping) -> int:
    refs = (guard_ref(ACME, WALLET.code), inflow_ref(ACME, WALLET.code))
    seen = kept.store.get(refs)
    guard, inflow = (seen[ref] for ref in refs)
    assert guard is not None
    assert inflow is not None
    limit, spent, taken = (cast("int", guard[name]) for name in ("limit", "spent", "held"))
    assert taken >= 0
    return limit + cast("int", inflow["credits"]) - spent - taken


@pytest.mark.parametrize(
    ("control", "target", "refusal"),
    [(Control.FREEZE, WALLET.code, "account_frozen"), (Control.HARD_CLOSE, "2026-11", "period_closed")],
)
def test_after_a_freeze_or_close_is_answered_no_post_of_a_hold_lands(
    instances: list[Bookkeeping], control: Control, target: str, refusal: str
) -> None:
    """Parts of one hold race the operation: each is posted or refused, none once it was answered."""
    kept = instances[0]
    with_money(kept, STORM)
    hold, part = reserved(kept, STORM), PostOrder(out_of(WALLET, 1))
    begun, answered = Event(), Event()
    late: list[int] = []

    def post(number: int) -> str:
        if number == STORM // 4:
            begun.set()
        began_after = answered.is_set()
        one = instances[1 + number % 3]
        came_to = outcome(lambda: holds_of(one).post(a_call(f"p{number}"), hold, part))
        if began_after and came_to == "done":
            late.append(number)
        return came_to

    def stop() -> None:
        begun.wait(60)
        kept.controls.run(a_call("stop"), control, target)
        answered.set()

    with ThreadPoolExecutor(3) as pool:
        stopping = pool.submit(stop)
        outcomes = list(pool.map(post, range(STORM)))
        stopping.result()
    assert not late
    assert set(outcomes) == {"done", refusal}
    left = STORM - outcomes.count("done")
    assert holds_of(kept).hold(ACME, hold).left == (left, left)
    assert_reserved_adds_up(kept.store)
    assert kept.proven()
    assert holds_of(kept).void(a_call("v"), hold).answer.state is HoldState.VOIDED
    assert_reserved_adds_up(kept.store)


def test_without_a_guard_the_hold_itself_keeps_its_posts_apart(instances: list[Bookkeeping]) -> None:
    """On accounts without a floor nothing else is shared: of parts, a void and an expiry at once none is lost."""
    kept = instances[0]
    holds = [holds_of(one) for one in instances]

    def lines(amount: int) -> tuple[Line, ...]:
        return (debit(BANK, euros(amount)), credit("revenue:sales", euros(amount)))

    for number in range(ROUNDS):
        hold = holds[0].reserve(a_call(f"h{number}"), HoldOrder(lines(100), LATER)).answer.id
        part = PostOrder(lines(40))
        acts: list[Callable[[], object]] = [
            partial(holds[one].post, a_call(f"p{number}-{one}"), hold, part) for one in range(3)
        ]
        if number % 2:
            acts += [partial(holds[3].void, a_call(f"v{number}"), hold), partial(holds[0].expire, at("e", AFTER), hold)]
        outcomes = at_once(acts)
        if number % 2 == 0:
            assert sorted(outcomes) == ["done", "done", "exceeds_hold"]
            assert holds[0].hold(ACME, hold).left == (20, 20)
        assert_reserved_adds_up(kept.store)
    assert kept.proven()
