"""Payslips add up, sums to date follow them, and what they post balances."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid
from shared.money import Money
from shared.payroll.countries.gb.categories import NicCategory, Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import COSTS, PayPeriod, Payslip, PayTerms, PostingComponent, YearToDate
from shared.payroll.refusals import DirectorsNotSupported, PayslipDoesNotAddUp, TaxYearNotSupported, WrongTaxYear
from shared.payroll.rules import calculate_payslip, payslip_of, period_gross, posting_amounts
from tests.unit.payroll.conftest import PaidMonths

NOVEMBER = PayPeriod(date(2026, 11, 30), Frequency.MONTHLY)
OPENING = YearToDate.opening("2026-27")


def gbp(pence: int) -> Money:
    """Pounds sterling."""
    return Money(pence, "GBP")


def terms(annual: int = 36_000_00, code: str = "1257L", *plans: Plan) -> PayTerms:
    """An employee of category A."""
    return PayTerms(gbp(annual), TaxCode.parse(code), NicCategory.A, frozenset(plans))


def test_a_payslip_of_a_salary(paid_months: PaidMonths) -> None:
    """36,000.00 a year on 1257L in month 8, with plan 2 and a postgraduate loan.

    Gross 3,000.00; tax 390.20; National Insurance 156.16 and 387.45; loans 49.00 and 75.00;
    net 3,000.00 - 390.20 - 156.16 - 49.00 - 75.00 = 2,329.64.
    """
    ytd = OPENING
    for slip in paid_months([300_000] * 7):
        ytd = ytd.after(slip)
    found = calculate_payslip(terms(36_000_00, "1257L", Plan.PLAN_2, Plan.POSTGRADUATE), NOVEMBER, ytd)
    assert found == Payslip(
        pay_date=date(2026, 11, 30),
        tax_year="2026-27",
        tax_period=8,
        gross=gbp(3000_00),
        taxable_pay=gbp(3000_00),
        income_tax=gbp(390_20),
        employee_nic=gbp(156_16),
        employer_nic=gbp(387_45),
        student_loan=gbp(49_00),
        postgraduate_loan=gbp(75_00),
        net=gbp(2329_64),
    )


@pytest.mark.parametrize(
    ("annual", "frequency", "gross"),
    [
        (25_000_00, Frequency.MONTHLY, 2083_33),
        (25_000_06, Frequency.MONTHLY, 2083_34),
        (30_000_00, Frequency.WEEKLY, 576_92),
        (30_000_00, Frequency.FORTNIGHTLY, 1153_85),
        (30_000_00, Frequency.FOUR_WEEKLY, 2307_69),
    ],
)
def test_a_salary_is_shared_evenly_over_pay_days(annual: int, frequency: Frequency, gross: int) -> None:
    """Each pay day is the year's salary by 12, 52, 26 or 13, halves away from zero (25,000.06 / 12 = 2,083.33833)."""
    assert period_gross(gbp(annual), frequency) == gbp(gross)


def test_halves_of_a_penny_round_away() -> None:
    """0.06 a year is half a penny a month: one penny."""
    assert period_gross(gbp(6), Frequency.MONTHLY) == gbp(1)


PARTS: dict[str, Any] = {
    "pay_date": date(2026, 11, 30),
    "tax_year": "2026-27",
    "tax_period": 8,
    "gross": gbp(100_00),
    "taxable_pay": gbp(100_00),
    "income_tax": gbp(20_00),
    "employee_nic": gbp(8_00),
    "employer_nic": gbp(15_00),
    "student_loan": gbp(1_00),
    "postgraduate_loan": gbp(2_00),
    "net": gbp(69_00),
}


@pytest.mark.parametrize("part", ["gross", "income_tax", "employee_nic", "student_loan", "postgraduate_loan", "net"])
def test_a_payslip_that_does_not_add_up_cannot_be_built(part: str) -> None:
    """A penny more in any part of the sum is refused."""
    with pytest.raises(PayslipDoesNotAddUp):
        replace(Payslip(**PARTS), **{part: PARTS[part] + gbp(1)})


@pytest.mark.parametrize(
    ("part", "other"),
    [("employee_nic", "net"), ("student_loan", "postgraduate_loan"), ("postgraduate_loan", "net")],
)
def test_only_tax_may_be_given_back(part: str, other: str) -> None:
    """A negative contribution or loan is refused even where the sum would hold."""
    moved = PARTS[part] + gbp(1)
    with pytest.raises(PayslipDoesNotAddUp):
        Payslip(**{**PARTS, part: -gbp(1), other: PARTS[other] + moved})


def test_one_payslip_is_in_one_currency() -> None:
    """Euros do not add up with pounds."""
    with pytest.raises(Invalid):
        replace(Payslip(**PARTS), net=Money(69_00, "EUR"))


