"""A floor added to an account with a history, its limit changed, and the floor removed again."""

from typing import cast

import pytest

from shared.faults import Refused
from shared.ledger.model import AccountState, Floor
from shared.ledger.records import guard_ref, inflow_ref
from shared.ledger.rules.control import Control
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import holds_of, reserved
from tests.emulator.ledger.orders import (
    WALLET,
    account_of,
    live_totals,
    open_wallet,
    pays,
    post,
    spends,
)
from tests.emulator.lines import first, lost, unsent

ZERO = Floor("EUR", 0)


def floor(kept: Bookkeeping, key: str, wanted: Floor | None) -> str:
    """What asking for a floor comes to."""
    try:
        return kept.controls.set_floor(a_call(key, once=True), WALLET, wanted).answer.control.value
    except Refused as refusal:
        return refusal.code


def asked(kept: Bookkeeping, name: str, amount: int) -> str:
    """What spending so much comes to."""
    try:
        post(kept, spends(name, amount))
    except Refused as refusal:
        return refusal.code
    return "posted"


def guard(kept: Bookkeeping) -> tuple[int, int, int, int]:
    """Limit, received, spent and held."""
    guard_at, inflow_at = guard_ref(ACME, WALLET), inflow_ref(ACME, WALLET)
    documents = kept.store.get([guard_at, inflow_at])
    one, two = documents[guard_at], documents[inflow_at]
    assert one is not None
    assert two is not None
    figures = (one["limit"], two["credits"], one["spent"], one["held"])
    return cast("tuple[int, int, int, int]", figures)


