"""What an event comes to: what it leaves of payment, invoice and the partner's own object, and the lines to post."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE, clearing_account
from shared.invoicing.rules.settling import apply_payment, refund, take_again
from shared.ledger.model import Line, credit, debit
from shared.money import Money, zero
from shared.payments.model import PartnerEvent, Payment, Stage, Tracked
from shared.payments.refunds.model import Refund, Tally
from shared.payments.refusals import RefundTooLarge
from shared.payments.rules.accounts import FEES, UNAPPLIED_CASH
from shared.payments.rules.shares import NOTHING_TAKEN, Taken, take_shares

Invoices: TypeAlias = tuple[Invoice | None, Mapping[str, Invoice]]
"""The invoice that a payment named, and those that it was allocated to, by their ids."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Payment, invoice and tracked object after an event, each if it was touched, and the lines to post, if any.

    `refunds` are those that we asked for, and `tally` what is under way of the payment's.
    """

    payment: Payment | None = None
    invoice: Invoice | None = None
    lines: tuple[Line, ...] = ()
    tracked: Tracked | None = None
    refunds: tuple[Refund, ...] = ()
    tally: Tally | None = None
    others: tuple[Invoice, ...] = ()
    """Other invoices, to which parts of the payment had been allocated."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where money of a payment is, or goes: it settles the invoice, is the customer's credit, or is unapplied."""

    settled: Money
    credited: Money
    unapplied: Money
    allocated: Taken = NOTHING_TAKEN
    """What goes from invoices that it was allocated to."""

    @property
    def matched(self) -> int:
        """What belongs to invoices and their customers."""
        return (self.settled + self.credited).amount + self.allocated.amount

    def credits(self) -> tuple[Line, ...]:
        """It came."""
        return tuple(credit(account, part) for account, part in self._accounts())

    def debits(self) -> tuple[Line, ...]:
        """It goes."""
        return (*(debit(account, part) for account, part in self._accounts()), *self.allocated.lines)

    def _accounts(self) -> Iterable[tuple[str, Money]]:
        parts = ((RECEIVABLE, self.settled), (CUSTOMER_CREDIT, self.credited), (UNAPPLIED_CASH, self.unapplied))
        return [(account, part) for account, part in parts if part.amount]


def come(invoice: Invoice | None, money: Money, *, again: bool = False) -> tuple[Parts, Invoice | None]:
    """Money settles the invoice, perhaps `again`; what is too much is its customer's credit.

    Without an invoice, or in another currency than the invoice's, it stays unapplied: money that was received
    is never refused.
    """
    none = zero(money.currency)
    if invoice is None or invoice.currency != money.currency:
        return Parts(none, none, money), None
    applied = take_again(invoice, money) if again else apply_payment(invoice, money)
    return Parts(applied.applied, applied.excess, none), applied.invoice


def go(
    payment: Payment, invoice: Invoice | None, amount: int, others: Mapping[str, Invoice]
) -> tuple[Parts, Invoice | None]:
    """Where money that goes back comes from, and the invoice that the payment named as it leaves it.

    What was unapplied goes first, then what was allocated by orders, the latest first, then the credit of the
    invoice's customer, then what settled the invoice. `others` are the invoices of the payment's shares.
    """
    unapplied = min(amount, payment.unapplied)
    allocated = take_shares(payment, others, amount - unapplied)
    invoice = allocated.invoices.get(payment.invoice_id, invoice)
    matched = Money(amount - unapplied - allocated.amount, payment.currency)
    none = zero(payment.currency)
    if not matched.amount:
        return Parts(none, none, Money(unapplied, payment.currency), allocated), allocated.touched(payment.invoice_id)
    if invoice is None:
        message = f"payment {payment.id} was matched to an invoice that is gone"
        raise LookupError(message)
    given = refund(invoice, matched)
    return Parts(given.reopened, given.from_credit, Money(unapplied, payment.currency), allocated), given.invoice


