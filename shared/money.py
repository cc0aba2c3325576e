"""Money is an integer of minor units and a currency; every rounding has a name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Final

from shared.faults import Invalid, NotSupported
from shared.limits import AMOUNT_MINOR

MINOR_DIGITS: Final = {
    **dict.fromkeys(("AUD", "CAD", "CHF", "DKK", "EUR", "GBP", "HKD", "NOK", "NZD", "PLN", "SEK", "SGD", "USD"), 2),
    **dict.fromkeys(("JPY", "KRW"), 0),
    **dict.fromkeys(("BHD", "KWD", "OMR", "TND"), 3),
}
"""Minor-unit digits of each supported currency (ISO 4217, list one, as published 2024-06-25)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `Money(1050, "EUR")` is 10.50 euro."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is no amount, in words that name the field."""
        if type(self.amount) is not int:
            message = "an amount is a whole number of minor units"
            raise Invalid(message, field="amount")
        if abs(self.amount) > AMOUNT_MINOR:
            message = f"an amount's magnitude is at most {AMOUNT_MINOR} minor units"
            raise Invalid(message, field="amount")
        minor_digits(self.currency)

    def __add__(self, other: "Money") -> "Money":
        """Exact sum; both in one currency."""
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        """Exact difference; both in one currency."""
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        """The same amount the other way."""
        return Money(-self.amount, self.currency)

    def __str__(self) -> str:
        """Major units with the currency's digits: `10.50 EUR`."""
        return f"{Decimal(self.amount).scaleb(-minor_digits(self.currency))} {self.currency}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            message = f"cannot combine {self.currency} with {other.currency}"
            raise Invalid(message, field="currency")
        return other.amount


def minor_digits(currency: str) -> int:
    """Decimal digits of a currency's minor unit.

    Raises:
        NotSupported: the currency is not in `MINOR_DIGITS`.
    """
    try:
        return MINOR_DIGITS[currency]
    except (KeyError, TypeError):
        message = "the currency is not supported"
        raise NotSupported(message, field="currency") from None


def zero(currency: str) -> Money:
    """Nothing, in a currency."""
    return Money(0, currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The exact sum of amounts in one currency; zero of it when there are none."""
    return sum(amounts, zero(currency))


def round_half_away(value: Decimal) -> int:
    """To the nearest integer, halves away from zero: the rounding of EN 16931 invoices."""
    return int(value.to_integral_value(rounding=ROUND_HALF_UP))


def round_half_even(value: Decimal) -> int:
    """To the nearest integer, halves to the even neighbour."""
    return int(value.to_integral_value(rounding=ROUND_HALF_EVEN))


def round_toward_zero(value: Decimal) -> int:
    """Drop the fraction."""
    return int(value.to_integral_value(rounding=ROUND_DOWN))


def round_away_from_zero(value: Decimal) -> int:
    """Any fraction counts as a whole unit."""
    return int(value.to_integral_value(rounding=ROUND_UP))


def allocate(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split an amount over weights so that the parts add up exactly (largest remainder, first wins a tie).

    Raises:
        Invalid: a weight is negative, or all are zero.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        message = "weights are zero or more and not all zero"
        raise Invalid(message, field="weights")
    sign = -1 if amount < 0 else 1
    shares = [divmod(abs(amount) * weight, whole) for weight in weights]
    left = abs(amount) - sum(share for share, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda index: (-shares[index][1], index))
    lucky = set(by_remainder[:left])
    return tuple(sign * (share + (index in lucky)) for index, (share, _) in enumerate(shares))


def sum_by_currency(amounts: Iterable[Money]) -> dict[str, int]:
    """Minor units by currency."""
    sums: dict[str, int] = {}
    for money in amounts:
        sums[money.currency] = sums.get(money.currency, 0) + money.amount
    return sums
