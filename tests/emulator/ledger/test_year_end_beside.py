"""The end of a year beside what else happens: refusals half way, other years, reopened months, closed accounts."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from shared.faults import Refused, Retryable
from shared.ledger.model import Account, AccountType, EntryKind, Floor, PeriodState, credit, debit
from shared.ledger.records import period_ref, read_period
from shared.ledger.refusals import AccountFrozen, MonthsOpen, WrongState
from shared.ledger.rules.closing import YearState, read_year, year_ref
from shared.ledger.rules.control import Control, Terms
from shared.ledger.use_cases.accounts import Chart
from shared.money import Money
from shared.ports import Query, Where
from tests.builders import ACME, a_call, euros
from tests.emulator.ledger.asked import passes
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.test_year_end import (
    BANK,
    EARNINGS,
    SALES,
    WAGES,
    Killed,
    a_year,
    assert_closed,
    close,
    dies,
    post,
    year_ends,
)
from tests.emulator.lines import Commit, Switch, first

CHARGES = "expenses:bank_charges"


def earned(kept: Bookkeeping, through: str) -> dict[str, int]:
    """What stands on retained earnings at the end of a month, by currency."""
    rows = kept.reports.trial_balance(ACME, through).rows
    return {row.currency: row.amount for row in rows if row.account == EARNINGS}


def unclosed(kept: Bookkeeping, through: str) -> dict[str, int]:
    """Income that no year's end has moved by the end of a month."""
    return {code: net for code, net in kept.reports.balance_sheet(ACME, through).unclosed_income.items() if net}


def sold(kept: Bookkeeping, name: str, amount: int, on: date, kind: EntryKind = EntryKind.REGULAR) -> None:
    """A sale into the bank."""
    post(kept, name, (debit(BANK, euros(amount)), credit(SALES, euros(amount))), on, kind=kind)


def soft(kept: Bookkeeping, month: str, key: str = "first") -> None:
    """Close a month softly."""
    kept.controls.run(a_call(f"soft-{month}-{key}"), Control.SOFT_CLOSE, month)


def test_who_joined_a_year_end_is_answered_the_same_when_the_request_comes_again(kept: Bookkeeping) -> None:
    """A regression: it left no record, and its second copy was refused because the year is closed (a simulated day)."""
    a_year(kept)
    kept.line.commits = [passes, first(dies)]
    with pytest.raises(Killed):
        close(kept, "began", once=True)
    joined = close(kept, "joined", once=True)
    assert joined.state is YearState.CLOSED
    assert close(kept, "joined", once=True) == joined
    assert close(kept, "began", once=True) == joined
    with pytest.raises(WrongState):
        close(kept, "late", once=True)


def test_a_refusal_after_a_closing_entry_was_posted_does_not_stop_the_next_run(kept: Bookkeeping) -> None:
    """Euros are moved, yen are refused; once that is mended the next run moves the yen, and the euros not again."""
    a_year(kept)
    lines = (debit(CHARGES, Money(8, "JPY")), credit(BANK, Money(8, "JPY")))
    kept.controls.run(a_call("reopen"), Control.REOPEN, "2025-12")
    post(kept, "charges", lines, date(2025, 12, 6))
    soft(kept, "2025-12", "again")
    kept.controls.run(a_call("freeze"), Control.FREEZE, CHARGES)
    with pytest.raises(AccountFrozen):
        close(kept)
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, CHARGES)
    again = close(kept, "again")
    assert (again.run, again.entries) == (2, 1)
    assert earned(kept, "2025-12") == {"EUR": 705, "JPY": 42}
    assert unclosed(kept, "2025-12") == {}
    assert kept.proven()


