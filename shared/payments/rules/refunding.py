"""Money goes back to the payer, by the partner's word: told as a total, or as one refund after another."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import clearing_account
from shared.ledger.model import credit, debit
from shared.money import Money
from shared.payments.model import PartnerEvent, Payment, Tracked
from shared.payments.refusals import RefundTooLarge
from shared.payments.rules.settlement import Settlement, come, fee_lines, go, less, told_money

Invoices: TypeAlias = tuple[Invoice | None, Mapping[str, Invoice]]
"""The invoice that a payment named, and those that it was allocated to."""


def give_back(
    payment: Payment, event: PartnerEvent, invoice: Invoice | None, others: Mapping[str, Invoice]
) -> Settlement | None:
    """The partner tells how much went back in all; None when that was known before.

    Raises:
        RefundTooLarge: more than was received, or in another currency.
    """
    told = _of(payment, told_money(event))
    amount = told.amount - payment.refund_told
    if amount <= 0:
        return None
    after = replace(payment, refund_told=told.amount)
    return _back(after, event, Money(amount, payment.currency), (invoice, others))


def give_back_once(payment: Payment, event: PartnerEvent, tracked: Tracked, invoices: Invoices) -> Settlement:
    """One refund went back, of its own amount; it is told once, for it is tracked.

    Raises:
        RefundTooLarge: more than was received, or in another currency.
    """
    money = _of(payment, tracked.money)
    return replace(_back(payment, event, money, invoices), tracked=tracked)


def take_again(payment: Payment, event: PartnerEvent, invoice: Invoice | None, tracked: Tracked) -> Settlement:
    """A refund did not reach the payer: its money is here again, and settles what it had settled."""
    money = tracked.money
    if money.currency != payment.currency or money.amount > payment.refunded:
        message = "the partner tells of more that came back than was refunded"
        raise RefundTooLarge(message, field="amount", detail={"payment": payment.id})
    parts, invoice = come(invoice, money)
    after = replace(
        payment,
        matched=payment.matched + parts.matched,
        unapplied=payment.unapplied + parts.unapplied.amount,
        refunded=payment.refunded - money.amount,
        version=payment.version + 1,
    )
    lines = (debit(clearing_account(event.partner), money), *parts.credits(), *fee_lines(event))
    return Settlement(after, invoice, lines, tracked)


def known_by_its_total(payment: Payment, event: PartnerEvent) -> bool:
    """Whether a refund that fails was told before as part of a total, and not by itself."""
    money = told_money(event)
    return payment.refund_told >= money.amount and payment.refunded >= money.amount


def _of(payment: Payment, money: Money) -> Money:
    left = payment.received - payment.reversed
    if money.currency != payment.currency or money.amount > left:
        message = "the partner tells of more refunded than was received"
        raise RefundTooLarge(message, field="amount", detail={"payment": payment.id})
    return money


def _back(payment: Payment, event: PartnerEvent, money: Money, invoices: Invoices) -> Settlement:
    if money.amount > payment.matched + payment.unapplied:
        message = "the partner tells of more refunded than is left of the payment"
        raise RefundTooLarge(message, field="amount", detail={"payment": payment.id})
    parts, invoice = go(payment, invoices[0], money.amount, invoices[1])
    after = less(payment, parts, refunded=payment.refunded + money.amount)
    back = credit(clearing_account(event.partner), money)
    lines = (*parts.debits(), back, *fee_lines(event))
    return Settlement(after, invoice, lines, others=parts.allocated.besides(payment.invoice_id))
