"""Exchange rates from one dated data file: a day without a publication has the rate of the last one shortly before.

Source of the figures and of the format: the European Central Bank's euro foreign exchange reference rates, which tell
units of a currency for one euro, once each TARGET working day. A cross rate is the quotient of two of them, rounded to
ten digits behind the point, half to even. Whoever operates the house keeps the file up to date: what no publication
says is refused, never guessed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.faults import Invalid
from shared.ledger.exchange import ExchangeRate
from shared.money import minor_digits
from shared.payments.allocations import KeptRate
from shared.payments.refusals import NoExchangeRate

RATES_FILE: Final = Path(__file__).with_name("data") / "exchange-rates.json"
SCHEMA: Final = 1

REACH_DAYS: Final = 5
"""How long before a day the last publication may be: a weekend and the holidays around it, as at Easter."""

_DIGITS: Final = Decimal("0.0000000001")


@dataclass(frozen=True, slots=True)
class ExchangeRates:
    """What `source` published: by day, units of each currency for one unit of `base`."""

    source: str
    base: str
    days: Mapping[date, Mapping[str, Decimal]]

    def rate(self, base: str, quote: str, on: date) -> KeptRate:
        """One unit of `base` in `quote` on a day, and the day that published it: that day, or the last before it.

        Raises:
            NoExchangeRate: none was published on the day or in the REACH_DAYS before it, or not of both currencies.
        """
        for back in range(REACH_DAYS + 1):
            day = on - timedelta(days=back)
            if day in self.days:
                return self._published(base, quote, day)
        raise _missing(base, quote, on)

    def _published(self, base: str, quote: str, day: date) -> KeptRate:
        units = {**self.days[day], self.base: Decimal(1)}
        if base not in units or quote not in units:
            raise _missing(base, quote, day)
        rate = (units[quote] / units[base]).quantize(_DIGITS, ROUND_HALF_EVEN).normalize()
        if not rate:
            raise _missing(base, quote, day)
        return KeptRate(ExchangeRate(base, quote, rate, self.source), day)


def _missing(base: str, quote: str, on: date) -> NoExchangeRate:
    message = "no published exchange rate for the day, nor shortly before it"
    return NoExchangeRate(message, field="lines", detail={"base": base, "quote": quote, "on": on.isoformat()})


def read_rates(text: str) -> ExchangeRates:
    """The rates of a file: `{"schema": 1, "source": "ECB", "base": "EUR", "days": {"2024-06-28": {"USD": "1.0705"}}}`.

    `source` is the code that entries keep; a rate is a positive decimal number as text. Currencies that the house does
    not support are left out.

    Raises:
        Invalid: it is no such file.
    """
    try:
        content = json.loads(text, parse_float=Decimal)
        if content["schema"] != SCHEMA:
            raise _not_rates()
        minor_digits(content["base"])
        days = {date.fromisoformat(day): _units(rates) for day, rates in content["days"].items()}
        return ExchangeRates(content["source"], content["base"], days)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise _not_rates() from error


def _units(rates: Any) -> Mapping[str, Decimal]:
    units: dict[str, Decimal] = {}
    for currency, text in rates.items():
        value = Decimal(text) if isinstance(text, str) else Decimal(0)
        if not value.is_finite() or value <= 0:
            raise _not_rates()
        units[currency] = value
    return units


def _not_rates() -> Invalid:
    message = "exchange rates are JSON with schema 1, a source, a base, and days of positive rates as text"
    return Invalid(message, field="days")


@cache
def published_rates() -> ExchangeRates:
    """The rates of the house's file."""
    return read_rates(RATES_FILE.read_text(encoding="utf-8"))
