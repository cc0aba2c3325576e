"""A smaller month of the same kind: fewer of everything, but some of every story that the files tell."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, TypeVar

from emulators.month.expectations import Rates, expected, settled
from emulators.month.inputs import MonthInputs, Payout, PayoutLine

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
    kept |= set(_missing(inputs, kept))
    invoices = {reference: invoice for reference, invoice in inputs.invoices.items() if reference in kept}
    needed = {invoice.customer.reference for invoice in invoices.values()}
    some = {each.reference for each in _spread(inputs.customers, scale, FEWEST_CUSTOMERS)}
    return replace(
        inputs,
        invoices=invoices,
        customers=tuple(each for each in inputs.customers if each.reference in needed | some),
        settlements=tuple(each for each in inputs.settlements if inputs.invoice_of(each).row.reference in kept),
        employees=tuple(_spread(inputs.employees, scale, FEWEST_EMPLOYEES)),
        payouts=tuple(_payouts(inputs, kept, scale)),
    )


def _story(inputs: MonthInputs, reference: str) -> Hashable:
    """How an invoice is paid: by how many payments, refunds and disputes, to which end."""
    gross = expected(inputs.invoices[reference], inputs.tenant, Rates.read()).gross
    after = settled(inputs, reference, gross)
    about = [each for each in inputs.settlements if inputs.invoice_of(each).row.reference == reference]
    kinds = tuple(sorted(each.kind.value for each in about))
    return kinds, after.state, after.credited > 0


def _missing(inputs: MonthInputs, kept: set[str]) -> Iterable[str]:
    """An invoice for each thing that a partner tells of which nothing was kept."""
    found: dict[Hashable, str] = {}
    for each in inputs.settlements:
        reference, told = inputs.invoice_of(each).row.reference, (inputs.partner_of(each), each.kind)
        if told not in found or reference in kept:
            found[told] = reference
    return found.values()


def _payouts(inputs: MonthInputs, kept: set[str], scale: Decimal) -> Iterable[Payout]:
    """Payouts of what was kept, with reserves of that scale; one that comes to nothing goes into the next."""
    references = {each.reference for each in inputs.settlements if inputs.invoice_of(each).row.reference in kept}
    carried: dict[Hashable, tuple[tuple[PayoutLine, ...], Decimal]] = {}
    for payout in sorted(inputs.payouts, key=lambda one: (one.row.day, one.row.reference)):
        row, held = payout.row, (payout.row.partner, payout.row.currency)
        before, reserve = carried.pop(held, ((), Decimal(0)))
        lines = (*before, *(line for line in payout.lines if line.settles in references))
        reserve += Decimal(int(row.reserve * 100 * scale)).scaleb(-2)
        amount = sum((line.amount - line.fee for line in lines), Decimal(0)) - row.fee - reserve
        if amount > 0:
            yield Payout(row.model_copy(update={"amount": amount, "reserve": reserve}), lines)
        else:
            carried[held] = lines, reserve


def _spread(items: Sequence[T], scale: Decimal, fewest: int) -> Iterable[T]:
    """So many of a sequence, evenly apart."""
    count = min(len(items), max(fewest, int(len(items) * scale)))
    return (items[place * len(items) // count] for place in range(count))
