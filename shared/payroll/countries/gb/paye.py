"""Income tax of one pay day, by HMRC's specification for PAYE tax table routines, v24 (February 2026).

The routine works on pay to date against the bands' share for the weeks or months so far, in the
order and with the truncations named here; figures come from the year's table.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.payroll.countries.gb.figures import Band, IncomeTax, NationTax
from shared.payroll.countries.gb.rounding import down_to_pound, pence, pounds, truncate, up_to_penny, up_to_pound
from shared.payroll.countries.gb.tax_code import CodeKind, TaxCode
from shared.payroll.countries.gb.tax_periods import TaxPeriod

_BLOCK: Final = 500
"""Free pay is made of blocks of 500 code numbers (5,000 pounds a year) and a rest."""


@dataclass(frozen=True, slots=True)
class TaxablePay:
    """Pence: pay of this pay day, and taxable pay and tax of the tax year before it."""

    this_period: int
    before: int = 0
    tax_before: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a year that a calculation covers: `number` of its 52 weeks or 12 months."""

    number: int
    units_a_year: int

    def of(self, yearly: Decimal) -> Decimal:
        """The share of a yearly figure, truncated to four places."""
        return truncate(yearly * self.number / self.units_a_year, 4)


def income_tax(tables: IncomeTax, code: TaxCode, period: TaxPeriod, pay: TaxablePay) -> int:
    """Tax to take from this pay day, pence; negative is a refund (cumulative codes only).

    Never above the regulatory limit of this pay day's pay; what the limit holds back is due with
    the next cumulative calculation. Week 53, 54 and 56 stand alone (HMRC manual PAYE70015).
    """
    alone = period.is_extra or not code.cumulative
    share = Share(period.frequency.units if alone else period.number, period.frequency.units_a_year)
    so_far = pay.this_period if alone else pay.before + pay.this_period
    due = pence(tax_due(tables.nations[code.nation], code, share, pounds(so_far)))
    limit = pence(truncate(tables.regulatory_limit * pounds(pay.this_period), 2))
    return min(due - (0 if alone else pay.tax_before), limit)


def tax_due(nation: NationTax, code: TaxCode, share: Share, pay: Decimal) -> Decimal:
    """Tax on pay over a share of the year, pounds and pence, before any limit."""
    adjustment = free_pay(code.number, share.units_a_year) * share.number
    match code.kind:
        case CodeKind.NO_TAX:
            return Decimal(0)
        case CodeKind.FLAT:
            return truncate(down_to_pound(pay) * nation.flat_rates[code.body], 2)
        case CodeKind.ALLOWANCE:
            return _banded(nation.bands, share, max(pay - adjustment, Decimal(0)))
        case CodeKind.ADDITION:
            return _banded(nation.bands, share, pay + adjustment)


def free_pay(number: int, units_a_year: int) -> Decimal:
    """Pay adjustment of a code number for one week or month, pounds.

    Whole blocks of 500 and the rest (ten times the number, and 9) are each divided and rounded up
    to the penny; number 0 has none.
    """
    if number == 0:
        return Decimal(0)
    blocks, rest = divmod(number - 1, _BLOCK)
    block = up_to_penny(Decimal(_BLOCK * 10) / units_a_year)
    return up_to_penny(Decimal((rest + 1) * 10 + 9) / units_a_year) + blocks * block


def _banded(bands: tuple[Band, ...], share: Share, taxable: Decimal) -> Decimal:
    """Tax on the whole pounds of taxable pay: that of the bands below, then the rate of the one it ends in."""
    below = tax_below = Decimal(0)
    for band in bands:
        if band.up_to is None or taxable <= up_to_pound(share.of(band.up_to)):
            break
        tax_below += (band.up_to - below) * band.rate
        below = band.up_to
    return truncate(share.of(tax_below) + (down_to_pound(taxable) - share.of(below)) * band.rate, 2)
