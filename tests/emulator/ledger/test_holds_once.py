"""Holds told again, after their end, or about nothing: the first answer stands, and a list shows every hold once."""

from datetime import timedelta

import pytest

from shared.faults import IdempotencyKeyReused
from shared.ledger.model import Side, credit, debit
from shared.ledger.refusals import EntryIdReused, HoldEnded, HoldExpired, UnknownHold
from shared.ledger.rules.holds import HoldState, PostOrder
from shared.ledger.use_cases.holds import HoldOrder
from shared.ports import Query
from tests.builders import ACME, TODAY, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import (
    AFTER,
    BANK,
    LATER,
    WALLET,
    a_hold,
    assert_reserved_adds_up,
    at,
    holds_of,
    out_of,
    reserved,
    with_money,
)

ALL = PostOrder()
PART = PostOrder(out_of(WALLET, 10))


def test_told_twice_everything_is_done_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Reserve, part, part and void again on another instance: the same answers and nothing moved twice."""
    with_money(kept, 100)
    for books in (kept, other):
        holds = holds_of(books)
        hold = holds.reserve(a_call("h"), a_hold(100))
        part = holds.post(a_call("p"), hold.answer.id, PostOrder(out_of(WALLET, 30)))
        voided = holds.void(a_call("v"), hold.answer.id)
        assert [done.replayed for done in (hold, part, voided)] == [books is other] * 3
        assert part.answer.entry.lines == out_of(WALLET, 30)
        assert (voided.answer.state, voided.answer.left) == (HoldState.VOIDED, (70, 70))
        assert_reserved_adds_up(kept.store)
    kept.books.post(a_call("rest"), a_sale(70, name="rest", to=WALLET.code, of=BANK))
    assert kept.proven()


def test_another_request_under_the_same_key_is_refused(kept: Bookkeeping) -> None:
    """The request hash decides, for every verb."""
    with_money(kept, 100)
    hold, holds = reserved(kept, 50), holds_of(kept)
    holds.post(a_call("p"), hold, PART)
    holds.void(a_call("v"), hold)
    with pytest.raises(EntryIdReused):
        holds.reserve(a_call("hold", request_hash="hash-2"), a_hold(50))
    with pytest.raises(EntryIdReused):
        holds.post(a_call("p", request_hash="hash-2"), hold, PART)
    with pytest.raises(IdempotencyKeyReused):
        holds.void(a_call("v", request_hash="hash-2"), hold)
    assert_reserved_adds_up(kept.store)


def test_an_ended_hold_refuses_and_says_how_it_ended(kept: Bookkeeping) -> None:
    """Voided, expired or posted: nothing brings it back, and the refusal of a post is on record."""
    with_money(kept, 100)
    holds = holds_of(kept)
    ends = {key: reserved(kept, 10, key) for key in ("voided", "expired", "posted")}
    holds.void(a_call("v"), ends["voided"])
    holds.expire(at("e", AFTER), ends["expired"])
    holds.post(a_call("p"), ends["posted"], ALL)
    for state, hold in ends.items():
        with pytest.raises(HoldEnded) as refused:
            holds.post(a_call(f"late-{state}"), hold, ALL)
        assert refused.value.detail == {"state": state}
        recorded = kept.books.entry(ACME, a_call(f"late-{state}").cause.stored_id("entry"))
        assert (recorded.posted, recorded.entry.hold, recorded.entry.lines) == (False, hold, ())
        with pytest.raises(HoldEnded):
            holds.void(a_call(f"void-{state}"), hold)
        assert holds.expire(at(f"expire-{state}", AFTER), hold).answer.state.value == state
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_no_such_hold_writes_nothing(kept: Bookkeeping) -> None:
    """An id is only learnt from the answer that made it: one of nothing is a plain no."""
    nothing, holds = entry_id("nothing"), holds_of(kept)
    with pytest.raises(UnknownHold):
        holds.post(a_call("p"), nothing, ALL)
    with pytest.raises(UnknownHold):
        holds.void(a_call("v"), nothing)
    with pytest.raises(UnknownHold):
        holds.hold(ACME, nothing)
    assert not kept.store.query(Query("entries", ACME)).documents
    assert not kept.store.query(Query("audit", ACME)).documents


def test_after_its_time_a_hold_is_not_posted_though_nobody_swept(kept: Bookkeeping) -> None:
    """At the instant itself it is over; until then it is not. It can still be given back by hand."""
    with_money(kept, 100)
    hold, holds = reserved(kept, 100), holds_of(kept)
    holds.post(at("p", LATER - timedelta(microseconds=1)), hold, PART)
    with pytest.raises(HoldExpired):
        holds.post(at("q", LATER), hold, PART)
    assert holds.hold(ACME, hold).state is HoldState.RESERVED
    assert holds.void(at("v", AFTER), hold).answer.state is HoldState.VOIDED
    assert_reserved_adds_up(kept.store)


def test_before_its_time_nothing_expires(kept: Bookkeeping) -> None:
    """A sweep whose clock is behind leaves the hold alone."""
    with_money(kept, 100)
    hold = reserved(kept, 100)
    expired = holds_of(kept).expire(at("e", LATER - timedelta(microseconds=1)), hold)
    assert expired.answer.state is HoldState.RESERVED
    assert_reserved_adds_up(kept.store)


def test_holds_are_listed_by_account_and_state_a_page_at_a_time(kept: Bookkeeping) -> None:
    """Every hold once, in the order of their ids."""
    with_money(kept, 100)
    holds = holds_of(kept)
    wallets = sorted(reserved(kept, 1, f"w{number}") for number in range(5))
    sales = (debit(BANK, euros(1)), credit("revenue:sales", euros(1)))
    sold = holds.reserve(a_call("s"), HoldOrder(sales, LATER)).answer.id
    holds.void(a_call("v"), wallets[2])
    first = holds.page(ACME, 3, None, account=WALLET.code)
    rest = holds.page(ACME, 3, first.next_cursor, account=WALLET.code)
    assert [hold.id for hold in (*first.items, *rest.items)] == wallets
    assert rest.next_cursor is None
    voided = holds.page(ACME, 50, None, account=WALLET.code, state=HoldState.VOIDED)
    assert [hold.id for hold in voided.items] == [wallets[2]]
    assert [hold.id for hold in holds.page(ACME, 50, None, account="revenue:sales").items] == [sold]
    assert len(holds.page(ACME, 50, None).items) == 6


def test_a_hold_keeps_its_lines_and_shards(kept: Bookkeeping) -> None:
    """Read back it is what was answered, with the pending document of each account."""
    holds = holds_of(kept)
    lines = (debit("assets:receivable", euros(7)), credit("revenue:sales", euros(7)))
    made = holds.reserve(a_call("h"), HoldOrder(lines, LATER, TODAY, "INV-1")).answer
    assert holds.hold(ACME, made.id) == made
    assert set(made.shards) == {"assets:receivable", "revenue:sales"}
    assert [line.side for line in made.open_lines] == [Side.DEBIT, Side.CREDIT]
