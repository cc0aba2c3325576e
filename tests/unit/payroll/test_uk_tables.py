"""The dated figures: complete, sourced, exact, and refused beyond their years."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import resources

import pytest

from shared.payroll.countries.gb.categories import NicCategory, NicThreshold, Plan
from shared.payroll.countries.gb.figures import Band
from shared.payroll.countries.gb.student_loans import interval_threshold
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.countries.gb.tax_code import Nation
from shared.payroll.frequency import Frequency
from shared.payroll.refusals import NicCategoryNotSupported, StudentLoanPlanNotSupported, TaxYearNotSupported

THIS_YEAR = date(2026, 11, 30)
LAST_YEAR = date(2025, 11, 28)


@pytest.mark.parametrize(("on", "year"), [(date(2025, 4, 5), "2024-25"), (date(2027, 4, 6), "2027-28")])
def test_a_year_without_a_file_is_not_supported(on: date, year: str) -> None:
    """The refusal names the tax year; no figure is carried over from another."""
    with pytest.raises(TaxYearNotSupported) as refused:
        tables_for(on)
    assert refused.value.detail == {"tax_year": year}


@pytest.mark.parametrize("name", ["2025-26.json", "2026-27.json"])
def test_figures_are_written_as_text(name: str) -> None:
    """No file holds a number that a reader could take for a float; only the schema is one."""

    def refuse(number: str) -> None:
        raise AssertionError(number)

    folder = resources.files("shared.payroll.countries.gb").joinpath("data")
    text = folder.joinpath(name).read_text("utf-8").replace('"schema": 1', '"schema": "1"')
    json.loads(text, parse_float=refuse, parse_int=refuse)


@pytest.mark.parametrize("on", [THIS_YEAR, LAST_YEAR])
def test_every_section_names_its_source(on: date) -> None:
    """A figure without a dated source is not supported, so each section has one."""
    year = tables_for(on)
    assert all(section.provenance.source for section in (year.income_tax, year.national_insurance, year.student_loans))


@pytest.mark.parametrize("on", [THIS_YEAR, LAST_YEAR])
def test_every_nation_and_threshold_has_figures(on: date) -> None:
    """No nation and no threshold is missing from a year that is supported."""
    year = tables_for(on)
    assert set(year.income_tax.nations) == set(Nation)
    assert set(year.national_insurance.thresholds) == set(NicThreshold)


def test_tax_bands_out_of_order_are_a_broken_file() -> None:
    """Bands must rise and end open."""
    uk = tables_for(THIS_YEAR).income_tax.nations[Nation.REST_OF_UK]
    basic, higher, additional = uk.bands
    for broken in (
        (additional, higher, basic),
        (basic, higher),
        (higher, basic, additional),
        (Band(None, Decimal(0)),) * 2,
    ):
        with pytest.raises(ValueError, match="rise"):
            replace(uk, bands=broken)


@pytest.mark.parametrize(
    ("threshold", "fortnight", "four_weeks"),
    [
        (NicThreshold.LOWER_EARNINGS_LIMIT, 258, 516),
        (NicThreshold.PRIMARY, 484, 967),
        (NicThreshold.SECONDARY, 193, 385),
        (NicThreshold.FREEPORT_UPPER_SECONDARY, 962, 1924),
        (NicThreshold.UPPER_EARNINGS_LIMIT, 1934, 3867),
    ],
)
def test_thresholds_of_several_weeks_round_up_to_a_pound(
    threshold: NicThreshold, fortnight: int, four_weeks: int
) -> None:
    """12,570 x 2 / 52 = 483.46, so a fortnight's primary threshold is 484."""
    found = tables_for(THIS_YEAR).national_insurance.thresholds[threshold]
    assert found.per(Frequency.FORTNIGHTLY) == fortnight
    assert found.per(Frequency.FOUR_WEEKLY) == four_weeks


@pytest.mark.parametrize(
    ("plan", "week", "month"),
    [
        (Plan.PLAN_1, "501.25", "2172.08"),
        (Plan.PLAN_2, "547.50", "2372.50"),
        (Plan.PLAN_4, "629.71", "2728.75"),
        (Plan.POSTGRADUATE, "403.84", "1750.00"),
    ],
)
def test_loan_thresholds_derive_to_the_published_ones(plan: Plan, week: str, month: str) -> None:
    """Yearly thresholds of 2025-26 by 52 and 12, truncated, are the weekly and monthly ones HMRC printed."""
    yearly = tables_for(LAST_YEAR).loan_threshold(plan)
    assert interval_threshold(yearly, Frequency.WEEKLY) == Decimal(week)
    assert interval_threshold(yearly, Frequency.MONTHLY) == Decimal(month)


def test_a_plan_that_a_year_does_not_know_is_not_supported() -> None:
    """Plan 5 has figures in 2026-27 and none in 2025-26."""
    assert tables_for(THIS_YEAR).loan_threshold(Plan.PLAN_5) == 25_000
    with pytest.raises(StudentLoanPlanNotSupported):
        tables_for(LAST_YEAR).loan_threshold(Plan.PLAN_5)


def test_a_category_that_a_year_does_not_know_is_not_supported() -> None:
    """Category X has rates of zero in 2026-27 and none in 2025-26: no silent zero."""
    assert tables_for(THIS_YEAR).employer_rate(NicCategory.X).rate == 0
    with pytest.raises(NicCategoryNotSupported):
        tables_for(LAST_YEAR).employee_rates(NicCategory.X)
    with pytest.raises(NicCategoryNotSupported):
        tables_for(LAST_YEAR).employer_rate(NicCategory.X)


def test_every_other_category_has_rates_on_both_sides() -> None:
    """Employee's and employer's tables name the same letters, each once."""
    for on in (THIS_YEAR, LAST_YEAR):
        insurance = tables_for(on).national_insurance
        employee = [letter for row in insurance.employee for letter in row.categories]
        employer = [letter for row in insurance.employer for letter in row.categories]
        assert len(employee) == len(set(employee))
        assert sorted(employee, key=str) == sorted(employer, key=str)
