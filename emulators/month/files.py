"""Reading a month's input files: every mistake is named by file, line and field, all of them at once."""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from emulators.month.inputs import (
    Accounting,
    Customer,
    Employee,
    Invoice,
    InvoiceLine,
    InvoiceRow,
    MonthInputs,
    Payout,
    PayoutLine,
    PayoutRow,
    Row,
    Settlement,
    Tenant,
)
from emulators.month.mistakes import InputsMistaken, mistakes_in

RowT = TypeVar("RowT", bound=Row)
ModelT = TypeVar("ModelT", bound=BaseModel)


def read_month(folder: Path) -> MonthInputs:
    """The month of a folder (examples/month/README.md says what is in it).

    Raises:
        InputsMistaken: with every mistake, one a line.
    """
    mistakes: list[str] = []
    tenant = _object(folder / "tenant.json", Tenant, mistakes)
    accounting = _object(folder / "accounting.json", Accounting, mistakes)
    customers = _rows(folder / "customers.csv", Customer, mistakes)
    invoices = _rows(folder / "invoices.csv", InvoiceRow, mistakes)
    lines = _rows(folder / "invoice_lines.csv", InvoiceLine, mistakes)
    settlements = _rows(folder / "payments.csv", Settlement, mistakes)
    employees = _rows(folder / "employees.csv", Employee, mistakes)
    payouts = _rows(folder / "payouts.csv", PayoutRow, mistakes)
    payout_lines = _rows(folder / "payout_lines.csv", PayoutLine, mistakes)
    if mistakes or tenant is None or accounting is None:
        raise InputsMistaken(mistakes)
    joined = _joined(invoices, lines, {each.reference: each for each in customers}, mistakes)
    paid_out = _paid_out(payouts, payout_lines, mistakes)
    inputs = MonthInputs(tenant, accounting, customers, joined, settlements, employees, paid_out)
    mistakes += mistakes_in(inputs, invoices)
    if mistakes:
        raise InputsMistaken(mistakes)
    return inputs


def _joined(
    rows: tuple[InvoiceRow, ...],
    lines: tuple[InvoiceLine, ...],
    customers: dict[str, Customer],
    mistakes: list[str],
) -> dict[str, Invoice]:
    by_invoice: dict[str, list[InvoiceLine]] = defaultdict(list)
    known = {row.reference for row in rows}
    for line in lines:
        by_invoice[line.invoice].append(line)
        if line.invoice not in known:
            mistakes.append(f"{line.place}, invoice: {line.invoice} is not in invoices.csv")
    found: dict[str, Invoice] = {}
    for row in rows:
        customer = customers.get(row.customer)
        if customer is None:
            mistakes.append(f"{row.place}, customer: {row.customer} is not in customers.csv")
        elif not by_invoice[row.reference]:
            mistakes.append(f"{row.place}, reference: {row.reference} has no line in invoice_lines.csv")
        else:
            found[row.reference] = Invoice(row, tuple(by_invoice[row.reference]), customer)
    return found


def _paid_out(rows: tuple[PayoutRow, ...], lines: tuple[PayoutLine, ...], mistakes: list[str]) -> tuple[Payout, ...]:
    by_payout: dict[str, list[PayoutLine]] = {row.reference: [] for row in rows}
    for line in lines:
        if line.payout in by_payout:
            by_payout[line.payout].append(line)
        else:
            mistakes.append(f"{line.place}, payout: {line.payout} is not in payouts.csv")
    return tuple(Payout(row, tuple(by_payout[row.reference])) for row in rows)


def _rows(path: Path, model: type[RowT], mistakes: list[str]) -> tuple[RowT, ...]:
    found: list[RowT] = []
    for number, fields in _cells(path, mistakes):
        place = f"{path.name} line {number}"
        given = {str(name): text for name, text in fields.items() if text not in {"", None}}
        if None in fields:
            mistakes.append(f"{place}: it has more fields than the heading")
            continue
        try:
            found.append(model.model_validate(given | {"place": place}))
        except ValidationError as error:
            mistakes += _named(place, error)
    return tuple(found)


def _cells(path: Path, mistakes: list[str]) -> list[tuple[int, dict[str | None, Any]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            return [(reader.line_num, dict(fields)) for fields in reader]
    except (OSError, ValueError, csv.Error) as error:
        mistakes.append(f"{path.name}: cannot be read ({error})")
        return []


def _object(path: Path, model: type[ModelT], mistakes: list[str]) -> ModelT | None:
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        mistakes += _named(path.name, error)
    except json.JSONDecodeError as error:
        mistakes.append(f"{path.name} line {error.lineno}: {error.msg}")
    except (OSError, ValueError) as error:
        mistakes.append(f"{path.name}: cannot be read ({error})")
    return None


def _named(place: str, error: ValidationError) -> list[str]:
    """Pydantic's findings in our order: where, which field, what; never the value, which may be personal."""
    return [f"{place}, {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
