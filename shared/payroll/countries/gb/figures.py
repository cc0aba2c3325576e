"""A tax year's published figures as values; pounds throughout, each section with its provenance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import ClassVar, Literal

from pydantic import ConfigDict

from shared.payroll.countries.gb.categories import NicCategory, NicThreshold, Plan
from shared.payroll.countries.gb.rounding import up_to_pound
from shared.payroll.countries.gb.tax_code import Nation
from shared.payroll.frequency import Frequency
from shared.payroll.refusals import NicCategoryNotSupported, StudentLoanPlanNotSupported

_CLOSED = ConfigDict(extra="forbid")


class Status(Enum):
    """How far a section's figures can be trusted."""

    PUBLISHED = "published"
    DERIVED = "derived"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a section's figures come from; single figures of another standing are named."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    source: str
    status: Status
    derived: tuple[str, ...]
    unverified: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A rate on taxable pay up to so many pounds a year; the last band has no end."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    up_to: Decimal | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class NationTax:
    """One nation's bands, rising, and the rates of its BR and D codes."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    bands: tuple[Band, ...]
    flat_rates: Mapping[str, Decimal]

    def __post_init__(self) -> None:
        """A table out of order is a broken file, not an answer."""
        *ends, last = [band.up_to for band in self.bands]
        rising = all(low < high for low, high in pairwise([Decimal(0), *(end or Decimal(0) for end in ends)]))
        if last is not None or not rising:
            message = "tax bands rise and the last is open"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class IncomeTax:
    """Income tax of a year; `regulatory_limit` is the largest part of a pay day's pay that tax may take."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    provenance: Provenance
    regulatory_limit: Decimal
    nations: Mapping[Nation, NationTax]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Pounds a week, a month and a year, as published."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    week: Decimal
    month: Decimal
    year: Decimal

    def per(self, frequency: Frequency) -> Decimal:
        """Pounds an interval; of several weeks: the year's figure by 52 times the weeks, up to a whole pound."""
        match frequency:
            case Frequency.WEEKLY:
                return self.week
            case Frequency.MONTHLY:
                return self.month
            case Frequency.FORTNIGHTLY | Frequency.FOUR_WEEKLY:
                return up_to_pound(self.year * frequency.units / 52)


@dataclass(frozen=True, slots=True)
class EmployeeRates:
    """What employees of some categories pay between the primary threshold and the upper limit, and above."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    categories: frozenset[NicCategory]
    to_upper_limit: Decimal
    above_upper_limit: Decimal


@dataclass(frozen=True, slots=True)
class EmployerRate:
    """What employers pay for some categories above their threshold."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    categories: frozenset[NicCategory]
    above: NicThreshold
    rate: Decimal


@dataclass(frozen=True, slots=True)
class NationalInsurance:
    """Class 1 thresholds and rates of a year."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    provenance: Provenance
    thresholds: Mapping[NicThreshold, Threshold]
    employee: tuple[EmployeeRates, ...]
    employer: tuple[EmployerRate, ...]


@dataclass(frozen=True, slots=True)
class StudentLoans:
    """Yearly thresholds by plan, and the rates on earnings above them."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    provenance: Provenance
    rate: Decimal
    postgraduate_rate: Decimal
    thresholds: Mapping[Plan, Decimal]


@dataclass(frozen=True, slots=True)
class TaxYear:
    """Everything a payslip of one tax year needs; pounds throughout."""

    __pydantic_config__: ClassVar[ConfigDict] = _CLOSED
    schema: Literal[1]
    country: Literal["GB"]
    currency: Literal["GBP"]
    tax_year: str
    valid_from: date
    valid_to: date
    income_tax: IncomeTax
    national_insurance: NationalInsurance
    student_loans: StudentLoans

    def employee_rates(self, category: NicCategory) -> EmployeeRates:
        """The employee's rates of a category.

        Raises:
            NicCategoryNotSupported: the year's source has none.
        """
        for row in self.national_insurance.employee:
            if category in row.categories:
                return row
        raise NicCategoryNotSupported(category.value, self.tax_year)

    def employer_rate(self, category: NicCategory) -> EmployerRate:
        """The employer's rate of a category.

        Raises:
            NicCategoryNotSupported: the year's source has none.
        """
        for row in self.national_insurance.employer:
            if category in row.categories:
                return row
        raise NicCategoryNotSupported(category.value, self.tax_year)

    def loan_threshold(self, plan: Plan) -> Decimal:
        """A plan's yearly threshold.

        Raises:
            StudentLoanPlanNotSupported: the year's source has none.
        """
        try:
            return self.student_loans.thresholds[plan]
        except KeyError:
            raise StudentLoanPlanNotSupported(plan.value, self.tax_year) from None
