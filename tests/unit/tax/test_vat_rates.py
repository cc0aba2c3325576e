"""Which rate holds on which day, and who says so."""

from datetime import date
from decimal import Decimal

import pytest

from shared.faults import NotSupported
from shared.tax.model import Category
from shared.tax.rates import RateTable, read_rates

STANDARD, REDUCED, REDUCED2, ZERO = Category.STANDARD, Category.REDUCED, Category.REDUCED2, Category.ZERO


@pytest.mark.parametrize(
    ("country", "category", "day", "percent"),
    [
        ("IE", STANDARD, "2020-08-31", "23"),
        ("IE", STANDARD, "2020-09-01", "21"),
        ("IE", STANDARD, "2021-02-28", "21"),
        ("IE", STANDARD, "2021-03-01", "23"),
        ("DE", STANDARD, "2020-06-30", "19"),
        ("DE", STANDARD, "2020-07-01", "16"),
        ("DE", REDUCED, "2020-12-31", "5"),
        ("DE", STANDARD, "2021-01-01", "19"),
        ("NL", REDUCED, "2018-12-31", "6"),
        ("NL", REDUCED, "2019-01-01", "9"),
        ("FR", STANDARD, "2013-12-31", "19.6"),
        ("FR", STANDARD, "2014-01-01", "20"),
        ("GB", STANDARD, "2011-01-04", "20"),
        ("GB", ZERO, "2026-11-30", "0"),
        ("FI", REDUCED2, "2025-12-31", "14"),
        ("FI", REDUCED2, "2026-01-01", "13.5"),
        ("FI", STANDARD, "2026-01-01", "25.5"),
        ("LT", REDUCED2, "2026-01-01", "12"),
    ],
)
def test_the_tax_point_chooses_the_rate(
    country: str, category: Category, day: str, percent: str, table: RateTable
) -> None:
    """A rate holds from its first day to the day before the next."""
    assert table.rate(country, category, date.fromisoformat(day)).percent == Decimal(percent)


@pytest.mark.parametrize(
    ("country", "standard"), [("GB", "20"), ("DE", "19"), ("FR", "20"), ("IE", "23"), ("NL", "21")]
)
def test_november_2026_is_answered_with_the_age_of_the_answer(country: str, standard: str, table: RateTable) -> None:
    """The rate names its source and the day after which that source knows nothing."""
    rate = table.rate(country, STANDARD, date(2026, 11, 1))
    assert rate.percent == Decimal(standard)
    assert rate.source.key == "ibericode"
    assert rate.source.as_of == date(2025, 9, 1)


def test_every_country_listed_has_a_standard_rate_today_and_names_its_source(table: RateTable) -> None:
    """A country without one would be refused line by line instead of by name."""
    assert len(table.countries) == 28
    for country in table.countries:
        rate = table.rate(country, STANDARD, date(2026, 11, 30))
        assert rate.percent >= 15
        assert rate.source.title
        assert rate.source.url.startswith("https://")


@pytest.mark.parametrize(
    ("country", "category", "day", "field"),
    [
        pytest.param("US", STANDARD, "2026-11-01", "country", id="country without a source"),
        pytest.param("GB", STANDARD, "2011-01-03", "date", id="before the first sourced day"),
        pytest.param("IE", STANDARD, "2020-08-30", "date", id="before a first day that the source leaves open"),
        pytest.param("ES", STANDARD, "2025-08-31", "date", id="before the snapshot that shows an undated rate"),
        pytest.param("FR", REDUCED, "2026-11-01", "category", id="name that the country does not use"),
        pytest.param("IE", ZERO, "2026-11-01", "category", id="zero rate without a source"),
        pytest.param("GB", ZERO, "2019-01-01", "category", id="zero rate before its source"),
    ],
)
def test_a_figure_without_a_dated_source_is_not_supported(
    country: str, category: Category, day: str, field: str, table: RateTable
) -> None:
    """No rate is guessed, extended backwards or taken for zero."""
    with pytest.raises(NotSupported) as refusal:
        table.rate(country, category, date.fromisoformat(day))
    assert refusal.value.field == field


def test_two_rates_of_one_category_on_one_day_are_a_mistake_in_the_data() -> None:
    """The data file is checked when it is read."""
    text = """{"sources": {"s": {"title": "", "url": "", "edition": "", "as_of": "2025-01-01"}}, "countries": {"GB": [
        {"valid_from": "2011-01-04", "valid_to": null, "rates": {"standard": "20"}, "source": "s"},
        {"valid_from": "2012-01-01", "valid_to": null, "rates": {"standard": "21"}, "source": "s"}]}}"""
    with pytest.raises(ValueError, match="two rates of one category in GB from 2012-01-01"):
        read_rates(text)
