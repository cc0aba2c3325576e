"""Money goes back to the payer, by the partner's word: told as a total, or as one refund after another."""

from dataclasses import replace

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import clearing_account
from shared.ledger.model import credit, debit
from shared.money import Money
from shared.payments.model import PartnerEvent, Payment, Tracked
from shared.payments.refusals import RefundTooLarge
from shared.payments.rules.settlement import Settlement, come, fee_lines, go, less, told_money


def give_back(payment: Payment, event: PartnerEvent, invoice: Invoice | None, ours: int = 0) -> Settlement | None:
    """The partner tells how much went back in all, of it `ours` by our own orders; None when that was known before.

    Raises:
        RefundTooLarge: more than was received, or in another currency.
    """
    told = _of(payment, told_money(event)).amount - ours
    amount = told - payment.refund_told
    if amount <= 0:
        return None
    after = replace(payment, refund_told=told)
    return _back(after, event, invoice, Money(amount, payment.currency))


def give_back_once(payment: Payment, event: PartnerEvent, invoice: Invoice | None, tracked: Tracked) -> Settlement:
    """One refund went back, of its own amount; it is told once, for it is tracked.

    Raises:
        RefundTooLarge: more than was received, or in another currency.
    """
    money = _of(payment, tracked.money)
    return replace(_back(payment, event, invoice, money), tracked=tracked)


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


def _back(payment: Payment, event: PartnerEvent, invoice: Invoice | None, money: Money) -> Settlement:
    if money.amount > payment.matched + payment.unapplied:
        message = "the partner tells of more refunded than is left of the payment"
        raise RefundTooLarge(message, field="amount", detail={"payment": payment.id})
    parts, invoice = go(payment, invoice, money.amount)
    after = less(payment, parts, refunded=payment.refunded + money.amount)
    back = credit(clearing_account(event.partner), money)
    return Settlement(after, invoice, (*parts.debits(), back, *fee_lines(event)))
