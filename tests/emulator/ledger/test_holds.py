"""Holds on the real emulator: money set aside counts at once, is posted or given back once, and adds up."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared import counters
from shared.faults import Refused
from shared.ledger.model import Account, AccountType, Unbalanced, credit, debit
from shared.ledger.records import create_account
from shared.ledger.refusals import (
    AccountFrozen,
    ExceedsHold,
    ExpiryPassed,
    FloorCurrency,
    HoldEnded,
    InsufficientFunds,
    PeriodClosed,
    UnknownAccount,
)
from shared.ledger.rules.control import Control
from shared.ledger.rules.holds import HoldState, PostOrder
from shared.ledger.rules.pending import Reserved
from shared.ledger.use_cases.holds import HoldOrder
from shared.limits import HOLD_DAYS
from shared.money import Money
from shared.ports import Decision, Query
from tests.builders import ACME, NOON, TODAY, a_call, a_sale, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import (
    AFTER,
    BANK,
    LATER,
    PURSE,
    WALLET,
    a_hold,
    all_holds,
    assert_reserved_adds_up,
    at,
    holds_of,
    out_of,
    reserved,
    with_money,
)

ALL = PostOrder()
DECEMBER = date(2026, 12, 1)


def partly(amount: int, *, final: bool = False) -> PostOrder:
    """Some of a hold on the wallet."""
    return PostOrder(out_of(WALLET, amount), final)


def withdraw(kept: Bookkeeping, amount: int, key: str) -> None:
    """Take money from the wallet without a hold."""
    kept.books.post(a_call(key), a_sale(amount, name=key, to=WALLET.code, of=BANK))


# --- what is available -------------------------------------------------------------------


def test_holds_not_counted(kept: Bookkeeping) -> None:
    """What is held cannot be spent, nor held again; what is given back can."""
    with_money(kept, 100)
    hold = reserved(kept, 70)
    with pytest.raises(InsufficientFunds):
        withdraw(kept, 31, "too-much")
    with pytest.raises(InsufficientFunds):
        reserved(kept, 31, "too-much-held")
    withdraw(kept, 30, "the-rest")
    holds_of(kept).void(a_call("void"), hold)
    withdraw(kept, 70, "given-back")
    assert_reserved_adds_up(kept.store)


def test_a_post_of_the_last_money_is_not_short_of_it(kept: Bookkeeping) -> None:
    """What a hold reserved needs no funds a second time."""
    with_money(kept, 100)
    hold = reserved(kept, 100)
    assert holds_of(kept).post(a_call("post"), hold, ALL).answer.posted
    with pytest.raises(InsufficientFunds):
        withdraw(kept, 1, "nothing-left")
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_what_a_hold_would_bring_in_cannot_be_spent_yet(kept: Bookkeeping) -> None:
    """A pending deposit raises no available balance; its posting does."""
    with_money(kept, 0)
    lines = (debit(BANK, euros(50)), credit(WALLET.code, euros(50)))
    hold = holds_of(kept).reserve(a_call("in"), HoldOrder(lines, LATER)).answer.id
    with pytest.raises(InsufficientFunds):
        withdraw(kept, 1, "too-early")
    holds_of(kept).post(a_call("post"), hold, ALL)
    withdraw(kept, 50, "now")
    assert_reserved_adds_up(kept.store)


def test_available_is_posted_less_reserved_on_any_account(kept: Bookkeeping) -> None:
    """By currency, over all shards, at one instant; nothing is reserved once every hold has ended."""
    holds = holds_of(kept)
    bank = Account(BANK, AccountType.ASSET, "Bank")
    ids = []
    for number in range(12):  # as many as touch every one of the four shards
        lines = (debit("expenses:wages", euros(10)), credit(BANK, euros(10)))
        kept_lines = (*lines, debit(BANK, Money(3, "GBP")), credit("expenses:wages", Money(3, "GBP")))
        ids.append(holds.reserve(a_call(f"h{number}"), HoldOrder(kept_lines, LATER)).answer.id)
    before = kept.store.read_time()
    pending = holds.reserved(ACME, BANK)
    assert pending == {(BANK, "EUR"): Reserved(credits=120), (BANK, "GBP"): Reserved(debits=36)}
    assert [pending[BANK, currency].outgoing(bank) for currency in ("EUR", "GBP")] == [120, 0]
    assert len(kept.store.query(Query("pending", ACME)).documents) > 2
    for number, hold in enumerate(ids):
        holds.void(a_call(f"v{number}"), hold)
    assert holds.reserved(ACME, BANK) == {}
    assert holds.reserved(ACME) == {}
    assert holds.reserved(ACME, BANK, before) == pending
    assert_reserved_adds_up(kept.store)


# --- posting -----------------------------------------------------------------------------


def test_posts_in_part_until_it_is_used_up(kept: Bookkeeping) -> None:
    """Every part is an entry of its own that names the hold; the last one ends it."""
    with_money(kept, 100)
    hold, holds = reserved(kept, 100), holds_of(kept)
    for number, amount in enumerate((30, 30, 40)):
        recorded = holds.post(a_call(f"p{number}"), hold, partly(amount)).answer
        assert recorded.entry.hold == hold
        assert kept.books.entry(ACME, recorded.entry.id).entry == recorded.entry
        assert_reserved_adds_up(kept.store)
    assert holds.hold(ACME, hold).state is HoldState.POSTED
    with pytest.raises(HoldEnded):
        holds.post(a_call("p3"), hold, partly(1))
    assert kept.proven()


def test_a_part_beyond_what_is_left_is_refused_and_moves_nothing(kept: Bookkeeping) -> None:
    """More than is left, another account, another currency: none of it was reserved."""
    with_money(kept, 500)
    hold, holds = reserved(kept, 100), holds_of(kept)
    holds.post(a_call("p"), hold, partly(60))
    beyond = (
        replace(partly(41), effective_on=TODAY - timedelta(days=1)),
        PostOrder((debit(WALLET.code, euros(10)), credit("assets:receivable", euros(10)))),
        PostOrder((debit(BANK, euros(10)), credit(WALLET.code, euros(10)))),
        PostOrder((debit(WALLET.code, Money(10, "GBP")), credit(BANK, Money(10, "GBP")))),
    )
    for number, order in enumerate(beyond):
        with pytest.raises(ExceedsHold):
            holds.post(a_call(f"b{number}"), hold, order)
    assert holds.hold(ACME, hold).left == (40, 40)
    refused = kept.books.entry(ACME, a_call("b0").cause.stored_id("entry"))
    assert (refused.posted, refused.entry.posting_day) == (False, TODAY)
    with pytest.raises(Unbalanced):
        PostOrder((debit(WALLET.code, euros(10)), credit(BANK, euros(9))))
    assert_reserved_adds_up(kept.store)


def test_a_final_part_gives_the_rest_back(kept: Bookkeeping) -> None:
    """What was not posted can be spent again in the same moment."""
    with_money(kept, 100)
    hold = reserved(kept, 100)
    holds_of(kept).post(a_call("p"), hold, partly(60, final=True))
    assert holds_of(kept).hold(ACME, hold).state is HoldState.POSTED
    withdraw(kept, 40, "rest")
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_a_final_part_gives_back_what_it_does_not_touch(kept: Bookkeeping) -> None:
    """Reserved on two wallets and posted from one: the other's guard and pending documents let go too."""
    with_money(kept, 60)
    with_money(kept, 40, PURSE)
    holds = holds_of(kept)
    lines = (debit(WALLET.code, euros(60)), debit(PURSE.code, euros(40)), credit(BANK, euros(100)))
    hold = holds.reserve(a_call("h"), HoldOrder(lines, LATER)).answer.id
    kept.controls.run(a_call("freeze"), Control.FREEZE, PURSE.code)
    holds.post(a_call("p"), hold, partly(60, final=True))
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, PURSE.code)
    kept.books.post(a_call("w"), a_sale(40, name="w", to=PURSE.code, of=BANK))
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_like_lines_are_used_up_in_their_order(kept: Bookkeeping) -> None:
    """Two lines on one account and side are one sum to a post."""
    holds = holds_of(kept)
    lines = (debit(BANK, euros(30)), debit(BANK, euros(20)), credit("revenue:sales", euros(50)))
    hold = holds.reserve(a_call("h"), HoldOrder(lines, LATER)).answer.id
    holds.post(a_call("p"), hold, PostOrder((debit(BANK, euros(40)), credit("revenue:sales", euros(40)))))
    assert holds.hold(ACME, hold).left == (0, 10, 10)
    assert holds.post(a_call("q"), hold, ALL).answer.entry.lines == (
        debit(BANK, euros(10)),
        credit("revenue:sales", euros(10)),
    )
    assert_reserved_adds_up(kept.store)


