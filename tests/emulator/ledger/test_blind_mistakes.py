"""Blind writes: what the model calls `m_*_blind` and `m_rule3`, in each way to post, in the schedule that does harm.

Two mechanisms keep a write from being blind, and either alone is enough: an `Update` carries the version it was
decided on, and the store holds every document that was read, and is not named `loose`, to the version read
(`with_checks` in shared/gcp/firestore_writes.py). A mistake in one of the two does no harm here; it is found by the
unit tests of the rules, which demand both. Planted in both, it is found here.

| mistake | what protects | held by |
|---|---|---|
| m_guard_blind | the guard is an `Update`, and not loose | test_m_guard_blind, test_m_guard_blind_by_holds |
| m_refuse_nocheck, of funds | the guard is not loose: a refusal checks it too | test_m_refuse_nocheck_of_funds |
| m_refuse_blind | the record is a `Create`; so is the audit record, or the batch's own | test_m_refuse_blind |
| m_refuse_blind, of a batch | its `Create`: an entry that goes alone has no audit record | test_m_refuse_blind_alone |
| m_hold_blind | the hold is an `Update`, and not loose; where there is one, the guard too | test_m_hold_blind |
| m_limit_blind | the guard is an `Update`, and not loose | test_model_mistakes: test_m_limit_blind |
| m_rule3 | one's own trace is looked for; whoever does not look can still not refuse what is posted, for the \
refusal is created under the same id: it is never answered | test_m_rule3 |
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from shared.faults import Refused
from shared.ledger.model import Account, AccountType, Line, credit, debit
from shared.ledger.records import create_account
from shared.ledger.refusals import ExceedsHold, HoldEnded, InsufficientFunds
from shared.ledger.rules.holds import PostOrder
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.batches import Mode
from shared.ledger.use_cases.holds import HoldOrder
from shared.ledger.use_cases.reversals import Reversals
from shared.ports import Decision
from tests.builders import ACME, SALES, a_call, entry_id, euros
from tests.emulator.ledger import batching
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import LATER, a_hold, assert_reserved_adds_up, holds_of, reserved, with_money
from tests.emulator.ledger.mistakes import BANK, WALLET, balance, passes, pays, post, spends
from tests.emulator.lines import first, lost, lost_then, unsent

Take = Callable[[Bookkeeping, int], str]
"""Ask an instance once to take so much from the wallet, under the key `k`; `done`, or why not."""


def said(ask: Callable[[], object]) -> str:
    """`done`, or the refusal's code."""
    try:
        ask()
    except Refused as refusal:
        return refusal.code
    return "done"


def in_batch(mode: Mode) -> Take:
    """By a batch of one entry; of an independent one the entry's own answer counts."""

    def take(books: Bookkeeping, amount: int) -> str:
        try:
            (came,) = batching.outcomes(batching.post(books, mode, [spends("k", amount)], "k"))
        except Refused as refusal:
            return refusal.code
        return "done" if came == "posted" else came

    return take


def by_reversal(books: Bookkeeping, amount: int) -> str:
    """By undoing a part of what came in."""
    order = ReversalOrder(entry_id(f"deposit-{WALLET}"), (Part(0, euros(amount)), Part(1, euros(amount))))
    return said(lambda: Reversals(books.desk, books.books).reverse(a_call("k"), order))


TAKING: Final[dict[str, Take]] = {
    "an entry": lambda books, amount: said(lambda: post(books, "k", spends("k", amount))),
    "a linked batch": in_batch(Mode.LINKED),
    "an independent batch": in_batch(Mode.INDEPENDENT),
    "a reversal": by_reversal,
    "a hold": lambda books, amount: said(lambda: reserved(books, amount, "k")),
}
"""Every way to take money from an account with a floor."""

each_way = pytest.mark.parametrize("way", list(TAKING))
each_path = pytest.mark.parametrize("warm", [False, True], ids=["slow path", "fast path"])
"""An instance that remembers nothing reads everything; one that does goes the fast path, entries by the writer."""


