"""What a refund comes to at each of its steps: what it leaves of payment, invoice and tally, and the lines to post.

Its money is reserved by a posted entry when it is approved, and not by a hold: the sale is taken back then, what is
owed to the payer is a liability that the balance sheet shows, and the accounts that it comes from need no floor.
"""

from dataclasses import replace
from typing import Final

from shared.calls import Call
from shared.events import Announcement, Json
from shared.faults import Detail
from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import clearing_account
from shared.invoicing.rules.correcting import correct, put_back
from shared.ledger.model import AccountCode, Line, credit, debit
from shared.money import Money
from shared.payments.model import Payment
from shared.payments.refunds.model import Happening, Refund, RefundKind, RefundState, Tally
from shared.payments.refunds.refusals import RefundExceedsPayment
from shared.payments.rules.accounts import REFUNDS_PAYABLE
from shared.payments.rules.settlement import Settlement, come, go_besides_shares, less, taken_since

TOPIC: Final = "payments"
REQUESTED: Final = "refund.requested"


# --- how much may be asked for -----------------------------------------------------------


def left(kind: RefundKind, payment: Payment, invoice: Invoice | None) -> int:
    """How much of a payment can be given back as this kind now, minor units; what is allocated is set free first."""
    match kind:
        case RefundKind.INVOICE:
            return min(payment.own, invoice.paid) if invoice else 0
        case RefundKind.CREDIT:
            return payment.unapplied + (min(payment.own, invoice.credited) if invoice else 0)


def require_left(refund: Refund, payment: Payment, invoice: Invoice | None, tally: Tally) -> None:
    """Refuse more than is left once all that is asked for is taken away.

    Raises:
        RefundExceedsPayment: it is more, or in another currency.
    """
    asked = sum(tally.asked.values())
    of_kind = left(refund.kind, payment, invoice) - tally.asked.get(refund.kind, 0)
    available = max(0, min(of_kind, payment.own + payment.unapplied - asked))
    if refund.money.currency != payment.currency or refund.money.amount > available:
        message = "more than is left of the payment, refunds that are under way counted"
        detail: Detail = {"available": available, "currency": payment.currency}
        raise RefundExceedsPayment(message, field="amount", detail=detail)


# --- steps that move money ---------------------------------------------------------------


def approve(refund: Refund, payment: Payment, invoice: Invoice | None, tally: Tally) -> Settlement:
    """Reserve its money: off the sale, or off what the customer has to their credit, and on to refunds payable.

    `tally` no longer counts it as asked for. `refund` is in its new state.

    Raises:
        RefundExceedsPayment: so much is not left by now.
    """
    require_left(refund, payment, invoice, tally)
    owed = credit(REFUNDS_PAYABLE, refund.money)
    amount, refunded = refund.money.amount, payment.refunded + refund.money.amount
    tally = tally.with_refund(refund)
    if refund.kind is RefundKind.INVOICE and invoice is not None:
        taken = correct(invoice, refund.money)
        after = replace(payment, matched=payment.matched - amount, refunded=refunded, version=payment.version + 1)
        refund = replace(refund, net=taken.net, tax=taken.tax)
        return Settlement(after, taken.invoice, (*taken.lines, owed), refunds=(refund,), tally=tally)
    parts, invoice = go_besides_shares(payment, invoice, amount)
    refund = replace(refund, from_unapplied=parts.unapplied.amount, from_credit=parts.credited.amount)
    after = less(payment, parts, refunded=refunded)
    return Settlement(after, invoice, (*parts.debits(), owed), refunds=(refund,), tally=tally)


def confirm(refund: Refund, tally: Tally) -> Settlement:
    """It reached the payer: what was owed is paid by the partner. `refund` is in its new state."""
    lines = (debit(REFUNDS_PAYABLE, refund.money), credit(clearing_account(refund.partner), refund.money))
    return Settlement(lines=lines, refunds=(refund,), tally=tally.with_refund(refund))


def release(before: Refund, refund: Refund, settled: tuple[Payment, Invoice | None], tally: Tally) -> Settlement:
    """It came to nothing: the sale, or the customer's credit, is again what it would be without it.

    From refunds payable; or from the partner's clearing account, where it had been confirmed and came back. `refund` is
    in its new state, `before` as it was.
    """
    payment, invoice = settled
    whence: AccountCode = REFUNDS_PAYABLE
    if before.state is RefundState.SUCCEEDED:
        whence = clearing_account(refund.partner)
    taken_back = refund.kind is RefundKind.INVOICE
    unapplied = 0 if taken_back else refund.from_unapplied
    after: Invoice | None
    if taken_back and invoice is not None:
        put = put_back(invoice, refund.money)
        after, lines = put.invoice, put.lines
    else:
        after, lines = _credit_again(refund, invoice)
    again = replace(
        payment,
        matched=payment.matched + refund.money.amount - unapplied,
        unapplied=payment.unapplied + unapplied,
        refunded=payment.refunded - refund.money.amount,
        version=payment.version + 1,
    )
    again, after, more = taken_since(again, after or invoice)
    lines = (debit(whence, refund.money), *lines, *more)
    return Settlement(again, after, lines, refunds=(refund,), tally=tally.with_refund(refund))


def _credit_again(refund: Refund, invoice: Invoice | None) -> tuple[Invoice | None, tuple[Line, ...]]:
    """What was unapplied is so again; the customer's credit settles what is open by now, and is credit beyond that."""
    currency = refund.money.currency
    lines = come(None, Money(refund.from_unapplied, currency))[0].credits()
    if not refund.from_credit or invoice is None:
        return None, lines
    parts, after = come(invoice, Money(refund.from_credit, currency), again=True)
    return after, (*lines, *parts.credits())


# --- what is told ------------------------------------------------------------------------


def announced(call: Call, refund: Refund, kind: str = "") -> Announcement:
    """What is told of a refund in its state: `refund.succeeded`, say."""
    data: dict[str, Json] = {
        "payment_id": refund.payment_id,
        "invoice_id": refund.invoice_id,
        "kind": refund.kind.value,
        "reason": refund.reason.value,
        "amount": refund.money.amount,
        "currency": refund.money.currency,
        "failure": refund.failure,
    }
    return call.announcement(TOPIC, kind or f"refund.{refund.state.value}", refund.id, refund.version, data)


def failed(refund: Refund, call: Call, code: str) -> Refund:
    """The refund after it failed, with the code that says why."""
    return replace(refund.moved(Happening.FAIL, call.at), failure=code)
