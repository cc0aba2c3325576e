"""The roundings that HMRC's routines name; each answers pounds."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_UP, Decimal
from typing import Final

PENNY: Final = Decimal("0.01")
_THOUSANDTH: Final = Decimal("0.001")


def truncate(value: Decimal, places: int) -> Decimal:
    """Drop the digits after so many places."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN)


def up_to_penny(value: Decimal) -> Decimal:
    """Any fraction of a penny counts as a whole one."""
    return value.quantize(PENNY, rounding=ROUND_UP)


def up_to_pound(value: Decimal) -> Decimal:
    """Any fraction of a pound counts as a whole one."""
    return value.quantize(Decimal(1), rounding=ROUND_CEILING)


def down_to_pound(value: Decimal) -> Decimal:
    """Whole pounds only."""
    return truncate(value, 0)


def contribution(value: Decimal) -> Decimal:
    """National Insurance to the penny: only the third decimal decides, 6 or more goes up (0.005 goes down)."""
    return truncate(truncate(value, 3) + 4 * _THOUSANDTH, 2)


def pounds(pence: int) -> Decimal:
    """Pounds of whole pence, exactly."""
    return Decimal(pence).scaleb(-2)


def pence(value: Decimal) -> int:
    """Whole pence of an amount that is already rounded to the penny."""
    return int(value.scaleb(2))
