"""What binds accounts and months at the end of a year: floors, months that are reopened, accounts that must stay."""

from datetime import date
from typing import Any

import pytest

from shared.faults import Refused
from shared.identity import StoredId
from shared.ledger.model import Account, AccountType, EntryKind, Floor, PeriodState, credit, debit
from shared.ledger.records import create_account, period_ref, read_period
from shared.ledger.refusals import MonthsOpen, WrongState
from shared.ledger.rules.closing import YearState
from shared.ledger.rules.control import Control
from shared.ledger.rules.reversals import ReversalOrder
from shared.ledger.use_cases.reversals import Reversals
from shared.ports import Decision, Query, View, Where
from tests.builders import ACME, a_call, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.test_year_end import BANK, EARNINGS, WAGES, close, post, year_ends
from tests.emulator.ledger.test_year_end_beside import earned, soft, sold, unclosed
from tests.emulator.lines import Commit

TRAVEL = Account("expenses:travel", AccountType.EXPENSE, "Travel", shards=1, floor=Floor("EUR", 0))


@pytest.mark.parametrize("closed", [False, True])
def test_a_floor_does_not_stop_the_end_of_a_year(kept: Bookkeeping, *, closed: bool) -> None:
    """Spent in December, given back in January: the year's end takes what its account no longer has.

    Of a closed account no floor can be removed, so that year could never be closed.
    """

    def open_travel(_: View) -> Decision[None]:
        return Decision(None, create_account(ACME, TRAVEL))

    kept.store.transact((), open_travel)
    post(kept, "spent", (debit(TRAVEL.code, euros(100)), credit(BANK, euros(100))), date(2025, 12, 10))
    post(kept, "back", (debit(BANK, euros(100)), credit(TRAVEL.code, euros(100))), date(2026, 1, 10))
    if closed:
        kept.controls.run(a_call("close account"), Control.CLOSE_ACCOUNT, TRAVEL.code)
    soft(kept, "2025-12")
    assert close(kept).state is YearState.CLOSED
    assert (earned(kept, "2025-12"), unclosed(kept, "2025-12")) == ({"EUR": -100}, {})
    assert kept.proven("first")
    for month in ("2026-01", "2026-12"):
        soft(kept, month)
    year_ends(kept).close(a_call("2026"), 2026, 12)
    assert earned(kept, "2026-12") == {"EUR": 0}
    assert kept.proven("second")


def test_a_run_that_slept_does_not_close_a_last_month_that_was_reopened_for_adjusting(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """It took the month out of the accountant's hands, with what was adjusted left on income for good."""
    sold(kept, "sale", 100, date(2025, 12, 10))
    soft(kept, "2025-12")

    def reopened() -> None:
        other.controls.run(a_call("hard"), Control.HARD_CLOSE, "2025-12")
        other.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, "2025-12")
        sold(other, "adjusted", 7, date(2025, 12, 31), EntryKind.ADJUSTING)

    happened: list[bool] = []

    def when_moved(commit: Commit) -> Any:
        if not happened and other.store.query(Query("entries", ACME, (Where("kind", "==", "closing"),))).documents:
            happened.append(True)
            reopened()
        return commit()

    kept.line.commits = [when_moved] * 60
    with pytest.raises(MonthsOpen):
        close(kept, once=True)
    kept.line.commits = []
    period = kept.store.get([ref := period_ref(ACME, "2025-12")])[ref]
    assert period
    assert read_period(period).state is PeriodState.SOFT_CLOSED
    with pytest.raises(MonthsOpen):
        year_ends(kept).finish(a_call("task"), 2025)
    assert close(kept, "again").state is YearState.CLOSED
    assert (earned(kept, "2025-12"), unclosed(kept, "2025-12")) == ({"EUR": 107}, {})
    assert kept.proven()


def test_what_closed_a_year_is_refused_a_reversal_on_record(kept: Bookkeeping) -> None:
    """It counted the year's income twice. Reopened, adjusted and closed again is how a year is corrected."""
    sold(kept, "sale", 100, date(2025, 12, 10))
    soft(kept, "2025-12")
    close(kept)
    (entry,) = kept.store.query(Query("entries", ACME, (Where("kind", "==", "closing"),))).documents
    reversals = Reversals(kept.desk, kept.books)
    for _ in range(2):
        with pytest.raises(Refused, match="closed a year"):
            reversals.reverse(a_call("undo", once=True), ReversalOrder(StoredId(entry.ref.key)))
    assert kept.reports.income_statement(ACME, "2025-12", "2026-12").net_income == {"EUR": 100}


@pytest.mark.parametrize(
    "code", [EARNINGS, WAGES, "assets:receivable", "assets:clearing:stripe", "equity:opening_balances"]
)
def test_an_account_that_daybook_posts_to_itself_is_not_closed(kept: Bookkeeping, code: str) -> None:
    """At zero it could be, for good: then no year or payroll ended, and no invoice was issued, any more."""
    with pytest.raises(WrongState):
        kept.controls.run(a_call("close account"), Control.CLOSE_ACCOUNT, code)
