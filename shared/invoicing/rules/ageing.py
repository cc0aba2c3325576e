"""How old what customers owe is, at a day."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from typing import Final

from shared.invoicing.model import Invoice
from shared.money import Money, zero


class Age(Enum):
    """How long an amount is overdue."""

    NOT_DUE = "not_due"
    DAYS_1_TO_30 = "days_1_to_30"
    DAYS_31_TO_60 = "days_31_to_60"
    DAYS_61_TO_90 = "days_61_to_90"
    OVER_90_DAYS = "over_90_days"


_LAST_DAYS: Final = ((0, Age.NOT_DUE), (30, Age.DAYS_1_TO_30), (60, Age.DAYS_31_TO_60), (90, Age.DAYS_61_TO_90))


def age(due_on: date, on: date) -> Age:
    """The age of an amount; on its due date it is not overdue yet."""
    overdue_days = (on - due_on).days
    return next((bucket for last, bucket in _LAST_DAYS if overdue_days <= last), Age.OVER_90_DAYS)


def receivables_by_age(invoices: Iterable[Invoice], on: date) -> Mapping[str, Mapping[Age, Money]]:
    """Open amounts of the invoices issued by a day, by currency and age; every age is there, zero or not.

    What is open is what the invoices say now: payments after `on` are counted too.
    """
    sums: dict[str, dict[Age, Money]] = {}
    for invoice in invoices:
        if invoice.issued_on > on or not invoice.open.amount:
            continue
        ages = sums.setdefault(invoice.currency, dict.fromkeys(Age, zero(invoice.currency)))
        bucket = age(invoice.due_on, on)
        ages[bucket] += invoice.open
    return sums
