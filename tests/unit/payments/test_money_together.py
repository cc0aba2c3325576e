"""Refunds, reversals, disputes, late failures and allocations together: books, documents and partners say the same."""

from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.faults import Refused
from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.records import payment_id
from shared.payments.refunds.model import RefundKind
from shared.payments.refunds.refusals import RefundExceedsPayment
from shared.payments.rules.accounts import FEES
from tests.unit.payments.firm import says
from tests.unit.payments.firm_days import PAYMENTS, VERBS, about, take
from tests.unit.payments.firm_told import World

K = EventKind
_THEMES = (
    VERBS,
    ("pay", "fail", "refund", "refund_fails"),
    ("ask", "bring", "bring", "bring", "word", "reverse", "refund"),
    ("allocate", "allocate", "undo", "reverse", "refund", "refund_fails"),
    ("allocate", "undo", "ask", "bring", "bring", "word", "refund", "refund_fails"),
)
_NUMBER, _AMOUNT, _PLACE = st.integers(0, 4), st.integers(1, 9_000), st.integers(0, 9)


@st.composite
def days(draw: st.DrawFn) -> list[tuple[int, str, int, int]]:
    """One payment or two come, then a few kinds of things happen to them often: so that rare sequences are met."""
    numbers = draw(st.lists(_NUMBER, min_size=1, max_size=2, unique=True))
    step = st.tuples(st.sampled_from(numbers), st.sampled_from(draw(st.sampled_from(_THEMES))), _AMOUNT, _PLACE)
    first = [(number, "pay", draw(_AMOUNT), draw(_PLACE)) for number in numbers]
    return [*first, *draw(st.lists(step, min_size=10, max_size=35))]


@settings(max_examples=1_000)
@given(days())
def test_books_documents_and_partners_agree_after_every_step(steps: list[tuple[int, str, int, int]]) -> None:
    """What is refused changes nothing; every account is what documents and partners say it is, to the minor unit."""
    world = World()
    for number, verb, amount, place in steps:
        before = world.firm.stands()
        try:
            take(world, f"p{number}", verb, (amount, place))
        except Refused:
            assert world.firm.stands() == before
        world.holds_together()


# --- any order of what partners tell -----------------------------------------------------

_WORDS = st.sampled_from(["pay", "fail", "reverse", "refund", "refund_fails", "dispute", "word", "word"])
_ORDERS = st.lists(
    st.tuples(st.sampled_from(["ask", "ask", "bring", "bring", "bring"]), _AMOUNT, _PLACE), min_size=2, max_size=12
)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(PAYMENTS)),
    _ORDERS,
    st.lists(st.tuples(_WORDS, _AMOUNT, _PLACE), min_size=2, max_size=8),
    st.data(),
)
def test_any_order_of_words_with_duplicates_ends_in_the_same_books(
    name: str,
    orders: list[tuple[str, int, int]],
    words: list[tuple[str, int, int]],
    data: st.DataObject,
) -> None:
    """Once refunds of ours are under way, in whatever order: each account, payment, invoice and refund."""
    heard: list[PartnerEvent] = []
    world = _begun(name, orders)
    tell = world.tell

    def noted(event: PartnerEvent) -> None:
        heard.append(event)
        tell(event)

    world.tell = noted  # type: ignore[method-assign]
    for verb, amount, place in words:
        take(world, name, verb, (amount, place))
    ends = [_end(world, name)]
    for _ in range(2):
        again = data.draw(st.lists(st.sampled_from(heard), max_size=3)) if heard else []
        other = _begun(name, orders)
        for event in data.draw(st.permutations([*heard, *again])):
            other.tell(event)
        other.holds_together()
        ends.append(_end(other, name))
    assert all(end == ends[0] for end in ends)


def _end(world: World, name: str) -> Any:
    """All that stands; of what may fail late, how often it came is what was seen of it, and the rest is the same."""
    if PAYMENTS[name][0] != "gocardless":
        return world.firm.stands()
    payment = world.firm.payment(payment_id("gocardless", name))
    bills = [(bill.paid, bill.credited, bill.corrected, bill.state) for bill in world.firm.invoices()]
    return world.firm.balances(), bills, (payment.matched, payment.unapplied, payment.refunded, payment.stage)


def _begun(name: str, orders: list[tuple[str, int, int]]) -> World:
    """A payment of 90.00 or more, and refunds of ours that are asked for and brought on."""
    world = World()
    take(world, name, "pay", (9_000, 5))
    for verb, amount, place in orders:
        with suppress(Refused):
            take(world, name, verb, (amount, place))
    return world


# --- what this found ---------------------------------------------------------------------


