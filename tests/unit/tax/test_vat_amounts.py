"""How much: rounding by EN 16931, sums that add up exactly, and input that is not exact."""

from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid, NotSupported, TooLarge
from shared.limits import AMOUNT_MINOR, INVOICE_LINES
from shared.money import Money
from shared.tax.amounts import line_amount, net_of, nets_of, tax_on
from shared.tax.model import Category, PricedLine, TaxCalculation, VatCode, quantity
from shared.tax.rates import RateTable, published_rates
from shared.tax.rules import calculate
from tests.unit.tax.questions import a_consumer, a_line, a_question

GB_CATEGORIES = (Category.STANDARD, Category.REDUCED, Category.ZERO)


def tax_of(answer: TaxCalculation) -> list[tuple[str, int, int]]:
    """Rate, base and tax of each row."""
    return [(str(row.percent), row.base.amount, row.tax.amount) for row in answer.breakdown]


@pytest.mark.parametrize(
    ("amount", "percent", "tax"),
    [(12, "20", 2), (13, "20", 3), (50, "5", 3), (-50, "5", -3), (-49, "5", -2), (100, "5.5", 6), (1_000, "13.5", 135)],
)
def test_tax_is_rounded_half_away_from_zero_on_credits_too(amount: int, percent: str, tax: int) -> None:
    """Half a penny goes up on an invoice and as far down on its credit."""
    assert tax_on(Money(amount, "GBP"), Decimal(percent)) == Money(tax, "GBP")


@pytest.mark.parametrize(
    ("count", "price", "net"),
    [("0.5", 1, 1), ("-0.5", 1, -1), ("1.5", 33, 50), ("0.333333", 100, 33), ("3", 333, 999), ("0.000001", 499_999, 0)],
)
def test_a_line_is_rounded_on_its_own(count: str, price: int, net: int) -> None:
    """Quantity times price, half away from zero."""
    assert line_amount(Decimal(count), price, "EUR") == Money(net, "EUR")


def test_tax_is_taken_once_on_the_sum_of_the_lines(table: RateTable) -> None:
    """Three lines of 0.03 at 20 percent bear 0.02; line by line it would have been 0.03."""
    answer = calculate(a_question(a_line(3), a_line(3), a_line(3)), table)
    assert tax_of(answer) == [("20", 9, 2)]


def test_each_rate_has_its_row(table: RateTable) -> None:
    """Standard, reduced and zero rated lines are summed apart, under their EN 16931 codes."""
    answer = calculate(
        a_question(
            a_line(1_000),
            a_line(2_000, category=Category.REDUCED),
            a_line(500, quantity="2"),
            a_line(700, category=Category.ZERO),
        ),
        table,
    )
    assert tax_of(answer) == [("20", 2_000, 400), ("5", 2_000, 100), ("0", 700, 0)]
    assert [row.code for row in answer.breakdown] == [
        VatCode.STANDARD_RATED,
        VatCode.STANDARD_RATED,
        VatCode.ZERO_RATED,
    ]
    assert (answer.net.amount, answer.tax.amount, answer.gross.amount) == (4_700, 500, 5_200)


def test_two_categories_at_one_rate_share_a_row(table: RateTable) -> None:
    """EN 16931 knows codes and rates, not a country's names for them."""
    seller = a_question().seller.__class__("IE", {"IE": "IE6433435F"})
    lines = (a_line(100, category=Category.REDUCED2), a_line(100, category=Category.PARKING))
    answer = calculate(a_question(*lines, seller=seller, buyer=a_consumer("IE"), currency="EUR"), table)
    assert tax_of(answer) == [("13.5", 200, 27)]
    assert [rate.category for rate in answer.rates] == [Category.REDUCED2, Category.PARKING]


def test_inclusive_prices_keep_their_gross(table: RateTable) -> None:
    """9.99 including 20 percent is 8.33 (8.325, half away) and 1.66 (the rest)."""
    answer = calculate(a_question(a_line(999), prices_include_tax=True), table)
    assert (answer.net.amount, answer.tax.amount, answer.gross.amount) == (833, 166, 999)


def test_an_inclusive_net_goes_out_to_the_lines_by_largest_remainder() -> None:
    """Three lines of 1.00 including 20 percent hold 2.50 net: 0.84, 0.83, 0.83."""
    gross = Money(100, "GBP")
    net = net_of(Money(300, "GBP"), Decimal(20))
    assert [part.amount for part in nets_of([gross] * 3, Decimal(20), net)] == [84, 83, 83]


