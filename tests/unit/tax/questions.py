"""A British seller, its buyers, and questions with defaults."""

from datetime import date
from decimal import Decimal

from shared.tax.model import Buyer, BuyerKind, Category, PricedLine, Seller, Supply, TaxQuestion

IDS = {
    "GB": "GB980780684",
    "DE": "DE136695976",
    "FR": "FR40303265045",
    "IE": "IE6433435F",
    "NL": "NL004495445B01",
    "GR": "EL094259216",
}
"""VAT ids that are valid in form; they are the format library's own published examples."""

BRITISH = Seller("GB", {"GB": IDS["GB"]})


def a_consumer(country: str) -> Buyer:
    """A consumer somewhere."""
    return Buyer(country, BuyerKind.CONSUMER)


def a_business(country: str, vat_id: str | None = None) -> Buyer:
    """A business somewhere; with a valid VAT id unless told otherwise."""
    return Buyer(country, BuyerKind.BUSINESS, IDS[country] if vat_id is None else vat_id)


def a_line(unit_price: int = 10_000, quantity: str = "1", category: Category = Category.STANDARD) -> PricedLine:
    """One line at a price in minor units."""
    return PricedLine(Decimal(quantity), unit_price, category)


def a_question(  # noqa: PLR0913 - a builder names every default
    *lines: PricedLine,
    buyer: Buyer | None = None,
    seller: Seller = BRITISH,
    supply: Supply = Supply.SERVICE,
    on: date = date(2026, 11, 16),
    currency: str = "GBP",
    prices_include_tax: bool = False,
) -> TaxQuestion:
    """A British seller asking about a British consumer in November 2026, unless told otherwise."""
    return TaxQuestion(
        seller, buyer or a_consumer("GB"), supply, on, currency, lines or (a_line(),), prices_include_tax
    )
