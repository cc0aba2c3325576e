"""Holds over a line that fails: a lost answer, a late commit, a death before or after each commit. One outcome."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pytest

from shared.faults import Refused
from shared.gcp.rpc import RpcFailed
from shared.identity import StoredId
from shared.ledger.refusals import HoldEnded, InsufficientFunds
from shared.ledger.rules.control import Control
from shared.ledger.rules.holds import HoldState, PostOrder
from shared.ports import Query
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import (
    AFTER,
    BANK,
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
from tests.emulator.lines import Commit, Switch, first, held, lost, lost_then, unsent

Verb = Callable[[Bookkeeping, StoredId], object]
ALL: Final = PostOrder()
PART: Final = PostOrder(out_of(WALLET, 30))
FINAL: Final = PostOrder(out_of(WALLET, 30), final=True)
VERBS: Final[dict[str, tuple[Verb, HoldState, int]]] = {
    "reserve": (lambda kept, _: reserved(kept, 60), HoldState.RESERVED, 60),
    "post a part": (lambda kept, hold: holds_of(kept).post(a_call("p"), hold, PART), HoldState.RESERVED, 30),
    "post a last part": (lambda kept, hold: holds_of(kept).post(a_call("p"), hold, FINAL), HoldState.POSTED, 30),
    "post all": (lambda kept, hold: holds_of(kept).post(a_call("p"), hold, ALL), HoldState.POSTED, 0),
    "void": (lambda kept, hold: holds_of(kept).void(a_call("v"), hold), HoldState.VOIDED, 60),
    "expire": (lambda kept, hold: holds_of(kept).expire(at("e", AFTER), hold), HoldState.EXPIRED, 60),
}
"""Each verb, and the state and what is left of a hold of 60 after it."""


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does: no handler of ours runs for it."""
    raise Killed


DEATHS: Final = {"before": first(dies), "after": lost_then(dies)}


def a_hold_for(verb: str, kept: Bookkeeping) -> StoredId:
    """A hold of 60 of the wallet's 100, unless the verb is to make it; its id either way."""
    with_money(kept, 100)
    return a_call("hold").cause.stored_id("hold") if verb == "reserve" else reserved(kept, 60)


def warmed(kept: Bookkeeping) -> Bookkeeping:
    """The instance with every totals document of wallet and bank there and remembered: its posts go the fast path."""
    for number in range(16):
        name = f"warm-{number}"
        to, of = (BANK, WALLET.code) if number % 2 else (WALLET.code, BANK)
        kept.books.post(a_call(name), a_sale(1, name=name, to=to, of=of))
    return kept


each_path = pytest.mark.parametrize("warm", [False, True], ids=["slow path", "fast path"])
"""A post goes the fast path on an instance that remembers the accounts, the slow one elsewhere."""


def assert_came_to(verb: str, kept: Bookkeeping, hold_id: StoredId) -> None:
    """The hold is what the verb makes of it, once, and everything adds up."""
    _, state, left = VERBS[verb]
    hold = holds_of(kept).hold(ACME, hold_id)
    assert (hold.state, hold.left) == (state, (left, left))
    assert len(all_holds(kept.store, ACME)) == 1
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", [lost, unsent])
@each_path
def test_a_commit_without_an_answer_is_done_once(
    kept: Bookkeeping, other: Bookkeeping, verb: str, fault: Switch, *, warm: bool
) -> None:
    """Whether it landed or not, one is there, and its own trace is no reason to refuse it."""
    hold = a_hold_for(verb, other)
    if warm:
        warmed(kept)
    kept.line.commits.append(fault)
    VERBS[verb][0](kept, hold)
    assert_came_to(verb, kept, hold)


@pytest.mark.parametrize("verb", VERBS)
@each_path
def test_a_late_commit_finds_itself_done(kept: Bookkeeping, other: Bookkeeping, verb: str, *, warm: bool) -> None:
    """It is held up, decided and done again, and then it lands."""
    hold = a_hold_for(verb, other)
    if warm:
        warmed(kept)
    late: list[Commit] = []
    kept.line.commits.append(held(late, then=lambda: None))
    VERBS[verb][0](kept, hold)
    with pytest.raises(RpcFailed):
        late[0]()
    assert_came_to(verb, kept, hold)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("death", DEATHS)
@each_path
def test_killed_at_its_commit_it_is_done_whole_or_not_at_all(
    kept: Bookkeeping, other: Bookkeeping, verb: str, death: str, *, warm: bool
) -> None:
    """Nothing half done is left behind, and told again another instance comes to the same."""
    hold = a_hold_for(verb, other)
    if warm:
        warmed(kept)
    kept.line.commits.append(DEATHS[death])
    with pytest.raises(Killed):
        VERBS[verb][0](kept, hold)
    assert_reserved_adds_up(other.store)
    VERBS[verb][0](other, hold)
    assert_came_to(verb, other, hold)


