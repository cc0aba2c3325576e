"""Reversals on the real emulator: what they post and what they refuse, through periods and floors."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import counters
from shared.faults import Refused
from shared.ledger.model import EntryKind, JournalEntry, credit, debit
from shared.ledger.refusals import (
    EntryIdReused,
    EntryNotPosted,
    InsufficientFunds,
    MoreThanLeftToReverse,
    NothingLeftToReverse,
    PeriodClosed,
    UnbalancedReversal,
    UnknownEntry,
)
from shared.ledger.rules.control import Control
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.reversals import Reversals
from shared.money import Money
from shared.settings import Settings
from tests.builders import ACME, TODAY, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.reversing import SALE, WALLET, Desk, a_desk, outcome, reversal_id, with_wallet


@pytest.fixture
def desk(settings: Settings, kept: Bookkeeping) -> Desk:
    """The reversals of a tenant with one sale posted."""
    return a_desk(settings, kept)


@pytest.fixture
def elsewhere(other: Bookkeeping, desk: Desk) -> Desk:
    """Another instance of the same."""
    del desk
    return Desk(other, Reversals(other.desk, other.books))


# --- what it posts -----------------------------------------------------------------------


def test_a_whole_reversal_swaps_every_line_and_the_books_are_as_before(desk: Desk) -> None:
    """The same accounts, amounts and order on the other side; every balance is zero again."""
    done = desk.reverse("r", reference="CN-1")
    assert [(line.account, line.side, line.money) for line in done.entry.lines] == [
        (line.account, line.side.other, line.money) for line in SALE.lines
    ]
    assert done.entry.reverses is not None
    assert (done.entry.reverses.entry, done.entry.reverses.lines) == (SALE.id, (0, 1))
    assert (desk.left(), desk.balances(), desk.listed()) == ((0, 0), {}, {done.entry.id: "posted"})
    assert desk.kept.books.entry(ACME, done.entry.id).entry == done.entry
    assert desk.kept.proven()


def test_a_warm_reversal_costs_one_read_of_two_documents_and_one_commit(desk: Desk) -> None:
    """The original and what is left of it are read; entry, two totals, what is left and audit record are written."""
    for number in range(100):
        desk.kept.books.post(a_call(f"w{number}"), a_sale(1, name=f"w{number}"))
    desk.reverse("warm", parts=(1, 1))
    spent = counters.begin()
    desk.reverse("hot", parts=(1, 1))
    assert (spent.reads, spent.rpcs, spent.writes, spent.deletes) == (2, 2, 5, 0)


def test_parts_are_taken_by_line_until_nothing_is_left(desk: Desk) -> None:
    """5,000 and then the rest; a third finds nothing."""
    desk.reverse("r1", parts=(5_000, 5_000))
    assert desk.left() == (7_000, 7_000)
    rest = desk.reverse("r2")
    assert [line.money.amount for line in rest.entry.lines] == [7_000, 7_000]
    with pytest.raises(NothingLeftToReverse):
        desk.reverse("r3")
    assert desk.listed() == {
        reversal_id("r1"): "posted",
        reversal_id("r2"): "posted",
        reversal_id("r3"): "nothing_left_to_reverse",
    }
    assert desk.balances() == {}
    assert desk.kept.proven()


def test_one_currency_of_an_entry_in_two_is_reversed_alone(desk: Desk) -> None:
    """Each currency balances by itself, so a part may leave the other as it stands."""
    lines = (
        debit("assets:bank", euros(100)),
        credit("revenue:sales", euros(100)),
        debit("assets:bank", Money(90, "GBP")),
        credit("revenue:sales", Money(90, "GBP")),
    )
    two = JournalEntry(entry_id("two"), lines, TODAY, "two", "hash-1")
    desk.kept.books.post(a_call("two"), two)
    order = ReversalOrder(two.id, (Part(2, Money(90, "GBP")), Part(3, Money(90, "GBP"))))
    done = desk.reversals.reverse(a_call("pounds"), order).answer
    assert done.entry.reverses is not None
    assert done.entry.reverses.lines == (2, 3)
    assert desk.left(two.id) == (100, 100, 0, 0)


def test_a_reversal_of_a_reversal_restores_what_was(desk: Desk) -> None:
    """It has what is left of its own; the original stays reversed, and can be so only once."""
    before = desk.balances()
    undone = desk.reverse("r")
    redone = desk.reverse("rr", undone.entry.id)
    assert desk.balances() == before
    assert [(line.account, line.side, line.money) for line in redone.entry.lines] == [
        (line.account, line.side, line.money) for line in SALE.lines
    ]
    assert (desk.left(), desk.left(undone.entry.id), desk.left(redone.entry.id)) == ((0, 0), (0, 0), (12_000, 12_000))
    with pytest.raises(NothingLeftToReverse):
        desk.reverse("again")
    desk.reverse("rrr", redone.entry.id)
    assert desk.balances() == {}
    assert desk.kept.proven()


# --- what it refuses ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ((12_001, 12_001), MoreThanLeftToReverse),
        ((500, 400), UnbalancedReversal),
        ((500,), UnbalancedReversal),
    ],
)
def test_what_cannot_be_undone_is_refused_on_record(
    desk: Desk, elsewhere: Desk, parts: tuple[int, ...], refusal: type[Refused]
) -> None:
    """Nothing moves, and the same command is refused again on every instance, also when it could be done by then."""
    for one in (desk, elsewhere):
        with pytest.raises(Refused) as refused:
            one.reverse("k", parts=parts)
        assert refused.value.code == refusal.code
    assert desk.listed() == {reversal_id("k"): refusal.code}
    assert (desk.left(), desk.balances()["revenue:sales"]) == ((12_000, 12_000), 12_000)
    assert not desk.kept.books.entry(ACME, reversal_id("k")).posted
    assert desk.kept.proven()


def test_what_was_refused_cannot_be_reversed(desk: Desk) -> None:
    """Neither a refused entry nor a refused reversal: nothing of them was posted."""
    with pytest.raises(Refused):
        desk.kept.books.post(a_call("bad"), a_sale(name="bad", of="revenue:nowhere"))
    desk.reverse("whole")
    with pytest.raises(NothingLeftToReverse):
        desk.reverse("more")
    for number, original in enumerate((entry_id("bad"), reversal_id("more"))):
        with pytest.raises(EntryNotPosted):
            desk.reverse(f"r{number}", original)
        assert set(desk.left(original)) <= {0}
    assert desk.kept.proven()


def test_what_is_not_there_leaves_no_trace(desk: Desk) -> None:
    """An entry may yet come under that id, so no refusal is kept: then the same command does it."""
    with pytest.raises(UnknownEntry):
        desk.reverse("early", entry_id("late"))
    desk.kept.books.post(a_call("late"), a_sale(name="late"))
    assert desk.reverse("early", entry_id("late")).posted
    with pytest.raises(UnknownEntry):
        desk.left(entry_id("never"))


def test_another_order_under_the_same_key_is_refused(desk: Desk) -> None:
    """The request hash decides; nothing moves."""
    desk.reverse("k", parts=(100, 100))
    with pytest.raises(EntryIdReused):
        desk.reversals.reverse(a_call("k", request_hash="hash-2"), ReversalOrder(SALE.id))
    assert desk.left() == (11_900, 11_900)


def test_into_a_closed_period_refused_and_then_into_an_open_month(desk: Desk) -> None:
    """The closed month stays as it was closed; the correction is a fact of the month in which it is made."""
    desk.kept.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    closed = desk.kept.reports.trial_balance(ACME, "2026-11").rows
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            desk.reverse("r", effective_on=TODAY)
        assert refused.value.code == PeriodClosed.code
    assert (desk.left(), desk.listed()) == ((12_000, 12_000), {reversal_id("r"): "period_closed"})
    assert desk.reverse("r2", effective_on=TODAY.replace(month=12, day=1)).posted
    assert desk.kept.reports.trial_balance(ACME, "2026-11").rows == closed
    assert (desk.balances(), desk.left()) == ({}, (0, 0))
    assert desk.kept.proven()


def test_a_soft_closed_period_takes_an_adjusting_reversal(desk: Desk) -> None:
    """Corrections are what a soft close leaves room for."""
    desk.kept.controls.run(a_call("close"), Control.SOFT_CLOSE, "2026-11")
    with pytest.raises(PeriodClosed):
        desk.reverse("regular", effective_on=TODAY)
    assert desk.reverse("adjusting", effective_on=TODAY, kind=EntryKind.ADJUSTING).posted
    assert desk.kept.proven()


def test_a_frozen_account_takes_no_reversal(desk: Desk) -> None:
    """A freeze holds for corrections as for any posting."""
    desk.kept.controls.run(a_call("freeze"), Control.FREEZE, "revenue:sales")
    with pytest.raises(Refused) as refused:
        desk.reverse("r")
    assert refused.value.code == "account_frozen"
    assert desk.left() == (12_000, 12_000)


# --- floors ------------------------------------------------------------------------------


def test_reversal_when_the_destination_is_below_zero(desk: Desk, elsewhere: Desk) -> None:
    """Undoing a deposit that is spent already is insufficient funds, on record; what is left is unchanged."""
    deposit = with_wallet(desk, 100, spent=60)
    for one in (desk, elsewhere):
        with pytest.raises(Refused) as refused:
            one.reverse("r", deposit)
        assert refused.value.code == InsufficientFunds.code
    assert (desk.left(deposit), desk.listed(deposit)) == ((100, 100), {reversal_id("r"): "insufficient_funds"})
    assert desk.reverse("r2", deposit, parts=(40, 40)).posted
    assert (desk.left(deposit), desk.balances().get(WALLET.code, 0)) == ((60, 60), 0)
    assert desk.kept.proven()


def test_undoing_a_withdrawal_is_an_inflow_that_can_be_spent(desk: Desk) -> None:
    """What comes back is available again."""
    deposit = with_wallet(desk, 100, spent=60)
    desk.reverse("back", entry_id("spent"))
    assert desk.reverse("r", deposit).posted
    assert desk.balances().get(WALLET.code, 0) == 0
    assert desk.kept.proven()


def test_the_deposit_is_undone_and_spent_at_once_and_never_both(desk: Desk, elsewhere: Desk) -> None:
    """A reversal of the deposit beside a withdrawal of all: one is posted, the other is insufficient funds."""
    deposit = with_wallet(desk, 100, spent=0)

    def spend() -> str:
        take = a_sale(100, name="take", to=WALLET.code, of="assets:bank")
        return outcome(lambda: elsewhere.kept.books.post(a_call("take"), take).answer)

    with ThreadPoolExecutor(2) as pool:
        undone, spent = pool.submit(lambda: outcome(lambda: desk.reverse("r", deposit))), pool.submit(spend)
    assert sorted([undone.result(), spent.result()]) == ["insufficient_funds", "posted"]
    assert desk.kept.proven()