def when_planning(other: Bookkeeping, happens: Callable[[], object]) -> list[Switch]:
    """Something else happens, once, just before the commit that writes down what 2025's end moves."""
    happened: list[bool] = []

    def switch(commit: Commit) -> Any:
        refs = [year_ref(ACME, 2025), period_ref(ACME, "2025-12")]
        year, month = (other.store.get(refs)[ref] for ref in refs)
        live = other.store.query(Query("ops", ACME, (Where("done", "==", value=False),))).documents
        closing = year and read_year(year).state is YearState.STARTED
        if not happened and closing and month and read_period(month).state is PeriodState.YEAR_END and not live:
            happened.append(True)
            happens()
        return commit()

    return [switch] * 60


def test_what_was_added_up_before_the_last_month_was_reopened_is_not_written_down(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """Closed for good, reopened, adjusted and brought to its year's end again while the first one slept."""
    a_year(kept)

    def adjusted() -> None:
        other.controls.run(a_call("hard"), Control.HARD_CLOSE, "2025-12")
        other.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, "2025-12")
        lines = (debit(WAGES, euros(40)), credit(BANK, euros(40)))
        post(other, "adjusting", lines, date(2025, 12, 31), kind=EntryKind.ADJUSTING)
        other.line.commits = when_planning(other, dies)
        with pytest.raises(Killed):
            close(other, "other")
        other.line.commits.clear()

    kept.line.commits = when_planning(other, adjusted)
    with pytest.raises(Retryable):
        close(kept)
    kept.line.commits.clear()
    assert close(kept).state is YearState.CLOSED
    assert unclosed(kept, "2025-12") == {}
    assert earned(kept, "2025-12") == {"EUR": 665, "JPY": 50}


