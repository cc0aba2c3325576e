"""Closing and freezing against postings: nothing lands after the answer, nothing is half applied."""

import pytest

from shared.faults import Refused, Retryable
from shared.ledger.model import EntryKind
from shared.ledger.refusals import WrongState
from shared.ledger.rules.control import Control
from shared.ports import Query, Where
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.orders import Killed, dies, live_totals
from tests.emulator.lines import first, lost, unsent


def test_a_soft_close_leaves_adjusting_entries(kept: Bookkeeping) -> None:
    """After a soft close regular entries are refused and adjusting ones posted, in a hard close neither."""
    kept.books.post(a_call("a"), a_sale(name="a"))
    kept.controls.run(a_call("soft"), Control.SOFT_CLOSE, "2026-11")
    adjusting = a_sale(name="adjusting", kind=EntryKind.ADJUSTING)
    assert kept.books.post(a_call("b"), adjusting).answer.posted
    kept.controls.run(a_call("hard"), Control.HARD_CLOSE, "2026-11")
    with pytest.raises(Refused):
        kept.books.post(a_call("c"), a_sale(name="late", kind=EntryKind.ADJUSTING))
    assert kept.proven()


def test_an_empty_month_can_be_closed_before_anyone_posts(kept: Bookkeeping) -> None:
    """Absence is never a reason to post: closing creates the period."""
    kept.controls.run(a_call("hard"), Control.HARD_CLOSE, "2026-10")
    with pytest.raises(Refused):
        kept.books.post(a_call("a"), a_sale(on=a_sale().effective_on.replace(month=10)))


def test_unfreezing_lets_the_account_take_postings_again(kept: Bookkeeping) -> None:
    """The slow path re-creates the totals under the raised version, and readers add all versions."""
    kept.books.post(a_call("a"), a_sale(100, name="a"))
    kept.controls.run(a_call("freeze"), Control.FREEZE, "revenue:sales")
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, "revenue:sales")
    kept.books.post(a_call("b"), a_sale(100, name="b"))
    sales = next(row for row in kept.reports.trial_balance(ACME, "2026-11").rows if row.account == "revenue:sales")
    assert (sales.credits, kept.proven()) == (200, True)


def test_frozen_twice_over_adds_to_the_closed_copy(kept: Bookkeeping) -> None:
    """A second freeze of the same months merges into what the first retired."""
    for round_ in range(2):
        for number in range(12):
            kept.books.post(a_call(f"{round_}-{number}"), a_sale(1, name=f"{round_}-{number}"))
        kept.controls.run(a_call(f"freeze-{round_}"), Control.FREEZE, "revenue:sales")
        kept.controls.run(a_call(f"unfreeze-{round_}"), Control.UNFREEZE, "revenue:sales")
    assert kept.proven()


def test_the_same_order_twice_is_one_operation(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A redelivered close answers the first one; another close of the closed month is refused."""
    done = kept.controls.run(a_call("soft", once=True), Control.SOFT_CLOSE, "2026-11")
    again = other.controls.run(a_call("soft", once=True), Control.SOFT_CLOSE, "2026-11")
    assert (again.replayed, again.answer) == (True, done.answer)
    with pytest.raises(WrongState):
        other.controls.run(a_call("another", once=True), Control.SOFT_CLOSE, "2026-11")


@pytest.mark.parametrize("after_commits", [1, 2, 3])
def test_killed_half_way_its_task_finishes_it(kept: Bookkeeping, other: Bookkeeping, after_commits: int) -> None:
    """Whichever commit was its last, the task that the raise left behind brings the close to its end."""
    for number in range(30):
        kept.books.post(a_call(f"k{number}"), a_sale(1, name=f"k{number}"))
    kept.line.commits = [lambda commit: commit()] * after_commits + [first(dies)]
    with pytest.raises(Killed):
        kept.controls.run(a_call("soft"), Control.SOFT_CLOSE, "2026-11")
    (row,) = other.store.query(Query("outbox", ACME, (Where("door", "==", "run_ledger_operation"),))).documents
    operation = row["body"]["operation"]  # type: ignore[index, call-overload]
    assert other.controls.finish(ACME, str(operation)).done
    assert live_totals(other, "month", "2026-11") == 0
    with pytest.raises(Refused):
        other.books.post(a_call("late"), a_sale(1, name="late"))
    assert other.proven()


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_raise_without_an_answer_is_found_or_made(kept: Bookkeeping, fault: object) -> None:
    """The raise whose answer was lost is one operation, not two."""
    kept.books.post(a_call("a"), a_sale(name="a"))
    kept.line.commits.append(fault)  # type: ignore[arg-type]
    assert kept.controls.run(a_call("soft", once=True), Control.SOFT_CLOSE, "2026-11").answer.done
    assert len(kept.store.query(Query("ops", ACME)).documents) == 1


def test_a_second_freeze_waits_for_the_first(kept: Bookkeeping, other: Bookkeeping) -> None:
    """While an operation runs on a target, another is told to come again, not that it is wrong."""
    kept.books.post(a_call("a"), a_sale(name="a"))
    kept.line.commits = [lambda commit: commit(), first(dies)]
    with pytest.raises(Killed):
        kept.controls.run(a_call("freeze"), Control.FREEZE, "revenue:sales")
    with pytest.raises(Retryable):
        other.controls.run(a_call("freeze-2"), Control.FREEZE, "revenue:sales")
