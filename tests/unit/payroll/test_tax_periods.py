"""Which tax year, month and week a pay date lies in."""

from datetime import date

import pytest

from shared.payroll.countries.gb.tax_periods import tax_period, tax_year_of
from shared.payroll.frequency import Frequency


@pytest.mark.parametrize(
    ("on", "year"),
    [
        (date(2026, 4, 5), "2025-26"),
        (date(2026, 4, 6), "2026-27"),
        (date(2027, 4, 5), "2026-27"),
        (date(2099, 12, 31), "2099-00"),
    ],
)
def test_a_tax_year_turns_on_the_sixth_of_april(on: date, year: str) -> None:
    """5 April ends a year, 6 April begins the next."""
    assert tax_year_of(on) == year


@pytest.mark.parametrize(
    ("on", "number"),
    [
        (date(2026, 4, 6), 1),
        (date(2026, 5, 5), 1),
        (date(2026, 5, 6), 2),
        (date(2026, 11, 5), 7),
        (date(2026, 11, 30), 8),
        (date(2026, 12, 31), 9),
        (date(2027, 1, 5), 9),
        (date(2027, 1, 6), 10),
        (date(2027, 4, 5), 12),
    ],
)
def test_a_tax_month_runs_from_the_sixth_to_the_fifth(on: date, number: int) -> None:
    """Pay on 30 November is paid in tax month 8."""
    assert tax_period(on, Frequency.MONTHLY).number == number


@pytest.mark.parametrize(
    ("frequency", "on", "number", "extra"),
    [
        (Frequency.WEEKLY, date(2026, 4, 12), 1, False),
        (Frequency.WEEKLY, date(2026, 4, 13), 2, False),
        (Frequency.WEEKLY, date(2027, 4, 4), 52, False),
        (Frequency.WEEKLY, date(2027, 4, 5), 53, True),
        (Frequency.WEEKLY, date(2028, 4, 4), 53, True),
        (Frequency.FORTNIGHTLY, date(2026, 4, 6), 2, False),
        (Frequency.FORTNIGHTLY, date(2026, 4, 20), 4, False),
        (Frequency.FORTNIGHTLY, date(2027, 4, 5), 54, True),
        (Frequency.FOUR_WEEKLY, date(2026, 5, 3), 4, False),
        (Frequency.FOUR_WEEKLY, date(2026, 5, 4), 8, False),
        (Frequency.FOUR_WEEKLY, date(2027, 4, 5), 56, True),
    ],
)
def test_a_tax_week_is_the_last_of_its_interval(frequency: Frequency, on: date, number: int, *, extra: bool) -> None:
    """Weeks count from 6 April; the extra pay day of a long year is week 53, 54 or 56."""
    period = tax_period(on, frequency)
    assert (period.number, period.is_extra) == (number, extra)
