"""Drafts and invoices as documents of one collection, and the series that numbers them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, cast

from shared.identity import TenantId
from shared.invoicing.model import DraftInvoice, DraftLine, Invoice, InvoiceState, Line
from shared.invoicing.rules.issuing import NumberSeries
from shared.money import Money
from shared.ports import Document, Fields, Ref, Value, tenant_ref
from shared.tax.model import Category, LegalNote, Supply, TaxBreakdown, TaxTreatment, VatCode

INVOICES: Final = "invoices"
UNNUMBERED: Final = frozenset({InvoiceState.DRAFT, InvoiceState.VOID})


def invoice_ref(tenant: TenantId, invoice_id: str) -> Ref:
    """A draft or invoice."""
    return tenant_ref(tenant, INVOICES, invoice_id)


def series_ref(tenant: TenantId) -> Ref:
    """The tenant's invoice numbers."""
    return tenant_ref(tenant, "number_series", "invoices")


def number_ref(tenant: TenantId, number: str) -> Ref:
    """What binds a number to its invoice, for ever."""
    return tenant_ref(tenant, "invoice_numbers", number)


def write_draft(draft: DraftInvoice) -> dict[str, Value]:
    """A draft's fields."""
    return {
        "schema": 1,
        "state": draft.state.value,
        "customer_id": draft.customer_id,
        "currency": draft.currency,
        "supply": draft.supply.value,
        "lines": [_write_draft_line(line) for line in draft.lines],
        "due_days": draft.due_days,
        "version": draft.version,
    }


def read_draft(document: Document) -> DraftInvoice:
    """The draft that a document keeps."""
    fields = document.fields
    return DraftInvoice(
        id=document.ref.key,
        customer_id=cast("str", fields["customer_id"]),
        currency=cast("str", fields["currency"]),
        supply=Supply(fields["supply"]),
        lines=tuple(
            DraftLine(
                cast("str", line["description"]),
                Decimal(cast("str", line["quantity"])),
                cast("int", line["unit_price"]),
                Category(line["category"]),
            )
            for line in cast("Sequence[Fields]", fields["lines"])
        ),
        due_days=cast("int", fields["due_days"]),
        state=InvoiceState(fields["state"]),
        version=cast("int", fields["version"]),
    )


def write_invoice(invoice: Invoice) -> dict[str, Value]:
    """An issued invoice's fields."""
    return {
        "schema": 1,
        "state": invoice.state.value,
        "number": invoice.number,
        "customer_id": invoice.customer_id,
        "currency": invoice.currency,
        "supply": invoice.supply.value,
        "lines": [_write_line(line) for line in invoice.lines],
        "breakdown": [_write_row(row) for row in invoice.breakdown],
        "net": invoice.net.amount,
        "tax": invoice.tax.amount,
        "gross": invoice.gross.amount,
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "paid": invoice.paid,
        "credited": invoice.credited,
        "refunded": invoice.refunded,
        "corrected": invoice.corrected,
        "written_off": invoice.written_off,
        "version": invoice.version,
    }


def write_settlement(invoice: Invoice) -> dict[str, Value]:
    """The only fields of an issued invoice that ever change."""
    fields = write_invoice(invoice)
    changing = ("state", "paid", "credited", "refunded", "corrected", "written_off", "version")
    return {name: fields[name] for name in changing}


def read_invoice(document: Document) -> Invoice:
    """The issued invoice that a document keeps."""
    fields = document.fields
    currency = cast("str", fields["currency"])
    net, tax, gross = (Money(cast("int", fields[name]), currency) for name in ("net", "tax", "gross"))
    paid, credited, refunded, version = (cast("int", fields[n]) for n in ("paid", "credited", "refunded", "version"))
    return Invoice(
        id=document.ref.key,
        number=cast("str", fields["number"]),
        customer_id=cast("str", fields["customer_id"]),
        currency=currency,
        supply=Supply(fields["supply"]),
        lines=tuple(_read_line(line, currency) for line in cast("Sequence[Fields]", fields["lines"])),
        breakdown=tuple(_read_row(row, currency) for row in cast("Sequence[Fields]", fields["breakdown"])),
        net=net,
        tax=tax,
        gross=gross,
        issued_on=date.fromisoformat(cast("str", fields["issued_on"])),
        due_on=date.fromisoformat(cast("str", fields["due_on"])),
        state=InvoiceState(fields["state"]),
        paid=paid,
        credited=credited,
        refunded=refunded,
        corrected=cast("int", fields["corrected"]),
        written_off=cast("int", fields["written_off"]),
        version=version,
    )


def read_either(document: Document) -> DraftInvoice | Invoice:
    """A draft or an issued invoice, whichever the document keeps."""
    return read_draft(document) if InvoiceState(document["state"]) in UNNUMBERED else read_invoice(document)


def write_series(series: NumberSeries) -> dict[str, Value]:
    """A number series' fields."""
    issued_on = series.last_issued_on
    return {"schema": 1, "last": series.last, "last_issued_on": issued_on.isoformat() if issued_on else None}


def read_series(document: Document | None) -> NumberSeries:
    """The series that a document keeps; none yet is a series with nothing given."""
    if document is None:
        return NumberSeries()
    issued_on = cast("str | None", document["last_issued_on"])
    return NumberSeries(cast("int", document["last"]), date.fromisoformat(issued_on) if issued_on else None)


def _write_draft_line(line: DraftLine) -> dict[str, Value]:
    return {
        "description": line.description,
        "quantity": format(line.quantity, "f"),
        "unit_price": line.unit_price,
        "category": line.category.value,
    }


def _write_line(line: Line) -> dict[str, Value]:
    return {
        "description": line.description,
        "quantity": format(line.quantity, "f"),
        "unit_price": line.unit_price,
        "category": line.category.value,
        "net": line.net.amount,
        "vat_code": line.vat_code.value,
        "percent": format(line.percent, "f"),
    }


def _read_line(line: Fields, currency: str) -> Line:
    return Line(
        cast("str", line["description"]),
        Decimal(cast("str", line["quantity"])),
        cast("int", line["unit_price"]),
        Category(line["category"]),
        Money(cast("int", line["net"]), currency),
        VatCode(line["vat_code"]),
        Decimal(cast("str", line["percent"])),
    )


def _write_row(row: TaxBreakdown) -> dict[str, Value]:
    return {
        "treatment": row.treatment.value,
        "country": row.country,
        "code": row.code.value,
        "percent": format(row.percent, "f"),
        "base": row.base.amount,
        "tax": row.tax.amount,
        "note": row.note.value if row.note else None,
    }


def _read_row(row: Fields, currency: str) -> TaxBreakdown:
    return TaxBreakdown(
        TaxTreatment(row["treatment"]),
        cast("str", row["country"]),
        VatCode(row["code"]),
        Decimal(cast("str", row["percent"])),
        Money(cast("int", row["base"]), currency),
        Money(cast("int", row["tax"]), currency),
        LegalNote(row["note"]) if row["note"] else None,
    )
