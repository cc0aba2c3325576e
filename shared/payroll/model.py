"""Terms, pay period, year to date and payslip: values that add up or cannot be built."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from shared.faults import Invalid
from shared.limits import AMOUNT_MINOR, PAYROLL_RUN_EMPLOYEES
from shared.money import Money, total, zero
from shared.payroll.countries.gb.categories import NicCategory, Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.refusals import DirectorsNotSupported, PayslipDoesNotAddUp, WrongTaxYear

_GBP: Final = "GBP"

LARGEST_YEAR: Final = AMOUNT_MINOR // (10 * PAYROLL_RUN_EMPLOYEES)
"""Largest pay or tax of one employee and year, pence: the control totals of the largest run still are amounts."""


class PostingComponent(Enum):
    """What a payroll posts: the first two are costs, the rest is owed."""

    GROSS_PAY = "gross_pay"
    EMPLOYER_NIC = "employer_nic"
    INCOME_TAX = "income_tax"
    NATIONAL_INSURANCE = "national_insurance"
    """Employees' and employer's together: both are remitted to HMRC."""
    STUDENT_LOANS = "student_loans"
    """Student and postgraduate loans together."""
    NET_PAY = "net_pay"


COSTS: Final = frozenset({PostingComponent.GROSS_PAY, PostingComponent.EMPLOYER_NIC})
"""The components that stand on the debit side; their sum is that of the others."""


@dataclass(frozen=True, slots=True)
class PayTerms:
    """What an employee of the United Kingdom is paid, and how it is taxed.

    Raises:
        Invalid: the salary is negative, beyond LARGEST_YEAR or not in pounds.
        DirectorsNotSupported: the employee is a director.
    """

    annual_salary: Money
    tax_code: TaxCode
    nic_category: NicCategory
    student_loan_plans: frozenset[Plan] = frozenset()
    director: bool = False

    def __post_init__(self) -> None:
        """Refuse terms that no payslip could follow from."""
        if self.annual_salary.currency != _GBP or not 0 <= self.annual_salary.amount <= LARGEST_YEAR:
            message = f"an annual salary here is zero to {LARGEST_YEAR} pence sterling"
            raise Invalid(message, field="annual_salary")
        if self.director:
            raise DirectorsNotSupported


@dataclass(frozen=True, slots=True)
class PayPeriod:
    """One regular pay day."""

    pay_date: date
    frequency: Frequency


@dataclass(frozen=True, slots=True)
class Payslip:
    """One pay day of one employee: gross pay is net pay, what was withheld and the deductions.

    `income_tax` may be negative: a refund. `taxable_pay` is pay before free pay, as reported.
    """

    pay_date: date
    tax_year: str
    tax_period: int
    gross: Money
    taxable_pay: Money
    income_tax: Money
    employee_nic: Money
    employer_nic: Money
    student_loan: Money
    postgraduate_loan: Money
    net: Money

    def __post_init__(self) -> None:
        """Refuse parts that contradict one another; mixed currencies are refused by `Money`."""
        parts = (self.gross, self.taxable_pay, self.employee_nic, self.employer_nic)
        if min(part.amount for part in (*parts, self.student_loan, self.postgraduate_loan)) < 0:
            message = "only tax (a refund) and net pay may be negative on a payslip"
            raise PayslipDoesNotAddUp(message)
        if self.net + self.withheld + self.deductions != self.gross:
            message = "net pay, withholding and deductions do not make up gross pay"
            raise PayslipDoesNotAddUp(message, field="net")

    @property
    def withheld(self) -> Money:
        """Income tax and the employee's National Insurance."""
        return self.income_tax + self.employee_nic

    @property
    def deductions(self) -> Money:
        """Student and postgraduate loans."""
        return self.student_loan + self.postgraduate_loan


@dataclass(frozen=True, slots=True)
class YearToDate:
    """An employee's sums of a tax year up to now, all in one currency."""

    tax_year: str
    gross: Money
    taxable_pay: Money
    income_tax: Money
    employee_nic: Money
    employer_nic: Money
    student_loan: Money
    postgraduate_loan: Money
    net: Money

    @classmethod
    def opening(cls, tax_year: str, taxable_pay: Money | None = None, income_tax: Money | None = None) -> "YearToDate":
        """A year with nothing paid here yet; pay and tax of an earlier employment (P45) count for tax."""
        none = zero(_GBP)
        return cls(tax_year, none, taxable_pay or none, income_tax or none, none, none, none, none, none)

    def carried_into(self, tax_year: str) -> "YearToDate":
        """Itself within its year; nothing yet in another: sums never cross 5 April."""
        return self if tax_year == self.tax_year else YearToDate.opening(tax_year)

    def after(self, payslip: Payslip) -> "YearToDate":
        """The sums with one more payslip.

        Raises:
            WrongTaxYear: the payslip is of another tax year.
        """
        if payslip.tax_year != self.tax_year:
            raise WrongTaxYear(payslip.tax_year, self.tax_year)
        return YearToDate(
            self.tax_year,
            self.gross + payslip.gross,
            self.taxable_pay + payslip.taxable_pay,
            self.income_tax + payslip.income_tax,
            self.employee_nic + payslip.employee_nic,
            self.employer_nic + payslip.employer_nic,
            self.student_loan + payslip.student_loan,
            self.postgraduate_loan + payslip.postgraduate_loan,
            self.net + payslip.net,
        )


def summed(amounts: Iterable[Money]) -> Money:
    """The exact sum of pounds sterling; zero pounds of none."""
    return total(amounts, _GBP)
