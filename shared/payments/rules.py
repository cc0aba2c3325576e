"""What a partner's event does to the payment, the invoice and the books, decided from values alone."""

from dataclasses import dataclass, replace
from typing import Final

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE, clearing_account
from shared.invoicing.rules.settling import apply_payment, refund
from shared.ledger.model import Line, credit, debit
from shared.money import Money
from shared.payments.model import PartnerEvent, Payment
from shared.payments.refusals import RefundTooLarge

UNAPPLIED_CASH: Final = "liabilities:unapplied_cash"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A payment after an event, the invoice after it if it was touched, and the lines to post."""

    payment: Payment
    invoice: Invoice | None
    lines: tuple[Line, ...]


def receive(payment_id: str, event: PartnerEvent, invoice: Invoice | None) -> Settlement:
    """Money came in: it settles the invoice, what is too much is the customer's credit.

    Without an invoice, or in another currency than the invoice's, it stays unapplied: money that
    was received is never refused.
    """
    money = _money(event)
    applied = credited = Money(0, money.currency)
    if invoice is not None and invoice.currency == money.currency:
        settled = apply_payment(invoice, money)
        invoice, applied, credited = settled.invoice, settled.applied, settled.excess
    else:
        invoice = None
    unapplied = money - applied - credited
    payment = Payment(
        id=payment_id,
        partner=event.partner,
        reference=event.payment,
        invoice_id=invoice.id if invoice else "",
        customer_id=invoice.customer_id if invoice else "",
        currency=money.currency,
        received=money.amount,
        matched=(applied + credited).amount,
        unapplied=unapplied.amount,
        refunded=0,
        occurred_at=event.occurred_at,
    )
    parts = ((RECEIVABLE, applied), (CUSTOMER_CREDIT, credited), (UNAPPLIED_CASH, unapplied))
    credits_ = [credit(account, part) for account, part in parts if part.amount]
    return Settlement(payment, invoice, (debit(clearing_account(event.partner), money), *credits_))


def give_back(payment: Payment, event: PartnerEvent, invoice: Invoice | None) -> Settlement | None:
    """Money went back: the partner tells how much in all; None when that was known before.

    What was unapplied goes first, then the credit of the invoice's customer, then what settled the invoice.

    Raises:
        RefundTooLarge: more than was received, or in another currency.
    """
    told = _money(event)
    if told.currency != payment.currency or told.amount > payment.received:
        message = "the partner tells of more refunded than was received"
        raise RefundTooLarge(message, field="amount", detail={"payment": payment.id})
    amount = told.amount - payment.refunded
    if amount <= 0:
        return None
    unapplied = min(amount, payment.unapplied)
    from_invoice = Money(amount - unapplied, payment.currency)
    from_credit = reopened = Money(0, payment.currency)
    if from_invoice.amount:
        if invoice is None:
            message = f"payment {payment.id} was matched to an invoice that is gone"
            raise LookupError(message)
        given = refund(invoice, from_invoice)
        invoice, from_credit, reopened = given.invoice, given.from_credit, given.reopened
    after = replace(
        payment,
        matched=payment.matched - from_invoice.amount,
        unapplied=payment.unapplied - unapplied,
        refunded=told.amount,
        version=payment.version + 1,
    )
    parts = (
        (UNAPPLIED_CASH, Money(unapplied, payment.currency)),
        (CUSTOMER_CREDIT, from_credit),
        (RECEIVABLE, reopened),
    )
    debits = [debit(account, part) for account, part in parts if part.amount]
    back = credit(clearing_account(payment.partner), Money(amount, payment.currency))
    return Settlement(after, invoice, (*debits, back))


def _money(event: PartnerEvent) -> Money:
    if event.money is None:
        message = f"event {event.id} tells of no money"
        raise ValueError(message)
    return event.money
