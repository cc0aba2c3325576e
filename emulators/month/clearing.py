"""What each partner holds for us, worked out from the input files alone: what it took, kept, gave back and paid out.

    payments - fees - refunds - disputes - payouts = reserve + what no payout has settled yet

The left side comes from what happened, the right side from the partners' statements; `mistakes` lets no file pass where
a payout is not what it settles, and the checks hold both against the partner's clearing account in the books.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from emulators.month.inputs import MonthInputs, Payout, Settlement, Told, minor
from emulators.partners import PARTNERS
from shared.payments.model import EventKind

Held: TypeAlias = tuple[str, str]
"""A partner and a currency."""

SIGN: Final = {Told.PAYMENT: 1, Told.REFUND: -1, Told.DISPUTE: -1, Told.DISPUTE_WON: 1, Told.DISPUTE_LOST: 0}
"""Whether the partner holds more for us afterwards, or less. A dispute that is lost was taken when it was opened."""


@dataclass(slots=True)
class Position:
    """Where a partner stands with us in one currency, minor units."""

    payments: int = 0
    fees: int = 0
    refunds: int = 0
    disputes: int = 0
    """Taken by disputes that are open or lost."""
    payouts: int = 0
    reserve: int = 0
    unsettled: int = 0
    """What happened and is in no payout yet, less the fees that are known of it."""

    @property
    def held(self) -> int:
        """What is left of all that came."""
        return self.payments - self.fees - self.refunds - self.disputes - self.payouts

    def as_figures(self) -> dict[str, int]:
        """Every figure by its name, `held` among them."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"held": self.held}


@dataclass(frozen=True, slots=True)
class Statement:
    """What only the partner's statement of a payout says, minor units: the accountant posts it."""

    paid_out: int
    fees: int


def positions(inputs: MonthInputs) -> dict[Held, Position]:
    """Every partner's position in each currency at the end of the month, in a stable order."""
    found: dict[Held, Position] = defaultdict(Position)
    settled = {line.settles for payout in inputs.payouts for line in payout.lines}
    for each in inputs.settlements:
        partner, currency = inputs.partner_of(each), inputs.currency_of(each)
        position, amount = found[partner, currency], minor(each.amount, currency)
        fee = minor(each.fee, currency)
        match each.kind:
            case Told.PAYMENT:
                position.payments += amount
                position.fees += fee
            case Told.REFUND:
                position.refunds += amount
            case _:
                position.disputes -= SIGN[each.kind] * amount
        if each.reference not in settled:
            position.unsettled += SIGN[each.kind] * amount - fee
    for payout in inputs.payouts:
        row = payout.row
        position = found[row.partner, row.currency]
        position.payouts += minor(row.amount, row.currency)
        position.reserve += minor(row.reserve, row.currency)
        position.fees += minor(row.fee, row.currency) + _fees_of_lines(payout)
    return dict(sorted(found.items()))


def statement_of(payout: Payout) -> Statement | None:
    """What none of the partner's events tells of a payout; None where they tell all."""
    row, partner = payout.row, PARTNERS[payout.row.partner]
    told = EventKind.PAYOUT_PAID in partner.kinds
    fee = 0 if EventKind.PAYOUT_PAID in partner.fees else minor(row.fee, row.currency)
    statement = Statement(0 if told else minor(row.amount, row.currency), fee + _fees_of_lines(payout))
    return statement if statement.paid_out or statement.fees else None


def told_payouts(inputs: MonthInputs) -> Iterator[Payout]:
    """The payouts whose partner tells of them by events."""
    return (each for each in inputs.payouts if EventKind.PAYOUT_PAID in PARTNERS[each.row.partner].kinds)


def tells_fees(partner: str) -> bool:
    """Whether the partner says what it keeps of a payment as soon as it tells of it."""
    return EventKind.PAYMENT_SUCCEEDED in PARTNERS[partner].fees


def dispute_of(inputs: MonthInputs, each: Settlement) -> Settlement:
    """The dispute itself, also where its end is told; a payment has one at most."""
    return next(one for one in inputs.settlements if one.kind is Told.DISPUTE and one.payment == each.payment)


def _fees_of_lines(payout: Payout) -> int:
    """Fees that are known by the statement only."""
    if tells_fees(payout.row.partner):
        return 0
    return sum(minor(line.fee, payout.row.currency) for line in payout.lines)
