"""Drafts and invoices: what they hold, the states they pass through, and what can never be true of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

from shared.faults import Invalid, TooLarge
from shared.limits import INVOICE_LINES
from shared.money import Money, minor_digits, total
from shared.tax.model import Category, PricedLine, Supply, TaxBreakdown, VatCode

DUE_DAYS: Final = 365
"""Longest time to pay."""


class InvoiceState(Enum):
    """Where an invoice stands. What is overdue is a matter of the date, not a state."""

    DRAFT = "draft"
    VOID = "void"
    ISSUED = "issued"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"


class Happening(Enum):
    """What moves an invoice from state to state."""

    ISSUE = "issue"
    DISCARD = "discard"
    PAY = "pay"
    REFUND = "refund"
    CORRECT = "correct"
    """Given back, and not owed again: the sale is taken back with it."""


_DRAFT, _VOID = InvoiceState.DRAFT, InvoiceState.VOID
_ISSUED, _PARTLY_PAID, _PAID = InvoiceState.ISSUED, InvoiceState.PARTLY_PAID, InvoiceState.PAID

TRANSITIONS: Final[Mapping[InvoiceState, Mapping[Happening, frozenset[InvoiceState]]]] = {
    _DRAFT: {Happening.ISSUE: frozenset({_ISSUED}), Happening.DISCARD: frozenset({_VOID})},
    _VOID: {},
    _ISSUED: {Happening.PAY: frozenset({_PARTLY_PAID, _PAID})},
    _PARTLY_PAID: {
        Happening.PAY: frozenset({_PARTLY_PAID, _PAID}),
        Happening.REFUND: frozenset({_ISSUED, _PARTLY_PAID}),
        Happening.CORRECT: frozenset({_ISSUED, _PARTLY_PAID}),
    },
    _PAID: {
        Happening.PAY: frozenset({_PAID}),  # all of it is more than was owed
        Happening.REFUND: frozenset({_ISSUED, _PARTLY_PAID, _PAID}),  # what was more than owed goes first
        Happening.CORRECT: frozenset({_PAID}),  # less is asked for, and less is paid
    },
}
"""From each state, by each happening that it allows, to the states that may follow."""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """So many of something at a net unit price in minor units."""

    description: str
    quantity: Decimal
    unit_price: int
    category: Category

    def __post_init__(self) -> None:
        """Refuse what is no price or quantity; an invoice takes nothing back, a credit note does."""
        if self.priced().quantity < 0:
            message = "an invoice's quantity is positive"
            raise Invalid(message, field="quantity")

    def priced(self) -> PricedLine:
        """The line as tax asks for it."""
        return PricedLine(self.quantity, self.unit_price, self.category)


@dataclass(frozen=True, slots=True)
class DraftInvoice:
    """An invoice that may still be changed or discarded: it has no number and is in no books."""

    id: str
    customer_id: str
    currency: str
    supply: Supply
    lines: tuple[DraftLine, ...]
    due_days: int
    state: InvoiceState = InvoiceState.DRAFT
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse a draft without lines, with too many, or payable in the past or far away."""
        minor_digits(self.currency)
        if not self.lines:
            message = "an invoice has at least one line"
            raise Invalid(message, field="lines")
        if len(self.lines) > INVOICE_LINES:
            message = f"an invoice has at most {INVOICE_LINES} lines"
            raise TooLarge(message, field="lines")
        if type(self.due_days) is not int or not 0 <= self.due_days <= DUE_DAYS:
            message = f"an invoice is due in 0 to {DUE_DAYS} days"
            raise Invalid(message, field="due_days")
        if self.state not in {InvoiceState.DRAFT, InvoiceState.VOID}:
            message = f"a draft is never {self.state.value}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as issued: its net, and the VAT code and rate in percent that tax it."""

    description: str
    quantity: Decimal
    unit_price: int
    category: Category
    net: Money
    vat_code: VatCode
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """An issued invoice: its figures never change, only what was paid on it.

    `paid`, `credited`, `refunded`, `corrected` and `written_off` are minor units of `currency`. `paid` is what settles
    the invoice; `credited` is what was received beyond it and is held for the customer; `refunded` is
    all that was ever given back. So `paid + credited + refunded` is all that was ever received and not
    moved on to other invoices. `corrected` is the part of the gross that is asked for no more, for it was given back as
    a sale taken back. `written_off` is what nobody asks for any more.
    """

    id: str
    number: str
    customer_id: str
    currency: str
    supply: Supply
    lines: tuple[Line, ...]
    breakdown: tuple[TaxBreakdown, ...]
    net: Money
    tax: Money
    gross: Money
    issued_on: date
    due_on: date
    state: InvoiceState
    paid: int = 0
    credited: int = 0
    refunded: int = 0
    corrected: int = 0
    written_off: int = 0
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse figures that do not add up: such an invoice is a bug, not an input."""
        if wrong := [law for law, holds in _laws(self) if not holds]:
            message = f"invoice {self.id}: {'; '.join(wrong)}"
            raise ValueError(message)

    @property
    def open(self) -> Money:
        """What is still to be paid."""
        return Money(self.gross.amount - self.corrected - self.paid - self.written_off, self.currency)


def settled_state(asked: int, settled: int) -> InvoiceState:
    """The state of an issued invoice by what it asks for, and what of that is paid or written off, minor units."""
    if settled == asked:
        return InvoiceState.PAID
    return InvoiceState.PARTLY_PAID if settled else InvoiceState.ISSUED


def _laws(invoice: Invoice) -> tuple[tuple[str, bool], ...]:
    """What holds of every issued invoice, in words."""
    gross, currency = invoice.gross.amount, invoice.currency
    asked, settled = gross - invoice.corrected, invoice.paid + invoice.written_off
    return (
        ("net and tax are the gross", invoice.net + invoice.tax == invoice.gross),
        ("its lines are the net", total((line.net for line in invoice.lines), currency) == invoice.net),
        ("its bases are the net", total((row.base for row in invoice.breakdown), currency) == invoice.net),
        ("its taxes are the tax", total((row.tax for row in invoice.breakdown), currency) == invoice.tax),
        ("it asks for something", gross > 0),
        ("it is not due before it is issued", invoice.issued_on <= invoice.due_on),
        ("no more is paid than asked", 0 <= invoice.paid <= settled <= asked),
        ("nothing is credited before all is paid", invoice.credited == 0 or settled == asked),
        ("counters are not negative", min(invoice.credited, invoice.refunded, invoice.corrected) >= 0),
        ("its state is that of what is paid", invoice.state is settled_state(asked, settled)),
    )
