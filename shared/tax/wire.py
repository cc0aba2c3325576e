"""Tax on the wire: the question that `POST /v1/tax/calculations` takes and the answer that it gives."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field

from shared.limits import AMOUNT_MINOR, INVOICE_LINES
from shared.tax.model import (
    VAT_ID,
    Buyer,
    BuyerKind,
    Category,
    LegalNote,
    PricedLine,
    Rate,
    Seller,
    Supply,
    TaxBreakdown,
    TaxCalculation,
    TaxedLine,
    TaxQuestion,
    TaxTreatment,
    VatCode,
    check_quantity,
)
from shared.wire import Country, Currency, DecimalText, IsoDate, MoneyWire, ShortText, Wire, by_rule


def _quantity(value: Decimal) -> Decimal:
    check_quantity(value)
    return value


Quantity = Annotated[DecimalText, by_rule(_quantity)]
"""A decimal as text, up to 9 digits and 6 decimals, not zero."""

UnitPrice = Annotated[int, Field(ge=0, le=AMOUNT_MINOR)]
"""Minor units of the document's currency."""

VatId = Annotated[str, Field(pattern=f"^{VAT_ID.pattern}$")]
"""A VAT id as written; whether it is valid is decided where it matters."""


class SellerWire(Wire):
    """Who supplies; `registrations` are VAT ids by country."""

    country: Country
    registrations: dict[Country, VatId] = Field(default_factory=dict, max_length=50)

    def seller(self) -> Seller:
        """The seller."""
        return Seller(self.country, self.registrations)


class BuyerWire(Wire):
    """Who is supplied."""

    country: Country
    kind: BuyerKind
    vat_id: VatId | None = None

    def buyer(self) -> Buyer:
        """The buyer."""
        return Buyer(self.country, self.kind, self.vat_id)


class PricedLineWire(Wire):
    """So many of something at a unit price; the description is not looked at."""

    description: ShortText | None = None
    quantity: Quantity
    unit_price: UnitPrice
    category: Category

    def line(self) -> PricedLine:
        """The line, without its description."""
        return PricedLine(self.quantity, self.unit_price, self.category)


class NewTaxCalculation(Wire):
    """The question; `date` is the tax point."""

    seller: SellerWire
    buyer: BuyerWire
    supply: Supply
    date: IsoDate
    currency: Currency
    lines: tuple[PricedLineWire, ...] = Field(min_length=1, max_length=INVOICE_LINES)
    prices_include_tax: bool = False

    def question(self) -> TaxQuestion:
        """The question."""
        return TaxQuestion(
            self.seller.seller(),
            self.buyer.buyer(),
            self.supply,
            self.date,
            self.currency,
            tuple(line.line() for line in self.lines),
            self.prices_include_tax,
        )


class TaxedLineAnswer(Wire):
    """A line's net, under the EN 16931 code and the rate in percent that tax it."""

    net: MoneyWire
    vat_code: VatCode
    rate: DecimalText

    @classmethod
    def of(cls, line: TaxedLine) -> Self:
        """The line on the wire."""
        return cls(net=MoneyWire.of(line.net), vat_code=line.code, rate=line.percent)


class TaxBreakdownAnswer(Wire):
    """The tax of all lines with one EN 16931 code and rate; `country` is whose tax it is."""

    treatment: TaxTreatment
    country: Country
    vat_code: VatCode
    rate: DecimalText
    base: MoneyWire
    tax: MoneyWire
    note: LegalNote | None

    @classmethod
    def of(cls, row: TaxBreakdown) -> Self:
        """The row on the wire."""
        return cls(
            treatment=row.treatment,
            country=row.country,
            vat_code=row.code,
            rate=row.percent,
            base=MoneyWire.of(row.base),
            tax=MoneyWire.of(row.tax),
            note=row.note,
        )


class RateSourceAnswer(Wire):
    """Where a rate was read; changes after `rate_as_of` are not in it."""

    country: Country
    category: Category
    rate: DecimalText
    valid_from: date
    rate_source: str
    edition: str
    url: str
    rate_as_of: date

    @classmethod
    def of(cls, rate: Rate) -> Self:
        """The rate and its source on the wire."""
        return cls(
            country=rate.country,
            category=rate.category,
            rate=rate.percent,
            valid_from=rate.valid_from,
            rate_source=rate.source.title,
            edition=rate.source.edition,
            url=rate.source.url,
            rate_as_of=rate.source.as_of,
        )


class TaxCalculationAnswer(Wire):
    """The answer; there are no `rate_sources` under reverse charge, where no rate is applied."""

    treatment: TaxTreatment
    lines: tuple[TaxedLineAnswer, ...]
    breakdown: tuple[TaxBreakdownAnswer, ...]
    net: MoneyWire
    tax: MoneyWire
    gross: MoneyWire
    rate_sources: tuple[RateSourceAnswer, ...]

    @classmethod
    def of(cls, calculation: TaxCalculation) -> Self:
        """The calculation on the wire."""
        return cls(
            treatment=calculation.determination.treatment,
            lines=tuple(TaxedLineAnswer.of(line) for line in calculation.lines),
            breakdown=tuple(TaxBreakdownAnswer.of(row) for row in calculation.breakdown),
            net=MoneyWire.of(calculation.net),
            tax=MoneyWire.of(calculation.tax),
            gross=MoneyWire.of(calculation.gross),
            rate_sources=tuple(RateSourceAnswer.of(rate) for rate in calculation.rates),
        )
