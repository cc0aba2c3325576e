from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from emulators.month.expectations import Rates, balances, events, expected, settled
from emulators.month.inputs import Customer, Invoice, InvoiceLine, InvoiceRow, MonthInputs, Settlement, Told

DAY = date(2026, 11, 10)


def an_invoice(country: str, kind: str, supply: str, *lines: tuple[str, str, str]) -> Invoice:
    """An invoice of lines `(quantity, unit price, category)` in euro."""
    customer = Customer.model_validate(
        {"place": "", "reference": "C", "name": "n", "country": country, "kind": kind, "currency": "EUR"}
    )
    row = InvoiceRow.model_validate(
        {"place": "", "reference": "I", "day": DAY, "customer": "C", "supply": supply, "due_days": 30}
    )
    wanted = [
        InvoiceLine.model_validate(
            {"place": "", "invoice": "I", "description": "d", "quantity": each, "unit_price": price, "category": name}
        )
        for each, price, name in lines
    ]
    return Invoice(row, tuple(wanted), customer)


TAXED = [
    (an_invoice("GB", "business", "service", ("1", "100.00", "standard")), {"GB": 2000}),
    (an_invoice("DE", "business", "service", ("1", "100.00", "standard")), {}),
    (an_invoice("DE", "consumer", "digital_service", ("1", "100.00", "reduced")), {"DE": 700}),
    (an_invoice("DE", "consumer", "service", ("1", "100.00", "standard")), {"GB": 2000}),
    (an_invoice("GB", "consumer", "service", ("1", "100.00", "zero")), {}),
    (an_invoice("NL", "consumer", "digital_service", ("1", "0.50", "standard"), ("1", "0.50", "standard")), {"NL": 21}),
]


@pytest.mark.parametrize(("invoice", "vat"), TAXED)
def test_whose_tax_and_how_much(example: MonthInputs, invoice: Invoice, vat: dict[str, int]) -> None:
    """At home the seller's, reverse charged to businesses abroad, the consumer's for digital services."""
    assert dict(expected(invoice, example.tenant, Rates.read()).vat) == vat


def test_half_a_penny_is_a_penny(example: MonthInputs) -> None:
    """Each line's net is rounded on its own, half up."""
    invoice = an_invoice("DE", "business", "service", ("0.5", "0.01", "standard"), ("0.5", "0.01", "standard"))
    assert expected(invoice, example.tenant, Rates.read()).net == 2


def told(*rows: tuple[str, str, int, int, str]) -> tuple[Settlement, ...]:
    """Settlements `(reference, payment it gives back or nothing, day it happened, day it is told of, amount)`."""
    return tuple(
        Settlement(
            place="",
            reference=reference,
            kind=Told.REFUND if of else Told.PAYMENT,
            invoice=None if of else "I",
            payment=of or None,
            happened_on=date(2026, 11, happened),
            delivered_on=date(2026, 11, delivered),
            amount=Decimal(amount),
        )
        for reference, of, happened, delivered, amount in rows
    )


def a_month(example: MonthInputs, settlements: tuple[Settlement, ...]) -> MonthInputs:
    """A month of one invoice over 100.00 euro."""
    invoice = an_invoice("DE", "business", "service", ("1", "100.00", "standard"))
    accounting = example.accounting.model_copy(update={"entries": ()})
    return replace(example, accounting=accounting, invoices={"I": invoice}, settlements=settlements)


SETTLED = [
    (told(), ("issued", 0, 0, 0)),
    (told(("P", "", 10, 10, "40")), ("partly_paid", 4000, 0, 0)),
    (told(("P", "", 10, 10, "40"), ("Q", "", 11, 11, "60")), ("paid", 10000, 0, 0)),
    (told(("P", "", 10, 10, "130")), ("paid", 10000, 3000, 0)),
    (told(("P", "", 10, 10, "130"), ("R", "P", 11, 11, "50")), ("partly_paid", 8000, 0, 5000)),
    (told(("P", "", 10, 10, "100"), ("R", "P", 11, 11, "100")), ("issued", 0, 0, 10000)),
]


@pytest.mark.parametrize(("settlements", "wanted"), SETTLED)
def test_where_payments_and_refunds_leave_an_invoice(
    example: MonthInputs, settlements: tuple[Settlement, ...], wanted: tuple[str, int, int, int]
) -> None:
    """What is kept pays first; the rest is held for the customer."""
    after = settled(a_month(example, settlements), "I", 10000)
    assert (after.state, after.paid, after.credited, after.refunded) == wanted


def test_a_refund_told_of_after_a_later_one_tells_its_own_amount(example: MonthInputs) -> None:
    """In the order of the days on which they are told."""
    month = a_month(example, told(("P", "", 10, 10, "100"), ("R1", "P", 11, 13, "20"), ("R2", "P", 12, 12, "30")))
    assert [(each.settlement.reference, each.amount) for each in events(month)] == [
        ("P", 10000),
        ("R2", 3000),
        ("R1", 2000),
    ]


def test_the_expected_books_balance(example: MonthInputs) -> None:
    """Debits equal credits in every currency, whatever the files say."""
    sums: dict[str, int] = {}
    for (_, currency), amount in balances(example).items():
        sums[currency] = sums.get(currency, 0) + amount
    assert sums == {"GBP": 0, "EUR": 0}
