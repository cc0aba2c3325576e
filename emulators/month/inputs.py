"""The input files of a month as values: one frozen record a row, each knowing the line it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.money import minor_digits

Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Principal = Annotated[str, Field(pattern=r"^(user|system):[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Currency = Literal["GBP", "EUR"]
PositiveAmount = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]
"""Major units: `120.50`."""
Amount = Annotated[Decimal, Field(max_digits=14, decimal_places=2)]
Fee = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]


def _words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


class Row(BaseModel):
    """A row of a file; `place` is `file, line n`, for messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    place: str = Field(exclude=True)


class Registration(BaseModel):
    """A country where the seller is registered for VAT, and its id there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: Country
    vat_id: str


class Tenant(BaseModel):
    """The seller: tenant.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,30}$")]
    legal_name: str
    country: Country
    currency: Currency
    vat_id: str
    tax_registrations: tuple[Registration, ...]

    def registered_in(self) -> frozenset[str]:
        """Every country where the seller may charge VAT."""
        return frozenset({self.country, *(each.country for each in self.tax_registrations)})


class Customer(Row):
    """A row of customers.csv."""

    reference: Reference
    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: str | None = None
    country: Country
    kind: Literal["business", "consumer"]
    vat_id: str | None = None
    currency: Currency


class InvoiceRow(Row):
    """A row of invoices.csv; the currency is the customer's."""

    reference: Reference
    day: date
    customer: Reference
    supply: Literal["service", "digital_service"]
    due_days: Annotated[int, Field(ge=0, le=365)]


class InvoiceLine(Row):
    """A row of invoice_lines.csv; `unit_price` in major units, net of tax."""

    invoice: Reference
    description: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=6)]
    unit_price: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
    category: Annotated[str, Field(pattern=r"^[a-z_]+[12]?$")]


PartnerName = Literal["stripe", "adyen", "airwallex", "square", "standard"]
"""The partners whose events tell amounts."""


class Told(Enum):
    """What a payment partner tells of."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"


class Settlement(Row):
    """A row of payments.csv: money in for an `invoice` through a `partner`, or what becomes of a `payment` later.

    It happened on one day and the partner tells of it on that day or later. `amount` is in major
    units of the invoice's currency; `fee` is what the partner keeps, where its events tell that.
    """

    reference: Reference
    kind: Told
    partner: PartnerName | None = None
    invoice: Reference | None = None
    payment: Reference | None = None
    happened_on: date
    delivered_on: date
    amount: PositiveAmount
    fee: Fee = Decimal(0)


class PayoutRow(Row):
    """A row of payouts.csv: money that a partner paid to our bank, and told of on that day.

    `fee` is what the payout itself cost, `reserve` what the partner held back of it (below zero: let go again).
    """

    reference: Reference
    partner: PartnerName
    currency: Currency
    day: date
    amount: PositiveAmount
    fee: Fee = Decimal(0)
    reserve: Amount = Decimal(0)


class PayoutLine(Row):
    """A row of payout_lines.csv: what a payout settles, as the partner's statement has it.

    `amount` is above zero for money that came, below for what went back; `fee` is what was kept of it.
    """

    payout: Reference
    settles: Reference
    amount: Amount
    fee: Fee = Decimal(0)


class Employee(Row):
    """A row of employees.csv; money in pounds, `student_loan_plans` parted by spaces."""

    reference: Reference
    name: Annotated[str, Field(min_length=1, max_length=200)]
    bank_account: str
    tax_id: str
    tax_code: str
    ni_category: Annotated[str, Field(pattern=r"^[A-Z]$")]
    annual_salary: PositiveAmount
    student_loan_plans: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    tax_year: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]
    taxable_pay_to_date: Annotated[Decimal, Field(ge=0, decimal_places=2)]
    tax_to_date: Annotated[Decimal, Field(decimal_places=2)]


class Principals(BaseModel):
    """Who does what; whoever prepares a payroll does not approve it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: Principal
    accountant: Principal
    payroll_preparer: Principal
    payroll_approver: Principal


class EntryLine(BaseModel):
    """A debit or credit in major units."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str
    side: Literal["debit", "credit"]
    amount: PositiveAmount
    currency: Currency


class ManualEntry(BaseModel):
    """A journal entry that the accountant posts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference: Reference
    day: date
    lines: Annotated[tuple[EntryLine, ...], Field(min_length=2)]


class Payroll(BaseModel):
    """The month's pay day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pay_date: date


class Accounting(BaseModel):
    """accounting.json: the month, its people, its manual entries and how it ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    principals: Principals
    entries: tuple[ManualEntry, ...]
    payroll: Payroll
    close: Literal["soft", "hard"]


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its lines and its customer."""

    row: InvoiceRow
    lines: tuple[InvoiceLine, ...]
    customer: Customer


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout with what it settles."""

    row: PayoutRow
    lines: tuple[PayoutLine, ...]


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """All that a month is made of, checked."""

    tenant: Tenant
    accounting: Accounting
    customers: tuple[Customer, ...]
    invoices: Mapping[str, Invoice]
    settlements: tuple[Settlement, ...]
    employees: tuple[Employee, ...]
    payouts: tuple[Payout, ...] = ()

    def invoice_of(self, settlement: Settlement) -> Invoice:
        """The invoice that a payment is for, also where its refund or dispute is told."""
        payment = self.payment_of(settlement)
        return self.invoices[str(payment.invoice)]

    def payment_of(self, settlement: Settlement) -> Settlement:
        """The payment itself, or the one that is refunded or disputed."""
        if settlement.kind is Told.PAYMENT:
            return settlement
        return next(each for each in self.settlements if each.reference == settlement.payment)

    def partner_of(self, settlement: Settlement) -> str:
        """The partner that took the payment; Stripe where the file names none."""
        return self.payment_of(settlement).partner or "stripe"

    def currency_of(self, settlement: Settlement) -> str:
        """The invoice's currency."""
        return self.invoice_of(settlement).customer.currency


def minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount in major units; exact, for the files hold no more digits."""
    return int(amount.scaleb(minor_digits(currency)))