def test_a_warm_post_reads_its_hold_and_nothing_else(kept: Bookkeeping) -> None:
    """Two RPCs: the hold; then entry, two totals, hold, two pending documents and audit in one commit."""
    holds = holds_of(kept)
    lines = (debit("assets:receivable", euros(5_000)), credit("revenue:sales", euros(5_000)))
    hold = holds.reserve(a_call("h"), HoldOrder(lines, LATER)).answer.id
    part = PostOrder((debit("assets:receivable", euros(1)), credit("revenue:sales", euros(1))))
    for number in range(60):
        holds.post(a_call(f"warm-{number}"), hold, part)
    spent = counters.begin()
    holds.post(a_call("hot"), hold, part)
    assert (spent.reads, spent.rpcs, spent.writes) == (1, 2, 7)
    assert_reserved_adds_up(kept.store)


# --- months ------------------------------------------------------------------------------


def test_hold_released_after_its_month_closed(kept: Bookkeeping) -> None:
    """No month holds a hold: closed twice over, what is held is given back and can be spent in the next."""
    with_money(kept, 100)
    hold = holds_of(kept).reserve(a_call("h"), a_hold(100, on=TODAY)).answer.id
    kept.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    holds_of(kept).void(a_call("v"), hold)
    kept.books.post(a_call("w"), a_sale(100, name="w", to=WALLET.code, of=BANK, on=DECEMBER))
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_a_post_into_a_closed_month_leaves_the_hold_as_it_was(kept: Bookkeeping) -> None:
    """Refused, recorded, and nothing released; a later day is accepted under another key."""
    with_money(kept, 100)
    hold, holds = holds_of(kept).reserve(a_call("h"), a_hold(100, on=TODAY)).answer, holds_of(kept)
    kept.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            holds.post(a_call("p"), hold.id, ALL)
        assert refused.value.code == PeriodClosed.code
    assert holds.hold(ACME, hold.id) == hold
    entry = holds.post(a_call("q"), hold.id, PostOrder(effective_on=DECEMBER)).answer.entry
    assert (entry.month, entry.hold) == ("2026-12", hold.id)
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_the_day_of_a_post(kept: Bookkeeping) -> None:
    """The post's own, else the hold's, else the day on which it is asked for."""
    with_money(kept, 100)
    holds = holds_of(kept)
    early, plain = holds.reserve(a_call("h"), a_hold(20, on=date(2026, 10, 3))).answer.id, reserved(kept, 20, "i")
    days = [
        holds.post(a_call("p"), early, partly(10)).answer.entry.effective_on,
        holds.post(a_call("q"), early, PostOrder(effective_on=DECEMBER)).answer.entry.effective_on,
        holds.post(a_call("r"), plain, ALL).answer.entry.effective_on,
    ]
    assert days == [date(2026, 10, 3), DECEMBER, TODAY]