def remembering(books: Bookkeeping) -> None:
    """Leave every totals document of wallet and bank there and remembered, and the balance as it was."""
    for number in range(16):
        name = f"warm-{number}"
        post(books, name, pays(name, 1) if number % 2 == 0 else spends(name, 1))


@each_path
@each_way
def test_m_guard_blind(kept: Bookkeeping, other: Bookkeeping, way: str, *, warm: bool) -> None:
    """Another withdrawal lands between decision and commit: the rest is not enough for both, whichever way it goes."""
    with_money(kept, 100)
    acting, rival = (kept, other) if warm else (other, kept)
    if warm:
        remembering(kept)
    acting.line.commits = [first(lambda: post(rival, "rival", spends("rival", 60)))]
    assert TAKING[way](acting, 60) == InsufficientFunds.code
    assert (balance(kept, WALLET), kept.proven()) == (40, True)
    assert_reserved_adds_up(kept.store)


@each_path
@pytest.mark.parametrize("verb", ["post", "void"])
def test_m_guard_blind_by_holds(kept: Bookkeeping, other: Bookkeeping, verb: str, *, warm: bool) -> None:
    """What a hold kept is spent or given back while another withdrawal lands: the guard counts both."""
    with_money(kept, 100)
    hold = reserved(kept, 60)
    acting, rival = (kept, other) if warm else (other, kept)
    if warm:
        remembering(kept)
    acting.line.commits = [first(lambda: post(rival, "rival", spends("rival", 30)))]
    if verb == "post":
        holds_of(acting).post(a_call("k"), hold, PostOrder())
    else:
        holds_of(acting).void(a_call("k"), hold)
    assert_reserved_adds_up(kept.store)
    assert (balance(kept, WALLET), kept.proven()) == (10 if verb == "post" else 70, True)


@each_path
@each_way
def test_m_refuse_nocheck_of_funds(kept: Bookkeeping, other: Bookkeeping, way: str, *, warm: bool) -> None:
    """Money that was held is free again before the want of it is recorded: nobody is refused for what is not so."""
    with_money(kept, 100)
    acting, rival = (kept, other) if warm else (other, kept)
    if warm:
        remembering(kept)
    hold = reserved(kept, 60)
    acting.line.commits = [first(lambda: holds_of(rival).void(a_call("free"), hold))]
    assert TAKING[way](acting, 50) == "done"
    assert kept.proven()
    assert_reserved_adds_up(kept.store)


# --- refusals ----------------------------------------------------------------------------

NOWHERE: Final = Account("liabilities:nowhere", AccountType.LIABILITY, "Nowhere", shards=1)


def lines_on(account: str, amount: int) -> tuple[Line, ...]:
    """A debit of the bank, a credit of the account."""
    return (debit(BANK, euros(amount)), credit(account, euros(amount)))


def in_a_batch(books: Bookkeeping, mode: Mode) -> str:
    """One entry on the account, in a batch."""
    return batching.outcomes(batching.post(books, mode, [pays("k", 5, NOWHERE.code)], "k"))[0]


ON_NOWHERE: Final[dict[str, Callable[[Bookkeeping], Any]]] = {
    "an entry": lambda books: post(books, "k", pays("k", 5, NOWHERE.code)),
    "a linked batch": lambda books: in_a_batch(books, Mode.LINKED) == "posted",
    "an independent batch": lambda books: in_a_batch(books, Mode.INDEPENDENT) == "posted",
    "a hold": lambda books: holds_of(books).reserve(a_call("k"), HoldOrder(lines_on(NOWHERE.code, 5), LATER)),
}


