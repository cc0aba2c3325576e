"""Payments settle an invoice and refunds reopen it; money is conserved, and what is too much is held."""

from dataclasses import dataclass, replace

from shared.faults import Invalid
from shared.invoicing.model import Happening, Invoice, settled_state
from shared.invoicing.refusals import CurrencyDiffers, RefundExceedsReceipts
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE, clearing_account
from shared.invoicing.rules.states import require
from shared.ledger import model as ledger
from shared.money import Money

# --- paying ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Applied:
    """A payment on an invoice: `applied` settles it, `excess` is held for the customer."""

    invoice: Invoice
    applied: Money
    excess: Money


def apply_payment(invoice: Invoice, amount: Money) -> Applied:
    """Settle what is open; what is more than that becomes the customer's credit.

    Raises:
        CurrencyDiffers: the money is in another currency.
        Invalid: the amount is not positive.
    """
    require(invoice.state, Happening.PAY)
    _check_amount(invoice, amount)
    applied = Money(min(amount.amount, invoice.open.amount), invoice.currency)
    excess = amount - applied
    after = _moved(
        invoice,
        Happening.PAY,
        paid=invoice.paid + applied.amount,
        credited=invoice.credited + excess.amount,
        refunded=invoice.refunded,
    )
    return Applied(after, applied, excess)


def take_again(invoice: Invoice, amount: Money) -> Applied:
    """What was given back is here again, and counts as never given back.

    Raises:
        CurrencyDiffers, Invalid: as `apply_payment`.
    """
    applied = apply_payment(invoice, amount)
    after = replace(applied.invoice, refunded=max(applied.invoice.refunded - amount.amount, 0))
    return replace(applied, invoice=after)


def payment_lines(payment: Applied, partner: str) -> tuple[ledger.Line, ...]:
    """Debit what the partner holds for us; credit the receivable, and the customer with any excess."""
    received = ledger.debit(clearing_account(partner), payment.applied + payment.excess)
    return (received, *_credits((RECEIVABLE, payment.applied), (CUSTOMER_CREDIT, payment.excess)))


# --- refunding ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund on an invoice: `from_credit` was held for the customer, `reopened` is to be paid again."""

    invoice: Invoice
    from_credit: Money
    reopened: Money


def refund(invoice: Invoice, amount: Money) -> Refunded:
    """Give back in the reverse order of paying: first the customer's credit, then what settled the invoice.

    Raises:
        WrongState: nothing is paid.
        CurrencyDiffers: the money is in another currency.
        Invalid: the amount is not positive.
        RefundExceedsReceipts: more than was received and not given back yet.
    """
    require(invoice.state, Happening.REFUND)
    _check_amount(invoice, amount)
    held = invoice.paid + invoice.credited
    if amount.amount > held:
        message = "the refund is more than was received and not given back yet"
        raise RefundExceedsReceipts(message, field="amount", detail={"amount": amount.amount, "held": held})
    from_credit = Money(min(amount.amount, invoice.credited), invoice.currency)
    reopened = amount - from_credit
    after = _moved(
        invoice,
        Happening.REFUND,
        paid=invoice.paid - reopened.amount,
        credited=invoice.credited - from_credit.amount,
        refunded=invoice.refunded + amount.amount,
    )
    return Refunded(after, from_credit, reopened)


def refund_lines(given: Refunded, partner: str) -> tuple[ledger.Line, ...]:
    """Debit the customer's credit and the receivable that reopens; credit what the partner holds for us."""
    debits = _debits((CUSTOMER_CREDIT, given.from_credit), (RECEIVABLE, given.reopened))
    return (*debits, ledger.credit(clearing_account(partner), given.from_credit + given.reopened))


def _check_amount(invoice: Invoice, amount: Money) -> None:
    if amount.currency != invoice.currency:
        message = f"the invoice is in {invoice.currency}"
        raise CurrencyDiffers(message, field="currency", detail={"currency": amount.currency})
    if amount.amount <= 0:
        message = "the amount is positive"
        raise Invalid(message, field="amount")


def _moved(invoice: Invoice, happening: Happening, *, paid: int, credited: int, refunded: int) -> Invoice:
    state = settled_state(invoice.gross.amount - invoice.corrected, paid + invoice.written_off)
    if state not in require(invoice.state, happening):
        message = f"{happening.value} led from {invoice.state.value} to {state.value}"
        raise AssertionError(message)
    return replace(invoice, state=state, paid=paid, credited=credited, refunded=refunded, version=invoice.version + 1)


def _debits(*amounts: tuple[ledger.AccountCode, Money]) -> list[ledger.Line]:
    return [ledger.debit(account, money) for account, money in amounts if money.amount]


def _credits(*amounts: tuple[ledger.AccountCode, Money]) -> list[ledger.Line]:
    return [ledger.credit(account, money) for account, money in amounts if money.amount]
