"""The pay date alone decides the tax year (6 April to 5 April) and the week or month in it.

An interval of several weeks is numbered by the last week it reaches, so that the extra pay day of
a long year is week 53, 54 or 56, as HMRC's PAYE manual PAYE70015 calls it.
"""

from dataclasses import dataclass
from datetime import date

from shared.payroll.frequency import Frequency


@dataclass(frozen=True, slots=True)
class TaxPeriod:
    """A tax month 1-12 or a tax week 1-56 of a tax year such as `2026-27`."""

    tax_year: str
    number: int
    frequency: Frequency

    @property
    def is_extra(self) -> bool:
        """Week 53, 54 or 56: taxed on its own, whatever the code says (PAYE70015)."""
        return self.number > self.frequency.units_a_year


def first_day(on: date) -> date:
    """The 6 April that begins the tax year of a date."""
    start = date(on.year, 4, 6)
    return start if on >= start else date(on.year - 1, 4, 6)


def tax_year_of(on: date) -> str:
    """The tax year of a date: `2026-27` from 6 April 2026 to 5 April 2027."""
    year = first_day(on).year
    return f"{year}-{(year + 1) % 100:02d}"


def tax_period(pay_date: date, frequency: Frequency) -> TaxPeriod:
    """The tax month (from the 6th to the 5th) or tax week of a pay date."""
    start = first_day(pay_date)
    if frequency is Frequency.MONTHLY:
        months = (pay_date.year - start.year) * 12 + pay_date.month - start.month
        number = months + (pay_date.day >= start.day)
    else:
        weeks = frequency.units
        number = ((pay_date - start).days // (7 * weeks) + 1) * weeks
    return TaxPeriod(tax_year_of(pay_date), number, frequency)