def test_a_lost_answer_and_then_the_money_goes(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A hold lands, its answer is lost, the rest is spent: it is still answered as held."""
    with_money(kept, 100)
    rest = a_sale(40, name="rest", to=WALLET.code, of=BANK)
    kept.line.commits.append(lost_then(lambda: other.books.post(a_call("rest"), rest)))
    assert holds_of(kept).reserve(a_call("hold"), a_hold(60)).answer.state is HoldState.RESERVED
    assert_reserved_adds_up(kept.store)


def test_a_lost_post_and_then_a_void_of_the_rest(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A part is posted, its answer is lost, the rest is voided: the part is answered as posted."""
    with_money(other, 100)
    hold = reserved(other, 60)
    kept.line.commits.append(lost_then(lambda: holds_of(other).void(a_call("v"), hold)))
    assert holds_of(kept).post(a_call("p"), hold, PART).answer.posted
    assert holds_of(kept).hold(ACME, hold).state is HoldState.VOIDED
    assert_reserved_adds_up(kept.store)


def test_late_hold_after_a_recorded_refusal(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A hold held up on its way finds its id taken by the refusal: one outcome, for ever."""
    with_money(kept, 100)
    late: list[Commit] = []
    kept.line.commits.append(held(late, then=lambda: reserved(other, 60, "quicker")))
    with pytest.raises(InsufficientFunds):
        reserved(kept, 60)
    holds_of(other).void(a_call("v"), a_call("quicker").cause.stored_id("hold"))
    with pytest.raises(RpcFailed):
        late[0]()
    with pytest.raises(Refused) as again:
        reserved(other, 60)
    assert again.value.code == InsufficientFunds.code
    assert_reserved_adds_up(kept.store)


def test_late_post_after_a_recorded_refusal(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A post held up while the hold was voided is refused; when it lands it moves nothing."""
    with_money(kept, 100)
    hold = reserved(kept, 60)
    late: list[Commit] = []
    kept.line.commits.append(held(late, then=lambda: holds_of(other).void(a_call("v"), hold)))
    with pytest.raises(HoldEnded):
        holds_of(kept).post(a_call("p"), hold, ALL)
    with pytest.raises(RpcFailed):
        late[0]()
    assert holds_of(kept).hold(ACME, hold).state is HoldState.VOIDED
    assert len(kept.store.query(Query("entries", ACME)).documents) == 2
    assert_reserved_adds_up(kept.store)


def test_late_void_after_a_post(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A void held up while a part was posted gives back the rest, once."""
    with_money(kept, 100)
    hold = reserved(kept, 60)
    late: list[Commit] = []
    kept.line.commits.append(held(late, then=lambda: holds_of(other).post(a_call("p"), hold, PART)))
    assert holds_of(kept).void(a_call("v"), hold).answer.left == (30, 30)
    with pytest.raises(RpcFailed):
        late[0]()
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_a_freeze_between_decision_and_commit_stops_a_hold(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The accounts are checked by the commit: nothing is reserved on an account that was frozen meanwhile."""
    with_money(kept, 100)
    kept.line.commits.append(first(lambda: other.controls.run(a_call("f"), Control.FREEZE, WALLET.code)))
    with pytest.raises(Refused) as refused:
        reserved(kept, 60)
    assert refused.value.code == "account_frozen"
    assert_reserved_adds_up(kept.store)


def test_a_freeze_between_decision_and_commit_stops_a_warm_post(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The fast path rests on totals that the freeze retired: the post is refused and the hold stays."""
    with_money(kept, 100)
    hold = reserved(kept, 60)
    holds_of(warmed(kept)).post(a_call("warm"), hold, PART)
    kept.line.commits.append(first(lambda: other.controls.run(a_call("f"), Control.FREEZE, WALLET.code)))
    with pytest.raises(Refused) as refused:
        holds_of(kept).post(a_call("p"), hold, ALL)
    assert refused.value.code == "account_frozen"
    assert holds_of(kept).hold(ACME, hold).left == (30, 30)
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


def test_a_hold_lands_between_a_commit_and_the_next(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Both want the last money: whoever commits second reads the guard again and is refused."""
    with_money(kept, 100)
    kept.line.commits.append(first(lambda: reserved(other, 60, "quicker")))
    with suppress(InsufficientFunds):
        reserved(kept, 60)
    assert [hold.state for hold in all_holds(kept.store, ACME)].count(HoldState.RESERVED) == 1
    assert_reserved_adds_up(kept.store)
