from decimal import Decimal

import pytest

from emulators.month.expectations import Rates, expected, settled
from emulators.month.inputs import MonthInputs, Told
from emulators.month.scale import shrunk
from shared.limits import PAYROLL_CHUNK


def test_a_small_month_still_tells_every_story(example: MonthInputs) -> None:
    """Paid, partly paid, unpaid, overpaid, and refunded."""
    small = shrunk(example, Decimal("0.05"))
    gross = {name: expected(each, small.tenant, Rates.read()).gross for name, each in small.invoices.items()}
    ends = [settled(small, name, amount) for name, amount in gross.items()]
    assert {each.state for each in ends} == {"paid", "partly_paid", "issued"}
    assert any(each.credited for each in ends)
    assert any(each.refunded for each in ends)
    assert len(small.invoices) < len(example.invoices) // 5
    assert len(small.employees) > PAYROLL_CHUNK


def test_a_small_month_holds_together(example: MonthInputs) -> None:
    """Every payment has its invoice, every refund its payment, every invoice its customer."""
    small = shrunk(example, Decimal("0.1"))
    payments = {each.reference for each in small.settlements if each.kind is Told.PAYMENT}
    assert all(each.payment in payments for each in small.settlements if each.kind is Told.REFUND)
    assert all(small.invoice_of(each).row.reference in small.invoices for each in small.settlements)
    customers = {each.reference for each in small.customers}
    assert all(each.customer.reference in customers for each in small.invoices.values())


def test_the_same_scale_gives_the_same_month(example: MonthInputs) -> None:
    """Nothing is left to chance, and at scale 1 nothing is left out."""
    assert shrunk(example, Decimal("0.07")) == shrunk(example, Decimal("0.07"))
    assert shrunk(example, Decimal(1)) is example


@pytest.mark.parametrize("scale", ["0", "-1", "1.01"])
def test_no_month_is_larger_than_its_files(example: MonthInputs, scale: str) -> None:
    """Nor empty."""
    with pytest.raises(ValueError, match="SCALE"):
        shrunk(example, Decimal(scale))
