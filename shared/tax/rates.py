"""VAT rates by country and day, from one dated data file; a day or category without a source has no rate."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.faults import NotSupported
from shared.tax.model import Category, Rate, RateSource

RATES_FILE: Final = Path(__file__).with_name("data") / "vat-rates.json"


@dataclass(frozen=True, slots=True)
class RatePeriod:
    """Rates in percent that held from one day to another, both included; no end means none is known."""

    valid_from: date
    valid_to: date | None
    rates: Mapping[Category, Decimal]
    source: RateSource

    def __post_init__(self) -> None:
        """Refuse a period that ends before it starts, and a rate that is no percentage."""
        if self.valid_to is not None and self.valid_to < self.valid_from:
            message = f"a period of rates ends on {self.valid_to}, before it starts"
            raise ValueError(message)
        if any(not 0 <= percent < 100 for percent in self.rates.values()):  # noqa: PLR2004 - percent
            message = f"a rate from {self.valid_from} is not from 0 to below 100 percent"
            raise ValueError(message)

    def covers(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class RateTable:
    """Every period of every country that a dated source backs."""

    countries: Mapping[str, tuple[RatePeriod, ...]]

    def require(self, country: str, where: str) -> None:
        """Make sure that a country has rates; `where` is the field that named it.

        Raises:
            NotSupported: it has none.
        """
        if country not in self.countries:
            message = f"no dated source of VAT rates for {country}"
            raise NotSupported(message, field=where, detail={"country": country})

    def rate(self, country: str, category: Category, day: date, where: str = "category") -> Rate:
        """The rate of a category on a day; `where` is the field that named the category.

        Raises:
            NotSupported: no source covers the country, the day, or the category on that day.
        """
        self.require(country, "country")
        periods = [period for period in self.countries[country] if period.covers(day)]
        if not periods:
            message = f"no dated source of {country} VAT rates on {day}"
            raise NotSupported(message, field="date", detail={"country": country, "date": day.isoformat()})
        for period in periods:
            if category in period.rates:
                return Rate(country, category, period.rates[category], period.valid_from, period.source)
        known = ", ".join(sorted(name.value for period in periods for name in period.rates))
        message = f"no dated source of a {category.value} VAT rate in {country} on {day}; there is {known}"
        raise NotSupported(message, field=where, detail={"country": country, "category": category.value})


@cache
def published_rates() -> RateTable:
    """The rates of `data/vat-rates.json`, read once."""
    return read_rates(RATES_FILE.read_text(encoding="utf-8"))


def read_rates(text: str) -> RateTable:
    """Rates from the JSON of the data file (its `about` tells the schema; rates are decimal strings).

    Raises:
        ValueError: two periods state the same category on the same day, or a value is out of range.
    """
    data = json.loads(text, parse_float=Decimal)
    sources = {key: _source(key, fields) for key, fields in data["sources"].items()}
    countries = {
        country: tuple(_period(fields, sources) for fields in rows) for country, rows in data["countries"].items()
    }
    for country, periods in countries.items():
        _check_one_rate_a_day(country, periods)
    return RateTable(countries)


def _source(key: str, fields: Mapping[str, str]) -> RateSource:
    return RateSource(key, fields["title"], fields["url"], fields["edition"], date.fromisoformat(fields["as_of"]))


def _period(fields: Mapping[str, Any], sources: Mapping[str, RateSource]) -> RatePeriod:
    until = fields["valid_to"]
    return RatePeriod(
        date.fromisoformat(fields["valid_from"]),
        date.fromisoformat(until) if until else None,
        {Category(name): Decimal(percent) for name, percent in fields["rates"].items()},
        sources[fields["source"]],
    )


def _check_one_rate_a_day(country: str, periods: tuple[RatePeriod, ...]) -> None:
    for index, one in enumerate(periods):
        for other in periods[index + 1 :]:
            overlap = one.covers(other.valid_from) or other.covers(one.valid_from)
            if overlap and not one.rates.keys().isdisjoint(other.rates):
                message = f"two rates of one category in {country} from {max(one.valid_from, other.valid_from)}"
                raise ValueError(message)