# --- states of accounts ------------------------------------------------------------------


def test_a_freeze_refuses_holds_and_posts_and_lets_go(kept: Bookkeeping) -> None:
    """Nothing is set aside on a frozen account, nothing posted; what is held is given back by void and expiry."""
    with_money(kept, 100)
    holds = holds_of(kept)
    voided, expired, posted = (reserved(kept, 20, key) for key in ("a", "b", "c"))
    kept.controls.run(a_call("freeze"), Control.FREEZE, WALLET.code)
    with pytest.raises(AccountFrozen):
        reserved(kept, 1, "d")
    with pytest.raises(AccountFrozen):
        holds.post(a_call("p"), posted, ALL)
    assert holds.void(a_call("v"), voided).answer.state is HoldState.VOIDED
    assert holds.expire(at("e", AFTER), expired).answer.state is HoldState.EXPIRED
    assert_reserved_adds_up(kept.store)
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, WALLET.code)
    assert holds.post(a_call("p2"), posted, ALL).answer.posted
    assert_reserved_adds_up(kept.store)


def test_a_hold_that_is_refused_stays_refused(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The refusal stands under the hold's id: told again after the reason is gone, the same answer."""
    with_money(kept, 10)
    nowhere = HoldOrder((debit(WALLET.code, euros(1)), credit("assets:nowhere", euros(1))), LATER)
    pounds = HoldOrder((debit(WALLET.code, Money(1, "GBP")), credit(BANK, Money(1, "GBP"))), LATER)
    refused: list[tuple[str, HoldOrder, type[Refused]]] = [
        ("poor", a_hold(50), InsufficientFunds),
        ("nowhere", nowhere, UnknownAccount),
        ("pounds", pounds, FloorCurrency),
        ("past", a_hold(1, until=NOON), ExpiryPassed),
        ("endless", a_hold(1, until=NOON + timedelta(days=HOLD_DAYS, seconds=1)), ExpiryPassed),
    ]
    for key, order, refusal in refused:
        with pytest.raises(refusal):
            holds_of(kept).reserve(a_call(key), order)
    kept.books.post(a_call("more"), a_sale(500, name="more", to=BANK, of=WALLET.code))
    there = Account("assets:nowhere", AccountType.ASSET, "Nowhere")
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, there)))
    for key, order, refusal in refused:
        for books in (kept, other):
            with pytest.raises(Refused) as again:
                holds_of(books).reserve(a_call(key, at=NOON - timedelta(days=1)), order)
            assert again.value.code == refusal.code
    assert {hold.state for hold in all_holds(kept.store, ACME)} == {HoldState.REFUSED}
    with pytest.raises(HoldEnded):
        holds_of(kept).post(a_call("p"), all_holds(kept.store, ACME)[0].id, ALL)
    assert_reserved_adds_up(kept.store)
