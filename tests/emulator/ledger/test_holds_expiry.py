"""The sweep of expired holds: over all tenants, bounded, resumable, safe twice and beside anything else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

import pytest

from shared import counters
from shared.faults import Retryable
from shared.identity import StoredId, TenantId
from shared.ledger.chart import opening_chart
from shared.ledger.records import create_account, guard_ref
from shared.ledger.rules.holds import HoldState
from shared.ledger.use_cases import hold_expiry
from shared.ledger.use_cases.hold_expiry import HoldExpiry
from shared.limits import COMMIT_ATTEMPTS
from shared.ports import Decision, Delete, Query
from tests.builders import ACME, NOON, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import (
    AFTER,
    BANK,
    LATER,
    WALLET,
    a_hold,
    all_holds,
    assert_reserved_adds_up,
    holds_of,
    reserved,
    with_money,
)
from tests.emulator.lines import first, lost_then, unsent

RIVAL: Final = TenantId("rival")


def sweep(kept: Bookkeeping, at: datetime = AFTER) -> int:
    """One firing of the schedule."""
    return HoldExpiry(kept.desk, holds_of(kept)).sweep(at, "request-1", a_call().traceparent)


def states(kept: Bookkeeping, tenant: TenantId = ACME) -> list[str]:
    """States of all holds of a tenant, sorted."""
    return sorted(hold.state.value for hold in all_holds(kept.store, tenant))


def for_rival(kept: Bookkeeping, amount: int) -> StoredId:
    """Another tenant's wallet with money, and a hold on it."""
    chart = (*opening_chart(RIVAL), *create_account(RIVAL, WALLET))
    kept.store.transact((), lambda _: Decision(None, chart))
    deposit = a_sale(amount, name="rivals", to=BANK, of=WALLET.code)
    kept.books.post(a_call("rivals", tenant=RIVAL), deposit)
    return holds_of(kept).reserve(a_call("held", tenant=RIVAL), a_hold(amount)).answer.id


def test_what_is_due_expires_and_its_money_is_free(kept: Bookkeeping) -> None:
    """Due at its very instant; what is due later or has ended is not even looked at."""
    with_money(kept, 100)
    reserved(kept, 60, "due")
    holds_of(kept).reserve(a_call("later"), a_hold(20, until=AFTER + timedelta(days=1)))
    holds_of(kept).void(a_call("v"), reserved(kept, 5, "voided"))
    spent = counters.begin()
    assert (sweep(kept, LATER - timedelta(microseconds=1)), spent.rpcs) == (0, 1)
    assert sweep(kept, LATER) == 1
    assert states(kept) == ["expired", "reserved", "voided"]
    kept.books.post(a_call("w"), a_sale(80, name="w", to=WALLET.code, of=BANK))
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_each_tenants_holds_are_released_under_it(kept: Bookkeeping) -> None:
    """One sweep for all; every document is written within its own tenant."""
    with_money(kept, 100)
    reserved(kept, 60)
    for_rival(kept, 50)
    assert sweep(kept) == 2
    for tenant in (ACME, RIVAL):
        assert states(kept, tenant) == ["expired"]
        assert_reserved_adds_up(kept.store, tenant)
        (row,) = [one for one in kept.store.query(Query("audit", tenant)).documents if one["action"] == "hold.expire"]
        assert row["principal"] == "system:expire_holds"


def test_a_sweep_is_bounded_and_the_next_goes_on(kept: Bookkeeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages of two at a time, oldest first, until nothing is due."""
    monkeypatch.setattr(hold_expiry, "PAGE", 2)
    monkeypatch.setattr(hold_expiry, "PAGES", 2)
    with_money(kept, 100)
    for number in range(7):
        holds_of(kept).reserve(a_call(f"h{number}"), a_hold(1, until=NOON + timedelta(minutes=7 - number)))
    assert [sweep(kept), sweep(kept), sweep(kept)] == [4, 3, 0]
    assert states(kept) == ["expired"] * 7
    assert_reserved_adds_up(kept.store)


def test_two_sweeps_at_once_release_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A schedule may fire twice: both are content, the money is given back once."""
    with_money(kept, 100)
    for number in range(10):
        reserved(kept, 10, f"h{number}")

    def swept(books: Bookkeeping) -> None:
        while True:
            try:
                sweep(books)
            except Retryable:
                continue
            return

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(swept, (kept, other)))
    assert states(kept) == ["expired"] * 10
    assert_reserved_adds_up(kept.store)


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does."""
    raise Killed


@pytest.mark.parametrize("passing", range(3))
@pytest.mark.parametrize("death", [first(dies), lost_then(dies)], ids=["before", "after"])
def test_a_sweep_killed_at_any_commit_is_finished_by_the_next(
    kept: Bookkeeping, other: Bookkeeping, death: Callable[..., object], passing: int
) -> None:
    """Whichever commit was its last: what it released is released once, the rest by whoever comes next."""
    with_money(kept, 90)
    for number in range(3):
        reserved(kept, 30, f"h{number}")
    kept.line.commits = [*[lambda commit: commit()] * passing, death]
    with pytest.raises(Killed):
        sweep(kept)
    assert_reserved_adds_up(kept.store)
    sweep(other)
    assert states(kept) == ["expired"] * 3
    assert_reserved_adds_up(kept.store)


def test_one_that_cannot_be_released_keeps_no_other(kept: Bookkeeping) -> None:
    """A hold whose store is silent, or whose guard is gone, is told of; all the others expire."""
    with_money(kept, 100)
    reserved(kept, 10, "a")
    reserved(kept, 10, "b")
    broken = for_rival(kept, 50)
    kept.store.transact((), lambda _: Decision(None, (Delete(guard_ref(RIVAL, WALLET.code)),)))
    kept.line.commits = [unsent] * COMMIT_ATTEMPTS
    with pytest.raises(Retryable) as told:
        sweep(kept)
    assert (told.value.detail["left"], states(kept)) == (2, ["expired", "reserved"])
    with pytest.raises(Retryable) as told:
        sweep(kept)
    assert told.value.detail["left"] == 1
    assert states(kept) == ["expired"] * 2
    assert holds_of(kept).hold(RIVAL, broken).state is HoldState.RESERVED
    assert_reserved_adds_up(kept.store)