def test_a_run_that_slept_closes_no_month_that_was_reopened_since(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The year is closed by somebody else, a month of it reopened, and then the first one wakes up."""
    a_year(kept)

    def closed_and_reopened() -> None:
        close(other, "other")
        other.controls.run(a_call("reopen"), Control.REOPEN, "2025-05")

    kept.line.commits = [lambda commit: commit(), first(closed_and_reopened)]
    with pytest.raises(Retryable):
        close(kept)
    sold(kept, "late", 3, date(2025, 5, 31))
    assert unclosed(kept, "2025-12") == {"EUR": 3}


def test_the_task_of_a_refused_year_end_closes_no_month_that_is_open_again(kept: Bookkeeping) -> None:
    """Whoever mends what was refused may reopen a month for it, and closes it when that is done."""
    a_year(kept)
    kept.controls.run(a_call("freeze"), Control.FREEZE, WAGES)
    with pytest.raises(AccountFrozen):
        close(kept)
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, WAGES)
    kept.controls.run(a_call("reopen"), Control.REOPEN, "2025-07")
    with pytest.raises(MonthsOpen):
        year_ends(kept).finish(a_call("task"), 2025)
    sold(kept, "mended", 6, date(2025, 7, 9))
    soft(kept, "2025-07", "again")
    assert year_ends(kept).finish(a_call("task"), 2025).state is YearState.CLOSED
    assert (earned(kept, "2025-12"), unclosed(kept, "2025-12")) == ({"EUR": 711, "JPY": 50}, {})


def test_a_last_month_reopened_before_the_year_was_closed_turns_it_back(kept: Bookkeeping, other: Bookkeeping) -> None:
    """All is moved, the instance dies, the month takes an adjusting entry: the next run moves that too."""
    a_year(kept)

    def dies_when_moved(commit: Commit) -> Any:
        moved = other.store.query(Query("entries", ACME, (Where("kind", "==", "closing"),))).documents
        return commit() if len(moved) < 2 else dies()

    kept.line.commits = [dies_when_moved] * 60
    with pytest.raises(Killed):
        close(kept)
    other.controls.run(a_call("hard"), Control.HARD_CLOSE, "2025-12")
    other.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, "2025-12")
    sold(other, "adjusting", 3, date(2025, 12, 31), EntryKind.ADJUSTING)
    with pytest.raises(MonthsOpen):
        year_ends(other).finish(a_call("task"), 2025)
    assert close(other, "again").state is YearState.CLOSED
    assert (earned(other, "2025-12"), unclosed(other, "2025-12")) == ({"EUR": 708, "JPY": 50}, {})


# --- several years -----------------------------------------------------------------------


def test_a_year_after_a_later_one_is_refused_and_its_income_moved_once(kept: Bookkeeping) -> None:
    """The later one moved what the earlier one earned; in order, it is put right."""
    a_year(kept)
    soft(kept, "2024-12")
    close(kept)
    ends = year_ends(kept)
    with pytest.raises(WrongState) as refused:
        ends.close(a_call("2024", once=True), 2024, 12)
    assert refused.value.detail == {"period": "2025-12", "state": "hard_closed"}
    assert len(kept.store.query(Query("years", ACME)).documents) == 1, "nothing was begun"
    kept.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, "2025-12")
    assert ends.close(a_call("2024 again", once=True), 2024, 12).answer.state is YearState.CLOSED
    assert close(kept, "again").run == 2
    assert (earned(kept, "2024-12"), earned(kept, "2025-12")) == ({"EUR": 5}, {"EUR": 705, "JPY": 50})
    assert unclosed(kept, "2024-12") == unclosed(kept, "2025-12") == {}
    assert kept.proven()


def test_two_years_that_end_at_once_move_what_each_earned_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The earlier one comes between what the later one added up and its writing down."""
    a_year(kept)
    soft(kept, "2024-12")
    kept.line.commits = when_planning(other, lambda: year_ends(other).close(a_call("2024"), 2024, 12))
    with pytest.raises(Retryable):
        close(kept)
    kept.line.commits.clear()
    assert close(kept).state is YearState.CLOSED
    assert (earned(kept, "2024-12"), earned(kept, "2025-12")) == ({"EUR": 5}, {"EUR": 705, "JPY": 50})
    assert unclosed(kept, "2024-12") == unclosed(kept, "2025-12") == {}
    assert kept.proven()


def test_years_that_end_in_march_follow_each_other(kept: Bookkeeping) -> None:
    """A leap year's February within it; each year's income on its own last day."""
    for name, amount, on in (("a", 7, date(2024, 2, 29)), ("b", 9, date(2024, 4, 1)), ("c", 2, date(2025, 3, 31))):
        sold(kept, name, amount, on)
    for month in ("2024-02", "2024-03", "2024-04", "2025-03"):
        soft(kept, month)
    for year in (2024, 2025):
        year_ends(kept).close(a_call(f"close {year}"), year, 3)
    assert [earned(kept, month) for month in ("2024-02", "2024-03", "2025-03")] == [{}, {"EUR": 7}, {"EUR": 18}]
    assert kept.reports.income_statement(ACME, "2024-04", "2025-03").net_income == {"EUR": 11}


def test_a_year_waits_for_one_that_ends_within_its_months(kept: Bookkeeping, other: Bookkeeping) -> None:
    """From years to December the books went over to years to March: December stays as its own year's end left it."""
    a_year(kept)
    sold(kept, "march", 4, date(2026, 3, 31))
    soft(kept, "2026-03")
    waited: list[bool] = []

    def to_march() -> None:
        with pytest.raises(WrongState):
            year_ends(other).close(a_call("too soon"), 2026, 3)
        waited.append(True)

    kept.line.commits = when_planning(other, to_march)
    assert close(kept).run == 1
    assert waited
    kept.line.commits.clear()
    year_ends(other).close(a_call("march"), 2026, 3)
    assert (earned(kept, "2025-12")["EUR"], earned(kept, "2026-03")["EUR"]) == (705, 709)


def test_a_year_is_not_closed_over_an_earlier_one_that_was_reopened(kept: Bookkeeping) -> None:
    """It moved the adjustment as its own, without a word; the earlier year could then not be closed again."""
    a_year(kept)
    close(kept)
    kept.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, "2025-12")
    sold(kept, "adjusted", 7, date(2025, 12, 31), EntryKind.ADJUSTING)
    sold(kept, "next", 40, date(2026, 12, 1))
    soft(kept, "2026-12")
    ends = year_ends(kept)
    with pytest.raises(MonthsOpen) as refused:
        ends.close(a_call("2026", once=True), 2026, 12)
    assert refused.value.detail == {"period": "2025-12"}
    assert close(kept, "again").run == 2
    assert ends.close(a_call("2026 again", once=True), 2026, 12).answer.state is YearState.CLOSED
    assert [earned(kept, month)["EUR"] for month in ("2025-12", "2026-12")] == [712, 752]
    assert kept.proven()


