"""Class 1 National Insurance of one pay day: each earnings period stands alone, each band rounds alone.

Rounding as HMRC's test data of 2025-26 shows it: truncate to the third decimal, and only 6 or more
there rounds up. Directors' annual earnings periods are not supported.
"""

from dataclasses import dataclass
from decimal import Decimal

from shared.payroll.countries.gb.categories import NicCategory, NicThreshold
from shared.payroll.countries.gb.figures import TaxYear
from shared.payroll.countries.gb.rounding import contribution, pence, pounds
from shared.payroll.frequency import Frequency


@dataclass(frozen=True, slots=True)
class Contributions:
    """Pence: what employee and employer owe, and the earnings bands that are reported with it."""

    employee: int
    employer: int
    at_lower_limit: int
    lower_limit_to_primary: int
    primary_to_upper_limit: int

    @property
    def total(self) -> int:
        """What is remitted for this pay day."""
        return self.employee + self.employer


def national_insurance(tables: TaxYear, category: NicCategory, frequency: Frequency, gross: int) -> Contributions:
    """Contributions on gross earnings of one interval, pence.

    Raises:
        NicCategoryNotSupported: the year's source has no rates for the letter.
    """
    earnings = pounds(gross)
    employee, employer = tables.employee_rates(category), tables.employer_rate(category)
    at = {name: threshold.per(frequency) for name, threshold in tables.national_insurance.thresholds.items()}
    lower, primary = at[NicThreshold.LOWER_EARNINGS_LIMIT], at[NicThreshold.PRIMARY]
    upper = at[NicThreshold.UPPER_EARNINGS_LIMIT]
    main = _between(earnings, primary, upper)
    return Contributions(
        employee=pence(
            contribution(main * employee.to_upper_limit)
            + contribution(_between(earnings, upper) * employee.above_upper_limit)
        ),
        employer=pence(contribution(_between(earnings, at[employer.above]) * employer.rate)),
        at_lower_limit=pence(lower) if earnings >= lower else 0,
        lower_limit_to_primary=pence(_between(earnings, lower, primary)),
        primary_to_upper_limit=pence(main),
    )


def _between(earnings: Decimal, low: Decimal, high: Decimal | None = None) -> Decimal:
    """The part of earnings above `low` and up to `high`."""
    top = earnings if high is None else min(earnings, high)
    return max(top - low, Decimal(0))
