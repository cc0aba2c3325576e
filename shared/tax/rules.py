"""Whose tax a supply bears, at which rate, and how much: pure decisions over dated rates.

Place of supply follows Directive 2006/112/EC (articles 44, 45 and 58) and, for the United Kingdom,
section 7A of the Value Added Tax Act 1994. Not supported: goods, services with a place-of-supply
rule of their own, exempt supplies, domestic reverse charges, Northern Ireland's protocol, the small
sellers' threshold for digital services, and territories with rates of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, assert_never

from shared.faults import NotSupported
from shared.money import Money, total
from shared.tax.amounts import line_amount, net_of, nets_of, tax_on
from shared.tax.model import (
    Buyer,
    BuyerKind,
    Category,
    Determination,
    LegalNote,
    Rate,
    Seller,
    Supply,
    TaxBreakdown,
    TaxCalculation,
    TaxedLine,
    TaxQuestion,
    TaxTreatment,
    VatCode,
)
from shared.tax.rates import RateTable
from shared.tax.refusals import TaxNotDetermined
from shared.tax.vat_ids import is_northern_irish, is_vat_id

NO_TAX: Final = Decimal(0)

CROSS_BORDER_FROM: Final = date(2021, 1, 1)
"""First day after the United Kingdom left the Union's VAT area (Withdrawal Agreement, article 126)."""


# --- whose tax ---------------------------------------------------------------------------


def determine(question: TaxQuestion, table: RateTable) -> Determination:
    """Whose tax the supply bears.

    Raises:
        NotSupported: goods, a country without dated rates, or a day before the rules held.
        TaxNotDetermined: a registration or the buyer's VAT id is missing or wrong.
    """
    seller, buyer, supply = question.seller, question.buyer, question.supply
    if supply is Supply.GOODS:
        message = "the VAT of goods is not supported"
        raise NotSupported(message, field="supply")
    table.require(seller.country, "seller.country")
    table.require(buyer.country, "buyer.country")
    if buyer.country == seller.country:
        return _domestic(seller)
    if question.on < CROSS_BORDER_FROM:
        message = f"supplies between countries are not supported before {CROSS_BORDER_FROM}"
        raise NotSupported(message, field="date", detail={"date": question.on.isoformat()})
    match buyer.kind:
        case BuyerKind.BUSINESS:
            return _business_elsewhere(seller, buyer)
        case BuyerKind.CONSUMER:
            return _consumer_elsewhere(seller, buyer, supply)
        case _:
            assert_never(buyer.kind)


def _domestic(seller: Seller) -> Determination:
    """The seller's country taxes: both are there, or the buyer is a consumer (article 45; section 7A)."""
    _require_registration(seller, seller.country)
    return Determination(TaxTreatment.DOMESTIC, seller.country)


def _business_elsewhere(seller: Seller, buyer: Buyer) -> Determination:
    """Taxed where the buyer is (article 44; section 7A), who accounts for it (article 196)."""
    _require_registration(seller, seller.country)
    if buyer.vat_id is not None and is_northern_irish(buyer.country, buyer.vat_id):
        message = "Northern Irish VAT ids (XI) are not supported"
        raise NotSupported(message, field="buyer.vat_id")
    if buyer.vat_id is None or not is_vat_id(buyer.country, buyer.vat_id):
        message = f"a business in another country needs a valid VAT id of {buyer.country}"
        raise TaxNotDetermined(message, field="buyer.vat_id", detail={"country": buyer.country})
    return Determination(TaxTreatment.REVERSE_CHARGE, buyer.country, LegalNote.REVERSE_CHARGE)


def _consumer_elsewhere(seller: Seller, buyer: Buyer, supply: Supply) -> Determination:
    """Digital services are taxed where the consumer is (article 58), other services where the seller is."""
    if supply is not Supply.DIGITAL_SERVICE:
        return _domestic(seller)
    _require_registration(seller, buyer.country)
    return Determination(TaxTreatment.DESTINATION, buyer.country)


def _require_registration(seller: Seller, country: str) -> None:
    if country not in seller.registrations:
        message = f"the seller states no VAT registration for {country}"
        raise TaxNotDetermined(message, field="seller.registrations", detail={"country": country})


# --- how much ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Applied:
    """How one line is taxed; without a rate nothing is charged."""

    code: VatCode
    percent: Decimal
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    """The lines of one VAT code and rate: their places, their nets and the tax on them together."""

    places: tuple[int, ...]
    nets: tuple[Money, ...]
    base: Money
    tax: Money


def calculate(question: TaxQuestion, table: RateTable) -> TaxCalculation:
    """The tax of a supply, rounded as EN 16931 says.

    Raises:
        NotSupported: no dated source covers a country, the day or a category.
        TaxNotDetermined: a registration or the buyer's VAT id is missing or wrong.
        Invalid: an amount passes its limit.
    """
    determination = determine(question, table)
    applied = [
        _apply(line.category, determination, question.on, table, f"lines.{place}.category")
        for place, line in enumerate(question.lines)
    ]
    groups = _groups(question, applied)
    nets = {place: net for group in groups for place, net in zip(group.places, group.nets, strict=True)}
    net = total((group.base for group in groups), question.currency)
    tax = total((group.tax for group in groups), question.currency)
    return TaxCalculation(
        determination,
        tuple(TaxedLine(nets[place], line.code, line.percent) for place, line in enumerate(applied)),
        tuple(_row(determination, applied[group.places[0]], group) for group in groups),
        net,
        tax,
        net + tax,
        tuple(dict.fromkeys(line.rate for line in applied if line.rate is not None)),
    )


def _apply(category: Category, determination: Determination, on: date, table: RateTable, where: str) -> _Applied:
    if determination.treatment is TaxTreatment.REVERSE_CHARGE:
        return _Applied(VatCode.REVERSE_CHARGE, NO_TAX)
    rate = table.rate(determination.country, category, on, where)
    code = VatCode.STANDARD_RATED if rate.percent else VatCode.ZERO_RATED
    return _Applied(code, rate.percent, rate)


def _groups(question: TaxQuestion, applied: Sequence[_Applied]) -> list[_Group]:
    """Lines gathered by VAT code and rate, in order of first appearance."""
    places: dict[tuple[VatCode, Decimal], list[int]] = {}
    for place, line in enumerate(applied):
        places.setdefault((line.code, line.percent), []).append(place)
    amounts = [line_amount(line.quantity, line.unit_price, question.currency) for line in question.lines]
    gather = _inclusive if question.prices_include_tax else _exclusive
    return [gather(tuple(group), [amounts[at] for at in group], percent) for (_, percent), group in places.items()]


def _exclusive(places: tuple[int, ...], nets: list[Money], percent: Decimal) -> _Group:
    base = total(nets, nets[0].currency)
    return _Group(places, tuple(nets), base, tax_on(base, percent))


def _inclusive(places: tuple[int, ...], grosses: list[Money], percent: Decimal) -> _Group:
    """The gross is what was asked and stays; net is taken out of it and tax is the rest."""
    gross = total(grosses, grosses[0].currency)
    base = net_of(gross, percent)
    return _Group(places, nets_of(grosses, percent, base), base, gross - base)


def _row(determination: Determination, applied: _Applied, group: _Group) -> TaxBreakdown:
    return TaxBreakdown(
        determination.treatment,
        determination.country,
        applied.code,
        applied.percent,
        group.base,
        group.tax,
        determination.note,
    )
