"""Amounts and their roundings, far beyond what an amount may be."""

from decimal import Decimal

import pytest

from shared.faults import Invalid
from shared.money import Money, round_half_away
from shared.tax.amounts import line_amount


@pytest.mark.parametrize("exponent", [15, 28, 60])
def test_rounding_is_exact_at_any_magnitude(exponent: int) -> None:
    """A half goes away from zero, however many digits stand before it."""
    whole = 10**exponent
    assert round_half_away(Decimal(f"{whole}.5")) == whole + 1
    assert round_half_away(Decimal(f"-{whole}.5")) == -whole - 1


def test_a_line_beyond_any_amount_is_refused() -> None:
    """The largest quantity at the largest price is a client's mistake, not ours."""
    with pytest.raises(Invalid, match="magnitude"):
        line_amount(Decimal("999999999999999.9999999999"), 10**15, "EUR")
    assert line_amount(Decimal("1.5"), 1, "EUR") == Money(2, "EUR")