def test_a_floor_counts_what_was_posted_and_held_before_it(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Guard and inflow begin with the closed totals; also an instance that remembers no floor respects it."""
    open_wallet(kept)
    post(other, pays("in", 100))
    post(other, spends("out", 30))
    hold = reserved(kept, 20)
    assert floor(kept, "floor", ZERO) == "add_floor"
    account = account_of(kept)
    assert (account.state, account.version, account.floor, account.shards) == (AccountState.OPEN, 3, ZERO, 1)
    assert (guard(kept), live_totals(kept, "account", WALLET)) == ((0, 100, 30, 20), 0)
    assert asked(other, "too much", 51) == "insufficient_funds"
    assert asked(other, "all there is", 50) == "posted"
    holds_of(other).void(a_call("void"), hold)
    assert asked(kept, "what was held", 20) == "posted"
    assert (guard(kept), kept.proven()) == ((0, 100, 100, 0), True)


def test_a_floor_above_the_balance_turns_back(kept: Bookkeeping) -> None:
    """Held money is not there either; the refusal is recorded, the version raised, the account open as before."""
    open_wallet(kept)
    post(kept, pays("in", 100))
    reserved(kept, 60)
    post(kept, spends("out", 50))
    assert floor(kept, "floor", ZERO) == "below_floor"
    account = account_of(kept)
    assert (account.state, account.version, account.floor) == (AccountState.OPEN, 3, None)
    post(kept, pays("more", 10))
    assert floor(kept, "floor", ZERO) == "below_floor"  # the same order, the same answer
    assert floor(kept, "again", ZERO) == "add_floor"


def test_a_credit_limit_is_a_floor_below_zero(kept: Bookkeeping) -> None:
    """A limit above zero lets the balance fall so far below it."""
    open_wallet(kept)
    post(kept, spends("out", 50))
    assert floor(kept, "short", Floor("EUR", 49)) == "below_floor"
    assert floor(kept, "enough", Floor("EUR", 60)) == "add_floor"
    assert (asked(kept, "ten", 10), asked(kept, "one", 1)) == ("posted", "insufficient_funds")


def test_an_account_with_postings_or_holds_in_another_currency_gets_no_floor(kept: Bookkeeping) -> None:
    """A floored account keeps one currency."""
    open_wallet(kept)
    post(kept, pays("pounds", 5, "GBP"))
    assert floor(kept, "floor", ZERO) == "floor_currency"
    assert floor(kept, "pounds", Floor("GBP", 0)) == "add_floor"
    assert floor(kept, "euros", ZERO) == "floor_currency"


def test_a_limit_goes_up_freely_and_down_to_what_is_left(kept: Bookkeeping) -> None:
    """Lowered below balance less holds it is refused on the record; otherwise it holds from then on."""
    open_wallet(kept, Floor("EUR", 50))
    post(kept, pays("in", 10))
    reserved(kept, 20)
    assert asked(kept, "out", 30) == "posted"  # 40 below zero with what is held
    assert floor(kept, "too low", Floor("EUR", 39)) == "below_floor"
    assert floor(kept, "low", Floor("EUR", 40)) == "change_limit"
    assert asked(kept, "one more", 1) == "insufficient_funds"
    assert floor(kept, "high", Floor("EUR", 41)) == "change_limit"
    assert asked(kept, "one more now", 1) == "posted"
    assert floor(kept, "too low", Floor("EUR", 39)) == "below_floor"
    assert (account_of(kept).floor, guard(kept)[0], kept.proven()) == (Floor("EUR", 41), 41, True)


def test_lowering_a_limit_and_spending_exclude_each_other(kept: Bookkeeping, other: Bookkeeping) -> None:
    """What is spent between the decision and its commit is seen: the limit goes through the guard unchanged since."""
    open_wallet(kept, Floor("EUR", 50))
    post(other, pays("in", 1))
    kept.line.commits = [first(lambda: post(other, spends("meanwhile", 30)))]
    assert floor(kept, "lower", ZERO) == "below_floor"
    assert (guard(kept)[0], kept.proven()) == (50, True)


@pytest.mark.parametrize("fault", [lost, unsent])
@pytest.mark.parametrize("limit", [0, 20])
def test_a_change_of_limit_without_an_answer_is_one(kept: Bookkeeping, fault: object, limit: int) -> None:
    """Refused or done, the answer that was lost is given again and nothing is done twice."""
    open_wallet(kept, Floor("EUR", 10))
    post(kept, spends("out", 10))
    kept.line.commits.append(fault)  # type: ignore[arg-type]
    answer = floor(kept, "limit", Floor("EUR", limit))
    assert answer == floor(kept, "limit", Floor("EUR", limit)) == ("change_limit" if limit else "below_floor")
    assert len(kept.store.query(Query("ops", ACME)).documents) == 1


def test_a_removed_floor_binds_nobody_and_its_guard_is_not_trusted_again(kept: Bookkeeping, other: Bookkeeping) -> None:
    """What was posted meanwhile is in no guard; the next floor counts it, whatever old cards remember."""
    open_wallet(kept, ZERO)
    post(other, pays("in", 100))
    assert floor(kept, "remove", None) == "remove_floor"
    assert live_totals(kept, "account", WALLET) == 0
    assert (asked(kept, "below", 130), asked(other, "further below", 10)) == ("posted", "posted")
    assert guard(kept) == (0, 100, 0, 0)
    assert floor(kept, "remove again", None) == "wrong_state"
    post(other, pays("back", 50))
    assert floor(kept, "floor", ZERO) == "add_floor"
    assert guard(kept) == (0, 150, 140, 0)
    assert (asked(other, "eleven", 11), asked(other, "ten", 10)) == ("insufficient_funds", "posted")
    assert kept.proven()


def test_a_card_from_before_the_floor_does_not_post_past_the_guard(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The activation raises the version too: a card learnt in transition finds no totals to write to."""
    open_wallet(kept)
    post(other, pays("in", 10))
    assert floor(kept, "floor", ZERO) == "add_floor"
    post(kept, pays("more", 5))  # live totals of the version in force
    assert asked(other, "past it", 16) == "insufficient_funds"
    assert kept.proven()


def test_a_frozen_account_gets_no_floor_and_may_lose_it(kept: Bookkeeping) -> None:
    """Adding one ends in the state open, so it starts from there; limit and removal leave the state alone."""
    open_wallet(kept, ZERO)
    kept.controls.run(a_call("freeze"), Control.FREEZE, WALLET)
    assert floor(kept, "limit", Floor("EUR", 5)) == "change_limit"
    assert floor(kept, "remove", None) == "remove_floor"
    assert floor(kept, "floor", ZERO) == "wrong_state"
    assert account_of(kept).state is AccountState.FROZEN
