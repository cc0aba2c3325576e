"""Student and postgraduate loan deductions: whole pounds of the earnings above an interval's threshold.

An interval's threshold is the year's by 52 or 12, times its weeks, truncated to the penny. With
several student plans the lowest threshold counts once; a postgraduate loan comes beside them.
"""

from dataclasses import dataclass
from decimal import Decimal

from shared.payroll.countries.gb.categories import Plan
from shared.payroll.countries.gb.figures import TaxYear
from shared.payroll.countries.gb.rounding import down_to_pound, pence, pounds, truncate
from shared.payroll.frequency import Frequency


@dataclass(frozen=True, slots=True)
class LoanDeductions:
    """Pence to take for student plans and for a postgraduate loan."""

    student: int
    postgraduate: int


def loan_deductions(tables: TaxYear, plans: frozenset[Plan], frequency: Frequency, gross: int) -> LoanDeductions:
    """Deductions from gross earnings of one interval, pence in whole pounds.

    Raises:
        StudentLoanPlanNotSupported: the year's source has no threshold for a plan.
    """
    earnings, loans = pounds(gross), tables.student_loans
    limits = {plan: interval_threshold(tables.loan_threshold(plan), frequency) for plan in plans}
    postgraduate = limits.pop(Plan.POSTGRADUATE, None)
    return LoanDeductions(
        _deduction(earnings, min(limits.values(), default=None), loans.rate),
        _deduction(earnings, postgraduate, loans.postgraduate_rate),
    )


def interval_threshold(yearly: Decimal, frequency: Frequency) -> Decimal:
    """A yearly threshold's share of one interval, pounds, truncated to the penny."""
    return truncate(yearly * frequency.units / frequency.units_a_year, 2)


def _deduction(earnings: Decimal, threshold: Decimal | None, rate: Decimal) -> int:
    if threshold is None or earnings <= threshold:
        return 0
    return pence(down_to_pound((earnings - threshold) * rate))
