"""A payslip follows from terms, a pay day and the year to date, and from nothing else."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from shared.money import Money, round_half_away
from shared.payroll.countries.gb.nic import national_insurance
from shared.payroll.countries.gb.paye import TaxablePay, income_tax
from shared.payroll.countries.gb.student_loans import loan_deductions
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.countries.gb.tax_periods import tax_period
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, Payslip, PayTerms, PostingComponent, YearToDate, summed
from shared.payroll.refusals import WrongTaxYear


def period_gross(annual_salary: Money, frequency: Frequency) -> Money:
    """The salary's share of one pay day: the year's by 12, 52, 26 or 13, halves away from zero.

    Every pay day is the same, so a year may differ from the annual salary by some pence; no pay
    day takes a remainder.
    """
    share = Decimal(annual_salary.amount) / frequency.periods_a_year
    return Money(round_half_away(share), annual_salary.currency)


def calculate_payslip(terms: PayTerms, period: PayPeriod, ytd: YearToDate) -> Payslip:
    """The payslip of a regular salaried pay day.

    Raises:
        TaxYearNotSupported, NicCategoryNotSupported, StudentLoanPlanNotSupported: no sourced figure.
        WrongTaxYear: the year to date is of another tax year.
    """
    return payslip_of(terms, period, ytd, gross=period_gross(terms.annual_salary, period.frequency))


def payslip_of(terms: PayTerms, period: PayPeriod, ytd: YearToDate, *, gross: Money) -> Payslip:
    """The payslip of a given gross pay, all of it taxable; faults as `calculate_payslip`."""
    tables, when = tables_for(period.pay_date), tax_period(period.pay_date, period.frequency)
    if ytd.tax_year != when.tax_year:
        raise WrongTaxYear(when.tax_year, ytd.tax_year)
    so_far = TaxablePay(gross.amount, ytd.taxable_pay.amount, ytd.income_tax.amount)
    tax = income_tax(tables.income_tax, terms.tax_code, when, so_far)
    nic = national_insurance(tables, terms.nic_category, period.frequency, gross.amount)
    loans = loan_deductions(tables, terms.student_loan_plans, period.frequency, gross.amount)
    return Payslip(
        pay_date=period.pay_date,
        tax_year=when.tax_year,
        tax_period=when.number,
        gross=gross,
        taxable_pay=gross,
        income_tax=Money(tax, gross.currency),
        employee_nic=Money(nic.employee, gross.currency),
        employer_nic=Money(nic.employer, gross.currency),
        student_loan=Money(loans.student, gross.currency),
        postgraduate_loan=Money(loans.postgraduate, gross.currency),
        net=Money(gross.amount - tax - nic.employee - loans.student - loans.postgraduate, gross.currency),
    )


def posting_amounts(payslips: Sequence[Payslip]) -> Mapping[PostingComponent, Money]:
    """What payslips post together, every component present, none rounded.

    Gross pay and employer's National Insurance equal the sum of the others. Income tax may be
    negative: more was refunded than taken.
    """
    employer_nic = summed(slip.employer_nic for slip in payslips)
    return MappingProxyType(
        {
            PostingComponent.GROSS_PAY: summed(slip.gross for slip in payslips),
            PostingComponent.EMPLOYER_NIC: employer_nic,
            PostingComponent.INCOME_TAX: summed(slip.income_tax for slip in payslips),
            PostingComponent.NATIONAL_INSURANCE: summed(slip.employee_nic for slip in payslips) + employer_nic,
            PostingComponent.STUDENT_LOANS: summed(slip.deductions for slip in payslips),
            PostingComponent.NET_PAY: summed(slip.net for slip in payslips),
        }
    )