def restate(
    payment: Payment, event: PartnerEvent, invoices: Invoices, *, refunded: int, reversal_told: int
) -> Settlement:
    """The payment with what refunds and a reversal take of it in all, and the difference to what they took before.

    Refunds come first, and a reversal takes what it names of what they leave: so it does not matter which is told
    first. What both claim goes once.
    """
    taken = min(reversal_told, payment.received - refunded)
    goes = refunded + taken - payment.refunded - payment.reversed
    money, sign = Money(abs(goes), payment.currency), 1 if goes > 0 else -1
    lines: tuple[Line, ...] = ()
    matched, unapplied, (own, others) = payment.matched, payment.unapplied, invoices
    invoice, shares, besides = None, payment.shares, tuple[Invoice, ...]()
    if goes:
        parts, invoice = go(payment, own, goes, others) if goes > 0 else come(own, money, again=True)
        shares, besides = parts.allocated.left(payment), parts.allocated.besides(payment.invoice_id)
        matched, unapplied = matched - sign * parts.matched, unapplied - sign * parts.unapplied.amount
        clearing = clearing_account(event.partner)
        lines = (*parts.debits(), credit(clearing, money)) if goes > 0 else (debit(clearing, money), *parts.credits())
    after = replace(
        payment,
        matched=matched,
        unapplied=unapplied,
        refunded=refunded,
        reversal_told=reversal_told,
        reversed=taken,
        shares=shares,
        stage=Stage.REVERSED if reversal_told > payment.reversal_told else payment.stage,
        version=payment.version + 1,
    )
    return Settlement(after, invoice, (*lines, *fee_lines(event)), others=besides)


def less(payment: Payment, parts: Parts, **went: Any) -> Payment:
    """The payment without what went; `went` says as what: its new `refunded` or `reversed`."""
    return replace(
        payment,
        matched=payment.matched - parts.matched,
        unapplied=payment.unapplied - parts.unapplied.amount,
        shares=parts.allocated.left(payment),
        version=payment.version + 1,
        **went,
    )


def go_besides_shares(payment: Payment, invoice: Invoice | None, amount: int) -> tuple[Parts, Invoice | None]:
    """As `go`, of a payment whose allocated parts stay where they are."""
    aside = payment.matched - payment.own
    own = replace(payment, shares=(), matched=payment.own, received=payment.received - aside)
    return go(own, invoice, amount, {})


def taken_since(payment: Payment, invoice: Invoice | None) -> tuple[Payment, Invoice | None, tuple[Line, ...]]:
    """What a reversal takes more, now that a refund has given it room."""
    more = min(payment.reversal_told, payment.received - payment.refunded) - payment.reversed
    if more <= 0:
        return payment, invoice, ()
    parts, after = go_besides_shares(payment, invoice, more)
    clearing = credit(clearing_account(payment.partner), Money(more, payment.currency))
    return less(payment, parts, reversed=payment.reversed + more), after or invoice, (*parts.debits(), clearing)


def fee_lines(event: PartnerEvent) -> tuple[Line, ...]:
    """What the partner keeps for itself, where its event says."""
    if event.fee is None or not event.fee.amount:
        return ()
    return (debit(FEES, event.fee), credit(clearing_account(event.partner), event.fee))


def in_its_currency(payment: Payment, event: PartnerEvent) -> Money:
    """How much an event tells of that goes back of a payment.

    Raises:
        RefundTooLarge: it is in another currency, and so more than was received in it.
    """
    money = told_money(event)
    if money.currency != payment.currency:
        message = "the partner tells of another currency than was received"
        raise RefundTooLarge(message, field="currency", detail={"payment": payment.id})
    return money


def told_money(event: PartnerEvent) -> Money:
    """How much an event tells of."""
    if event.money is None:
        message = f"event {event.id} tells of no money"
        raise ValueError(message)
    return event.money
