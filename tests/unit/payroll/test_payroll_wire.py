"""What payroll takes from the wire: terms from which a payslip can follow, and nothing that would be ignored."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from shared.faults import Refused
from shared.limits import PAYROLL_RUN_EMPLOYEES
from shared.money import Money
from shared.payroll.countries.gb.categories import NicCategory, Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import LARGEST_YEAR, PayPeriod, PayTerms, YearToDate
from shared.payroll.rules import calculate_payslip, posting_amounts
from shared.payroll.runs import added
from shared.payroll.wire import ChunkTask, NewEmployeeBody, NewRun


def a_body(**changes: Any) -> str:
    """An employee to take on, as JSON."""
    body = {
        "reference": "E-1",
        "name": "Ada Lovelace",
        "bank_account": "GB33 BUKB 2020 1555 5555 55",
        "tax_id": "QQ 12 34 56 C",
        "tax_code": "1257L",
        "ni_category": "A",
        "annual_salary": {"amount": 3_600_000, "currency": "GBP"},
        "year_to_date": {"tax_year": "2026-27", "taxable_pay": 100, "tax": 10},
    }
    return json.dumps(body | changes)


def test_an_employee_is_read_with_the_year_to_date_of_the_employment_before() -> None:
    """Pay and tax of a P45 count for tax here."""
    new = NewEmployeeBody.model_validate_json(a_body()).new_employee()
    assert new.year == YearToDate.opening("2026-27", Money(100, "GBP"), Money(10, "GBP"))
    assert new.employee.terms.annual_salary == Money(3_600_000, "GBP")
    assert "Lovelace" not in repr(new)


@pytest.mark.parametrize(
    "tax_year", ["2026-28", "2026-26", "2026-99", "26-27", "2026/27", "\u0662\u0660\u0662\u0666-27"]
)
def test_figures_of_a_year_that_never_comes_are_refused(tax_year: str) -> None:
    """They would be ignored in silence."""
    year = {"tax_year": tax_year, "taxable_pay": 100, "tax": 10}
    with pytest.raises(ValidationError):
        NewEmployeeBody.model_validate_json(a_body(year_to_date=year))


def test_the_century_turns_too() -> None:
    """2099-00 is a tax year."""
    year = {"tax_year": "2099-00", "taxable_pay": 100, "tax": 10}
    assert NewEmployeeBody.model_validate_json(a_body(year_to_date=year)).new_employee().year is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"annual_salary": {"amount": LARGEST_YEAR + 1, "currency": "GBP"}},
        {"annual_salary": {"amount": -1, "currency": "GBP"}},
        {"annual_salary": {"amount": 1, "currency": "EUR"}},
        {"annual_salary": {"amount": 1.5, "currency": "GBP"}},
        {"year_to_date": {"tax_year": "2026-27", "taxable_pay": LARGEST_YEAR + 1, "tax": 0}},
        {"year_to_date": {"tax_year": "2026-27", "taxable_pay": 0, "tax": LARGEST_YEAR + 1}},
        {"year_to_date": {"tax_year": "2026-27", "taxable_pay": 0, "tax": -1}},
        {"tax_code": "1257Q"},
        {"ni_category": "Y"},
        {"student_loan_plans": ["plan_3"]},
    ],
    ids=repr,
)
def test_terms_from_which_no_payslip_follows_are_refused(changes: dict[str, Any]) -> None:
    """At the door, not when the payroll runs."""
    with pytest.raises((ValidationError, Refused)):
        NewEmployeeBody.model_validate_json(a_body(**changes)).new_employee()


def test_the_control_totals_of_the_largest_run_are_amounts() -> None:
    """Everybody at the largest salary, and with the largest refund of tax: the sums still fit."""
    period = PayPeriod(date(2026, 11, 28), Frequency.MONTHLY)
    salary = Money(LARGEST_YEAR, "GBP")
    terms = PayTerms(salary, TaxCode.parse("0T"), NicCategory.A, frozenset({Plan.PLAN_2, Plan.POSTGRADUATE}))
    for year in (YearToDate.opening("2026-27"), YearToDate.opening("2026-27", Money(0, "GBP"), salary)):
        totals = posting_amounts([calculate_payslip(terms, period, year)])
        assert added([totals] * PAYROLL_RUN_EMPLOYEES)


@pytest.mark.parametrize("run_id", ["", "a/b", "..", "A" * 52, "a" * 53])
def test_a_chunk_is_of_a_run_whose_id_is_one(run_id: str) -> None:
    """A path is no id."""
    with pytest.raises(ValidationError):
        ChunkTask.model_validate_json(json.dumps({"run_id": run_id, "chunk": 0}))


def test_a_pay_date_outside_its_period_is_refused() -> None:
    """The books follow the pay date."""
    with pytest.raises(Refused):
        NewRun.model_validate_json('{"period": "2026-11", "pay_date": "2026-12-01"}').pay()
