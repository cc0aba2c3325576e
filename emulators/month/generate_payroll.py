"""The example month's employees: terms of pay, and a year to date as seven months of the same terms make it.

Tax ids begin with QQ, which His Majesty's Revenue and Customs never issues; accounts are at a bank
that does not exist.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded: the files can be made again
from typing import Any, Final

from emulators.month import invented
from shared.money import Money
from shared.payroll.countries.gb.categories import NicCategory, Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, PayTerms, YearToDate
from shared.payroll.rules import calculate_payslip

EMPLOYEES: Final = 300
TAX_YEAR: Final = "2026-27"
PAID: Final = tuple(date(2026, month, 27) for month in range(4, 11))

_TAX_CODES: Final = (
    *("1257L",) * 14,
    *("S1257L", "C1257L") * 2,
    *("BR", "K475", "0T M1", "1257L M1", "D0", "1100L", "SD1", "NT", "1383M", "1131N"),
)
_CATEGORIES: Final = (*("A",) * 14, *("B", "C", "H", "M", "J", "Z"))
_PLANS: Final = (
    *("",) * 12,
    *("plan_1", "plan_2", "plan_2", "plan_4", "plan_5", "postgraduate", "plan_2 postgraduate"),
)


def employees(chance: Random) -> list[Mapping[str, Any]]:
    """Rows of employees.csv."""
    return [_employee(chance, number) for number in range(1, EMPLOYEES + 1)]


def _employee(chance: Random, number: int) -> Mapping[str, Any]:
    tax_code, category, plans = chance.choice(_TAX_CODES), chance.choice(_CATEGORIES), chance.choice(_PLANS)
    salary = int(min(chance.lognormvariate(10.4, 0.45), 180_000)) * 100 + chance.choice((0, 0, 50, 99))
    year = _year_to_date(tax_code, category, plans, salary)
    return {
        "reference": f"E-{number:04}",
        "name": invented.person(chance, "GB"),
        "bank_account": _account(chance),
        "tax_id": f"QQ{chance.randint(0, 999_999):06}{chance.choice('ABCD')}",
        "tax_code": tax_code,
        "ni_category": category,
        "annual_salary": _major(salary),
        "student_loan_plans": plans,
        "tax_year": TAX_YEAR,
        "taxable_pay_to_date": _major(year.taxable_pay.amount),
        "tax_to_date": _major(year.income_tax.amount),
    }


def _year_to_date(tax_code: str, category: str, plans: str, salary: int) -> YearToDate:
    loans = frozenset(Plan(plan) for plan in plans.split())
    terms = PayTerms(Money(salary, "GBP"), TaxCode.parse(tax_code), NicCategory(category), loans)
    year = YearToDate.opening(TAX_YEAR)
    for day in PAID:
        year = year.after(calculate_payslip(terms, PayPeriod(day, Frequency.MONTHLY), year))
    return year


def _account(chance: Random) -> str:
    """An account number in the form of an IBAN (ISO 13616, check digits by ISO 7064) at the invented bank DAYB."""
    number = f"DAYB{chance.randint(0, 99_999_999_999_999):014}"
    digits = "".join(str(int(sign, 36)) for sign in f"{number}GB00")
    return f"GB{98 - int(digits) % 97:02}{number}"


def _major(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)
