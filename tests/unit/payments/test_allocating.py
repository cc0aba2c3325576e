"""Payments are allocated, taken back, refunded and reversed: the books conserve money, whatever the order."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid, Refused
from shared.invoicing.model import InvoiceState
from shared.invoicing.refusals import CurrencyDiffers
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE
from shared.ledger.model import credit, debit
from shared.limits import ALLOCATION_INVOICES, PAYMENT_SHARES
from shared.money import Money
from shared.payments.allocations import Slice
from shared.payments.model import Payment, Stage
from shared.payments.refusals import (
    AllocationExceedsCash,
    AllocationExceedsOpen,
    AllocationUndone,
    CustomerDiffers,
    RefundTooLarge,
    TooManyAllocations,
    WriteOffExceedsLimit,
)
from shared.payments.rules.accounts import UNAPPLIED_CASH, WRITE_OFFS
from shared.payments.rules.allocating import Terms, allocate, same_currency
from tests.builders import NOON
from tests.unit.invoicing.drafts import pounds
from tests.unit.payments.allocated import Office, invoices

PAID, PARTLY, ISSUED = InvoiceState.PAID, InvoiceState.PARTLY_PAID, InvoiceState.ISSUED


def an_office(*amounts: int, limit: int = 0) -> Office:
    """Three invoices of 120.00, 60.00 and 24.00, and payments for none of them."""
    office = Office(invoices(10_000, 5_000, 2_000), limit)
    for place, amount in enumerate(amounts):
        office.receive(f"p{place}", amount)
    return office


def states(office: Office) -> list[InvoiceState]:
    """How the invoices stand."""
    return [invoice.state for invoice in office.invoices.values()]


# --- the plain line ----------------------------------------------------------------------


def test_one_payment_settles_several_invoices() -> None:
    """All at once, by one entry; what is left stays unapplied."""
    office = an_office(20_000)
    made = office.allocate("p0", {"i0": 12_000, "i1": 6_000})
    assert made.lines == (debit(UNAPPLIED_CASH, pounds(18_000)), credit(RECEIVABLE, pounds(18_000)))
    assert states(office) == [PAID, PAID, ISSUED]
    assert (office.payments["p0"].matched, office.payments["p0"].unapplied) == (18_000, 2_000)
    assert office.payments["p0"].customer == "customer1"
    office.holds_together()


def test_what_is_held_for_the_customer_is_used_after_the_unapplied_cash() -> None:
    """A prepayment is moved on to another invoice."""
    office = an_office()
    office.receive("p0", 20_000, "i0")
    made = office.allocate("p0", {"i1": 5_000})
    assert made.lines == (debit(CUSTOMER_CREDIT, pounds(5_000)), credit(RECEIVABLE, pounds(5_000)))
    assert (office.invoices["i0"].credited, office.invoices["i0"].refunded) == (3_000, 0)
    assert (office.payments["p0"].matched, office.payments["p0"].own) == (20_000, 15_000)
    office.holds_together()


def test_undoing_opens_the_invoices_and_the_cash_is_unapplied_again() -> None:
    """The same accounts the other way round; undone once."""
    office = an_office(18_000, limit=500)
    office.allocate("p0", {"i0": 11_600, "i1": 5_900}, write_off=True)
    office.undo("p0", "a0")
    assert states(office) == [ISSUED, ISSUED, ISSUED]
    assert office.payments["p0"] == replace(an_office(18_000).payments["p0"], version=3)
    assert not any(amount for (account, _), amount in office.posted.items() if account in {RECEIVABLE, WRITE_OFFS})
    with pytest.raises(AllocationUndone):
        office.undo("p0", "a0")
    office.holds_together()


# --- giving back -------------------------------------------------------------------------


def test_a_refund_takes_unapplied_cash_then_the_latest_allocation_then_the_payments_own_invoice() -> None:
    """The stated order, and within an order the last invoice first."""
    office = an_office()
    office.receive("p0", 17_000, "i0")  # 12,000 settle, 5,000 are held
    office.allocate("p0", {"i1": 3_000})
    office.allocate("p0", {"i2": 1_000, "i1": 500})
    office.undo("p0", "a0")  # 3,000 are unapplied
    office.allocate("p0", {"i1": 1_000})
    steps = []
    for _ in range(34):
        office.refund("p0", 500)
        payment = office.payments["p0"]
        shares = dict.fromkeys(("a2", "a1"), 0)
        for share in payment.shares:
            shares[share.allocation] += share.taken
        steps.append((payment.unapplied, shares["a2"], shares["a1"], payment.own))
        office.holds_together()
    whole = [(2_000, 1_000, 1_500, 12_500)]
    for before, after in zip([*whole, *steps], steps, strict=False):
        spent = next(place for place, amount in enumerate(before) if amount)
        assert after == tuple(amount - 500 * (place == spent) for place, amount in enumerate(before))
    assert states(office) == [ISSUED, ISSUED, ISSUED]


def test_a_reversal_opens_every_invoice_and_takes_the_write_off_with_it() -> None:
    """The debt is what it was before the payment."""
    office = an_office(18_000, limit=100)
    office.allocate("p0", {"i0": 11_900, "i1": 6_000}, write_off=True)
    assert (states(office)[:2], office.stands(WRITE_OFFS)) == ([PAID, PAID], 100)
    office.reverse("p0")
    assert (states(office), office.stands(WRITE_OFFS)) == ([ISSUED, ISSUED, ISSUED], 0)
    assert (office.payments["p0"].reversed, office.payments["p0"].shares) == (18_000, ())
    office.holds_together()


def test_a_refund_that_fails_after_an_allocation_is_unapplied_cash() -> None:
    """Its money is here again; which invoice it settles is for an order to say."""
    office = an_office(6_000)
    office.allocate("p0", {"i1": 6_000})
    office.refund("p0", 2_000)
    assert states(office)[1] is PARTLY
    office.refund_fails("r0")
    assert (office.payments["p0"].unapplied, office.invoices["i1"].open) == (2_000, pounds(2_000))
    office.allocate("p0", {"i1": 2_000})
    assert states(office)[1] is PAID
    office.holds_together()


# --- refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "refusal"),
    [
        ({"i0": 12_001}, AllocationExceedsOpen),
        ({"i0": 12_000, "i1": 6_000, "i2": 2_001}, AllocationExceedsCash),
        ({"i0": 0}, Invalid),
        ({"i0": -1}, Invalid),
        ({}, Invalid),
    ],
)
def test_more_than_there_is_is_refused_as_a_whole(amounts: dict[str, int], refusal: type[Refused]) -> None:
    """All or nothing: the others are not settled either."""
    office = an_office(20_000)
    before = (dict(office.payments), dict(office.invoices))
    with pytest.raises(refusal):
        office.allocate("p0", amounts)
    assert (office.payments, office.invoices) == before


def test_who_asks_for_too_much_is_told_what_is_left() -> None:
    """Of a payment of 150.00 for an invoice of 120.00: its customer's credit."""
    office = an_office(20_000)
    office.receive("p1", 15_000, own="i0")
    with pytest.raises(AllocationExceedsCash) as caught:
        office.allocate("p1", {"i1": 3_001})
    assert caught.value.detail == {"amount": 3_001, "left": 3_000}