@pytest.mark.parametrize("what", list(ON_NOWHERE))
def test_m_refuse_blind(kept: Bookkeeping, other: Bookkeeping, what: str) -> None:
    """While one instance refuses for an account that is not there, it is opened and the same command done: done it is.

    Nothing that the refusal read has changed, for it rests on an absence.
    """
    post(other, "before")

    def opened_and_done() -> None:
        other.store.transact((), lambda _: Decision(None, create_account(ACME, NOWHERE)))
        assert ON_NOWHERE[what](other)

    kept.line.commits = [first(opened_and_done)]
    assert ON_NOWHERE[what](kept)
    assert ON_NOWHERE[what](other)
    assert kept.proven()
    assert_reserved_adds_up(kept.store)


def test_m_refuse_blind_alone(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The same where nothing but the entry's own record could tell: a batch's entry that goes alone."""
    post(other, "before")

    def opened_and_done() -> None:
        other.store.transact((), lambda _: Decision(None, create_account(ACME, NOWHERE)))
        assert in_a_batch(other, Mode.INDEPENDENT) == "posted"

    kept.line.commits = [unsent, passes, first(opened_and_done)]
    assert in_a_batch(kept, Mode.INDEPENDENT) == "posted"
    assert (balance(kept, NOWHERE.code), kept.proven()) == (5, True)


# --- holds -------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["post", "void", "expire"])
def test_m_hold_blind(kept: Bookkeeping, other: Bookkeeping, verb: str) -> None:
    """A part is posted between decision and commit, on accounts that have no guard: the hold itself is what tells."""
    post(kept, "before")
    lines = lines_on(SALES, 100)
    hold = holds_of(kept).reserve(a_call("hold"), HoldOrder(lines, LATER)).answer.id
    part = PostOrder(lines_on(SALES, 60))
    other.line.commits = [first(lambda: holds_of(kept).post(a_call("rival"), hold, part))]
    if verb == "post":
        with pytest.raises(ExceedsHold):
            holds_of(other).post(a_call("k"), hold, part)
    elif verb == "void":
        holds_of(other).void(a_call("k"), hold)
    else:
        holds_of(other).expire(a_call("k", at=LATER), hold)
    assert holds_of(kept).hold(ACME, hold).left == (40, 40)
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_m_hold_blind_of_an_end(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A hold is voided between the decision to post it and the commit: nothing of it is posted."""
    hold = holds_of(kept).reserve(a_call("hold"), HoldOrder(lines_on(SALES, 100), LATER)).answer.id
    other.line.commits = [first(lambda: holds_of(kept).void(a_call("rival"), hold))]
    with pytest.raises(HoldEnded):
        holds_of(other).post(a_call("k"), hold, PostOrder())
    assert_reserved_adds_up(kept.store)
    assert (balance(kept, BANK), kept.proven()) == (0, True)


# --- one's own trace ---------------------------------------------------------------------


@each_path
@each_way
def test_m_rule3(kept: Bookkeeping, other: Bookkeeping, way: str, *, warm: bool) -> None:
    """It lands, its answer is lost, and the rest of the money goes: the answer is `done`, not too little money."""
    with_money(kept, 100)
    acting, rival = (kept, other) if warm else (other, kept)
    if warm:
        remembering(kept)
    acting.line.commits = [lost_then(lambda: post(rival, "rest", spends("rest", 40)))]
    assert TAKING[way](acting, 60) == "done"
    assert said(lambda: post(rival, "more", spends("more", 1))) == InsufficientFunds.code
    assert kept.proven()
    assert_reserved_adds_up(kept.store)


@pytest.mark.parametrize("verb", ["post", "void"])
def test_m_rule3_of_holds(kept: Bookkeeping, other: Bookkeeping, verb: str) -> None:
    """The hold's end lands, its answer is lost: it is not refused because the hold has ended, by itself."""
    with_money(kept, 100)
    hold = holds_of(kept).reserve(a_call("hold"), a_hold(60)).answer.id
    other.line.commits = [lost]
    if verb == "post":
        assert holds_of(other).post(a_call("k"), hold, PostOrder()).answer.posted
    else:
        holds_of(other).void(a_call("k", once=True), hold)
    assert_reserved_adds_up(kept.store)
    assert (balance(kept, WALLET), kept.proven()) == (40 if verb == "post" else 100, True)
