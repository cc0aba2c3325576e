"""Money goes back to the payer, one refund after another, and is here again where a refund fails."""

from dataclasses import replace

from shared.payments.model import PartnerEvent, Payment, Stage, Tracked
from shared.payments.refusals import RefundTooLarge
from shared.payments.rules.settlement import Invoices, Settlement, fee_lines, in_its_currency, restate


def is_too_large(payment: Payment, tracked: Tracked) -> bool:
    """Whether all refunds with this one are more than was received: until another of them fails.

    One in another currency is not: it is none of the payment's, however long it waits. A payment that stands although a
    reversal of it is known failed late and came again: what failed came for nothing.
    """
    if tracked.money.currency != payment.currency:
        return False
    failed = payment.reversal_told if payment.stage is Stage.SUCCEEDED else 0
    return payment.refunded + tracked.money.amount > payment.received - failed


def give_back(payment: Payment, event: PartnerEvent, tracked: Tracked, invoices: Invoices) -> Settlement:
    """One refund went back, of its own amount; it is told once, for it is tracked.

    Raises:
        RefundTooLarge: more than was received and not refunded before, or in another currency.
    """
    in_its_currency(payment, event)
    if is_too_large(payment, tracked):
        message = "the partner tells of more refunded than was received"
        raise RefundTooLarge(message, field="amount", detail={"payment": payment.id})
    refunded = payment.refunded + tracked.money.amount
    after = restate(payment, event, invoices, refunded=refunded, reversal_told=payment.reversal_told)
    return replace(after, tracked=tracked)


def take_again(payment: Payment, event: PartnerEvent, tracked: Tracked, invoices: Invoices) -> Settlement:
    """A refund did not reach the payer: its money is here again, and settles what it had settled."""
    refunded = payment.refunded - tracked.money.amount
    after = restate(payment, event, invoices, refunded=refunded, reversal_told=payment.reversal_told)
    return replace(after, tracked=tracked)


def nothing_moves(event: PartnerEvent, tracked: Tracked) -> Settlement:
    """A refund that failed is told of in whatever order: nothing has gone, or it is back, but for the partner's fee."""
    return Settlement(lines=fee_lines(event), tracked=tracked)
