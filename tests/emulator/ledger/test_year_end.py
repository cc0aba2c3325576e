"""The end of a year and opening balances: each moved once, whoever dies on the way."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from shared.calls import Call
from shared.faults import IdempotencyKeyReused, Refused, Retryable
from shared.ledger.model import Account, AccountType, EntryKind, JournalEntry, PeriodState, Side, credit, debit
from shared.ledger.records import period_ref, read_period
from shared.ledger.refusals import AccountFrozen, MonthsOpen, PeriodClosed, WrongState
from shared.ledger.rules import closing
from shared.ledger.rules.closing import Year, YearState
from shared.ledger.rules.control import Control
from shared.ledger.rules.opening import OPENING_BALANCES, OpeningRow
from shared.ledger.use_cases.accounts import Chart
from shared.ledger.use_cases.carry import CarryForward
from shared.ledger.use_cases.opening import OpeningBalances
from shared.ledger.use_cases.year_end import YearEnds
from shared.money import Money
from shared.ports import Query, Where
from tests.builders import ACME, NOON, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.lines import first, lost, unsent

BANK, WAGES, SALES, EARNINGS = "assets:bank", "expenses:wages", "revenue:sales", "equity:retained_earnings"
MONTHS = tuple(f"2025-{month:02d}" for month in range(1, 13))


def year_ends(kept: Bookkeeping) -> YearEnds:
    """Year ends of an instance."""
    return YearEnds(kept.desk, kept.books, kept.controls)


def post(kept: Bookkeeping, name: str, lines: tuple[Any, ...], on: date, **changes: Any) -> JournalEntry:
    """Post lines on a day."""
    entry = replace(a_sale(name=name, on=on), lines=lines, **changes)
    return kept.books.post(a_call(name), entry).answer.entry


def a_year(kept: Bookkeeping) -> None:
    """Sales of 1,000 and wages of 300 euro, sales of 50 yen, 5 euro left from the year before; months soft closed."""
    post(kept, "old", (debit(BANK, euros(5)), credit(SALES, euros(5))), date(2024, 12, 1))
    post(kept, "sales", (debit(BANK, euros(1000)), credit(SALES, euros(1000))), date(2025, 3, 5))
    post(kept, "wages", (debit(WAGES, euros(300)), credit(BANK, euros(300))), date(2025, 7, 5))
    post(kept, "yen", (debit(BANK, Money(50, "JPY")), credit(SALES, Money(50, "JPY"))), date(2025, 12, 5))
    for month in ("2025-03", "2025-07", "2025-12"):
        kept.controls.run(a_call(f"soft-{month}"), Control.SOFT_CLOSE, month)


def assert_closed(kept: Bookkeeping) -> None:
    """Nothing is left on income accounts, equity has it all, and the year still shows what it earned."""
    sheet = kept.reports.balance_sheet(ACME, "2025-12")
    assert {row.currency: row.amount for row in sheet.rows if row.account == EARNINGS} == {"EUR": 705, "JPY": 50}
    assert not any(sheet.unclosed_income.values())
    assert not any(sheet.difference.values())
    income = kept.reports.income_statement(ACME, "2025-01", "2025-12")
    assert income.net_income == {"EUR": 700, "JPY": 50}
    closing_entries = (Where("kind", "==", "closing"), Where("outcome", "==", "posted"))
    assert len(kept.store.query(Query("entries", ACME, closing_entries)).documents) == 2
    refs = [period_ref(ACME, month) for month in MONTHS]
    states = {read_period(document).state for document in kept.store.get(refs).values() if document}
    assert states == {PeriodState.HARD_CLOSED}
    assert kept.proven("after-year-end")


def close(kept: Bookkeeping, key: str = "close", **changes: Any) -> Year:
    """Close 2025."""
    return year_ends(kept).close(a_call(key, **changes), 2025, 12).answer


def test_a_closed_year_has_moved_its_income_to_equity(kept: Bookkeeping) -> None:
    """And says the same when asked again, by the same call or another."""
    a_year(kept)
    done = close(kept, once=True)
    assert (done.state, done.entries) == (YearState.CLOSED, 2)
    assert_closed(kept)
    assert close(kept, once=True) == done
    with pytest.raises(WrongState):
        close(kept, "another", once=True)
    with pytest.raises(PeriodClosed):
        post(kept, "late", (debit(BANK, euros(1)), credit(SALES, euros(1))), date(2025, 12, 31))
    assert CarryForward(kept.desk).carry(ACME) is None, "2024-12 is open still"
    assert_closed(kept)


def test_a_year_whose_months_are_open_is_not_closed(kept: Bookkeeping) -> None:
    """Nothing is begun, and the first open month is named."""
    a_year(kept)
    kept.controls.run(a_call("reopen"), Control.REOPEN, "2025-07")
    with pytest.raises(MonthsOpen) as refused:
        close(kept)
    assert refused.value.detail == {"period": "2025-07"}
    assert kept.store.query(Query("years", ACME)).documents == ()


def test_a_year_may_end_in_any_month(kept: Bookkeeping) -> None:
    """The closing entries stand on its last day."""
    post(kept, "sales", (debit(BANK, euros(10)), credit(SALES, euros(10))), date(2024, 7, 1))
    post(kept, "next", (debit(BANK, euros(7)), credit(SALES, euros(7))), date(2025, 7, 1))
    post(kept, "last", (debit(BANK, euros(1)), credit(SALES, euros(1))), date(2025, 6, 30))
    for month in ("2024-07", "2025-06"):
        kept.controls.run(a_call(f"soft-{month}"), Control.SOFT_CLOSE, month)
    assert year_ends(kept).close(a_call("close"), 2025, 6).answer.last_month == "2025-06"
    (entry,) = kept.store.query(Query("entries", ACME, (Where("kind", "==", "closing"),))).documents
    assert entry["effective_on"] == "2025-06-30"
    income = kept.reports.balance_sheet(ACME, "2025-07").unclosed_income
    assert income == {"EUR": 7}, "July belongs to the next year"


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does: no handler of ours runs for it."""
    raise Killed