def test_a_refund_before_a_late_failure_has_still_gone_when_the_money_comes_again() -> None:
    """The bank took all that came, the refund went besides: 100.00 again leave 70.00, whatever was told first."""
    came, failed, again = (
        about(World(), "p4", kind, 10_000, minute=minute)
        for minute, kind in enumerate((K.PAYMENT_SUCCEEDED, K.PAYMENT_FAILED, K.PAYMENT_SUCCEEDED))
    )
    refund = about(World(), "p4", K.REFUND_SUCCEEDED, 3_000, own="x")
    for order in permutations((came, failed, again, refund)):
        world = World()
        for event in order:
            world.tell(event)
        world.holds_together()
        assert world.firm.balances()["assets:clearing:gocardless", "GBP"] == 7_000


def test_of_money_that_came_again_no_more_goes_back_than_came_once() -> None:
    """80.00 and 30.00 of 100.00 that came, failed and came: the second waits until the first fails."""
    world = World()
    for minute, kind in enumerate((K.PAYMENT_SUCCEEDED, K.PAYMENT_FAILED, K.PAYMENT_SUCCEEDED)):
        world.tell(about(world, "p4", kind, 10_000, minute=minute))
    for own, amount in (("x", 8_000), ("y", 3_000)):
        world.tell(about(world, "p4", K.REFUND_SUCCEEDED, amount, own=own))
    assert [event.object for event in world.firm.waiting] == ["y"]
    world.holds_together()
    world.tell(about(world, "p4", K.REFUND_FAILED, 8_000, own="x"))
    assert not world.firm.waiting
    world.holds_together()


@pytest.mark.parametrize("order", list(permutations((K.REFUND_SUCCEEDED, K.REFUND_FAILED))))
def test_what_a_partner_keeps_of_our_refund_counts_whatever_word_came_first(order: tuple[EventKind, ...]) -> None:
    """7 pence for the refund and 7 for its failure, each once, also where the refund stands so already."""
    world = _begun("p2", [("ask", 5_000, 1), ("bring", 1, 9), ("bring", 1, 9), ("bring", 1, 9)])
    for kind in (*order, *order):
        world.tell(about(world, "p2", kind, 5_000, own="re_r0", fee=7))
    world.holds_together()
    assert world.firm.balances()[FEES, "GBP"] == 14 + 20


@pytest.mark.parametrize("kind", list(RefundKind))
def test_our_refund_can_be_undone_after_other_money_came_back(kind: RefundKind) -> None:
    """What came back first counted for what the invoice had given back: its counters do not fall below zero."""
    world, key = World(), payment_id("standard", "p0")
    world.tell(about(world, "p0", K.PAYMENT_SUCCEEDED, 20_000))
    world.firm.allocate(key, {"i1": 5_000}, write_off=False)
    world.firm.undo(key, "a0")
    world.tell(about(world, "p0", K.REFUND_SUCCEEDED, 5_000, own="x"))
    world.firm.ask(key, kind, 3_000)
    world.firm.approve("r0")
    world.tell(about(world, "p0", K.REFUND_FAILED, 5_000, own="x"))
    world.firm.moves("r0", "cancel")
    world.holds_together()
    bill = world.firm.invoices()[0]
    assert (bill.paid, bill.credited, bill.refunded, bill.corrected) == (12_000, 8_000, 0, 0)


def test_what_is_allocated_is_not_there_to_be_asked_for() -> None:
    """Of 100.00, 60.00 settle another invoice: 40.00 are asked for as one kind, and none is left as the other."""
    world, key = World(), payment_id("standard", "p0")
    world.tell(about(world, "p1", K.PAYMENT_SUCCEEDED, 12_000))
    world.tell(about(world, "p0", K.PAYMENT_SUCCEEDED, 10_000))
    world.firm.allocate(key, {"i1": 6_000}, write_off=False)
    world.firm.ask(key, RefundKind.INVOICE, 4_000)
    with pytest.raises(RefundExceedsPayment) as refusal:
        world.firm.ask(key, RefundKind.CREDIT, 1)
    assert refusal.value.detail == {"available": 0, "currency": "GBP"}


def test_a_refund_in_another_currency_is_refused_at_once_however_much_it_is() -> None:
    """It waits for no other refund to fail: none could make room for it."""
    world = World()
    world.tell(about(world, "p2", K.PAYMENT_SUCCEEDED, 10_000))
    before = world.firm.stands()
    for amount in (1, 10_001):
        assert world.firm.hears(says(K.REFUND_SUCCEEDED, "p2", Money(amount, "EUR"), "x")) is None
    assert (world.firm.stands(), list(world.firm.waiting)) == (before, [])
