"""A payment is allocated to invoices of one customer, or an allocation is taken back: decided from values alone.

Unapplied cash is used first, then what of the payment is held as its customer's credit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.faults import Detail, Invalid
from shared.invoicing.model import Invoice
from shared.invoicing.refusals import CurrencyDiffers
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE
from shared.invoicing.rules.allocating import release_credit, settle_part
from shared.ledger.exchange import CONVERSION
from shared.ledger.model import Line, Side
from shared.limits import ALLOCATION_INVOICES, PAYMENT_SHARES
from shared.money import Money, total, zero
from shared.payments.allocations import Slice
from shared.payments.model import Payment, Share
from shared.payments.refusals import (
    AllocationExceedsCash,
    AllocationExceedsOpen,
    AllocationUndone,
    CustomerDiffers,
    TooManyAllocations,
    WriteOffExceedsLimit,
)
from shared.payments.rules.accounts import UNAPPLIED_CASH, WRITE_OFFS
from shared.payments.rules.shares import Move, gain_moves, merged, take_shares


@dataclass(frozen=True, slots=True)
class Allocated:
    """The payment and the invoices after an allocation or its undoing, the shares of it, and the lines to post."""

    payment: Payment
    invoices: tuple[Invoice, ...]
    shares: tuple[Share, ...]
    lines: tuple[Line, ...]
    taken: Money


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what an allocation is made: its id, the most that may be written off, and what a share takes and gains.

    `price` is told the payment and each slice's invoice and money, and says what of the payment each takes, with the
    realised exchange difference, if there is one.
    """

    allocation: str
    write_off_limit: int
    price: Callable[[Payment, Sequence[tuple[Invoice, Money]]], Sequence[tuple[int, int]]]
    books: str


def same_currency(payment: Payment, wanted: Sequence[tuple[Invoice, Money]]) -> Sequence[tuple[int, int]]:
    """Each takes what it settles.

    Raises:
        CurrencyDiffers: the invoices are in another currency than the payment.
    """
    for invoice, _ in wanted:
        if invoice.currency != payment.currency:
            message = f"the payment is in {payment.currency}, the invoice in {invoice.currency}"
            raise CurrencyDiffers(message, field="lines", detail={"invoice": invoice.id})
    return [(money.amount, 0) for _, money in wanted]


def allocate(payment: Payment, slices: Sequence[Slice], invoices: Mapping[str, Invoice], terms: Terms) -> Allocated:
    """Settle these parts of these invoices with the payment, all or none; `invoices` has the payment's own too.

    Raises:
        Invalid: no invoice, too many, one twice, or an amount that is not positive.
        CustomerDiffers: they are not all of the payment's one customer.
        CurrencyDiffers: they are not all in one currency, or an amount is in another.
        WrongState: one takes no payments.
        AllocationExceedsOpen, WriteOffExceedsLimit: more of one than is open, or than may be written off.
        AllocationExceedsCash: more than is left of the payment.
        TooManyAllocations: the payment would be in too many parts.
    """
    wanted = _wanted(payment, slices, invoices)
    written = [
        _written_off(one, invoice, terms.write_off_limit) for one, (invoice, _) in zip(slices, wanted, strict=True)
    ]
    prices = terms.price(payment, wanted)
    shares = tuple(
        Share(
            terms.allocation, invoice.id, invoice.customer_id, invoice.currency, taken, money.amount, off, gain, books
        )
        for (invoice, money), off, (taken, gain) in zip(wanted, written, prices, strict=True)
        for books in (terms.books if gain else "",)
    )
    settled = tuple(settle_part(invoice, money, off) for (invoice, money), off in zip(wanted, written, strict=True))
    return _taken_from(payment, invoices, settled, shares)


def _wanted(payment: Payment, slices: Sequence[Slice], invoices: Mapping[str, Invoice]) -> list[tuple[Invoice, Money]]:
    """Each slice's invoice and money, judged together."""
    if not 1 <= len(slices) <= ALLOCATION_INVOICES or len({one.invoice_id for one in slices}) != len(slices):
        message = f"a payment is allocated to 1 to {ALLOCATION_INVOICES} invoices at once, each once"
        raise Invalid(message, field="lines")
    wanted = [(invoices[one.invoice_id], one.amount) for one in slices]
    customers = {invoice.customer_id for invoice, _ in wanted} | ({payment.customer} if payment.customer else set())
    if len(customers) != 1:
        message = "the invoices are not all of the payment's one customer"
        raise CustomerDiffers(message, field="lines")
    for invoice, money in wanted:
        if money.currency != invoice.currency or invoice.currency != wanted[0][0].currency:
            message = "the invoices and the amounts are all in one currency"
            raise CurrencyDiffers(message, field="lines", detail={"invoice": invoice.id})
        if money.amount <= 0:
            message = "an amount is positive"
            raise Invalid(message, field="lines")
        _within(invoice, money)
    if len(payment.shares) + len(slices) > PAYMENT_SHARES:
        message = f"a payment is allocated in at most {PAYMENT_SHARES} parts"
        raise TooManyAllocations(message, field="lines")
    return wanted


