"""Payments settle an invoice, refunds reopen it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid
from shared.invoicing.model import Invoice, InvoiceState
from shared.invoicing.refusals import CurrencyDiffers, RefundExceedsReceipts, WrongState
from shared.invoicing.rules.settling import apply_payment, payment_lines, refund, refund_lines
from shared.ledger.model import Side, credit, currencies_out_of_balance, debit
from shared.money import Money
from tests.unit.invoicing.drafts import an_invoice, pounds

ISSUED, PARTLY_PAID, PAID = InvoiceState.ISSUED, InvoiceState.PARTLY_PAID, InvoiceState.PAID


def paid(*amounts: int) -> Invoice:
    """An invoice over 120.00 on which these were paid."""
    invoice = an_invoice()
    for amount in amounts:
        invoice = apply_payment(invoice, pounds(amount)).invoice
    return invoice


def test_a_part_leaves_the_rest_open() -> None:
    """50.00 of 120.00 leaves 70.00."""
    invoice = paid(5_000)
    assert (invoice.state, invoice.open) == (PARTLY_PAID, pounds(7_000))


def test_parts_make_it_paid() -> None:
    """The last part closes it."""
    invoice = paid(5_000, 7_000)
    assert (invoice.state, invoice.open, invoice.version) == (PAID, pounds(0), 4)


def test_what_is_more_than_owed_is_the_customers_credit() -> None:
    """150.00 on 120.00 settles it and holds 30.00."""
    payment = apply_payment(an_invoice(), pounds(15_000))
    assert (payment.applied, payment.excess) == (pounds(12_000), pounds(3_000))
    assert (payment.invoice.state, payment.invoice.credited) == (PAID, 3_000)
    assert payment_lines(payment, "stripe") == (
        debit("assets:clearing:stripe", pounds(15_000)),
        credit("assets:receivable", pounds(12_000)),
        credit("liabilities:customer_credit", pounds(3_000)),
    )


def test_a_second_full_payment_is_all_credit() -> None:
    """A paid invoice takes money and owes it to the customer."""
    payment = apply_payment(paid(12_000), pounds(12_000))
    assert payment.invoice.state is PAID
    assert payment_lines(payment, "stripe") == (
        debit("assets:clearing:stripe", pounds(12_000)),
        credit("liabilities:customer_credit", pounds(12_000)),
    )


def test_a_refund_gives_the_credit_back_first_and_then_reopens() -> None:
    """Of 150.00 received, giving back 50.00 uses the 30.00 held and reopens 20.00."""
    given_back = refund(paid(15_000), pounds(5_000))
    assert (given_back.from_credit, given_back.reopened) == (pounds(3_000), pounds(2_000))
    assert (given_back.invoice.state, given_back.invoice.open) == (PARTLY_PAID, pounds(2_000))
    assert refund_lines(given_back, "stripe") == (
        debit("liabilities:customer_credit", pounds(3_000)),
        debit("assets:receivable", pounds(2_000)),
        credit("assets:clearing:stripe", pounds(5_000)),
    )


def test_giving_all_back_opens_the_whole_invoice_again() -> None:
    """It is issued once more, and takes payments."""
    invoice = refund(paid(12_000), pounds(12_000)).invoice
    assert (invoice.state, invoice.paid, invoice.refunded) == (ISSUED, 0, 12_000)
    assert apply_payment(invoice, pounds(12_000)).invoice.state is PAID


def test_nothing_paid_is_nothing_to_give_back() -> None:
    """An invoice without receipts does not take a refund."""
    with pytest.raises(WrongState):
        refund(an_invoice(), pounds(1))


def test_no_more_is_given_back_than_was_received() -> None:
    """Not even by a second refund."""
    once = refund(paid(5_000), pounds(4_000)).invoice
    with pytest.raises(RefundExceedsReceipts) as refusal:
        refund(once, pounds(1_001))
    assert refusal.value.detail == {"amount": 1_001, "held": 1_000}


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_paid_or_given_back_is_positive(amount: int) -> None:
    """Direction is in the verb."""
    with pytest.raises(Invalid):
        apply_payment(an_invoice(), pounds(amount))
    with pytest.raises(Invalid):
        refund(paid(5_000), pounds(amount))


def test_other_currencies_do_not_settle_it() -> None:
    """Nothing is converted in silence."""
    euros = Money(12_000, "EUR")
    with pytest.raises(CurrencyDiffers):
        apply_payment(an_invoice(), euros)
    with pytest.raises(CurrencyDiffers):
        refund(paid(12_000), euros)


steps = st.lists(st.tuples(st.booleans(), st.integers(1, 20_000)), max_size=30)


@given(steps)
def test_money_is_conserved_in_any_order_of_payments_and_refunds(happenings: list[tuple[bool, int]]) -> None:
    """What came in less what went out is paid or held; paid stays within the gross; what is posted says the same."""
    invoice, received, given_back = an_invoice(), 0, 0
    balances: dict[str, int] = {}
    for pays, amount in happenings:
        try:
            if pays:
                payment = apply_payment(invoice, pounds(amount))
                invoice, lines, received = payment.invoice, payment_lines(payment, "stripe"), received + amount
            else:
                back = refund(invoice, pounds(amount))
                invoice, lines, given_back = back.invoice, refund_lines(back, "stripe"), given_back + amount
        except (WrongState, RefundExceedsReceipts):
            assert amount > received - given_back
            continue
        assert currencies_out_of_balance(lines) == []
        for line in lines:
            sign = 1 if line.side is Side.DEBIT else -1
            balances[line.account] = balances.get(line.account, 0) + sign * line.money.amount
    assert 0 <= invoice.paid <= invoice.gross.amount
    assert invoice.paid + invoice.credited == received - given_back
    assert invoice.refunded == given_back
    assert balances.get("assets:clearing:stripe", 0) == received - given_back
    assert balances.get("assets:receivable", 0) == -invoice.paid
    assert balances.get("liabilities:customer_credit", 0) == -invoice.credited


@given(st.permutations([1_000, 2_000, 4_000, 9_000]))
def test_the_order_of_payments_does_not_matter(amounts: list[int]) -> None:
    """Payments that arrive shuffled leave the same invoice."""
    assert paid(*amounts) == paid(*sorted(amounts))