def test_yen_have_no_decimals(table: RateTable) -> None:
    """Rounding is to the currency's own minor unit."""
    assert tax_of(calculate(a_question(a_line(13), currency="JPY"), table)) == [("20", 13, 3)]


lines = st.lists(
    st.builds(
        PricedLine,
        st.decimals(min_value=-1_000, max_value=1_000, places=3).filter(bool),
        st.integers(0, 10_000_000),
        st.sampled_from(GB_CATEGORIES),
    ),
    min_size=1,
    max_size=12,
)


@given(lines, st.booleans())
def test_lines_breakdown_and_totals_add_up(priced: list[PricedLine], inclusive: bool) -> None:  # noqa: FBT001 - drawn
    """Nets of lines, bases and taxes of rows and the document's totals agree to the unit, whatever the input."""
    answer = calculate(a_question(*priced, prices_include_tax=inclusive), published_rates())
    assert sum(line.net.amount for line in answer.lines) == answer.net.amount
    assert sum(row.base.amount for row in answer.breakdown) == answer.net.amount
    assert sum(row.tax.amount for row in answer.breakdown) == answer.tax.amount
    assert answer.net + answer.tax == answer.gross
    for row in answer.breakdown:
        nets = [line.net.amount for line in answer.lines if (line.code, line.percent) == (row.code, row.percent)]
        assert sum(nets) == row.base.amount


@given(lines)
def test_inclusive_prices_add_up_to_what_was_asked(priced: list[PricedLine]) -> None:
    """The gross is the sum of the lines' prices; the tax is within a unit of the rate on the net."""
    answer = calculate(a_question(*priced, prices_include_tax=True), published_rates())
    assert answer.gross.amount == sum(line_amount(line.quantity, line.unit_price, "GBP").amount for line in priced)
    for row in answer.breakdown:
        assert abs(row.tax.amount - tax_on(row.base, row.percent).amount) <= 1


@given(lines)
def test_a_credit_mirrors_its_invoice(priced: list[PricedLine]) -> None:
    """Taking everything back gives the same figures with the other sign."""
    back = [PricedLine(-line.quantity, line.unit_price, line.category) for line in priced]
    there, again = (calculate(a_question(*some), published_rates()) for some in (priced, back))
    assert (-again.net, -again.tax, -again.gross) == (there.net, there.tax, there.gross)


@pytest.mark.parametrize(
    "text",
    ["", "1,5", "1e3", "1.1234567", "1234567890", ".5", "5.", "+1", "0", "0.000", "NaN", "Infinity", "\u0663", " 1"],
)
def test_a_quantity_is_a_short_plain_decimal(text: str) -> None:
    """Exponents, other scripts, too many digits and zero are refused."""
    with pytest.raises(Invalid) as refusal:
        quantity(text)
    assert refusal.value.field == "quantity"


@pytest.mark.parametrize("value", [1.5, 1, "1", Decimal("NaN"), Decimal("Infinity"), Decimal("1E-7"), Decimal(0)])
def test_a_float_is_no_quantity(value: object) -> None:
    """Only an exact decimal in range builds a line."""
    with pytest.raises(Invalid):
        PricedLine(cast("Any", value), 100)


@pytest.mark.parametrize("price", [1.0, "1", True, -1, AMOUNT_MINOR + 1])
def test_a_float_is_no_price(price: object) -> None:
    """A unit price is a whole number of minor units within the limit."""
    with pytest.raises(Invalid):
        PricedLine(Decimal(1), cast("Any", price))


def test_an_amount_past_the_limit_is_refused_not_rounded(table: RateTable) -> None:
    """The largest quantity at the largest price is computed exactly and then refused."""
    with pytest.raises(Invalid) as refusal:
        calculate(a_question(a_line(AMOUNT_MINOR, quantity="999999999.999999")), table)
    assert refusal.value.field == "amount"


def test_a_question_has_lines_and_not_too_many() -> None:
    """None is invalid, one more than the limit is too large."""
    empty = a_question()
    with pytest.raises(Invalid):
        empty.__class__(empty.seller, empty.buyer, empty.supply, empty.on, "GBP", ())
    with pytest.raises(TooLarge):
        a_question(*[a_line()] * (INVOICE_LINES + 1))


def test_the_refused_line_is_named(table: RateTable) -> None:
    """The second line's category has no rate, and the refusal points at it."""
    with pytest.raises(NotSupported) as refusal:
        calculate(a_question(a_line(), a_line(category=Category.PARKING), on=date(2026, 11, 1)), table)
    assert refusal.value.field == "lines.1.category"