def commits_of_a_year_end() -> int:
    """More commits than a year end makes: of 12 months, a plan, two entries, and the year's own."""
    return 60


def test_a_year_end_killed_at_each_commit_is_finished_by_its_task(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Every commit of it is somebody's last: the next one lives a commit longer, and each goes on from the last."""
    a_year(kept)
    ends, deaths = year_ends(kept), 0
    for number in range(commits_of_a_year_end()):
        kept.line.commits = [lambda commit: commit(), first(dies)]
        try:
            ends.close(a_call("close", at=NOON), 2025, 12) if number == 0 else ends.finish(
                a_call(f"task-{number}"), 2025
            )
        except Killed:
            deaths += 1
        except Retryable:
            continue
        else:
            break
    kept.line.commits.clear()
    assert deaths > 20, "it was killed all along the way"
    (row, *_) = other.store.query(Query("outbox", ACME, (Where("door", "==", "run_ledger_operation"),))).documents
    assert row["queue"] == "ledger-operations"
    assert year_ends(other).finish(a_call("task"), 2025).state is YearState.CLOSED
    assert_closed(other)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_year_end_that_loses_every_third_commit_moves_everything_once(kept: Bookkeeping, fault: Any) -> None:
    """Answers lost and commits never sent: each step finds its own trace."""
    a_year(kept)
    kept.line.commits = [lambda commit: commit(), lambda commit: commit(), fault] * 20
    ends = year_ends(kept)
    call = a_call("close", once=True)
    for _ in range(10):
        try:
            ends.close(call, 2025, 12)
            break
        except Retryable:
            continue
    assert_closed(kept)


@pytest.mark.parametrize("nth", [1, 6, 12, 24, 37, 40])
def test_two_close_a_year_at_once_and_it_is_closed_once(kept: Bookkeeping, other: Bookkeeping, nth: int) -> None:
    """Whoever comes second goes on with what the first began, or is told to come again."""
    a_year(kept)

    def other_closes() -> None:
        for _ in range(5):
            with suppress(Retryable, WrongState):  # closed already, when it comes last
                close(other, "other")
                return

    kept.line.commits = [lambda commit: commit()] * nth + [first(other_closes)]
    try:
        close(kept, once=True)
    except Retryable:
        assert close(kept, once=True).state is YearState.CLOSED
    assert_closed(kept)


def test_a_refused_closing_entry_turns_back_and_the_rest_is_moved_later(kept: Bookkeeping) -> None:
    """What was posted stays, nothing is posted twice, and the next run moves what is left."""
    a_year(kept)
    kept.controls.run(a_call("freeze"), Control.FREEZE, WAGES)
    with pytest.raises(AccountFrozen):
        close(kept)
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, WAGES)
    assert close(kept, "again").run == 2
    assert_closed(kept)


def test_a_reopened_year_is_closed_again_for_what_is_left(kept: Bookkeeping) -> None:
    """Reopened for adjusting entries, its last month takes one, and the next run moves just that."""
    a_year(kept)
    close(kept)
    kept.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, "2025-12")
    adjusting = {"kind": EntryKind.ADJUSTING}
    post(kept, "adj", (debit(WAGES, euros(40)), credit(BANK, euros(40))), date(2025, 12, 31), **adjusting)
    assert kept.reports.balance_sheet(ACME, "2025-12").unclosed_income["EUR"] == -40
    again = close(kept, "again")
    assert (again.run, again.entries) == (2, 1)
    sheet = kept.reports.balance_sheet(ACME, "2025-12")
    assert not any(sheet.unclosed_income.values())
    assert kept.reports.income_statement(ACME, "2025-01", "2025-12").net_income == {"EUR": 660, "JPY": 50}
    assert kept.proven("after-again")


