"""A sale is taken back in proportion: of the invoice's revenue and of each of its taxes, to the cent in all.

What is taken back in all is a function of the gross taken back in all, and each correction posts the difference. So
several parts come to exactly the whole, a part that is undone leaves what the others come to, and never is more taken
back than was asked for. Council Directive 2006/112/EC, Article 90(1) (read 2026-11): where the price is reduced after
the supply, the taxable amount is reduced accordingly.
"""

from collections import Counter
from dataclasses import dataclass, replace

from shared.faults import Invalid
from shared.invoicing.model import Happening, Invoice, settled_state
from shared.invoicing.refusals import RefundExceedsReceipts
from shared.invoicing.rules.accounts import SALES, vat_account
from shared.invoicing.rules.states import require
from shared.ledger import model as ledger
from shared.ledger.model import AccountCode
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Correction:
    """An invoice after a correction, and the lines that take back (or put back) its revenue and taxes.

    `net` and `tax` are what the correction takes back of them, minor units.
    """

    invoice: Invoice
    lines: tuple[ledger.Line, ...]
    net: int
    tax: int


def correct(invoice: Invoice, money: Money) -> Correction:
    """Take back so much of what was paid: that part of the sale is no more, and what is open stays open.

    Raises:
        WrongState: nothing is paid.
        RefundExceedsReceipts: more than is paid.
    """
    require(invoice.state, Happening.CORRECT)
    if money.amount > invoice.paid:
        message = "the correction is more than is paid"
        raise RefundExceedsReceipts(message, field="amount", detail={"amount": money.amount, "held": invoice.paid})
    return _by(invoice, money, 1)


def put_back(invoice: Invoice, money: Money) -> Correction:
    """Undo that much of what was taken back: it is sold, and paid, again.

    Raises:
        Invalid: more than was taken back.
    """
    if money.amount > invoice.corrected:
        message = "no more is put back than was taken back"
        raise Invalid(message, field="amount", detail={"corrected": invoice.corrected})
    return _by(invoice, money, -1)


def taken_back(invoice: Invoice, gross: int) -> Counter[AccountCode]:
    """What is taken back of each account when so much of the gross is, minor units; zero is left out."""
    parts: Counter[AccountCode] = Counter()
    for row in invoice.breakdown:
        if row.tax.amount:
            parts[vat_account(row.country)] += _share_half_away(row.tax.amount, gross, invoice.gross.amount)
    parts[SALES] = gross - parts.total()
    return Counter({account: amount for account, amount in parts.items() if amount})


def _by(invoice: Invoice, money: Money, sign: int) -> Correction:
    before, corrected = invoice.corrected, invoice.corrected + sign * money.amount
    refunded = max(invoice.refunded + sign * money.amount, 0)  # other money that came back may count for this already
    after = replace(
        invoice,
        corrected=corrected,
        paid=invoice.paid - sign * money.amount,
        refunded=refunded,
        state=settled_state(invoice.gross.amount - corrected, invoice.paid - sign * money.amount + invoice.written_off),
        version=invoice.version + 1,
    )
    parts = taken_back(invoice, corrected)
    parts.subtract(taken_back(invoice, before))
    net = parts[SALES] * sign
    return Correction(after, _lines(parts, invoice.currency), net, money.amount - net)


def _lines(parts: Counter[AccountCode], currency: str) -> tuple[ledger.Line, ...]:
    """Debit what is taken back, credit what is put back."""
    return tuple(
        ledger.debit(account, Money(amount, currency))
        if amount > 0
        else ledger.credit(account, Money(-amount, currency))
        for account, amount in sorted(parts.items())
        if amount
    )


def _share_half_away(part: int, some: int, whole: int) -> int:
    """`part * some / whole`, half rounded away from zero; exact at zero and at the whole."""
    share = (2 * abs(part) * some + whole) // (2 * whole)
    return share if part > 0 else -share
