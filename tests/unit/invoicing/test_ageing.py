"""How old what customers owe is."""

from datetime import date, timedelta

import pytest

from shared.invoicing.rules.ageing import Age, age, receivables_by_age
from shared.invoicing.rules.settling import apply_payment
from tests.unit.invoicing.drafts import an_invoice, pounds

DUE = date(2026, 7, 1)


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-1, Age.NOT_DUE),
        (0, Age.NOT_DUE),
        (1, Age.DAYS_1_TO_30),
        (30, Age.DAYS_1_TO_30),
        (31, Age.DAYS_31_TO_60),
        (60, Age.DAYS_31_TO_60),
        (61, Age.DAYS_61_TO_90),
        (90, Age.DAYS_61_TO_90),
        (91, Age.OVER_90_DAYS),
    ],
)
def test_age_is_counted_in_days_from_the_due_date(days: int, bucket: Age) -> None:
    """On its due date an amount is not overdue yet."""
    assert age(DUE, DUE + timedelta(days=days)) is bucket


def test_only_open_amounts_of_invoices_issued_by_the_day_are_counted() -> None:
    """Paid ones and later ones are left out; a part paid counts with its rest."""
    part = apply_payment(an_invoice(on=date(2026, 10, 1)), pounds(2_000)).invoice
    done = apply_payment(an_invoice(on=date(2026, 10, 1)), pounds(12_000)).invoice
    later, fresh = an_invoice(on=date(2026, 12, 1)), an_invoice(on=date(2026, 11, 30))
    by_age = receivables_by_age([part, done, later, fresh], date(2026, 11, 30))
    assert by_age == {
        "GBP": {
            Age.NOT_DUE: pounds(12_000),
            Age.DAYS_1_TO_30: pounds(10_000),
            Age.DAYS_31_TO_60: pounds(0),
            Age.DAYS_61_TO_90: pounds(0),
            Age.OVER_90_DAYS: pounds(0),
        }
    }
