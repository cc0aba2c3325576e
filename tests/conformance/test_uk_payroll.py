"""HMRC's own test data for payroll developers, reproduced to the penny."""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from shared.payroll.countries.gb.categories import NicCategory
from shared.payroll.countries.gb.nic import Contributions, national_insurance
from shared.payroll.countries.gb.paye import TaxablePay, income_tax
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.countries.gb.tax_code import CodeKind, Nation, TaxCode
from shared.payroll.countries.gb.tax_periods import TaxPeriod
from shared.payroll.frequency import Frequency

DATA: Final = Path(__file__).parent / "data" / "uk"
PAYE_CASES: Final = 19
NIC_CASES: Final = 75
YEAR: Final = tables_for(date(2025, 4, 6))
FREQUENCIES: Final = {
    "Weekly": Frequency.WEEKLY,
    "Fortnightly": Frequency.FORTNIGHTLY,
    "FourWeekly": Frequency.FOUR_WEEKLY,
    "Monthly": Frequency.MONTHLY,
}
REGIMES: Final = {
    "GB-ENG GB-NIR": Nation.REST_OF_UK,
    "GB-SCT": Nation.SCOTLAND,
    "GB-WLS": Nation.WALES,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One published row."""

    id: str
    given: dict[str, Any]
    expected: dict[str, int]


@cache
def published(name: str) -> tuple[Case, ...]:
    """All rows of a file, expected figures in pence."""
    rows = json.loads((DATA / f"{name}.json").read_text("utf-8"))["cases"]
    return tuple(
        Case(row["id"], row["input"], {key: pence(value) for key, value in row["expected"].items()}) for row in rows
    )


def pence(pounds: str) -> int:
    """Whole pence of published pounds; a fraction of a penny would be a broken file."""
    amount = Decimal(pounds) * 100
    assert amount == int(amount)
    return int(amount)


def contributions(case: Case) -> Contributions:
    """What we say to a row of National Insurance."""
    given = case.given
    return national_insurance(
        YEAR, NicCategory(given["category"]), FREQUENCIES[given["frequency"]], pence(given["gross"])
    )


def test_no_published_row_is_lost() -> None:
    """The files hold every row that was taken over, each once, with its source."""
    for name, count in (("paye-2025-26", PAYE_CASES), ("nic-2025-26", NIC_CASES)):
        assert len({case.id for case in published(name)}) == count
        assert "Crown copyright" in json.loads((DATA / f"{name}.json").read_text("utf-8"))["source"]


@pytest.mark.parametrize("case", published("paye-2025-26"), ids=lambda case: case.id)
def test_income_tax_is_hmrcs(case: Case) -> None:
    """Tax of the period, refunds included, and tax to date are the published pennies."""
    given, expected = case.given, case.expected
    code = TaxCode.parse(given["tax_code"] + ("X" if given["w1m1"] else ""))
    this_period, to_date = pence(given["gross_this_period"]), pence(given["taxable_pay_to_date"])
    before = TaxablePay(this_period, to_date - this_period, expected["tax_to_date"] - expected["tax_in_period"])
    period = TaxPeriod("2025-26", given["period"], FREQUENCIES[given["frequency"]])
    assert code.nation is REGIMES[given["regime"]] or code.kind is CodeKind.NO_TAX
    assert income_tax(YEAR.income_tax, code, period, before) == expected["tax_in_period"]


@pytest.mark.parametrize("case", published("nic-2025-26"), ids=lambda case: case.id)
def test_national_insurance_is_hmrcs(case: Case) -> None:
    """Employee's and employer's contributions and their total are the published pennies."""
    ours = contributions(case)
    assert (ours.employee, ours.employer, ours.total) == (
        case.expected["employee_nic"],
        case.expected["employer_nic"],
        case.expected["total_nic"],
    )


@pytest.mark.parametrize("case", published("nic-2025-26"), ids=lambda case: case.id)
def test_earnings_bands_are_hmrcs(case: Case) -> None:
    """The earnings reported beside the contributions fall into the published bands."""
    ours = contributions(case)
    assert (ours.at_lower_limit, ours.lower_limit_to_primary, ours.primary_to_upper_limit) == (
        case.expected["earnings_at_lel_ytd"],
        case.expected["earnings_lel_to_pt_ytd"],
        case.expected["earnings_pt_to_uel_ytd"],
    )
