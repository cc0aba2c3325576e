"""A payment begins, fails, succeeds, or is taken back by the bank."""

from dataclasses import replace

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import clearing_account
from shared.ledger.model import debit
from shared.money import Money, zero
from shared.payments.model import EventKind, PartnerEvent, Payment, Stage
from shared.payments.rules.settlement import Invoices, Settlement, come, fee_lines, in_its_currency, restate, told_money


def begin(identity: str, event: PartnerEvent, known: Payment | None, stage: Stage) -> Settlement:
    """It is on its way, or came to nothing: no money is here, and nothing to post."""
    if known is not None:
        return Settlement(replace(known, stage=stage, occurred_at=event.occurred_at, version=known.version + 1))
    currency = told_money(event).currency
    return Settlement(
        Payment(identity, event.partner, event.payment, currency, stage, event.occurred_at, account=event.account)
    )


def receive(identity: str, event: PartnerEvent, known: Payment | None, invoice: Invoice | None) -> Settlement:
    """Money came in: it settles the invoice, what is too much is the customer's credit, the rest stays unapplied.

    A payout may have told of it before: what its line says that is kept of it stands.
    """
    if known and known.payout_id:
        event = replace(event, fee=None)
    money = told_money(event)
    fee = event.fee or (known.fee if known else zero(money.currency))
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
        account=event.account,
        received=money.amount,
        matched=parts.matched,
        unapplied=parts.unapplied.amount,
        fee_told=fee.amount,
        fee_currency=fee.currency if fee.currency != money.currency else "",
        payout_id=known.payout_id if known else "",
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

    Some partners know their fee only after the payment. Once a payout brought it, what that said has the last word.
    """
    fee = event.fee
    if event.kind is not EventKind.PAYMENT_SUCCEEDED or fee is None or payment.payout_id:
        return None
    if fee.currency != payment.fee.currency:
        return None
    more = Money(fee.amount - payment.fee_told, fee.currency)
    if more.amount <= 0:
        return None
    after = replace(payment, fee_told=fee.amount, version=payment.version + 1)
    return Settlement(after, lines=fee_lines(replace(event, fee=more)))


def reverse(payment: Payment, event: PartnerEvent, invoices: Invoices) -> Settlement | None:
    """The bank took back what it names, after it had succeeded, and its invoices are open again; None: told before.

    A reversal has no name of its own: another one of no more is the same one, told again, and so is its fee.

    Raises:
        RefundTooLarge: it is in another currency.
    """
    told = in_its_currency(payment, event).amount
    if told <= payment.reversal_told:
        return None
    fee = event.fee or zero(payment.currency)
    more = Money(max(fee.amount - payment.reversal_fee, 0), fee.currency)
    known = replace(payment, reversal_fee=payment.reversal_fee + more.amount)
    return restate(known, replace(event, fee=more), invoices, refunded=payment.refunded, reversal_told=told)
