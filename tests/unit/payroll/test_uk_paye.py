"""Income tax of 2026-27, each figure worked by hand from the year's table."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import Money
from shared.payroll.countries.gb.categories import NicCategory
from shared.payroll.countries.gb.paye import TaxablePay, free_pay, income_tax
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.countries.gb.tax_periods import TaxPeriod, tax_period
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, Payslip, PayTerms, YearToDate
from shared.payroll.rules import payslip_of
from tests.unit.payroll.conftest import PaidMonths, month

YEAR = tables_for(date(2026, 11, 30))
PENCE = st.integers(0, 3_000_000)
CODES = st.sampled_from(
    ["1257L", "S1257L", "C1257L", "45L", "2501T", "0T", "S0T", "K475", "SK630", "K2000", "BR", "D0", "D1", "SD3", "NT"]
)


def taxes(slips: list[Payslip]) -> list[int]:
    """Income tax of each payslip, pence."""
    return [slip.income_tax.amount for slip in slips]


def tax_alone(code: str, gross: int, frequency: Frequency = Frequency.MONTHLY, number: int = 1) -> int:
    """Tax of a first or lone pay day, pence."""
    return income_tax(YEAR.income_tax, TaxCode.parse(code), TaxPeriod("2026-27", number, frequency), TaxablePay(gross))


@pytest.mark.parametrize(
    ("number", "units", "pounds"),
    [
        (0, 12, "0"),
        (1, 12, "1.59"),
        (500, 12, "417.42"),
        (501, 12, "418.26"),
        (1257, 12, "1048.26"),
        (1257, 52, "241.92"),
    ],
)
def test_free_pay_is_made_of_blocks_and_a_rest(number: int, units: int, pounds: str) -> None:
    """1257 = 2 x 500 + 257: 2 x 416.67 + (2570 + 9) / 12 rounded up = 833.34 + 214.92 = 1048.26 a month."""
    assert free_pay(number, units) == Decimal(pounds)


def test_an_even_salary_in_month_eight(paid_months: PaidMonths) -> None:
    """1257L, 3,000.00 a month.

    Month 8: 24,000.00 - 8 x 1,048.26 = 15,613.92, whole pounds 15,613, at 20 % 3,122.60.
    Month 7: 21,000.00 - 7,337.82 = 13,662.18, 13,662 at 20 % 2,732.40. Difference 390.20.
    """
    assert taxes(paid_months([300_000] * 8))[-1] == 390_20


def test_scottish_bands(paid_months: PaidMonths) -> None:
    """S1257L, 6,000.00 in month 1: 6,000.00 - 1,048.26, whole pounds 4,951, in the 42 % band above 31,092 / 12 = 2,591.

    Tax below it: (3,967 x 19 % + 12,989 x 20 % + 14,136 x 21 %) / 12 = 6,320.09 / 12 = 526.6741;
    (4,951 - 2,591) x 42 % = 991.20; together 1,517.87.
    """
    assert taxes(paid_months([600_000], "S1257L")) == [1517_87]


@pytest.mark.parametrize(("gross", "tax"), [(3141_80, 628_20), (3142_00, 628_40), (3142_01, 628_46)])
def test_a_band_ends_at_the_next_whole_pound(gross: int, tax: int) -> None:
    """0T in month 1: the basic band ends at 37,700 / 12 = 3,141.6666, so pay up to 3,142.00 is taxed in it.

    3,141 and 3,142 x 20 % = 628.20 and 628.40; a penny above, 628.3333 + 0.3334 x 40 % = 628.46.
    """
    assert tax_alone("0T", gross) == tax


def test_the_additional_rate_on_a_lone_month() -> None:
    """1257L M1, 20,000.00: whole pounds 18,951, above 125,140 / 12 = 10,428.3333.

    42,516 / 12 = 3,543.00 below, (18,951 - 10,428.3333) x 45 % = 3,835.20; together 7,378.20.
    """
    assert tax_alone("1257L M1", 2_000_000) == 7378_20


def test_a_flat_code_taxes_whole_pounds(paid_months: PaidMonths) -> None:
    """BR, 1,234.56: 1,234 x 20 % = 246.80; next month 2,469 x 20 % = 493.80 less 246.80 = 247.00."""
    assert taxes(paid_months([123_456, 123_456], "BR")) == [246_80, 247_00]


@pytest.mark.parametrize(
    ("code", "tax"),
    [("D0", 40), ("D1", 45), ("CBR", 20), ("SBR", 20), ("SD0", 21), ("SD1", 42), ("SD2", 45), ("SD3", 48)],
)
def test_each_flat_code_has_its_rate(code: str, tax: int) -> None:
    """On 100.00 a flat code takes its percentage in pounds."""
    assert tax_alone(code, 100_00) == tax * 100


def test_wales_is_taxed_as_the_rest_of_the_uk() -> None:
    """The Welsh bands of 2026-27 equal the English ones."""
    assert tax_alone("C1257L", 1_500_000) == tax_alone("1257L", 1_500_000)


def test_a_k_code_adds_to_pay() -> None:
    """K475, 2,000.00: (4,750 + 9) / 12 up = 396.59; 2,396 x 20 % = 479.20."""
    assert tax_alone("K475", 200_000) == 479_20


def test_tax_takes_at_most_half_of_pay_and_catches_up_later(paid_months: PaidMonths) -> None:
    """K2000: 417.42 + 3 x 416.67 = 1,667.43 a month is added to pay.

    Month 1, 1,000.00: 2,667 x 20 % = 533.40, limited to 500.00.
    Month 2, 3,000.00: 4,000.00 + 3,334.86, whole pounds 7,334, above 37,700 x 2 / 12 = 6,283.3333:
    7,540 x 2 / 12 = 1,256.6666 and 1,050.6667 x 40 % = 420.2667, 1,676.93 in all; less 500.00 is 1,176.93.
    """
    assert taxes(paid_months([100_000, 300_000], "K2000")) == [500_00, 1176_93]


def test_half_a_penny_of_the_limit_is_dropped() -> None:
    """K2000 on 0.33: half is 0.165, so 0.16 is taken."""
    assert tax_alone("K2000", 33) == 16


def test_a_month_without_pay_gives_tax_back(paid_months: PaidMonths) -> None:
    """After seven months of 3,000.00: 21,000.00 - 8,386.08, 12,613 x 20 % = 2,522.60 less 2,732.40 = -209.80."""
    assert taxes(paid_months([*[300_000] * 7, 0]))[-1] == -209_80


def test_no_tax_pays_back_the_year() -> None:
    """NT on a cumulative basis returns what was taken; on its own it takes and returns nothing."""
    period, pay = TaxPeriod("2026-27", 8, Frequency.MONTHLY), TaxablePay(300_000, 2_100_000, 273_240)
    assert income_tax(YEAR.income_tax, TaxCode.parse("NT"), period, pay) == -273_240
    assert income_tax(YEAR.income_tax, TaxCode.parse("NT M1"), period, pay) == 0


@pytest.mark.parametrize("number", [1, 5, 12])
def test_a_lone_month_is_the_same_in_any_month(number: int) -> None:
    """A code with a marker taxes month 12 as month 1."""
    assert tax_alone("1257L M1", 300_000, number=number) == 390_20


@pytest.mark.parametrize(
    ("frequency", "gross", "tax"),
    [
        (Frequency.WEEKLY, 50_000, 51_60),
        (Frequency.FORTNIGHTLY, 100_000, 103_20),
        (Frequency.FOUR_WEEKLY, 200_000, 206_40),
    ],
)
def test_the_extra_pay_day_stands_alone(frequency: Frequency, gross: int, tax: int) -> None:
    """1257L on 5 April 2027 (week 53, 54, 56) has one interval's free pay whatever came before.

    Weekly 241.92: 500.00 - 241.92, 258 x 20 % = 51.60; 1,000.00 - 483.84, 516 x 20 % = 103.20;
    2,000.00 - 967.68, 1,032 x 20 % = 206.40.
    """
    period, pay = tax_period(date(2027, 4, 5), frequency), TaxablePay(gross, 2_600_000, 268_000)
    assert income_tax(YEAR.income_tax, TaxCode.parse("1257L"), period, pay) == tax


def test_pay_of_an_earlier_employment_counts() -> None:
    """P45 with 21,000.00 and 2,732.40, then 3,000.00 in month 8: taxed as if all had been paid here, 390.20."""
    terms = PayTerms(Money(0, "GBP"), TaxCode.parse("1257L"), NicCategory.A)
    ytd = YearToDate.opening("2026-27", Money(2_100_000, "GBP"), Money(273_240, "GBP"))
    slip = payslip_of(terms, PayPeriod(date(2026, 11, 30), Frequency.MONTHLY), ytd, gross=Money(300_000, "GBP"))
    assert slip.income_tax == Money(390_20, "GBP")


@given(code=CODES, number=st.integers(1, 12), before=st.integers(0, 20_000_000), pay=PENCE, more=PENCE)
def test_more_pay_never_means_less_tax(code: str, number: int, before: int, pay: int, more: int) -> None:
    """Within a code and a period tax rises with pay, across bands and limits."""
    period, parsed = TaxPeriod("2026-27", number, Frequency.MONTHLY), TaxCode.parse(code)
    less = income_tax(YEAR.income_tax, parsed, period, TaxablePay(pay, before, before // 5))
    assert less <= income_tax(YEAR.income_tax, parsed, period, TaxablePay(pay + more, before, before // 5))


@given(code=CODES, number=st.integers(1, 12), pay=PENCE, before=st.integers(0, 20_000_000))
def test_tax_never_takes_more_than_half(code: str, number: int, pay: int, before: int) -> None:
    """The regulatory limit holds for every code, cumulative or not."""
    tax = income_tax(
        YEAR.income_tax, TaxCode.parse(code), TaxPeriod("2026-27", number, Frequency.MONTHLY), TaxablePay(pay, before)
    )
    assert 2 * tax <= pay


@given(pounds=st.lists(st.integers(0, 30_000), min_size=12, max_size=12), nation=st.sampled_from(["", "S", "C"]))
def test_a_year_of_months_is_taxed_as_the_year(pounds: list[int], nation: str) -> None:
    """However a year's pay falls into months, tax to date after the twelfth is the yearly tax, less than 50p below.

    Yearly tax here: bands on pay above 12 x 1,048.26, unrounded. Dropping the pence of taxable pay
    costs below 48p (top rate 48 %), truncation below 1p.
    """
    terms = PayTerms(Money(0, "GBP"), TaxCode.parse(f"{nation}1257L"), NicCategory.A)
    ytd = YearToDate.opening("2026-27")
    for number, gross in enumerate(pounds, start=1):
        ytd = ytd.after(payslip_of(terms, month(number), ytd, gross=Money(gross * 100, "GBP")))
    taxable, below, yearly = max(sum(pounds) - Decimal("12579.12"), Decimal(0)), Decimal(0), Decimal(0)
    for band in YEAR.income_tax.nations[terms.tax_code.nation].bands:
        top = taxable if band.up_to is None else min(taxable, band.up_to)
        yearly += max(top - below, Decimal(0)) * band.rate
        below = band.up_to or below
    assert 0 <= yearly - Decimal(ytd.income_tax.amount) / 100 < Decimal("0.50")
