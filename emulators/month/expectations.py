"""What the books must come to, worked out from the input files alone, apart from the code that keeps them.

Only the file of dated rates is shared with the product: whose tax a supply bears, the rounding and
the settling are written here a second time, so that neither can hide a mistake of the other.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from emulators.catalogue import REPOSITORY
from emulators.month.clearing import SIGN, positions
from emulators.month.inputs import Invoice, MonthInputs, Settlement, Tenant, Told, minor

RATES = REPOSITORY / "shared" / "tax" / "data" / "vat-rates.json"


class RateUnknown(Exception):
    """No dated rate: the message says which, `place` and `field` where in the files."""

    def __init__(self, place: str, field: str, message: str) -> None:
        """Where, and what is missing."""
        super().__init__(message)
        self.place, self.field = place, field


class Rates:
    """Percentages by country, category and day."""

    def __init__(self, countries: Mapping[str, Any]) -> None:
        """From the file's `countries`."""
        self._countries = countries

    @classmethod
    @cache
    def read(cls) -> "Rates":
        """The product's file of dated rates."""
        return cls(json.loads(RATES.read_text(encoding="utf-8"))["countries"])

    def percent(self, country: str, category: str, on: date) -> Decimal | None:
        """The rate in force on a day; None when the file has none."""
        for span in self._countries.get(country, ()):
            if span["valid_from"] <= on.isoformat() <= (span["valid_to"] or "9999") and category in span["rates"]:
                return Decimal(span["rates"][category])
        return None


@dataclass(frozen=True, slots=True)
class ExpectedInvoice:
    """An invoice's figures, minor units: `vat` by the country it is owed to."""

    currency: str
    net: int
    vat: Mapping[str, int]

    @property
    def gross(self) -> int:
        """What the customer owes."""
        return self.net + sum(self.vat.values())


def expected(invoice: Invoice, tenant: Tenant, rates: Rates) -> ExpectedInvoice:
    """The figures of an invoice issued on its day.

    Raises:
        RateUnknown: a line's rate, or the seller's registration, is missing.
    """
    currency = invoice.customer.currency
    country = _taxing_country(invoice, tenant)
    bases: dict[Decimal, int] = defaultdict(int)
    for line in invoice.lines:
        percent = Decimal(0)
        if country:
            found = rates.percent(country, line.category, invoice.row.day)
            if found is None:
                raise RateUnknown(line.place, "category", f"{country} has no rate named {line.category} on that day")
            percent = found
        bases[percent] += _half_up(line.quantity * minor(line.unit_price, currency))
    tax = sum(_half_up(base * percent / 100) for percent, base in bases.items())
    return ExpectedInvoice(currency, sum(bases.values()), {country: tax} if country and tax else {})


def _taxing_country(invoice: Invoice, tenant: Tenant) -> str | None:
    """Whose tax it is; None under reverse charge."""
    customer = invoice.customer
    if customer.country == tenant.country:
        return tenant.country
    if customer.kind == "business":
        return None
    country = customer.country if invoice.row.supply == "digital_service" else tenant.country
    if country not in tenant.registered_in():
        raise RateUnknown(invoice.row.place, "customer", f"tenant.json states no registration for {country}")
    return country


def _half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


# --- settling ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExpectedSettlement:
    """What an invoice stands at in the end, minor units."""

    state: str
    paid: int
    credited: int
    refunded: int


@dataclass(frozen=True, slots=True)
class ExpectedEvent:
    """A partner's event: the settlement it tells of, and the minor units received, refunded or disputed."""

    settlement: Settlement
    amount: int


def settled(inputs: MonthInputs, reference: str, gross: int) -> ExpectedSettlement:
    """What the invoice stands at when all was told: received less refunded pays first, the rest is held."""
    received = refunded = 0
    for each in inputs.settlements:
        if inputs.invoice_of(each).row.reference == reference:
            amount = minor(each.amount, inputs.invoices[reference].customer.currency)
            received += amount if each.kind is Told.PAYMENT else 0
            refunded += amount if each.kind is Told.REFUND else 0
    kept = received - refunded
    paid = min(gross, kept)
    state = "paid" if paid == gross else "partly_paid" if paid else "issued"
    return ExpectedSettlement(state, paid, kept - paid, refunded)


def events(inputs: MonthInputs) -> Iterator[ExpectedEvent]:
    """Every event in the order of its delivery days; each is news."""
    for each in sorted(inputs.settlements, key=lambda one: (one.delivered_on, one.kind is Told.REFUND, one.reference)):
        yield ExpectedEvent(each, minor(each.amount, inputs.currency_of(each)))


# --- the books ---------------------------------------------------------------------------


def balances(inputs: MonthInputs) -> dict[tuple[str, str], int]:
    """Debits less credits by account and currency, of all but the payroll; minor units, zeros left out."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for reference, invoice in inputs.invoices.items():
        due = expected(invoice, inputs.tenant, Rates.read())
        after = settled(inputs, reference, due.gross)
        sums["assets:receivable", due.currency] += due.gross - after.paid
        sums["liabilities:customer_credit", due.currency] -= after.credited
        sums["revenue:sales", due.currency] -= due.net
        for country, tax in due.vat.items():
            sums[f"liabilities:vat:{country.lower()}", due.currency] -= tax
    for entry in inputs.accounting.entries:
        for line in entry.lines:
            amount = minor(line.amount, line.currency)
            sums[line.account, line.currency] += amount if line.side == "debit" else -amount
    _partners(inputs, sums)
    return {key: amount for key, amount in sums.items() if amount}


def _partners(inputs: MonthInputs, sums: dict[tuple[str, str], int]) -> None:
    """What partners hold, kept and paid out; what was disputed is lost, or waits for its end."""
    for (partner, currency), position in positions(inputs).items():
        sums[f"assets:clearing:{partner}", currency] += position.held
        sums["expenses:payment_fees", currency] += position.fees
        sums["assets:bank", currency] += position.payouts
    for each in inputs.settlements:
        currency = inputs.currency_of(each)
        amount = minor(each.amount, currency)
        if each.kind in {Told.DISPUTE, Told.DISPUTE_WON}:
            sums["assets:disputed", currency] -= SIGN[each.kind] * amount
        if each.kind is Told.DISPUTE_LOST:
            sums["assets:disputed", currency] -= amount
            sums["expenses:chargebacks", currency] += amount
