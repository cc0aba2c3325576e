"""Closing an account, resharding it, its currencies: what each does, refuses and leaves."""

from decimal import Decimal

import pytest

from shared.faults import IdempotencyKeyReused, Refused, Retryable
from shared.ledger.model import AccountState, Floor
from shared.ledger.refusals import UnknownAccount, WrongState
from shared.ledger.rules.control import Control, Terms
from shared.ledger.rules.operations import read_operation
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import a_hold, holds_of, reserved
from tests.emulator.ledger.orders import (
    WALLET,
    Killed,
    account_of,
    dies,
    live_totals,
    open_wallet,
    pays,
    post,
    spends,
)
from tests.emulator.lines import first


def refused(kept: Bookkeeping, key: str, control: Control, terms: Terms | None = None) -> str:
    """The reason why an operation on the wallet is refused."""
    with pytest.raises(Refused) as caught:
        kept.controls.run(a_call(key, once=True), control, WALLET, terms)
    return caught.value.code


# --- closing -----------------------------------------------------------------------------


def test_an_account_is_closed_at_zero_and_stays_closed(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Postings are refused from then on, also by an instance that remembers it open; nothing opens it again."""
    open_wallet(kept)
    for number, books in enumerate((kept, other)):
        post(books, pays(f"in-{number}", 100))
        post(books, spends(f"out-{number}", 100))
    kept.controls.run(a_call("close", once=True), Control.CLOSE_ACCOUNT, WALLET)
    assert (account_of(kept).state, live_totals(kept, "account", WALLET)) == (AccountState.CLOSED, 0)
    for number, books in enumerate((kept, other)):
        with pytest.raises(Refused) as caught:
            post(books, pays(f"late-{number}", 1))
        assert caught.value.code == "account_closed"
    for control in (Control.UNFREEZE, Control.FREEZE, Control.CLOSE_ACCOUNT, Control.RESHARD, Control.SET_CURRENCIES):
        assert refused(kept, control.value, control) == "wrong_state"
    assert kept.proven()


def test_an_account_with_a_balance_reopens_and_the_refusal_is_on_record(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Zero in one currency is not zero: the version is raised twice, the same order gets the same answer."""
    open_wallet(kept)
    post(kept, pays("in", 100))
    post(kept, spends("out", 100))
    post(kept, pays("pounds", 5, "GBP"))
    assert refused(kept, "close", Control.CLOSE_ACCOUNT) == "balance_not_zero"
    assert (account_of(kept).state, account_of(kept).version) == (AccountState.OPEN, 3)
    post(kept, spends("pounds out", 5, "GBP"))
    assert refused(other, "close", Control.CLOSE_ACCOUNT) == "balance_not_zero"
    other.controls.run(a_call("close again", once=True), Control.CLOSE_ACCOUNT, WALLET)
    operations = [read_operation(document) for document in kept.store.query(Query("ops", ACME)).documents]
    ends = [(operation.done, operation.refusal and operation.refusal.code) for operation in operations]
    assert sorted(ends, key=str) == [(True, "balance_not_zero"), (True, None)]
    assert kept.proven()


def test_an_account_with_an_open_hold_reopens(kept: Bookkeeping) -> None:
    """What is reserved may still be posted: the hold is voided first."""
    open_wallet(kept)
    post(kept, pays("in", 100))
    hold = reserved(kept, 30)
    post(kept, spends("out", 100))
    assert refused(kept, "close", Control.CLOSE_ACCOUNT) == "holds_open"
    holds_of(kept).void(a_call("void"), hold)
    assert kept.controls.run(a_call("close again"), Control.CLOSE_ACCOUNT, WALLET).answer.done


@pytest.mark.parametrize("control", [Control.CLOSE_ACCOUNT, Control.ADD_FLOOR])
def test_in_transition_every_command_is_to_be_retried(kept: Bookkeeping, other: Bookkeeping, control: Control) -> None:
    """Posts, holds, voids and other operations wait until it is decided; none is refused, none lands."""
    open_wallet(kept)
    post(other, pays("in", 100))
    hold = reserved(other, 30)
    kept.line.commits = [lambda commit: commit(), first(dies)]
    with pytest.raises(Killed):
        kept.controls.run(a_call("transition"), control, WALLET, Terms(floor=Floor("EUR", 0)))
    assert account_of(other).state.is_transition
    commands = (
        lambda: post(other, spends("out", 10)),
        lambda: holds_of(other).reserve(a_call("another"), a_hold(10)),
        lambda: holds_of(other).void(a_call("void"), hold),
        lambda: other.controls.run(a_call("freeze"), Control.FREEZE, WALLET),
        lambda: other.controls.run(a_call("reshard"), Control.RESHARD, WALLET, Terms(shards=2)),
        lambda: other.controls.set_floor(a_call("floor"), WALLET, None),
    )
    for command in commands:
        with pytest.raises(Retryable):
            command()
    (operation,) = other.store.query(Query("ops", ACME)).documents
    assert other.controls.finish(ACME, operation.ref.key).done
    post(other, spends("out", 10))
    holds_of(other).void(a_call("void"), hold)
    assert other.proven()


# --- resharding --------------------------------------------------------------------------


def test_resharding_refuses_nothing_and_spreads_what_comes(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The slow path uses the new version at once; what the old one held is retired and still counted."""
    open_wallet(kept, shards=1)
    for books in (kept, other):
        post(books, pays(f"before-{books is kept}", 10))
    kept.controls.run(a_call("reshard"), Control.RESHARD, WALLET, Terms(rate=Decimal("7.5")))
    account = account_of(kept)
    assert (account.shards, account.declared_rate, account.version) == (10, Decimal("7.5"), 2)
    assert live_totals(kept, "account", WALLET) == 0
    for number in range(40):
        post((kept, other)[number % 2], pays(f"after-{number}", 10))
    assert 5 <= live_totals(kept, "account", WALLET) <= 10
    wallet = next(row for row in kept.reports.trial_balance(ACME, "2026-11").rows if row.account == WALLET)
    assert (wallet.credits, kept.proven()) == (420, True)


@pytest.mark.parametrize(
    ("terms", "shards"),
    [
        (Terms(shards=64), 64),
        (Terms(rate=Decimal("0.1")), 1),
        (Terms(rate=Decimal("0.8")), 1),
        (Terms(rate=Decimal(1)), 2),
        (Terms(rate=Decimal("2.400001")), 4),
        (Terms(rate=Decimal(9_999)), 64),
    ],
)
def test_a_rate_becomes_as_many_shards_as_it_needs_up_to_the_limit(
    kept: Bookkeeping, terms: Terms, shards: int
) -> None:
    """Four postings in five seconds a document, rounded up, 1 to 64."""
    open_wallet(kept)
    kept.controls.run(a_call("reshard"), Control.RESHARD, WALLET, terms)
    assert account_of(kept).shards == shards


def test_a_floored_account_keeps_one_shard(kept: Bookkeeping) -> None:
    """Its outflows go through one guard anyway."""
    open_wallet(kept, Floor("EUR", 0), shards=1)
    kept.controls.run(a_call("reshard"), Control.RESHARD, WALLET, Terms(shards=16))
    assert account_of(kept).shards == 1


def test_a_frozen_account_stays_frozen_when_resharded(kept: Bookkeeping) -> None:
    """Resharding says where postings go, not whether they may."""
    open_wallet(kept)
    kept.controls.run(a_call("freeze"), Control.FREEZE, WALLET)
    kept.controls.run(a_call("reshard"), Control.RESHARD, WALLET, Terms(shards=2))
    assert account_of(kept).state is AccountState.FROZEN


# --- currencies --------------------------------------------------------------------------


def test_a_currency_that_the_account_does_not_keep_is_refused_on_the_record(kept: Bookkeeping) -> None:
    """Whatever the account's card in memory says, the refusal rests on the account as it is."""
    open_wallet(kept, currencies=("EUR", "GBP"))
    post(kept, pays("pounds", 5, "GBP"))
    for name in ("dollars", "dollars"):
        with pytest.raises(Refused) as caught:
            post(kept, pays(name, 5, "USD"))
        assert caught.value.code == "currency_not_kept"
    assert kept.proven()


def test_a_grown_list_is_seen_by_an_instance_that_remembers_the_short_one(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """A remembered card never refuses: what it does not allow goes to the slow path."""
    open_wallet(kept, currencies=("EUR",))
    post(other, pays("euros", 5))
    kept.controls.run(a_call("grow"), Control.SET_CURRENCIES, WALLET, Terms(currencies=("EUR", "USD")))
    post(other, pays("dollars", 5, "USD"))
    assert other.proven()


def test_a_shrunk_list_holds_against_an_instance_that_remembers_the_long_one(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """Shrinking retires the totals that would still permit the currency."""
    open_wallet(kept, shards=1)
    capital = "equity:share_capital"  # of one shard too: the totals that the next posting needs are there
    post(other, pays("dollars", 5, "USD", of=capital))
    kept.controls.run(a_call("shrink"), Control.SET_CURRENCIES, WALLET, Terms(currencies=("EUR",)))
    with pytest.raises(Refused) as caught:
        post(other, pays("more dollars", 5, "USD", of=capital))
    assert caught.value.code == "currency_not_kept"
    post(other, pays("euros", 5))
    assert other.proven()


def test_a_floors_currency_cannot_be_dropped(kept: Bookkeeping) -> None:
    """A floored account keeps the currency of its floor."""
    open_wallet(kept, Floor("EUR", 0))
    assert refused(kept, "drop", Control.SET_CURRENCIES, Terms(currencies=("GBP",))) == "floor_currency"


# --- orders ------------------------------------------------------------------------------


def test_an_account_that_is_not_there_is_refused(kept: Bookkeeping) -> None:
    """The chart has no such account."""
    with pytest.raises(UnknownAccount):
        kept.controls.run(a_call("close"), Control.CLOSE_ACCOUNT, WALLET)
    with pytest.raises(UnknownAccount):
        kept.controls.set_floor(a_call("floor"), WALLET, Floor("EUR", 0))


@pytest.mark.parametrize("once", [True, False])
def test_the_same_cause_with_another_request_is_refused(kept: Bookkeeping, *, once: bool) -> None:
    """And the same again is the operation that it began."""
    open_wallet(kept)
    call = a_call("reshard", once=once)
    done = kept.controls.run(call, Control.RESHARD, WALLET, Terms(shards=2))
    again = kept.controls.run(call, Control.RESHARD, WALLET, Terms(shards=2))
    assert (again.answer, again.replayed, account_of(kept).version) == (done.answer, True, 2)
    with pytest.raises(IdempotencyKeyReused):
        kept.controls.run(a_call("reshard", once=once, request_hash="hash-2"), Control.RESHARD, WALLET, Terms(shards=3))
    with pytest.raises(WrongState):
        kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, WALLET)
