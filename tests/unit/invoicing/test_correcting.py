"""A sale is taken back in proportion, to the cent in all, and never more than was asked for."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.faults import Invalid
from shared.invoicing.model import Invoice, InvoiceState
from shared.invoicing.refusals import RefundExceedsReceipts, WrongState
from shared.invoicing.rules.correcting import Correction, correct, put_back, taken_back
from shared.invoicing.rules.settling import apply_payment, refund
from shared.ledger.model import Line, Side, credit, debit
from shared.tax.model import Category
from tests.unit.invoicing.drafts import a_line, an_invoice, pounds

PRICES = st.lists(
    st.tuples(st.integers(1, 100_000), st.sampled_from((Category.STANDARD, Category.REDUCED, Category.ZERO))),
    min_size=1,
    max_size=4,
)


def paid(invoice: Invoice, amount: int | None = None) -> Invoice:
    """An invoice on which so much, or all, was paid."""
    return apply_payment(invoice, pounds(amount or invoice.gross.amount)).invoice


def moved(*lines: Line) -> Counter[str]:
    """Debits less credits by account."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.account] += line.money.amount if line.side is Side.DEBIT else -line.money.amount
    return Counter({account: amount for account, amount in sums.items() if amount})


def issued_for(prices: list[tuple[int, Category]]) -> Invoice:
    """An invoice of these lines, paid."""
    return paid(an_invoice(*(a_line(price, "1", category) for price, category in prices)))


def test_a_part_takes_back_revenue_and_tax_in_proportion() -> None:
    """60.00 of 120.00 is 50.00 of the sale and 10.00 of its VAT; what is open stays open."""
    done = correct(paid(an_invoice()), pounds(6_000))
    assert done.lines == (debit("liabilities:vat:gb", pounds(1_000)), debit("revenue:sales", pounds(5_000)))
    assert (done.net, done.tax) == (5_000, 1_000)
    after = done.invoice
    assert (after.state, after.paid, after.refunded, after.corrected, after.open.amount) == (
        InvoiceState.PAID,
        6_000,
        6_000,
        6_000,
        0,
    )


def test_a_sale_without_tax_has_no_tax_to_take_back() -> None:
    """Nothing is posted of zero."""
    invoice = an_invoice(a_line(category=Category.ZERO))
    done = correct(paid(invoice), pounds(10_000))
    assert done.lines == (debit("revenue:sales", pounds(10_000)),)
    assert put_back(done.invoice, pounds(10_000)).lines == (credit("revenue:sales", pounds(10_000)),)


def test_what_is_partly_paid_stays_owed() -> None:
    """50.00 of 120.00 were paid and go back: 70.00 are still asked for."""
    done = correct(paid(an_invoice(), 5_000), pounds(5_000))
    assert (done.invoice.state, done.invoice.open.amount) == (InvoiceState.ISSUED, 7_000)
    again = apply_payment(done.invoice, pounds(7_000)).invoice
    assert (again.state, again.open.amount) == (InvoiceState.PAID, 0)


def test_no_more_is_taken_back_than_is_paid() -> None:
    """Nor put back than was taken back."""
    with pytest.raises(WrongState):
        correct(an_invoice(), pounds(1))
    with pytest.raises(RefundExceedsReceipts):
        correct(paid(an_invoice(), 5_000), pounds(5_001))
    with pytest.raises(Invalid):
        put_back(paid(an_invoice()), pounds(1))


def test_a_refund_told_by_the_partner_beside_it_is_owed_again() -> None:
    """Half is taken back with its sale; the other half goes back without: it is open."""
    half = correct(paid(an_invoice()), pounds(6_000)).invoice
    other = refund(half, pounds(6_000)).invoice
    assert (other.state, other.open.amount, other.refunded) == (InvoiceState.ISSUED, 6_000, 12_000)


@settings(max_examples=50)
@given(PRICES, st.lists(st.integers(1, 60_000), max_size=12))
def test_parts_come_to_exactly_the_whole(prices: list[tuple[int, Category]], parts: list[int]) -> None:
    """However it is cut: at the end revenue and each tax are zero, and on the way within a cent of the proportion."""
    invoice = whole = issued_for(prices)
    sums: Counter[str] = Counter()
    for wanted in (*parts, invoice.paid):
        part = min(wanted, invoice.paid)
        if not part:
            break
        done: Correction = correct(invoice, pounds(part))
        assert sum(moved(*done.lines).values()) == part == done.net + done.tax
        sums.update(moved(*done.lines))
        invoice = done.invoice
        for account, all_of_it in taken_back(whole, whole.gross.amount).items():
            exact = all_of_it * invoice.corrected / whole.gross.amount
            assert abs(sums[account] - exact) <= len(whole.breakdown)
    taxes = Counter[str]()
    for row in whole.breakdown:
        taxes[f"liabilities:vat:{row.country.lower()}"] += row.tax.amount
    assert +sums == +Counter({"revenue:sales": whole.net.amount, **taxes})


@settings(max_examples=50)
@given(PRICES, st.lists(st.tuples(st.booleans(), st.integers(1, 50_000)), max_size=12))
def test_what_is_taken_back_depends_on_how_much_in_all(
    prices: list[tuple[int, Category]], steps: list[tuple[bool, int]]
) -> None:
    """Parts that are taken back and put back in any order leave what the sum of them alone would."""
    invoice = whole = issued_for(prices)
    sums: Counter[str] = Counter()
    for back, amount in steps:
        most = invoice.paid if back else invoice.corrected
        if not most:
            continue
        done = (correct if back else put_back)(invoice, pounds(min(amount, most)))
        sums.update(moved(*done.lines))
        invoice = done.invoice
    assert {name: amount for name, amount in sums.items() if amount} == taken_back(whole, invoice.corrected)
    assert invoice.paid + invoice.corrected == whole.gross.amount
    assert replace(invoice, version=1).open.amount == 0
