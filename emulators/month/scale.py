"""A smaller month of the same kind: fewer of everything, but some of every story that the files tell."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, TypeVar

from emulators.month.expectations import Rates, expected, settled
from emulators.month.inputs import MonthInputs, Told

FEWEST_OF_A_STORY: Final = 2
FEWEST_EMPLOYEES: Final = 30
"""More than one chunk of a payroll run."""
FEWEST_CUSTOMERS: Final = 6

T = TypeVar("T")


def shrunk(inputs: MonthInputs, scale: Decimal) -> MonthInputs:
    """The month at a scale above 0 and up to 1; the same scale gives the same month.

    Raises:
        ValueError: no such scale.
    """
    if not 0 < scale <= 1:
        message = "SCALE is above 0 and at most 1"
        raise ValueError(message)
    if scale == 1:
        return inputs
    stories: dict[Hashable, list[str]] = defaultdict(list)
    for reference in inputs.invoices:
        stories[_story(inputs, reference)].append(reference)
    kept = {one for story in stories.values() for one in _spread(story, scale, FEWEST_OF_A_STORY)}
    invoices = {reference: invoice for reference, invoice in inputs.invoices.items() if reference in kept}
    needed = {invoice.customer.reference for invoice in invoices.values()}
    some = {each.reference for each in _spread(inputs.customers, scale, FEWEST_CUSTOMERS)}
    return replace(
        inputs,
        invoices=invoices,
        customers=tuple(each for each in inputs.customers if each.reference in needed | some),
        settlements=tuple(each for each in inputs.settlements if inputs.invoice_of(each).row.reference in kept),
        employees=tuple(_spread(inputs.employees, scale, FEWEST_EMPLOYEES)),
    )


def _story(inputs: MonthInputs, reference: str) -> Hashable:
    """How an invoice is paid: by how many payments and refunds, to which end."""
    gross = expected(inputs.invoices[reference], inputs.tenant, Rates.read()).gross
    after = settled(inputs, reference, gross)
    about = [each for each in inputs.settlements if inputs.invoice_of(each).row.reference == reference]
    payments = sum(each.kind is Told.PAYMENT for each in about)
    return payments, len(about) - payments, after.state, after.credited > 0


def _spread(items: Sequence[T], scale: Decimal, fewest: int) -> Iterable[T]:
    """So many of a sequence, evenly apart."""
    count = min(len(items), max(fewest, int(len(items) * scale)))
    return (items[place * len(items) // count] for place in range(count))
