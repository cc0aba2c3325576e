"""A draft becomes an invoice: its number, its date, its tax, and what it posts."""

from dataclasses import dataclass
from datetime import date, timedelta

from shared.invoicing.model import DraftInvoice, Happening, Invoice, InvoiceState, Line
from shared.invoicing.refusals import NothingToPay
from shared.invoicing.rules.accounts import RECEIVABLE, SALES, vat_account
from shared.invoicing.rules.states import require
from shared.ledger import model as ledger
from shared.money import Money, total, zero
from shared.tax.amounts import line_amount
from shared.tax.model import Buyer, Seller, TaxCalculation, TaxQuestion


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """A tenant's invoice numbers: the last one given and its date. Nothing given yet is zero and no date."""

    last: int = 0
    last_issued_on: date | None = None


@dataclass(frozen=True, slots=True)
class NextNumber:
    """A number given, the date that goes with it, and the series after it."""

    number: str
    issued_on: date
    series: NumberSeries


def next_number(series: NumberSeries, today: date) -> NextNumber:
    """The next number without a gap; along the numbers, dates never decrease."""
    issued_on = today if series.last_issued_on is None else max(today, series.last_issued_on)
    place = series.last + 1
    return NextNumber(f"INV-{issued_on.year:04d}-{place:06d}", issued_on, NumberSeries(place, issued_on))


def draft_nets(draft: DraftInvoice) -> tuple[Money, ...]:
    """Each line's net; what tax comes on top is decided on the day of issue."""
    return tuple(line_amount(line.quantity, line.unit_price, draft.currency) for line in draft.lines)


def draft_net(draft: DraftInvoice) -> Money:
    """The draft's net total."""
    return total(draft_nets(draft), draft.currency)


def tax_question(draft: DraftInvoice, seller: Seller, buyer: Buyer, issued_on: date) -> TaxQuestion:
    """What to ask tax about a draft; the day of issue is the tax point."""
    lines = tuple(line.priced() for line in draft.lines)
    return TaxQuestion(seller, buyer, draft.supply, issued_on, draft.currency, lines)


def issue(draft: DraftInvoice, number: str, issued_on: date, tax: TaxCalculation) -> Invoice:
    """The invoice that a draft becomes; `tax` answers `tax_question` for the same day.

    Raises:
        WrongState: the draft was given up.
        NothingToPay: its gross is zero.
    """
    require(draft.state, Happening.ISSUE)
    if tax.gross.amount <= 0:
        message = "an invoice asks for a positive amount"
        raise NothingToPay(message, field="lines")
    lines = tuple(
        Line(line.description, line.quantity, line.unit_price, line.category, taxed.net, taxed.code, taxed.percent)
        for line, taxed in zip(draft.lines, tax.lines, strict=True)
    )
    return Invoice(
        id=draft.id,
        number=number,
        customer_id=draft.customer_id,
        currency=draft.currency,
        supply=draft.supply,
        lines=lines,
        breakdown=tax.breakdown,
        net=tax.net,
        tax=tax.tax,
        gross=tax.gross,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=draft.due_days),
        state=InvoiceState.ISSUED,
        version=draft.version + 1,
    )


def issue_lines(invoice: Invoice) -> tuple[ledger.Line, ...]:
    """Debit the receivable with the gross; credit sales with the net and each country with its tax."""
    taxes: dict[str, Money] = {}
    for row in invoice.breakdown:
        taxes[row.country] = taxes.get(row.country, zero(invoice.currency)) + row.tax
    owed = [ledger.credit(vat_account(country), tax) for country, tax in sorted(taxes.items()) if tax.amount]
    return (ledger.debit(RECEIVABLE, invoice.gross), ledger.credit(SALES, invoice.net), *owed)
