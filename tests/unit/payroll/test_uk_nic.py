"""National Insurance of 2026-27, worked by hand from the year's table."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.payroll.countries.gb.categories import NicCategory, NicThreshold
from shared.payroll.countries.gb.nic import Contributions, national_insurance
from shared.payroll.countries.gb.rounding import contribution
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.frequency import Frequency

YEAR = tables_for(date(2026, 11, 30))


def monthly(category: str, gross: int) -> Contributions:
    """Contributions on a month's pence."""
    return national_insurance(YEAR, NicCategory(category), Frequency.MONTHLY, gross)


@pytest.mark.parametrize(
    ("category", "gross", "employee", "employer"),
    [
        ("A", 417_00, 0, 0),
        ("A", 1048_00, 0, 94_65),
        ("A", 3000_00, 156_16, 387_45),
        ("A", 6000_00, 287_50, 837_45),
        ("B", 3000_00, 36_11, 387_45),
        ("C", 6000_00, 0, 837_45),
        ("H", 4189_00, 251_28, 0),
        ("M", 6000_00, 287_50, 271_65),
        ("F", 3000_00, 156_16, 137_55),
        ("J", 3000_00, 39_04, 387_45),
        ("X", 6000_00, 0, 0),
    ],
)
def test_contributions_of_a_month(category: str, gross: int, employee: int, employer: int) -> None:
    """A on 6,000.00: (4,189 - 1,048) x 8 % = 251.28 and 1,811 x 2 % = 36.22; employer (6,000 - 417) x 15 % = 837.45.

    B on 3,000.00: 1,952 x 1.85 % = 36.112. M pays 15 % above 4,189, F above 2,083.
    """
    ours = monthly(category, gross)
    assert (ours.employee, ours.employer) == (employee, employer)


def test_bands_round_apart() -> None:
    """B on 4,189.30: 3,141 x 1.85 % = 58.1085 is 58.11, 0.30 x 2 % = 0.006 is 0.01; the sum unrounded were 58.11."""
    assert monthly("B", 418_930).employee == 58_12


@pytest.mark.parametrize(
    ("exact", "rounded"), [("1.005", "1.00"), ("1.0059", "1.00"), ("1.006", "1.01"), ("1.0069", "1.01")]
)
def test_only_the_third_decimal_decides(exact: str, rounded: str) -> None:
    """5 and whatever follows it goes down, 6 goes up."""
    assert contribution(Decimal(exact)) == Decimal(rounded)


def test_earnings_bands_begin_at_the_lower_limit() -> None:
    """At 558.99 nothing is reported; at 559.00 the lower limit is, though nothing is owed by the employee."""
    assert monthly("A", 558_99).at_lower_limit == 0
    assert (monthly("A", 559_00).at_lower_limit, monthly("A", 559_00).employee) == (559_00, 0)


@given(category=st.sampled_from(NicCategory), frequency=st.sampled_from(Frequency), gross=st.integers(0, 2_000_000))
def test_earnings_bands_make_up_pay_to_the_upper_limit(category: NicCategory, frequency: Frequency, gross: int) -> None:
    """What is reported in bands is the pay itself, up to the upper earnings limit."""
    ours = national_insurance(YEAR, category, frequency, gross)
    bands = ours.at_lower_limit + ours.lower_limit_to_primary + ours.primary_to_upper_limit
    limits = YEAR.national_insurance.thresholds
    lower, upper = (
        int(limits[name].per(frequency)) * 100
        for name in (NicThreshold.LOWER_EARNINGS_LIMIT, NicThreshold.UPPER_EARNINGS_LIMIT)
    )
    assert bands == (min(gross, upper) if gross >= lower else 0)


@given(category=st.sampled_from(NicCategory), gross=st.integers(0, 2_000_000), more=st.integers(0, 500_000))
def test_more_pay_never_means_less_contribution(category: NicCategory, gross: int, more: int) -> None:
    """Both sides' contributions rise with pay."""
    less, higher = (
        national_insurance(YEAR, category, Frequency.MONTHLY, earnings) for earnings in (gross, gross + more)
    )
    assert less.employee <= higher.employee
    assert less.employer <= higher.employer