def test_an_adjusting_entry_races_the_year_end_and_is_moved_or_refused(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Between the months' close and the adding up nothing slips in that is not moved."""
    a_year(kept)
    landed: list[str] = []

    def adjust(name: str) -> None:
        try:
            lines = (debit(WAGES, euros(1)), credit(BANK, euros(1)))
            post(other, name, lines, date(2025, 12, 31), kind=EntryKind.ADJUSTING)
            landed.append(name)
        except (Refused, Retryable):
            return

    kept.line.commits = [first(lambda number=number: adjust(f"adj-{number}")) for number in range(60)]  # type: ignore[misc]
    for _ in range(10):
        try:
            close(kept)
            break
        except Retryable:
            continue
    kept.line.commits.clear()
    assert 0 < len(landed) < 60
    assert not any(kept.reports.balance_sheet(ACME, "2025-12").unclosed_income.values())
    assert kept.proven("after-race")


def test_an_entry_of_a_year_end_has_no_more_lines_than_any(kept: Bookkeeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts beyond it go into another entry, each balanced by itself."""
    monkeypatch.setattr(closing, "ENTRY_LINES", 3)
    chart = Chart(kept.desk)
    for number in range(5):
        code = f"expenses:e{number}"
        chart.open_account(a_call(code), Account(code, AccountType.EXPENSE, code))
        post(kept, code, (debit(code, euros(number + 1)), credit(BANK, euros(number + 1))), date(2025, 12, 1))
    kept.controls.run(a_call("soft"), Control.SOFT_CLOSE, "2025-12")
    assert close(kept).entries == 3
    sheet = kept.reports.balance_sheet(ACME, "2025-12")
    assert {row.account: row.amount for row in sheet.rows if row.account == EARNINGS} == {EARNINGS: -15}
    assert not any(sheet.unclosed_income.values())


# --- opening balances --------------------------------------------------------------------

ROWS = (
    OpeningRow(BANK, Side.DEBIT, euros(700)),
    OpeningRow("assets:receivable", Side.DEBIT, euros(50)),
    OpeningRow("equity:share_capital", Side.CREDIT, euros(500)),
    OpeningRow(BANK, Side.DEBIT, Money(9, "JPY")),
)


def opening(kept: Bookkeeping) -> OpeningBalances:
    """Opening balances of an instance."""
    return OpeningBalances(kept.desk, kept.books, Chart(kept.desk))


def balances(kept: Bookkeeping) -> dict[tuple[str, str], int]:
    """What stands on each account at the start of the year."""
    rows = kept.reports.trial_balance(ACME, "2026-01").rows
    return {(row.account, row.currency): row.amount for row in rows if row.amount}


EXPECTED = {
    (BANK, "EUR"): 700,
    ("assets:receivable", "EUR"): 50,
    ("equity:share_capital", "EUR"): 500,
    (OPENING_BALANCES.code, "EUR"): 250,
    (BANK, "JPY"): 9,
    (OPENING_BALANCES.code, "JPY"): 9,
}


def bring_in(kept: Bookkeeping, call: Call | None = None, rows: tuple[OpeningRow, ...] = ROWS) -> Any:
    """Post opening balances on new year's day."""
    return opening(kept).post(call or a_call("open", once=True), date(2026, 1, 1), rows)


def test_opening_balances_stand_where_they_belong_and_are_told_once(kept: Bookkeeping) -> None:
    """Against one equity account, which is opened when the chart lacks it; told again, nothing moves."""
    done = bring_in(kept)
    assert balances(kept) == EXPECTED
    again = bring_in(kept)
    assert again.replayed
    assert [answer.entry.id for answer in again.answer] == [answer.entry.id for answer in done.answer]
    assert balances(kept) == EXPECTED
    with pytest.raises(IdempotencyKeyReused):
        bring_in(kept, a_call("open", once=True, request_hash="other"), ROWS[:1])
    assert balances(kept) == EXPECTED
    assert kept.proven()


@pytest.mark.parametrize("after_commits", range(6))
def test_opening_balances_killed_anywhere_are_brought_in_by_the_same_call(
    kept: Bookkeeping, other: Bookkeeping, monkeypatch: pytest.MonkeyPatch, after_commits: int
) -> None:
    """Entry by entry, each once."""
    monkeypatch.setattr(closing, "ENTRY_LINES", 2)
    kept.line.commits = [lambda commit: commit()] * after_commits + [first(dies)]
    with pytest.raises(Killed):
        bring_in(kept)
    bring_in(other)
    assert balances(other) == EXPECTED
    assert other.proven()


def test_of_opening_balances_a_bad_entry_fails_alone(kept: Bookkeeping) -> None:
    """And says which accounts it was about."""
    kept.controls.run(a_call("freeze"), Control.FREEZE, "assets:receivable")
    done = bring_in(kept)
    assert [(answer.entry.lines[0].money.currency, bool(answer.refusal)) for answer in done.answer] == [
        ("EUR", True),
        ("JPY", False),
    ]
    assert balances(kept) == {key: amount for key, amount in EXPECTED.items() if key[1] == "JPY"}
    assert entry_id("x") != done.answer[0].entry.id
