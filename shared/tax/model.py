"""The question that tax answers, and its answer: values that cannot be built wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

from shared.faults import Invalid, TooLarge
from shared.limits import AMOUNT_MINOR, INVOICE_LINES
from shared.money import Money, minor_digits

COUNTRY: Final = re.compile(r"[A-Z]{2}")
QUANTITY: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,6})?")
VAT_ID: Final = re.compile(r"[A-Za-z0-9 .+*-]{1,24}")


class BuyerKind(Enum):
    """Whether the buyer acts as a taxable person."""

    BUSINESS = "business"
    CONSUMER = "consumer"


class Supply(Enum):
    """What is supplied.

    `SERVICE` is a service under the general place-of-supply rules. Services with a rule of their
    own (land, events, passenger transport, hiring, catering, intellectual services to consumers
    outside the seller's VAT area) and goods are not supported.
    """

    SERVICE = "service"
    DIGITAL_SERVICE = "digital_service"
    """Telecommunications, broadcasting or electronically supplied services."""
    GOODS = "goods"


class Category(Enum):
    """The name of a rate in the country whose tax it is; the numbered names are the rate file's own."""

    STANDARD = "standard"
    REDUCED = "reduced"
    REDUCED1 = "reduced1"
    REDUCED2 = "reduced2"
    SUPER_REDUCED = "super_reduced"
    PARKING = "parking"
    PRESS_PUBLICATIONS = "press_publications"
    ZERO = "zero"


class TaxTreatment(Enum):
    """Whose tax it is and who accounts for it."""

    DOMESTIC = "domestic"
    """The seller's country taxes; the seller accounts for it."""
    REVERSE_CHARGE = "reverse_charge"
    """The buyer's country taxes; the buyer accounts for it."""
    DESTINATION = "destination"
    """The buyer's country taxes; the seller accounts for it under a registration there."""


class VatCode(Enum):
    """VAT category codes of EN 16931 (UNCL 5305) that we can answer."""

    STANDARD_RATED = "S"
    ZERO_RATED = "Z"
    REVERSE_CHARGE = "AE"


class LegalNote(Enum):
    """The statement that an invoice must carry."""

    REVERSE_CHARGE = "reverse_charge"
    """`Reverse charge` (Directive 2006/112/EC, article 226, point 11a)."""


@dataclass(frozen=True, slots=True)
class Seller:
    """Who supplies: where it is established, and its VAT id in each country where it is registered.

    A one-stop-shop registration is stated under each country that it covers.
    """

    country: str
    registrations: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no country or no id."""
        _check_country(self.country, "seller.country")
        for country, vat_id in self.registrations.items():
            _check_country(country, "seller.registrations")
            _check_vat_id(vat_id, "seller.registrations")


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who is supplied."""

    country: str
    kind: BuyerKind
    vat_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no country or no id."""
        _check_country(self.country, "buyer.country")
        if self.vat_id is not None:
            _check_vat_id(self.vat_id, "buyer.vat_id")


@dataclass(frozen=True, slots=True)
class PricedLine:
    """So many of something at a unit price in minor units; a negative quantity takes back."""

    quantity: Decimal
    unit_price: int
    category: Category = Category.STANDARD

    def __post_init__(self) -> None:
        """Refuse a quantity that is not an exact decimal in range, and a price that is no whole amount."""
        check_quantity(self.quantity)
        if type(self.unit_price) is not int or not 0 <= self.unit_price <= AMOUNT_MINOR:
            message = f"a unit price is a whole number of minor units from 0 to {AMOUNT_MINOR}"
            raise Invalid(message, field="unit_price")


@dataclass(frozen=True, slots=True)
class TaxQuestion:
    """One supply by one seller to one buyer; `on` is the tax point and chooses the rates."""

    seller: Seller
    buyer: Buyer
    supply: Supply
    on: date
    currency: str
    lines: tuple[PricedLine, ...]
    prices_include_tax: bool = False

    def __post_init__(self) -> None:
        """Refuse an unknown currency, no line at all, or too many."""
        minor_digits(self.currency)
        if not self.lines:
            message = "there is at least one line"
            raise Invalid(message, field="lines")
        if len(self.lines) > INVOICE_LINES:
            message = f"there are at most {INVOICE_LINES} lines"
            raise TooLarge(message, field="lines")


@dataclass(frozen=True, slots=True)
class Determination:
    """Whose tax a supply bears, by whom it is accounted for, and what the invoice must say."""

    treatment: TaxTreatment
    country: str
    note: LegalNote | None = None


@dataclass(frozen=True, slots=True)
class RateSource:
    """Where a rate was read. Changes after `as_of` are not in it."""

    key: str
    title: str
    url: str
    edition: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in percent, with the first day of the period that states it and its source."""

    country: str
    category: Category
    percent: Decimal
    valid_from: date
    source: RateSource


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """A line's net amount and how it is taxed; `percent` is zero under reverse charge."""

    net: Money
    code: VatCode
    percent: Decimal


@dataclass(frozen=True, slots=True)
class TaxBreakdown:
    """The tax of all lines with one VAT code and rate; `country` is whose tax it is."""

    treatment: TaxTreatment
    country: str
    code: VatCode
    percent: Decimal
    base: Money
    tax: Money
    note: LegalNote | None = None


@dataclass(frozen=True, slots=True)
class TaxCalculation:
    """The answer: net, tax and gross add up exactly, over lines and over the breakdown alike."""

    determination: Determination
    lines: tuple[TaxedLine, ...]
    breakdown: tuple[TaxBreakdown, ...]
    net: Money
    tax: Money
    gross: Money
    rates: tuple[Rate, ...]
    """The rates used, each once; none under reverse charge."""


def quantity(text: str, where: str = "quantity") -> Decimal:
    """Read a quantity: up to 9 digits, then up to 6 decimals, no exponent.

    Raises:
        Invalid: the text is no such number, or it is zero.
    """
    if not QUANTITY.fullmatch(text):
        message = "a quantity is a decimal of up to 9 digits and up to 6 decimals"
        raise Invalid(message, field=where)
    value = Decimal(text)
    check_quantity(value, where)
    return value


def check_quantity(value: Decimal, where: str = "quantity") -> None:
    """Refuse a quantity that is no Decimal (a float never is), zero, or out of range.

    Raises:
        Invalid: it is so.
    """
    if type(value) is not Decimal or not QUANTITY.fullmatch(format(value, "f")) or not value:
        message = "a quantity is a decimal of up to 9 digits and up to 6 decimals, and not zero"
        raise Invalid(message, field=where)


def _check_country(text: str, where: str) -> None:
    if not COUNTRY.fullmatch(text):
        message = "a country is two capital letters (ISO 3166-1)"
        raise Invalid(message, field=where)


def _check_vat_id(text: str, where: str) -> None:
    if not VAT_ID.fullmatch(text):
        message = "a VAT id is 1 to 24 letters, digits and separators"
        raise Invalid(message, field=where)
