"""Student loans of 2026-27, worked by hand from the year's table."""

from datetime import date

import pytest

from shared.payroll.countries.gb.categories import Plan
from shared.payroll.countries.gb.student_loans import LoanDeductions, loan_deductions
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.frequency import Frequency

YEAR = tables_for(date(2026, 11, 30))


def of(gross: int, *plans: Plan, frequency: Frequency = Frequency.MONTHLY) -> LoanDeductions:
    """Deductions from an interval's pence."""
    return loan_deductions(YEAR, frozenset(plans), frequency, gross)


@pytest.mark.parametrize(
    ("plan", "pounds"), [(Plan.PLAN_1, 68), (Plan.PLAN_2, 49), (Plan.PLAN_4, 16), (Plan.PLAN_5, 82)]
)
def test_a_plan_takes_nine_percent_above_its_threshold(plan: Plan, pounds: int) -> None:
    """3,000.00 a month. Plan 2: 29,385 / 12 = 2,448.75; 551.25 x 9 % = 49.61, whole pounds 49.

    Plan 1: 26,900 / 12 = 2,241.66, 68.25. Plan 4: 2,816.25, 16.53. Plan 5: 2,083.33, 82.50.
    """
    assert of(300_000, plan) == LoanDeductions(pounds * 100, 0)


def test_a_postgraduate_loan_takes_six_percent_beside_a_plan() -> None:
    """21,000 / 12 = 1,750.00; 1,250.00 x 6 % = 75.00, beside plan 2's 49.00."""
    assert of(300_000, Plan.PLAN_2, Plan.POSTGRADUATE) == LoanDeductions(49_00, 75_00)


def test_several_plans_take_once_from_the_lowest_threshold() -> None:
    """Plans 1, 2 and 5 together take what plan 5 takes alone."""
    assert of(300_000, Plan.PLAN_1, Plan.PLAN_2, Plan.PLAN_5) == of(300_000, Plan.PLAN_5)


def test_pay_at_the_threshold_takes_nothing() -> None:
    """2,448.75 is plan 2's month; a deduction below one pound is none either."""
    assert of(244_875, Plan.PLAN_2).student == 0
    assert of(244_875 + 11_11, Plan.PLAN_2).student == 0
    assert of(244_875 + 11_12, Plan.PLAN_2).student == 1_00


@pytest.mark.parametrize(
    ("frequency", "gross", "pounds"),
    [(Frequency.WEEKLY, 70_000, 12), (Frequency.FORTNIGHTLY, 140_000, 24), (Frequency.FOUR_WEEKLY, 280_000, 48)],
)
def test_weeks_have_their_share_of_the_threshold(frequency: Frequency, gross: int, pounds: int) -> None:
    """Plan 2 by 52: 565.09, 1,130.19, 2,260.38; 9 % of the rest: 12.14, 24.28, 48.56."""
    assert of(gross, Plan.PLAN_2, frequency=frequency).student == pounds * 100


def test_without_a_loan_nothing_is_taken() -> None:
    """No plan, no deduction, at any pay."""
    assert of(10_000_000) == LoanDeductions(0, 0)
