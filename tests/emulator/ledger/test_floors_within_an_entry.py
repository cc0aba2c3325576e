"""One entry that both pays into an account with a floor and takes from it is judged by what it leaves there."""

import pytest

from shared.faults import Refused
from shared.identity import StoredId
from shared.ledger.model import Floor, JournalEntry, credit, debit
from shared.ledger.rules.reversals import ReversalOrder
from shared.ledger.use_cases.batches import Mode
from shared.ledger.use_cases.reversals import Reversals
from tests.builders import a_call
from tests.emulator.ledger import batching
from tests.emulator.ledger.batching import BOTH, in_wallet, outcomes
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import holds_of, reserved
from tests.emulator.ledger.orders import BANK, SALES, WALLET, an_entry, money, open_wallet, pays, post, spends
from tests.emulator.lines import first

pytestmark = pytest.mark.emulator


@pytest.fixture
def wallet(kept: Bookkeeping) -> Bookkeeping:
    """Books with an empty wallet that must not fall below zero."""
    open_wallet(kept, Floor("EUR", 0))
    return kept


def topped_up(name: str, paid: int, fee: int) -> JournalEntry:
    """A customer pays in, and is charged for it."""
    return an_entry(
        name,
        debit(BANK, money(paid)),
        credit(WALLET, money(paid)),
        debit(WALLET, money(fee)),
        credit(SALES, money(fee)),
    )


def posted(kept: Bookkeeping, entry: JournalEntry) -> str:
    """What posting it alone comes to."""
    try:
        post(kept, entry)
    except Refused as refusal:
        return refusal.code
    return "posted"


def test_a_top_up_less_its_fee_needs_no_money_there_before(wallet: Bookkeeping) -> None:
    """It was insufficient funds, on record, though the wallet would have stood at ninety-eight."""
    assert posted(wallet, topped_up("first", 100, 2)) == "posted"
    assert posted(wallet, topped_up("dear", 5, 103)) == "posted"
    assert posted(wallet, topped_up("too dear", 5, 6)) == "insufficient_funds"
    assert (in_wallet(wallet), wallet.proven()) == (0, True)


def test_what_is_held_is_not_there_for_a_fee(wallet: Bookkeeping) -> None:
    """What the entry brings is; what a hold keeps is not."""
    assert posted(wallet, pays("in", 50)) == "posted"
    hold = reserved(wallet, 50)
    assert posted(wallet, topped_up("short", 5, 6)) == "insufficient_funds"
    assert posted(wallet, topped_up("even", 5, 5)) == "posted"
    holds_of(wallet).void(a_call("void"), hold)
    assert (in_wallet(wallet), wallet.proven()) == (50, True)


@BOTH
def test_in_a_batch_it_is_judged_alike(wallet: Bookkeeping, mode: Mode) -> None:
    """Each on what those before it left."""
    good = [topped_up("one", 100, 2), spends("all", 98), topped_up("even", 7, 7)]
    assert outcomes(batching.post(wallet, mode, good, key="good")) == ["posted"] * 3
    assert (in_wallet(wallet), wallet.proven()) == (0, True)
    bad = batching.post(wallet, Mode.INDEPENDENT, [topped_up("dear", 5, 6), topped_up("fair", 6, 5)], key="bad")
    assert (outcomes(bad), in_wallet(wallet)) == (["insufficient_funds", "posted"], 1)


@BOTH
def test_what_is_spent_meanwhile_is_not_forgotten(wallet: Bookkeeping, other: Bookkeeping, mode: Mode) -> None:
    """Though it leaves more than was there, its fee moves the guard, and that unchanged since it was read."""
    assert posted(other, pays("in", 50)) == "posted"
    batching.post(wallet, mode, [topped_up("warm", 10, 1)], key="warm")
    wallet.line.commits = [first(lambda: post(other, spends("meanwhile", 59)))]
    assert outcomes(batching.post(wallet, mode, [topped_up("fee", 10, 2), topped_up("more", 5, 1)])) == ["posted"] * 2
    assert (in_wallet(wallet), wallet.proven()) == (12, True)
    assert posted(other, spends("too much", 13)) == "insufficient_funds"


def test_a_top_up_is_reversed_whole_while_what_it_left_is_there(wallet: Bookkeeping) -> None:
    """Its fee comes back in the same entry; it was refused for want of the gross."""
    entry = topped_up("top-up", 100, 2)
    assert posted(wallet, entry) == "posted"
    assert Reversals(wallet.desk, wallet.books).reverse(a_call("r"), ReversalOrder(StoredId(entry.id))).answer.posted
    assert (in_wallet(wallet), wallet.proven()) == (0, True)
