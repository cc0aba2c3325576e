"""A partner tells what it keeps by events and again by its payouts' lines: it is posted once, whoever tells first."""

from dataclasses import replace

from shared.money import Money
from shared.payments.model import PartnerEvent, Tracked


def kept(tracked: Tracked) -> int:
    """What is posted of a refund's, dispute's or payout's fee: what events told, or lines, whichever is more."""
    return max(tracked.fee, tracked.fee_of_lines)


def tell(tracked: Tracked, fee: Money | None) -> Tracked:
    """One of which an event tells a fee; one in another currency is compared with nothing."""
    if fee is None or fee.currency != tracked.money.currency:
        return tracked
    return replace(tracked, fee=tracked.fee + fee.amount)


def tell_by_line(tracked: Tracked, fee: Money) -> tuple[Tracked, Money]:
    """One of which a line of its payout tells a fee, and what of that is compared with nothing: all that comes back."""
    if fee.currency != tracked.money.currency or fee.amount <= 0:
        return tracked, fee
    of_lines, of_payout = tracked.fee_of_lines + fee.amount, tracked.fee_of_payout + fee.amount
    return replace(tracked, fee_of_lines=of_lines, fee_of_payout=of_payout), Money(0, fee.currency)


def untold(event: PartnerEvent, known: Tracked | None) -> PartnerEvent:
    """The event with that part of its fee alone that no payout's line has told of the thing it is about."""
    fee = event.fee
    if fee is None or known is None or fee.currency != known.money.currency:
        return event
    return replace(event, fee=Money(kept(tell(known, fee)) - kept(known), fee.currency))
