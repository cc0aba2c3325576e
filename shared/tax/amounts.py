"""Amounts in minor units, rounded as EN 16931 rounds: lines first, then tax once for each rate."""

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact
from typing import Final

from shared.money import Money, round_half_away

EXACT: Final = Context(prec=60, traps=[Inexact])
"""Products of a quantity (15 digits) and a price (16 digits) fit; anything inexact is a bug."""

HUNDRED: Final = Decimal(100)


def line_amount(quantity: Decimal, unit_price: int, currency: str) -> Money:
    """Quantity times price, half a minor unit away from zero (EN 16931, BT-131).

    Raises:
        Invalid: the amount passes `AMOUNT_MINOR`.
    """
    return Money(round_half_away(EXACT.multiply(quantity, Decimal(unit_price))), currency)


def tax_on(base: Money, percent: Decimal) -> Money:
    """Tax on the sum of the nets at one rate, half a minor unit away from zero (EN 16931, BR-CO-17)."""
    exact = EXACT.divide(EXACT.multiply(Decimal(base.amount), percent), HUNDRED)
    return Money(round_half_away(exact), base.currency)


def net_of(gross: Money, percent: Decimal) -> Money:
    """The net inside a gross that is fixed, half a minor unit away from zero; the tax is what remains."""
    above, below = _with_tax(percent)
    return Money(round_half_away(Decimal(gross.amount * below) / Decimal(above)), gross.currency)


def nets_of(grosses: Sequence[Money], percent: Decimal, net: Money) -> tuple[Money, ...]:
    """Share `net_of` the sum of the grosses out over them, by largest remainder (first wins a tie).

    Signs may be mixed: each exact share is rounded down, and the units left go to the largest
    remainders, so every part is within one minor unit of its exact share.
    """
    above, below = _with_tax(percent)
    shares = [divmod(gross.amount * below, above) for gross in grosses]
    left = net.amount - sum(whole for whole, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda index: (-shares[index][1], index))
    lucky = set(by_remainder[:left])
    return tuple(Money(whole + (index in lucky), net.currency) for index, (whole, _) in enumerate(shares))


def _with_tax(percent: Decimal) -> tuple[int, int]:
    """1 + rate as a fraction of integers."""
    return EXACT.divide(EXACT.add(HUNDRED, percent), HUNDRED).as_integer_ratio()
