"""More mistakes that a model of the protocol showed to do harm: of undoing and of letting go (see test_model_mistakes).

A guard is written unchanged since read and so hides what is wrong beside it: these accounts have no floor. As
test_blind_mistakes says, a write is kept from being blind twice; a mistake in both ways is found here.
"""

from collections.abc import Callable

import pytest

from shared.identity import StoredId
from shared.ledger.model import Account, AccountType, credit, debit
from shared.ledger.records import create_account
from shared.ledger.refusals import HoldEnded, MoreThanLeftToReverse
from shared.ledger.rules.holds import HoldState, PostOrder
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.holds import HoldOrder
from shared.ledger.use_cases.reversals import Reversals
from shared.ports import Decision
from tests.builders import ACME, SALES, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import AFTER, LATER, assert_reserved_adds_up, at, holds_of
from tests.emulator.ledger.mistakes import RECEIVABLE, balance, post
from tests.emulator.lines import first

TILL, TAKINGS = "assets:till", "assets:takings"
Act = Callable[[Bookkeeping, StoredId], object]


def a_hold(books: Bookkeeping) -> StoredId:
    """A hundred reserved between accounts without a floor."""
    lines = (debit(RECEIVABLE, euros(100)), credit(SALES, euros(100)))
    return holds_of(books).reserve(a_call("hold"), HoldOrder(lines, LATER)).answer.id


def a_part(books: Bookkeeping, hold: StoredId) -> object:
    """Thirty of it are posted, in time."""
    lines = (debit(RECEIVABLE, euros(30)), credit(SALES, euros(30)))
    return holds_of(books).post(a_call("part"), hold, PostOrder(lines))


def all_of_it(books: Bookkeeping, hold: StoredId) -> object:
    """All of it is posted, in time."""
    return holds_of(books).post(a_call("all"), hold, PostOrder())


def its_void(books: Bookkeeping, hold: StoredId) -> object:
    """It is given back."""
    return holds_of(books).void(a_call("void"), hold)


@pytest.mark.parametrize(
    ("meanwhile", "end"),
    [(a_part, HoldState.EXPIRED), (all_of_it, HoldState.POSTED), (its_void, HoldState.VOIDED)],
)
def test_m_expire_blind(kept: Bookkeeping, other: Bookkeeping, meanwhile: Act, end: HoldState) -> None:
    """Something else comes between an expiry's decision and its commit: it lets go what is left then, or nothing."""
    hold = a_hold(kept)
    kept.line.commits = [first(lambda: meanwhile(other, hold))]
    assert holds_of(kept).expire(at("expire", AFTER), hold).answer.state is end
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_a_void_is_not_blind_either(kept: Bookkeeping, other: Bookkeeping) -> None:
    """All of a hold is posted between a void's decision and its commit: there is nothing to give back."""
    hold = a_hold(kept)
    kept.line.commits = [first(lambda: all_of_it(other, hold))]
    with pytest.raises(HoldEnded):
        holds_of(kept).void(a_call("void"), hold)
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


@pytest.mark.parametrize("earlier", [0, 10])
def test_m_rev_blind(kept: Bookkeeping, other: Bookkeeping, earlier: int) -> None:
    """Another reversal lands between a reversal's decision and its commit: what is left then decides."""
    # one shard: the totals are there, so the first commit is the one that counts
    accounts = [Account(code, AccountType.ASSET, "Till", shards=1) for code in (TILL, TAKINGS)]
    opened = Decision(None, tuple(write for account in accounts for write in create_account(ACME, account)))
    kept.store.transact((), lambda _: opened)
    post(kept, "sale", a_sale(100, name="sale", to=TILL, of=TAKINGS))

    def reverse(books: Bookkeeping, amount: int, key: str) -> object:
        parts = (Part(0, euros(amount)), Part(1, euros(amount)))
        return Reversals(books.desk, books.books).reverse(a_call(key), ReversalOrder(entry_id("sale"), parts))

    if earlier:
        reverse(kept, earlier, "earlier")
    kept.line.commits = [first(lambda: reverse(other, 60, "other"))]
    with pytest.raises(MoreThanLeftToReverse):
        reverse(kept, 60, "k")
    left = Reversals(kept.desk, kept.books).of(ACME, entry_id("sale"), 10, None).left
    assert left == (40 - earlier, 40 - earlier)
    assert (balance(kept, TILL), kept.proven()) == (40 - earlier, True)