def _within(invoice: Invoice, money: Money) -> None:
    if money.amount > invoice.open.amount:
        message = "more would be allocated to the invoice than is open"
        detail: Detail = {"invoice": invoice.id, "amount": money.amount, "open": invoice.open.amount}
        raise AllocationExceedsOpen(message, field="lines", detail=detail)


def _written_off(one: Slice, invoice: Invoice, limit: int) -> int:
    rest = (invoice.open - one.amount).amount if one.write_off else 0
    if rest > limit:
        message = "what is left of the invoice is more than may be written off"
        detail: Detail = {"invoice": invoice.id, "left": rest, "limit": limit}
        raise WriteOffExceedsLimit(message, field="lines", detail=detail)
    return rest


def _taken_from(
    payment: Payment, invoices: Mapping[str, Invoice], settled: tuple[Invoice, ...], shares: tuple[Share, ...]
) -> Allocated:
    """Unapplied cash first, then the customer's credit with the invoice that the payment named."""
    taken = sum(share.taken for share in shares)
    own = invoices.get(payment.invoice_id)
    held = min(payment.own, own.credited) if own else 0
    if taken > payment.unapplied + held:
        message = "more would be allocated than is left of the payment"
        detail = {"amount": taken, "left": payment.unapplied + held}
        raise AllocationExceedsCash(message, field="lines", detail=detail)
    cash = min(taken, payment.unapplied)
    released = (release_credit(own, taken - cash),) if own and taken > cash else ()
    after = replace(
        payment,
        matched=payment.matched + cash,
        unapplied=payment.unapplied - cash,
        shares=(*payment.shares, *shares),
        version=payment.version + 1,
    )
    money = Money(taken, payment.currency)
    moves: list[Move] = [
        (UNAPPLIED_CASH, Side.DEBIT, Money(cash, payment.currency)),
        (CUSTOMER_CREDIT, Side.DEBIT, Money(taken - cash, payment.currency)),
        *_settling(money, shares),
    ]
    return Allocated(after, (*settled, *released), shares, merged(moves), money)


def _settling(taken: Money, shares: tuple[Share, ...]) -> list[Move]:
    """The invoices' side: through conversion where the currencies differ."""
    currency = shares[0].currency
    settled = total((Money(share.settled, currency) for share in shares), currency)
    written_off = total((Money(share.written_off, currency) for share in shares), currency)
    exchanged: list[Move] = [(CONVERSION, Side.CREDIT, taken), (CONVERSION, Side.DEBIT, settled)]
    return [
        *(exchanged if currency != taken.currency else ()),
        (WRITE_OFFS, Side.DEBIT, written_off),
        (RECEIVABLE, Side.CREDIT, settled + written_off),
        *(move for share in shares for move in gain_moves(share)),
    ]


def take_back(payment: Payment, allocation: str, invoices: Mapping[str, Invoice]) -> Allocated:
    """Undo what is left of an allocation: its invoices are open again, its money is unapplied cash.

    Raises:
        AllocationUndone: nothing is left of it.
    """
    shares = tuple(share for share in payment.shares if share.allocation == allocation)
    money = total((Money(share.taken, payment.currency) for share in shares), payment.currency)
    if money == zero(payment.currency):
        message = "nothing is left of the allocation"
        raise AllocationUndone(message, field="allocation")
    taken = take_shares(payment, invoices, money.amount, of=allocation, refunded=False)
    after = replace(
        payment,
        matched=payment.matched - money.amount,
        unapplied=payment.unapplied + money.amount,
        shares=taken.left(payment),
        version=payment.version + 1,
    )
    lines = (*taken.lines, Line(UNAPPLIED_CASH, Side.CREDIT, money))
    return Allocated(after, tuple(taken.invoices.values()), shares, lines, money)