def test_another_customers_invoice_is_refused() -> None:
    """Neither together with one of the payment's customer, nor after one."""
    office = an_office(20_000)
    office.invoices["i2"] = replace(office.invoices["i2"], customer_id="customer2")
    with pytest.raises(CustomerDiffers):
        office.allocate("p0", {"i0": 100, "i2": 100})
    office.allocate("p0", {"i0": 100})
    with pytest.raises(CustomerDiffers):
        office.allocate("p0", {"i2": 100})
    office.undo("p0", "a0")
    office.allocate("p0", {"i2": 100})
    assert office.payments["p0"].customer == "customer2"


def test_an_amount_in_another_currency_is_refused() -> None:
    """The invoice says what it counts in."""
    office = an_office(20_000)
    terms = Terms("a", 0, same_currency, "")
    with pytest.raises(CurrencyDiffers):
        allocate(office.payments["p0"], [Slice("i0", Money(100, "EUR"))], office.invoices, terms)


def test_parts_and_invoices_are_counted() -> None:
    """So that whatever goes back fits one commit."""
    office = an_office(20_000)
    for _ in range(PAYMENT_SHARES):
        office.allocate("p0", {"i0": 1})
    with pytest.raises(TooManyAllocations):
        office.allocate("p0", {"i0": 1})
    twice = [Slice("i0", pounds(1))] * 2
    many = [Slice(f"i{place}", pounds(1)) for place in range(ALLOCATION_INVOICES + 1)]
    for slices in (twice, many):
        with pytest.raises(Invalid):
            allocate(office.payments["p0"], slices, office.invoices, Terms("a", 0, same_currency, ""))
    office.reverse("p0")
    office.holds_together()


