"""Exchange rates kept on an entry, and what of them the books can check.

Money changes its currency through conversion accounts: one line leaves in one currency, another comes
in the other, and each currency balances by itself. The rate says how the two amounts hang together.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.faults import Invalid
from shared.limits import ENTRY_RATES
from shared.money import minor_digits

CONVERSION: Final = "equity:conversion"
"""The account, or the family of accounts below it, that currencies are exchanged through."""

_RATE: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,10})?")
_SOURCE: Final = re.compile(r"[A-Za-z0-9 ._:/#-]{0,64}")


class RateCurrency(Invalid):
    """A rate names a currency that the entry has no line in, or a pair that it named before."""

    code = "rate_currency"


class NotConverted(Invalid):
    """A rate's currencies do not both pass through a conversion account."""

    code = "not_converted"


class RateMismatch(Invalid):
    """The amounts that were converted are not what the rate makes of them; `detail` has both."""

    code = "rate_mismatch"


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """One unit of `base` is `rate` units of `quote`, both in major units; `source` is a code, such as `ECB`."""

    base: str
    quote: str
    rate: Decimal
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a rate of one currency, one that is not positive or not exact, and a source that is no code."""
        for currency in (self.base, self.quote):
            minor_digits(currency)
        if self.base == self.quote:
            message = "a rate is between two currencies"
            raise Invalid(message, field="rates")
        if not _RATE.fullmatch(self.text) or not self.rate:
            message = "a rate is positive, with at most 15 digits before the point and 10 behind it"
            raise Invalid(message, field="rates")
        if not _SOURCE.fullmatch(self.source):
            message = "a source is a code of up to 64 characters"
            raise Invalid(message, field="rates")

    @property
    def text(self) -> str:
        """The rate as it is kept, without an exponent."""
        return format(self.rate, "f")

    def converted(self, amount: int) -> int:
        """Minor units of `quote` for so many of `base`, exact and rounded once, halves to the even neighbour."""
        digits = minor_digits(self.quote) - minor_digits(self.base)
        return round(amount * Fraction(self.rate) * Fraction(10) ** digits)


def is_conversion(code: str) -> bool:
    """Whether currencies are exchanged through an account."""
    return code == CONVERSION or code.startswith(f"{CONVERSION}:")


def check_rates(rates: Sequence[ExchangeRate], currencies: Collection[str], converted: Mapping[str, int]) -> None:
    """Judge an entry's rates by its currencies and its conversion accounts' sums (minor units, debits positive).

    Always: each pair is named once, both its currencies are the entry's, and both pass through a
    conversion account. When the entry exchanges one pair alone, also: what left in one currency came in
    the other, and the quote's amount is the base's times the rate, rounded half to even. With several
    pairs the sums of one currency may belong to more than one of them, and no amount is judged.

    Raises:
        RateCurrency, NotConverted, RateMismatch: the first of these that is not so.
        Invalid: there are too many.
    """
    if len(rates) > ENTRY_RATES:
        message = f"an entry keeps at most {ENTRY_RATES} rates"
        raise Invalid(message, field="rates")
    named: set[frozenset[str]] = set()
    for rate in rates:
        pair = frozenset({rate.base, rate.quote})
        if pair in named or not pair.issubset(currencies):
            message = f"{rate.base}/{rate.quote} is named twice or not in the entry"
            raise RateCurrency(message, field="rates")
        if not pair.issubset(converted):
            message = f"{rate.base} and {rate.quote} do not both pass through {CONVERSION}"
            raise NotConverted(message, field="rates")
        named.add(pair)
    if len(rates) == 1 and len(converted) == 2:  # noqa: PLR2004 - one pair
        _check_amount(rates[0], converted)


def _check_amount(rate: ExchangeRate, converted: Mapping[str, int]) -> None:
    base, quote = converted[rate.base], converted[rate.quote]
    expected = rate.converted(abs(base))
    if base * quote >= 0 or abs(quote) != expected:
        message = f"{rate.base}/{rate.quote} at {rate.text} does not make one amount of the other"
        raise RateMismatch(message, field="rates", detail={"expected": expected, "converted": abs(quote)})
