"""Money that was allocated to invoices goes off them again, the latest share first.

Part of a share settles its part of the invoice, rounded half to even; the last part takes what is left, so that a share
goes as it came, to the minor unit. What was written off with a share is owed again as soon as anything of it goes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, TypeAlias

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE
from shared.invoicing.rules.allocating import unsettle
from shared.ledger.exchange import CONVERSION
from shared.ledger.model import AccountCode, Line, Side
from shared.money import Money, round_half_even
from shared.payments.model import Payment, Share
from shared.payments.rules.accounts import EXCHANGE_DIFFERENCES, FX_GAINS, FX_LOSSES, WRITE_OFFS

Move: TypeAlias = tuple[AccountCode, Side, Money]
"""A line before it is known whether anything moves."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What went off shares: how much of the payment, which shares of them are left, the invoices, the lines.

    The lines are the invoices' side: they want `amount` credited to wherever the money went.
    """

    amount: int
    gone: Mapping[int, Share | None]
    """What is left of each share that was touched, by its place among the payment's."""
    invoices: Mapping[str, Invoice]
    lines: tuple[Line, ...]

    def left(self, payment: Payment) -> tuple[Share, ...]:
        """The payment's shares afterwards."""
        after = (self.gone.get(place, share) for place, share in enumerate(payment.shares))
        return tuple(share for share in after if share is not None)

    def touched(self, invoice_id: str) -> Invoice | None:
        """An invoice, if it was touched."""
        return self.invoices.get(invoice_id)

    def besides(self, invoice_id: str) -> tuple[Invoice, ...]:
        """The invoices that were touched, without that one."""
        return tuple(invoice for key, invoice in self.invoices.items() if key != invoice_id)


NOTHING_TAKEN: Final = Taken(0, {}, {}, ())


def take_shares(
    payment: Payment,
    invoices: Mapping[str, Invoice],
    amount: int,
    *,
    of: str = "",
    refunded: bool = True,
) -> Taken:
    """Take up to so much of the payment off its shares, the latest first; with `of`, of that allocation's alone.

    With `refunded` the money goes back to the payer; else it stays, and settles nothing.
    """
    after, gone, moves, left = dict[str, Invoice](), dict[int, Share | None](), list[Move](), amount
    for place, share in reversed(list(enumerate(payment.shares))):
        taken = min(left, share.taken)
        if not taken or (of and share.allocation != of):
            continue
        part, gone[place] = _split(share, taken)
        invoice = after.get(share.invoice_id) or _there(invoices, share)
        given = unsettle(invoice, part.settled, part.written_off, refunded=refunded)
        after[share.invoice_id] = given.invoice
        moves += _moves(payment.currency, part, given.reopened, given.from_credit)
        left -= taken
    return Taken(amount - left, gone, after, merged(moves))


def _split(share: Share, taken: int) -> tuple[Share, Share | None]:
    """The part of a share that so much of it makes, and the share without it."""
    if taken == share.taken:
        return share, None
    settled, gain = (round_half_even(Decimal(whole) * taken / share.taken) for whole in (share.settled, share.gain))
    part = replace(share, taken=taken, settled=settled, gain=gain)
    left = replace(
        share, taken=share.taken - taken, settled=share.settled - settled, written_off=0, gain=share.gain - gain
    )
    return part, left


def _there(invoices: Mapping[str, Invoice], share: Share) -> Invoice:
    try:
        return invoices[share.invoice_id]
    except KeyError:
        message = f"the invoice {share.invoice_id} of allocation {share.allocation} is gone"
        raise LookupError(message) from None


def _moves(currency: str, part: Share, reopened: Money, from_credit: Money) -> Iterable[Move]:
    """What settled the invoice, the other way round, without the payment's own side."""
    yield from ((RECEIVABLE, Side.DEBIT, reopened), (CUSTOMER_CREDIT, Side.DEBIT, from_credit))
    yield (WRITE_OFFS, Side.CREDIT, Money(part.written_off, part.currency))
    if part.currency != currency:
        yield (CONVERSION, Side.CREDIT, Money(part.settled, part.currency))
        yield (CONVERSION, Side.DEBIT, Money(part.taken, currency))
    yield from ((account, OPPOSITE[side], money) for account, side, money in gain_moves(part))


def gain_moves(share: Share) -> tuple[Move, ...]:
    """The realised exchange difference of a share, in the currency of the books."""
    if not share.gain:
        return ()
    money = Money(abs(share.gain), share.books)
    if share.gain > 0:
        return ((EXCHANGE_DIFFERENCES, Side.DEBIT, money), (FX_GAINS, Side.CREDIT, money))
    return ((FX_LOSSES, Side.DEBIT, money), (EXCHANGE_DIFFERENCES, Side.CREDIT, money))


OPPOSITE: Final = {Side.DEBIT: Side.CREDIT, Side.CREDIT: Side.DEBIT}


def merged(moves: Iterable[Move]) -> tuple[Line, ...]:
    """One line for each account, side and currency, in the order they first come; none of zero."""
    sums: dict[tuple[AccountCode, Side, str], int] = {}
    for account, side, money in moves:
        place = (account, side, money.currency)
        sums[place] = sums.get(place, 0) + money.amount
    return tuple(
        Line(account, side, Money(amount, currency)) for (account, side, currency), amount in sums.items() if amount
    )
