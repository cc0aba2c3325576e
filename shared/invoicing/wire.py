"""Invoicing on the wire."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from pydantic import Field

from shared.invoicing.model import DUE_DAYS, DraftInvoice, DraftLine, Invoice, InvoiceState
from shared.invoicing.rules.ageing import Age
from shared.invoicing.rules.issuing import draft_nets
from shared.limits import INVOICE_LINES
from shared.money import Money, total
from shared.tax.model import Category, LegalNote, Supply, TaxBreakdown, TaxTreatment, VatCode
from shared.tax.wire import Quantity, UnitPrice
from shared.wire import Currency, DecimalText, IsoDate, MoneyWire, PageQuery, ShortText, Wire

ObjectId = Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]


class NewLine(Wire):
    """So many of something at a net unit price; the description is not for personal data."""

    description: ShortText
    quantity: Quantity
    unit_price: UnitPrice
    category: Category = Category.STANDARD


class NewInvoice(Wire):
    """An invoice to draft; its tax is determined on the day of issue."""

    customer_id: ObjectId
    currency: Currency
    supply: Supply
    lines: Annotated[tuple[NewLine, ...], Field(min_length=1, max_length=INVOICE_LINES)]
    due_days: Annotated[int, Field(ge=0, le=DUE_DAYS)] = 30

    def draft(self) -> DraftInvoice:
        """The draft asked for, without an id yet."""
        lines = tuple(DraftLine(line.description, line.quantity, line.unit_price, line.category) for line in self.lines)
        return DraftInvoice("", self.customer_id, self.currency, self.supply, lines, self.due_days)


class LineAnswer(Wire):
    """A line; `vat_code` and `percent` once it is issued."""

    description: str
    quantity: DecimalText
    unit_price: int
    category: Category
    net: MoneyWire
    vat_code: VatCode | None = None
    percent: DecimalText | None = None


class TaxRow(Wire):
    """The tax of all lines with one VAT code and rate."""

    treatment: TaxTreatment
    country: str
    code: VatCode
    percent: DecimalText
    base: MoneyWire
    tax: MoneyWire
    note: LegalNote | None

    @classmethod
    def of(cls, row: TaxBreakdown) -> Self:
        """The row on the wire."""
        return cls(
            treatment=row.treatment,
            country=row.country,
            code=row.code,
            percent=row.percent,
            base=MoneyWire.of(row.base),
            tax=MoneyWire.of(row.tax),
            note=row.note,
        )


class InvoiceAnswer(Wire):
    """A draft, or an issued invoice with its number, dates, tax and what is paid of it."""

    id: str
    state: InvoiceState
    customer_id: str
    currency: str
    supply: Supply
    lines: tuple[LineAnswer, ...]
    net: MoneyWire
    number: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    breakdown: tuple[TaxRow, ...] = ()
    tax: MoneyWire | None = None
    gross: MoneyWire | None = None
    paid: MoneyWire | None = None
    credited: MoneyWire | None = None
    refunded: MoneyWire | None = None
    corrected: MoneyWire | None = None
    written_off: MoneyWire | None = None
    open: MoneyWire | None = None

    @classmethod
    def of(cls, either: DraftInvoice | Invoice) -> Self:
        """The draft or invoice on the wire."""
        return cls._of_draft(either) if isinstance(either, DraftInvoice) else cls._of_invoice(either)

    @classmethod
    def _of_draft(cls, draft: DraftInvoice) -> Self:
        nets = draft_nets(draft)
        lines = tuple(
            LineAnswer(
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                category=line.category,
                net=MoneyWire.of(net),
            )
            for line, net in zip(draft.lines, nets, strict=True)
        )
        return cls(
            id=draft.id,
            state=draft.state,
            customer_id=draft.customer_id,
            currency=draft.currency,
            supply=draft.supply,
            lines=lines,
            net=MoneyWire.of(total(nets, draft.currency)),
        )

    @classmethod
    def _of_invoice(cls, invoice: Invoice) -> Self:
        lines = tuple(
            LineAnswer(
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                category=line.category,
                net=MoneyWire.of(line.net),
                vat_code=line.vat_code,
                percent=line.percent,
            )
            for line in invoice.lines
        )
        return cls(
            id=invoice.id,
            state=invoice.state,
            customer_id=invoice.customer_id,
            currency=invoice.currency,
            supply=invoice.supply,
            lines=lines,
            net=MoneyWire.of(invoice.net),
            number=invoice.number,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            breakdown=tuple(TaxRow.of(row) for row in invoice.breakdown),
            tax=MoneyWire.of(invoice.tax),
            gross=MoneyWire.of(invoice.gross),
            paid=_of(invoice, invoice.paid),
            credited=_of(invoice, invoice.credited),
            refunded=_of(invoice, invoice.refunded),
            corrected=_of(invoice, invoice.corrected),
            written_off=_of(invoice, invoice.written_off),
            open=MoneyWire.of(invoice.open),
        )


def _of(invoice: Invoice, amount: int) -> MoneyWire:
    return MoneyWire(amount=amount, currency=invoice.currency)


class InvoicePath(Wire):
    """The invoice in the path."""

    id: ObjectId


class InvoiceQuery(PageQuery):
    """Invoices of a state, of a customer, or all."""

    state: InvoiceState | None = None
    customer_id: ObjectId | None = None

    def where(self) -> dict[str, str]:
        """The conditions asked for."""
        state = {"state": self.state.value} if self.state else {}
        return state | ({"customer_id": self.customer_id} if self.customer_id else {})


class AgeingQuery(Wire):
    """The day at which receivables are aged."""

    on: IsoDate


class AgeingAnswer(Wire):
    """What customers owe, by currency and how long it is overdue, minor units."""

    receivables: dict[str, dict[Age, int]]

    @classmethod
    def of(cls, ages: Mapping[str, Mapping[Age, Money]]) -> Self:
        """The table on the wire."""
        rows = {currency: {age: money.amount for age, money in buckets.items()} for currency, buckets in ages.items()}
        return cls(receivables=rows)