def test_sums_to_date_follow_the_payslips(paid_months: PaidMonths) -> None:
    """Every sum is that of the payslips' parts."""
    slips, ytd = paid_months([300_000, 450_000, 0]), OPENING
    for slip in slips:
        ytd = ytd.after(slip)
    for part in ("gross", "taxable_pay", "income_tax", "employee_nic", "employer_nic", "net"):
        assert getattr(ytd, part).amount == sum(getattr(slip, part).amount for slip in slips)


def test_sums_never_cross_the_fifth_of_april() -> None:
    """Another year's sums are refused; carried into a new year they begin at nothing."""
    last_year = YearToDate.opening("2025-26", gbp(1), gbp(0))
    with pytest.raises(WrongTaxYear) as refused:
        calculate_payslip(terms(), NOVEMBER, last_year)
    assert refused.value.detail == {"expected": "2026-27", "given": "2025-26"}
    with pytest.raises(WrongTaxYear):
        last_year.after(calculate_payslip(terms(), NOVEMBER, OPENING))
    assert last_year.carried_into("2026-27") == OPENING
    assert last_year.carried_into("2025-26") is last_year


def test_a_pay_date_without_tables_is_not_supported() -> None:
    """No payslip is guessed beyond the sourced years."""
    with pytest.raises(TaxYearNotSupported):
        calculate_payslip(terms(), PayPeriod(date(2027, 4, 30), Frequency.MONTHLY), YearToDate.opening("2027-28"))


def test_directors_are_not_supported() -> None:
    """Their annual earnings period is not calculated, so their terms cannot be built."""
    with pytest.raises(DirectorsNotSupported):
        replace(terms(), director=True)


@pytest.mark.parametrize("salary", [Money(-1, "GBP"), Money(1, "EUR")])
def test_a_salary_is_in_pounds_and_not_negative(salary: Money) -> None:
    """Other currencies and negative salaries are refused by name."""
    with pytest.raises(Invalid) as refused:
        replace(terms(), annual_salary=salary)
    assert refused.value.field == "annual_salary"


@pytest.mark.parametrize("amount", [3000.0, 0.1])
def test_no_float_enters_a_payslip(amount: Any) -> None:
    """An amount that is not a whole number of pence cannot be made at all."""
    with pytest.raises(Invalid):
        payslip_of(terms(), NOVEMBER, OPENING, gross=gbp(amount))


@given(
    gross=st.integers(0, 5_000_000),
    code=st.sampled_from(["1257L", "S1257L M1", "K475", "0T", "BR", "SD3", "NT"]),
    category=st.sampled_from(NicCategory),
    plans=st.frozensets(st.sampled_from(Plan)),
    paid=st.integers(0, 5_000_000),
)
def test_gross_is_net_and_all_that_was_taken(
    gross: int, code: str, category: NicCategory, plans: frozenset[Plan], paid: int
) -> None:
    """For any terms net pay, withholding and deductions make up gross pay, and net pay is never negative."""
    employee = PayTerms(gbp(0), TaxCode.parse(code), category, plans)
    ytd = YearToDate.opening("2026-27", gbp(paid), gbp(paid // 5))
    slip = payslip_of(employee, NOVEMBER, ytd, gross=gbp(gross))
    assert slip.net + slip.withheld + slip.deductions == slip.gross
    assert slip.net.amount >= 0


@given(grosses=st.lists(st.integers(0, 2_000_000), max_size=6))
def test_what_payslips_post_balances(grosses: list[int]) -> None:
    """Gross pay and employer's contributions equal all that is owed, refunds included."""
    plans = (Plan.PLAN_1, Plan.POSTGRADUATE)
    paid = YearToDate.opening("2026-27", gbp(3_000_000), gbp(600_000))
    slips = [payslip_of(terms(0, "1257L", *plans), NOVEMBER, paid, gross=gbp(gross)) for gross in grosses]
    amounts = posting_amounts(slips)
    costs = sum(amounts[component].amount for component in COSTS)
    owed = sum(amounts[component].amount for component in set(PostingComponent) - COSTS)
    assert costs == owed


def test_posting_amounts_are_the_payslips_parts() -> None:
    """National Insurance is owed for both sides, both kinds of loan together."""
    amounts = posting_amounts([Payslip(**PARTS), Payslip(**PARTS)])
    assert {component: money.amount for component, money in amounts.items()} == {
        PostingComponent.GROSS_PAY: 200_00,
        PostingComponent.EMPLOYER_NIC: 30_00,
        PostingComponent.INCOME_TAX: 40_00,
        PostingComponent.NATIONAL_INSURANCE: 46_00,
        PostingComponent.STUDENT_LOANS: 6_00,
        PostingComponent.NET_PAY: 138_00,
    }
