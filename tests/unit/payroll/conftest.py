"""Builders for payroll tests: 2026-27, monthly, category A, 1257L, unless a test says otherwise."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeAlias

import pytest

from shared.money import Money
from shared.payroll.countries.gb.categories import NicCategory, Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, Payslip, PayTerms, YearToDate
from shared.payroll.rules import payslip_of

PaidMonths: TypeAlias = Callable[..., list[Payslip]]
"""`(grosses, code=, category=, plans=)`: payslips of months 1, 2, ... with those gross pays in pence."""


def month(number: int) -> PayPeriod:
    """The pay day on the 28th that lies in a tax month of 2026-27."""
    year, zero_based = divmod(2026 * 12 + 3 + number - 1, 12)
    return PayPeriod(date(year, zero_based + 1, 28), Frequency.MONTHLY)


@pytest.fixture
def paid_months() -> PaidMonths:
    """Pays an employee month after month from April 2026, the year to date carried along."""

    def pay(
        grosses: Iterable[int], code: str = "1257L", category: str = "A", plans: frozenset[Plan] = frozenset()
    ) -> list[Payslip]:
        terms = PayTerms(Money(0, "GBP"), TaxCode.parse(code), NicCategory(category), plans)
        ytd, slips = YearToDate.opening("2026-27"), list[Payslip]()
        for number, gross in enumerate(grosses, start=1):
            slips.append(payslip_of(terms, month(number), ytd, gross=Money(gross, "GBP")))
            ytd = ytd.after(slips[-1])
        return slips

    return pay
