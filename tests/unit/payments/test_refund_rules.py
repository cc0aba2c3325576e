"""The one table of a refund's states, how much may be asked for, and what approval and failure do to the books."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.invoicing.model import Invoice
from shared.ledger.model import currencies_out_of_balance
from shared.money import Money
from shared.payments.model import Payment, Stage
from shared.payments.refunds.model import TRANSITIONS, Happening, Refund, RefundKind, RefundReason, RefundState, Tally
from shared.payments.refunds.refusals import RefundExceedsPayment, WrongRefundState
from shared.payments.refunds.rules import approve, confirm, left, release
from shared.payments.rules.settlement import Settlement
from tests.builders import NOON
from tests.unit.invoicing.drafts import a_line, an_invoice, pounds
from tests.unit.invoicing.test_correcting import moved, paid

S, H = RefundState, Happening


def a_refund(amount: int = 6_000, kind: RefundKind = RefundKind.INVOICE, **changes: Any) -> Refund:
    """A refund that awaits approval."""
    reason = RefundReason.REQUESTED_BY_CUSTOMER
    refund = Refund("r-1", "p-1", kind, reason, pounds(amount), "user:ann", NOON, NOON, partner="standard")
    return replace(refund, **changes)


def a_payment(received: int = 12_000, unapplied: int = 0) -> Payment:
    """A payment that came, matched but for what is unapplied."""
    matched = received - unapplied
    values: dict[str, Any] = {"received": received, "matched": matched, "unapplied": unapplied}
    return Payment("p-1", "standard", "p-1", "GBP", Stage.SUCCEEDED, NOON, invoice_id="invoice1", **values)


def approved(refund: Refund, payment: Payment, invoice: Invoice | None) -> Settlement:
    """The refund, approved."""
    return approve(refund.moved(H.APPROVE, NOON), payment, invoice, Tally("p-1"))


def test_the_table_is_the_diagram() -> None:
    """Every step that there is, and no other."""
    steps = {(before, after) for before, ends in TRANSITIONS.items() for after in ends.values()}
    assert steps == {
        (S.AWAITING_APPROVAL, S.APPROVED),
        (S.AWAITING_APPROVAL, S.REJECTED),
        (S.AWAITING_APPROVAL, S.CANCELLED),
        (S.APPROVED, S.SENDING),
        (S.APPROVED, S.CANCELLED),
        (S.SENDING, S.SENT),
        (S.SENDING, S.FAILED),
        (S.SENT, S.SUCCEEDED),
        (S.SENT, S.FAILED),
        (S.SUCCEEDED, S.FAILED),
    }
    assert set(TRANSITIONS) == set(S)


@pytest.mark.parametrize(("state", "happening"), tuple(product(S, H)))
def test_what_the_table_does_not_allow_is_refused(state: RefundState, happening: Happening) -> None:
    """With the state in the refusal; nothing is sent that was cancelled, nothing approved that was rejected."""
    refund = a_refund(state=state)
    if happening in TRANSITIONS[state]:
        assert refund.moved(happening, NOON).version == refund.version + 1
        return
    with pytest.raises(WrongRefundState) as refusal:
        refund.moved(happening, NOON)
    assert refusal.value.detail == {"state": state.value}


def test_each_kind_has_its_own_money() -> None:
    """125.00 on 120.00: the sale's 120.00, and 5.00 of credit; what found no invoice is credit too."""
    invoice = paid(an_invoice(), 12_500)
    assert [left(kind, a_payment(12_500), invoice) for kind in RefundKind] == [12_000, 500]
    assert [left(kind, a_payment(700, unapplied=700), None) for kind in RefundKind] == [0, 700]


@pytest.mark.parametrize("asked", [{RefundKind.INVOICE: 6_001}, {RefundKind.CREDIT: 6_001}])
def test_what_is_asked_for_already_is_not_asked_for_twice(asked: dict[RefundKind, int]) -> None:
    """Of the same kind, or of the payment as a whole."""
    with pytest.raises(RefundExceedsPayment) as refusal:
        approve(a_refund().moved(H.APPROVE, NOON), a_payment(), paid(an_invoice()), Tally("p-1", asked))
    assert refusal.value.detail == {"available": 5_999, "currency": "GBP"}


def test_another_currency_is_no_part_of_the_payment() -> None:
    """Nor is one cent too much."""
    for refund in (a_refund(money=Money(1, "EUR")), a_refund(12_001)):
        with pytest.raises(RefundExceedsPayment):
            approved(refund, a_payment(), paid(an_invoice()))


@settings(max_examples=60)
@given(
    st.integers(1, 200_000),
    st.integers(0, 50_000),
    st.integers(0, 9_000),
    st.data(),
    st.sampled_from(tuple(RefundKind)),
)
def test_what_fails_leaves_everything_as_it_was(
    price: int, excess: int, unapplied: int, data: st.DataObject, kind: RefundKind
) -> None:
    """Approved, confirmed or not, and failed: all is as it was, and the entries come to nothing."""
    invoice = an_invoice(a_line(price))
    gross = invoice.gross.amount
    invoice = paid(invoice, gross + excess)
    payment = a_payment(gross + excess + unapplied, unapplied)
    most = left(kind, payment, invoice)
    if not most:
        return
    reserved = approved(a_refund(data.draw(st.integers(1, most)), kind), payment, invoice)
    (refund,), lines = reserved.refunds, [*reserved.lines]
    assert reserved.tally is not None
    assert reserved.tally.flying == {"r-1": S.APPROVED}
    before = replace(refund, state=S.SENT)
    if data.draw(st.booleans()):
        done = confirm(before.moved(H.CONFIRM, NOON), reserved.tally)
        (before,) = done.refunds
        lines += done.lines
    after = before.moved(H.FAIL, NOON)
    assert reserved.payment is not None
    undone = release(before, after, (reserved.payment, reserved.invoice or invoice), reserved.tally)
    assert not currencies_out_of_balance(tuple(lines))
    assert not moved(*lines, *undone.lines)
    assert undone.payment is not None
    assert replace(undone.payment, version=1) == payment
    assert replace(undone.invoice or invoice, version=1) == replace(invoice, version=1)
    assert undone.tally is not None
    assert undone.tally.flying == {}


def test_a_credit_that_comes_back_pays_what_is_open_by_then() -> None:
    """Meanwhile the partner told of another refund, and the invoice is owed again: the credit settles it."""
    invoice = paid(an_invoice(), 12_500)
    reserved = approved(a_refund(500, RefundKind.CREDIT), a_payment(12_500), invoice)
    (refund,) = reserved.refunds
    assert reserved.invoice is not None
    assert reserved.payment is not None
    reopened = replace(reserved.invoice, paid=11_000, state=type(invoice.state).PARTLY_PAID, refunded=1_500)
    payment = replace(reserved.payment, matched=11_000, refunded=1_500)
    sent = replace(refund, state=S.SENT)
    undone = release(sent, sent.moved(H.FAIL, NOON), (payment, reopened), Tally("p-1"))
    assert undone.invoice is not None
    assert (undone.invoice.paid, undone.invoice.credited, undone.invoice.refunded) == (11_500, 0, 1_000)
    assert moved(*undone.lines) == {"liabilities:refunds_payable": 500, "assets:receivable": -500}
