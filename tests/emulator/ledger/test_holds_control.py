"""Holds beside control operations on their accounts: what is reserved is counted by whatever floor there is, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import pytest

from shared.faults import Refused, Retryable
from shared.identity import StoredId
from shared.ledger.model import Account, AccountType, Floor
from shared.ledger.records import create_account
from shared.ledger.rules.control import Control, Terms
from shared.ledger.rules.holds import HoldState, PostOrder
from shared.ledger.use_cases.holds import HoldOrder
from shared.ports import Decision, Query, View
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import (
    BANK,
    LATER,
    WALLET,
    a_hold,
    all_holds,
    assert_reserved_adds_up,
    holds_of,
    out_of,
    reserved,
    with_money,
)
from tests.emulator.lines import first

ZERO: Final = Floor("EUR", 0)
PLAIN: Final = Account(WALLET.code, AccountType.LIABILITY, "Wallet", shards=4)
PART: Final = PostOrder(out_of(WALLET, 10))
Release = Callable[[Bookkeeping, StoredId], object]
RELEASES: Final[dict[str, Release]] = {
    "void": lambda books, hold: holds_of(books).void(a_call("v"), hold),
    "post": lambda books, hold: holds_of(books).post(a_call("p"), hold, PART),
    "last": lambda books, hold: holds_of(books).post(a_call("p"), hold, PostOrder(out_of(WALLET, 10), final=True)),
}
CHANGES: Final[dict[str, Floor | None]] = {"added": ZERO, "removed": None, "changed": Floor("EUR", 50)}


def ended(act: Callable[[], object]) -> str:
    """`done`, or why not; told to come again one comes again, so often and no more."""
    for _ in range(400):
        try:
            act()
        except Retryable:
            continue
        except Refused as refusal:
            return refusal.code
        return "done"
    return "retry_later"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_floor_that_changes_between_decision_and_commit_counts_what_is_held(
    kept: Bookkeeping, other: Bookkeeping, release: str, change: str
) -> None:
    """Added, removed or changed just before a hold is released: the release reads it again."""
    if change == "added":
        kept.store.transact((), lambda _: Decision(None, create_account(ACME, PLAIN)))
        kept.books.post(a_call("deposit"), a_sale(100, name="deposit", to=BANK, of=WALLET.code))
    else:
        with_money(kept, 100)
    hold = reserved(kept, 60)
    kept.line.commits.append(first(lambda: other.controls.set_floor(a_call("f"), WALLET.code, CHANGES[change])))
    assert ended(lambda: RELEASES[release](kept, hold)) == "done"
    assert_reserved_adds_up(kept.store)
    rest = 50 if release == "post" else 0
    assert sum(line.money.amount for one in all_holds(kept.store, ACME) for line in one.open_lines) == 2 * rest
    assert ended(lambda: other.controls.set_floor(a_call("again"), WALLET.code, ZERO)) == "done"
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_a_floor_that_comes_and_goes_in_a_storm_of_holds(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Holds, parts and voids from two instances while the floor is added, changed and removed: all adds up."""
    with_money(kept, 400)

    def hold_and_end(number: int) -> str:
        books, name = (kept, other)[number % 2], f"s{number}"
        hold = a_call(name).cause.stored_id("hold")
        made = ended(lambda: holds_of(books).reserve(a_call(name), a_hold(10)))
        if made == "done" and number % 3:
            final = PostOrder(out_of(WALLET, 4), final=number % 3 == 1)
            return ended(lambda: holds_of(books).post(a_call(f"{name}-p"), hold, final))
        if made == "done" and number % 6:
            return ended(lambda: holds_of(books).void(a_call(f"{name}-v"), hold))
        return made

    def change_floors() -> list[str]:
        floors = (None, ZERO, Floor("EUR", 20), None, ZERO)
        change = other.controls.set_floor
        return [ended(partial(change, a_call(f"f{key}"), WALLET.code, floor)) for key, floor in enumerate(floors)]

    with ThreadPoolExecutor(4) as pool:
        changing = pool.submit(change_floors)
        outcomes = set(pool.map(hold_and_end, range(48)))
        assert changing.result(120) == ["done"] * 5
    assert outcomes == {"done"}
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_closing_an_account_beside_a_hold_on_it(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Whoever is first: an account with an open hold stays open, on a closed one nothing is held."""
    for number in range(6):
        pot = Account(f"liabilities:pot:{number}", AccountType.LIABILITY, "Pot", shards=2)
        opened = Decision(None, create_account(ACME, pot))
        kept.store.transact((), partial(_said, opened))
        hold = a_call(f"h{number}")
        order = HoldOrder(out_of(pot, 10), LATER)
        with ThreadPoolExecutor(2) as pool:
            closing = partial(kept.controls.run, a_call(f"c{number}"), Control.CLOSE_ACCOUNT, pot.code)
            acts = (closing, partial(holds_of(other).reserve, hold, order))
            closed, made = pool.map(ended, acts)
        assert (closed, made) in {("done", "account_closed"), ("holds_open", "done")}
        state = holds_of(kept).hold(ACME, hold.cause.stored_id("hold")).state
        assert state is (HoldState.RESERVED if made == "done" else HoldState.REFUSED)
    assert_reserved_adds_up(kept.store)


def _said(decision: Decision[None], _: View) -> Decision[None]:
    return decision


def test_a_hold_is_released_where_it_reserved_though_the_account_was_resharded(kept: Bookkeeping) -> None:
    """It remembers its pending documents; what is reserved after goes by the new shards."""
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, PLAIN)))
    before = [reserved(kept, 10, f"b{number}") for number in range(8)]
    kept.controls.run(a_call("r"), Control.RESHARD, WALLET.code, Terms(shards=1))
    after = [reserved(kept, 10, f"a{number}") for number in range(4)]
    assert {all_shards(kept, hold) for hold in after} == {0}
    assert len({all_shards(kept, hold) for hold in before}) > 1
    for number, hold in enumerate((*before, *after)):
        holds_of(kept).post(a_call(f"p{number}"), hold, PART)
        assert_reserved_adds_up(kept.store)
    assert holds_of(kept).reserved(ACME) == {}
    assert len(kept.store.query(Query("pending", ACME)).documents) > 2
    assert kept.proven()


def all_shards(kept: Bookkeeping, hold: StoredId) -> int:
    """The shard of the wallet's that a hold reserved in."""
    return holds_of(kept).hold(ACME, hold).shards[WALLET.code]