def test_a_year_that_was_refused_half_way_is_named_to_the_one_that_overlaps_it(kept: Bookkeeping) -> None:
    """It was "another year is being closed, come again", for ever: nobody was closing any."""
    a_year(kept)
    soft(kept, "2026-03")
    kept.controls.run(a_call("freeze"), Control.FREEZE, WAGES)
    with pytest.raises(AccountFrozen):
        close(kept)
    with pytest.raises(WrongState, match="the end of the year 2025 is begun and not done") as refused:
        year_ends(kept).close(a_call("march"), 2026, 3)
    assert refused.value.detail == {"year": 2025, "period": "2025-12", "state": "started"}
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, WAGES)
    kept.controls.run(a_call("hard"), Control.HARD_CLOSE, "2025-12")
    with pytest.raises(WrongState, match="reopen it for adjusting entries first") as by_hand:
        close(kept, "over what was closed by hand")
    assert by_hand.value.detail == {"period": "2025-12", "state": "hard_closed"}
    kept.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, "2025-12")
    assert close(kept, "again").state is YearState.CLOSED
    assert year_ends(kept).close(a_call("march again"), 2026, 3).answer.state is YearState.CLOSED
    assert kept.proven()


# --- accounts that changed since ---------------------------------------------------------


def test_an_account_closed_since_does_not_stop_the_end_of_a_year_it_earned_in(kept: Bookkeeping) -> None:
    """Wrong in December, undone in January, closed at zero: both years still empty it, each of its own part."""
    fairs = Account("revenue:fairs", AccountType.REVENUE, "Fairs", shards=1)
    Chart(kept.desk).open_account(a_call("open fairs"), fairs)
    bank, stall = debit(BANK, euros(70)), credit(fairs.code, euros(70))
    post(kept, "wrong", (bank, stall), date(2025, 12, 20))
    post(kept, "undone", (debit(fairs.code, euros(70)), credit(BANK, euros(70))), date(2026, 1, 20))
    soft(kept, "2025-12")
    kept.controls.run(a_call("close account"), Control.CLOSE_ACCOUNT, fairs.code)
    assert close(kept).state is YearState.CLOSED
    assert (earned(kept, "2025-12"), unclosed(kept, "2025-12")) == ({"EUR": 70}, {})
    for month in ("2026-01", "2026-12"):
        soft(kept, month)
    year_ends(kept).close(a_call("2026"), 2026, 12)
    assert (earned(kept, "2026-12"), unclosed(kept, "2026-12")) == ({"EUR": 0}, {})
    with pytest.raises(Refused) as refused:
        post(kept, "late", (bank, stall), date(2027, 1, 1))
    assert refused.value.code == "account_closed"
    assert kept.proven()


def test_a_currency_dropped_since_does_not_stop_the_end_of_a_year_it_was_earned_in(kept: Bookkeeping) -> None:
    """What stands in it is moved like any other."""
    a_year(kept)
    kept.controls.run(a_call("euro only"), Control.SET_CURRENCIES, SALES, Terms(currencies=("EUR",)))
    close(kept)
    assert_closed(kept)


def test_retained_earnings_that_are_being_decided_on_are_waited_for(kept: Bookkeeping) -> None:
    """A floor is being added to them: that is no refusal."""
    a_year(kept)
    kept.line.commits = [lambda commit: commit(), first(dies)]
    with pytest.raises(Killed):
        kept.controls.set_floor(a_call("floor"), EARNINGS, Floor("EUR", 0))
    kept.line.commits.clear()
    with pytest.raises(Retryable):
        close(kept)
    assert kept.store.query(Query("years", ACME)).documents == ()
