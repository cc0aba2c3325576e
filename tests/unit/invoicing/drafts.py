"""Drafts and invoices with defaults: a British seller, a British business, 100.00 pounds and VAT."""

from datetime import date
from decimal import Decimal

from shared.invoicing.model import DraftInvoice, DraftLine, Invoice
from shared.invoicing.rules.issuing import issue, tax_question
from shared.money import Money
from shared.tax.model import Buyer, BuyerKind, Category, Seller, Supply
from shared.tax.rates import published_rates
from shared.tax.rules import calculate

SELLER = Seller("GB", {"GB": "GB980780684"})
ISSUED_ON = date(2026, 11, 16)


def pounds(minor: int) -> Money:
    """Pence as money."""
    return Money(minor, "GBP")


def a_line(unit_price: int = 10_000, quantity: str = "1", category: Category = Category.STANDARD) -> DraftLine:
    """A line of consulting."""
    return DraftLine("Consulting", Decimal(quantity), unit_price, category)


def a_draft(*lines: DraftLine, due_days: int = 30) -> DraftInvoice:
    """A draft in pounds."""
    return DraftInvoice("invoice1", "customer1", "GBP", Supply.SERVICE, lines or (a_line(),), due_days)


def an_invoice(*lines: DraftLine, due_days: int = 30, buyer: Buyer | None = None, on: date = ISSUED_ON) -> Invoice:
    """A draft issued."""
    draft = a_draft(*lines, due_days=due_days)
    question = tax_question(draft, SELLER, buyer or Buyer("GB", BuyerKind.BUSINESS), on)
    return issue(draft, "INV-2026-000001", on, calculate(question, published_rates()))
