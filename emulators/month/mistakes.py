"""What no single row can know: references that must exist, days that must follow, ids that must be valid in form."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from emulators.month.expectations import Rates, RateUnknown, expected
from emulators.month.inputs import Customer, Invoice, InvoiceRow, MonthInputs, Row, Settlement, Told
from emulators.month.mistakes_clearing import WAITS, disputes, partners, payouts
from emulators.processes import CloudFault
from shared.tax.vat_ids import is_vat_id


class InputsMistaken(CloudFault):
    """The input files cannot be a month; the message names every mistake."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        """One line a mistake."""
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def mistakes_in(inputs: MonthInputs, invoices: Iterable[InvoiceRow]) -> list[str]:
    """Every mistake between rows; empty when the month can be run."""
    found = [
        *_twice(invoices),
        *(each for rows in (inputs.customers, inputs.settlements, inputs.employees) for each in _twice(rows)),
        *_twice([payout.row for payout in inputs.payouts]),
        *(each for customer in inputs.customers for each in _customer(inputs, customer)),
        *(each for invoice in inputs.invoices.values() for each in _invoice(inputs, invoice)),
        *_accounting(inputs),
        *_settlements(inputs),
    ]
    # What partners tell later, and their statements, speak of payments: only where these are good.
    return found or [*disputes(inputs), *payouts(inputs)]


def _twice(rows: "Iterable[InvoiceRow] | Iterable[Row]") -> Iterator[str]:
    seen: dict[str, str] = {}
    for row in rows:
        reference = str(getattr(row, "reference", ""))
        if reference in seen:
            yield f"{row.place}, reference: {reference} was used before, at {seen[reference]}"
        seen[reference] = row.place


def _customer(inputs: MonthInputs, customer: Customer) -> Iterator[str]:
    if customer.kind == "consumer" and customer.vat_id:
        yield f"{customer.place}, vat_id: a consumer has none"
    abroad = customer.kind == "business" and customer.country != inputs.tenant.country
    if abroad and not (customer.vat_id and is_vat_id(customer.country, customer.vat_id)):
        yield f"{customer.place}, vat_id: a business abroad needs a valid VAT id of {customer.country}"


def _invoice(inputs: MonthInputs, invoice: Invoice) -> Iterator[str]:
    if not _in_month(inputs, invoice.row.day):
        yield f"{invoice.row.place}, day: not in {inputs.accounting.month}"
    try:
        expected(invoice, inputs.tenant, Rates.read())
    except RateUnknown as unknown:
        yield f"{unknown.place}, {unknown.field}: {unknown}"


def _accounting(inputs: MonthInputs) -> Iterator[str]:
    accounting = inputs.accounting
    people = accounting.principals
    if people.payroll_preparer == people.payroll_approver:
        yield "accounting.json, principals.payroll_approver: it is whoever prepares the payroll"
    if not _in_month(inputs, accounting.payroll.pay_date):
        yield f"accounting.json, payroll.pay_date: not in {accounting.month}"
    for number, entry in enumerate(accounting.entries):
        if not _in_month(inputs, entry.day):
            yield f"accounting.json, entries.{number}.day: not in {accounting.month}"
        sums: Counter[str] = Counter()
        for line in entry.lines:
            cents = int(line.amount * 100)
            sums[line.currency] += cents if line.side == "debit" else -cents
        if any(sums.values()):
            yield f"accounting.json, entries.{number}.lines: debits do not equal credits"


def _settlements(inputs: MonthInputs) -> Iterator[str]:
    payments = {each.reference: each for each in inputs.settlements if each.kind is Told.PAYMENT}
    refunded: Counter[str] = Counter()
    told: set[tuple[str, date]] = set()
    for each in inputs.settlements:
        yield from _days(inputs, each)
        yield from partners(each)
        if each.kind is Told.PAYMENT:
            yield from _payment(inputs, each)
            continue
        payment = payments.get(str(each.payment))
        if payment is None:
            yield f"{each.place}, payment: {each.payment} is no payment of payments.csv"
            continue
        back = each.kind in {Told.REFUND, Told.DISPUTE}
        refunded[payment.reference] += int(each.amount * 100) if back else 0
        if refunded[payment.reference] > int(payment.amount * Decimal(100)):
            yield f"{each.place}, amount: more goes back than {payment.reference} brought"
        if each.happened_on < payment.happened_on:
            yield f"{each.place}, happened_on: before {payment.reference} came"
        if each.kind is Told.REFUND and (payment.reference, each.delivered_on) in told:
            yield f"{each.place}, delivered_on: a payment's refunds are told of on different days"
        told |= {(payment.reference, each.delivered_on)} if each.kind is Told.REFUND else set()
        if each.delivered_on < payment.delivered_on - WAITS:
            yield f"{each.place}, delivered_on: too long before {payment.reference} is told of"


def _payment(inputs: MonthInputs, payment: Settlement) -> Iterator[str]:
    invoice = inputs.invoices.get(str(payment.invoice))
    if invoice is None:
        yield f"{payment.place}, invoice: {payment.invoice} is not in invoices.csv"
    elif payment.delivered_on < invoice.row.day:
        yield f"{payment.place}, delivered_on: before the invoice is issued"


def _days(inputs: MonthInputs, each: Settlement) -> Iterator[str]:
    if not _in_month(inputs, each.happened_on):
        yield f"{each.place}, happened_on: not in {inputs.accounting.month}"
    if not (_in_month(inputs, each.delivered_on) and each.happened_on <= each.delivered_on):
        yield f"{each.place}, delivered_on: not in {inputs.accounting.month}, or before it happened"


def _in_month(inputs: MonthInputs, day: date) -> bool:
    return day.isoformat().startswith(inputs.accounting.month)
