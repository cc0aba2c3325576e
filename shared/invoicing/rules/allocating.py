"""Cash is allocated to an invoice by an order, and taken off it again; what is left open may be written off with it."""

from dataclasses import dataclass, replace

from shared.faults import Invalid
from shared.invoicing.model import Happening, Invoice, settled_state
from shared.invoicing.refusals import CurrencyDiffers
from shared.invoicing.rules.states import require
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An invoice after cash went off it: `from_credit` was held for the customer, `reopened` is to be paid again."""

    invoice: Invoice
    from_credit: Money
    reopened: Money


def settle_part(invoice: Invoice, amount: Money, written_off: int = 0) -> Invoice:
    """The invoice with so much more paid, and so much of its rest written off; together at most what is open.

    Raises:
        WrongState: the invoice takes no payments.
        CurrencyDiffers: the money is in another currency.
        Invalid: the amount is not positive, or more than is open.
    """
    require(invoice.state, Happening.PAY)
    if amount.currency != invoice.currency:
        message = f"the invoice is in {invoice.currency}"
        raise CurrencyDiffers(message, field="currency", detail={"currency": amount.currency})
    if amount.amount <= 0 or written_off < 0 or amount.amount + written_off > invoice.open.amount:
        message = "the amount is positive and at most what is open"
        raise Invalid(message, field="amount")
    paid = invoice.paid + invoice.credited + amount.amount
    return _restated(invoice, Happening.PAY, paid, invoice.written_off + written_off)


def unsettle(invoice: Invoice, amount: int, written_off: int, *, refunded: bool) -> Unsettled:
    """The invoice without cash that had settled it, and owed again what was written off with it, minor units.

    What is held for the customer goes first, as it does when money is refunded. With `refunded` the cash went back
    to the payer; else it only settles something else.

    Raises:
        WrongState: nothing is paid.
    """
    nothing = Money(0, invoice.currency)
    if not amount and not written_off:
        return Unsettled(invoice, nothing, nothing)
    left = invoice.paid + invoice.credited - amount
    still = invoice.written_off - written_off
    after = _restated(invoice, Happening.REFUND, left, still, refunded=amount if refunded else 0)
    from_credit = Money(invoice.credited - after.credited, invoice.currency)
    return Unsettled(after, from_credit, after.open - invoice.open)


def release_credit(invoice: Invoice, amount: int) -> Invoice:
    """The invoice with so much less held for its customer, for it moves on to other invoices.

    Raises:
        Invalid: that is more than is held.
    """
    if not 0 < amount <= invoice.credited:
        message = "no more moves on than is held for the customer"
        raise Invalid(message, field="amount")
    left = invoice.paid + invoice.credited - amount
    return _restated(invoice, Happening.REFUND, left, invoice.written_off)


def _restated(invoice: Invoice, happening: Happening, received: int, written_off: int, *, refunded: int = 0) -> Invoice:
    """The invoice with so much received and written off: it settles what it can, the rest is the customer's."""
    asked = invoice.gross.amount - invoice.corrected
    paid = min(received, asked - written_off)
    state = settled_state(asked, paid + written_off)
    if state not in require(invoice.state, happening):
        message = f"{happening.value} led from {invoice.state.value} to {state.value}"
        raise AssertionError(message)
    return replace(
        invoice,
        state=state,
        paid=paid,
        credited=received - paid,
        refunded=invoice.refunded + refunded,
        written_off=written_off,
        version=invoice.version + 1,
    )
