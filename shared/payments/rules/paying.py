"""A payment begins, fails, succeeds, or is taken back by the bank."""

from collections.abc import Mapping
from dataclasses import replace

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import clearing_account
from shared.ledger.model import credit, debit
from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent, Payment, Stage
from shared.payments.rules.settlement import Settlement, come, fee_lines, go, less, told_money


def begin(identity: str, event: PartnerEvent, known: Payment | None, stage: Stage) -> Settlement:
    """It is on its way, or came to nothing: no money is here, and nothing to post."""
    if known is not None:
        return Settlement(replace(known, stage=stage, version=known.version + 1))
    currency = told_money(event).currency
    return Settlement(Payment(identity, event.partner, event.payment, currency, stage, event.occurred_at))


def receive(identity: str, event: PartnerEvent, known: Payment | None, invoice: Invoice | None) -> Settlement:
    """Money came in: it settles the invoice, what is too much is the customer's credit, the rest stays unapplied."""
    money = told_money(event)
    parts, invoice = come(invoice, money)
    payment = Payment(
        identity,
        event.partner,
        event.payment,
        money.currency,
        Stage.SUCCEEDED,
        event.occurred_at,
        invoice_id=invoice.id if invoice else "",
        customer_id=invoice.customer_id if invoice else "",
        received=money.amount,
        matched=parts.matched,
        unapplied=parts.unapplied.amount,
        fee_told=event.fee.amount if event.fee else 0,
        version=known.version + 1 if known else 1,
    )
    lines = (debit(clearing_account(event.partner), money), *parts.credits(), *fee_lines(event))
    return Settlement(payment, invoice, lines)


def paid_by(settlement: Settlement, customer: str) -> Settlement:
    """The settlement of a payment whose payer is known by its account; the customer of a named invoice wins."""
    payment = settlement.payment
    if payment is None or payment.customer_id or not customer:
        return settlement
    return replace(settlement, payment=replace(payment, customer_id=customer))


def dearer(payment: Payment, event: PartnerEvent) -> Settlement | None:
    """A payment that is known, told again with a larger fee: the difference; None when there is none.

    Some partners know their fee only after the payment.
    """
    fee = event.fee
    if event.kind is not EventKind.PAYMENT_SUCCEEDED or fee is None or fee.currency != payment.currency:
        return None
    more = Money(fee.amount - payment.fee_told, fee.currency)
    if more.amount <= 0:
        return None
    after = replace(payment, fee_told=fee.amount, version=payment.version + 1)
    return Settlement(after, lines=fee_lines(replace(event, fee=more)))


def reverse(
    payment: Payment, event: PartnerEvent, invoice: Invoice | None, others: Mapping[str, Invoice]
) -> Settlement:
    """The bank took back what was left of it, after it had succeeded: a new entry, and its invoices are open again."""
    left = payment.matched + payment.unapplied
    if not left:
        return Settlement(replace(payment, stage=Stage.REVERSED, version=payment.version + 1))
    parts, invoice = go(payment, invoice, left, others)
    after = less(payment, parts, reversed=left, stage=Stage.REVERSED)
    back = credit(clearing_account(event.partner), Money(left, payment.currency))
    lines = (*parts.debits(), back, *fee_lines(event))
    return Settlement(after, invoice, lines, others=parts.allocated.besides(payment.invoice_id))