@pytest.mark.parametrize(("left", "limit", "allowed"), [(0, 0, True), (1, 0, False), (50, 50, True), (51, 50, False)])
def test_a_rest_is_written_off_up_to_the_limit(left: int, limit: int, *, allowed: bool) -> None:
    """At the limit it is, above it the whole order is refused; never without being asked for."""
    office = an_office(12_000, limit=limit)
    if not allowed:
        with pytest.raises(WriteOffExceedsLimit) as refusal:
            office.allocate("p0", {"i0": 12_000 - left}, write_off=True)
        assert refusal.value.detail == {"invoice": "i0", "left": left, "limit": limit}
        return
    office.allocate("p0", {"i0": 12_000 - left}, write_off=True)
    assert (states(office)[0], office.invoices["i0"].written_off, office.stands(WRITE_OFFS)) == (PAID, left, left)
    office.holds_together()


def test_without_being_asked_nothing_is_written_off() -> None:
    """A part payment leaves its rest open."""
    office = an_office(11_999, limit=50)
    office.allocate("p0", {"i0": 11_999})
    assert (states(office)[0], office.invoices["i0"].open) == (PARTLY, pounds(1))


def test_a_payment_whose_parts_exceed_what_is_matched_cannot_be() -> None:
    """Such a payment is a bug, not an input."""
    office = an_office(100)
    office.allocate("p0", {"i0": 100})
    (share,) = office.payments["p0"].shares
    with pytest.raises(ValueError, match="negative"):
        Payment("p", "standard", "p", "GBP", Stage.SUCCEEDED, NOON, received=50, matched=50, shares=(share,))


# --- any order ---------------------------------------------------------------------------

_KEYS = st.sampled_from(["i0", "i1", "i2"])
_STEP = st.one_of(
    st.tuples(st.just("receive"), st.integers(1, 15_000), st.sampled_from(["", "i0", "i1"])),
    st.tuples(st.just("allocate"), st.dictionaries(_KEYS, st.integers(1, 9_000), min_size=1), st.booleans()),
    st.tuples(st.just("undo"), st.integers(0, 9), st.none()),
    st.tuples(st.just("refund"), st.integers(1, 9_000), st.none()),
    st.tuples(st.just("refund_fails"), st.integers(0, 9), st.none()),
    st.tuples(st.just("reverse"), st.none(), st.none()),
)


@given(st.lists(st.tuples(st.integers(0, 2), _STEP), max_size=30))
def test_money_is_conserved_in_any_order(steps: list[tuple[int, tuple[str, Any, Any]]]) -> None:
    """What is refused changes nothing; after every step payments, invoices and books say the same."""
    office = an_office(limit=200)
    for number, step in steps:
        before = (dict(office.payments), dict(office.invoices), office.posted.copy())
        try:
            take(office, f"p{number}", step)
        except Refused:
            assert (office.payments, office.invoices, office.posted) == before
        office.holds_together()


@given(st.lists(st.tuples(st.integers(0, 2), _STEP), max_size=20))
def test_when_all_went_back_every_invoice_is_as_it_was(steps: list[tuple[int, tuple[str, Any, Any]]]) -> None:
    """Reversing every payment at the end leaves no trace on the accounts."""
    office = an_office(limit=200)
    for number, step in steps:
        payment = office.payments.get(f"p{number}")
        if step[0] == "refund_fails" and any(one.stage is Stage.REVERSED for one in office.payments.values()):
            continue  # its money would be here again after all was taken back
        try:
            take(office, f"p{number}", step)
        except Refused:
            assert payment == office.payments.get(f"p{number}")
    for name, payment in list(office.payments.items()):
        if payment.stage is not Stage.REVERSED:
            office.reverse(name)
    assert states(office) == [ISSUED, ISSUED, ISSUED]
    assert not any(office.posted.values())


def take(office: Office, name: str, step: tuple[str, Any, Any]) -> None:
    """One thing happens, as far as it can."""
    verb, first, second = step
    if verb == "receive":
        if name not in office.payments:
            office.receive(name, first, second)
        return
    if name not in office.payments:
        return
    payment = office.payments[name]
    match verb:
        case "allocate":
            office.allocate(name, first, write_off=second)
        case "undo" if payment.shares:
            office.undo(name, payment.shares[first % len(payment.shares)].allocation)
        case "refund" if first <= payment.received - payment.refunded:
            office.refund(name, first)
        case "refund":
            with pytest.raises(RefundTooLarge):
                office.refund(name, first)
        case "refund_fails" if office.refunds:
            office.refund_fails(sorted(office.refunds)[first % len(office.refunds)])
        case "reverse" if payment.stage is not Stage.REVERSED:
            office.reverse(name)
