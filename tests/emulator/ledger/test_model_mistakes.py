"""Mistakes that a model of the protocol showed to do harm, each in the schedule in which it would.

Where another test holds a mistake already, this table says which; the others are below, by name.

| mistake | held by |
|---|---|
| m_entry_set, m_no_hash | test_posting: test_another_request_under_the_same_id_is_refused_and_writes_nothing |
| m_guard_blind, m_refuse_blind, m_hold_blind | test_blind_mistakes, which says what protects from each |
| m_rule3 (not reading one's own trace) | test_blind_mistakes: test_m_rule3; test_posting, test_writer |
| m_rule4 (a refusal that is not recorded) | test_posting: test_late_commit_after_a_recorded_refusal |
| m_no_inflow | test_proofs: test_a_guard_that_drifted_is_found_and_set_right |
| m_transition_refuse, m_override | test_control_accounts: test_in_transition_every_command_is_to_be_retried |
| m_expire_blind, m_rev_blind | test_model_mistakes_undone, by name |
| m_undo_no_guard | test_reversals: test_reversal_when_the_destination_is_below_zero |
| m_del_first | tests/emulator/review: test_a_committed_fact_is_answered_whatever_becomes_of_its_messages |
| m_del_first, in the sweep | tests/emulator/review: test_rows_that_cannot_go_out_do_not_stop_the_sweep |
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import grpc
import pytest

from shared import counters
from shared.faults import Refused, Retryable
from shared.gcp.rpc import Method, RpcFailed
from shared.ledger.model import AccountState, EntryKind, Floor
from shared.ledger.records import TotalsKey
from shared.ledger.refusals import (
    AccountFrozen,
    BalanceNotZero,
    BelowFloor,
    InsufficientFunds,
    PeriodClosed,
)
from shared.ledger.rules.control import Control, Terms
from shared.ledger.use_cases.control import RESUME_AFTER_SECONDS
from shared.limits import OUTBOX_AGE_SECONDS
from shared.ports import Decision, Put, Query, Where
from tests.builders import ACME, NOON, SALES, TODAY, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.held import assert_reserved_adds_up, holds_of, reserved, with_money
from tests.emulator.ledger.mistakes import (
    BANK,
    DECEMBER,
    NOVEMBER,
    PURSE,
    RECEIVABLE,
    WALLET,
    Killed,
    a_purse,
    balance,
    dies,
    live,
    passes,
    pays,
    post,
    read_account_of,
    spends,
    warm,
)
from tests.emulator.lines import Commit, first, held, lost_as, lost_then

# --- the slow path rests on what it checks -----------------------------------------------


def test_m_absent_period(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A month that nobody posted to is closed between a posting's decision and its commit: absence permits nothing."""
    kept.line.commits = [first(lambda: other.controls.run(a_call("hard"), Control.HARD_CLOSE, DECEMBER))]
    with pytest.raises(PeriodClosed):
        post(kept, "late", a_sale(1, name="late", on=TODAY.replace(month=12)))
    assert (live(kept, "month", DECEMBER), kept.proven()) == (0, True)


def test_m_nocheck_period(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A month is closed between a slow posting's decision and its commit."""
    post(other, "before")
    kept.line.commits = [first(lambda: other.controls.run(a_call("hard"), Control.HARD_CLOSE, NOVEMBER))]
    with pytest.raises(PeriodClosed):
        post(kept, "late")
    assert (live(kept, "month", NOVEMBER), kept.proven()) == (0, True)


def test_m_nocheck_acct(kept: Bookkeeping, other: Bookkeeping) -> None:
    """An account is frozen between a slow posting's decision and its commit."""
    post(other, "before")
    kept.line.commits = [first(lambda: other.controls.run(a_call("freeze"), Control.FREEZE, SALES))]
    with pytest.raises(AccountFrozen):
        post(kept, "late")
    assert (live(kept, "account", SALES), kept.proven()) == (0, True)


@pytest.mark.parametrize(
    ("shut", "opened", "target"),
    [(Control.FREEZE, Control.UNFREEZE, SALES), (Control.SOFT_CLOSE, Control.REOPEN, NOVEMBER)],
)
def test_m_refuse_nocheck(kept: Bookkeeping, other: Bookkeeping, shut: Control, opened: Control, target: str) -> None:
    """The reason of a refusal is gone before it is recorded: the posting is posted, not refused for what is not so."""
    post(other, "before")
    other.controls.run(a_call("shut"), shut, target)
    kept.line.commits = [first(lambda: other.controls.run(a_call("opened"), opened, target))]
    assert post(kept, "k")
    assert kept.proven()


def test_m_cache_refuse(kept: Bookkeeping, other: Bookkeeping) -> None:
    """An instance that remembers an account frozen refuses nothing for it."""
    kept.controls.run(a_call("freeze"), Control.FREEZE, SALES)
    with pytest.raises(AccountFrozen):
        post(other, "early")
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, SALES)
    assert post(other, "later")


def test_m_slow_overwrite_and_m_slow_create_blind(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Two instances that remember nothing post into the same totals: the second adds to what the first left."""
    a_purse(kept)
    assert post(kept, "one", pays("one", 100, PURSE))
    assert post(other, "two", pays("two", 100, PURSE))
    assert (balance(kept, PURSE), kept.proven()) == (200, True)


# --- what a failed commit says -----------------------------------------------------------

STATUSES = [
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
]


@pytest.mark.parametrize("landed", [True, False], ids=["landed", "not landed"])
@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.name)
def test_m_errclass(kept: Bookkeeping, status: grpc.StatusCode, *, landed: bool) -> None:
    """Whatever error comes back, whether or not the commit landed: a posting is posted once and answered so."""

    def refuse(_: Commit) -> Any:
        raise RpcFailed(Method("/Commit", None, None), status, "no")

    post(kept, "warm")
    kept.line.commits = [lost_as(status) if landed else refuse]
    assert post(kept, "k")
    assert (balance(kept, RECEIVABLE), kept.proven()) == (2, True)


# --- what retires totals -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("control", "target", "field"), [(Control.SOFT_CLOSE, NOVEMBER, "month"), (Control.FREEZE, SALES, "account")]
)
def test_m_enum_first_and_m_state_after(
    kept: Bookkeeping, other: Bookkeeping, control: Control, target: str, field: str
) -> None:
    """A posting makes new totals just before the raise: they are listed after it, and retired."""
    post(other, "before")
    kept.line.commits = [first(lambda: [post(other, f"new-{number}") for number in range(12)])]
    kept.controls.run(a_call("control"), control, target)
    assert live(kept, field, target) == 0
    with pytest.raises(Refused):
        post(other, "late")
    assert kept.proven()


@pytest.mark.parametrize(
    ("control", "target"), [(Control.SOFT_CLOSE, NOVEMBER), (Control.HARD_CLOSE, NOVEMBER), (Control.FREEZE, SALES)]
)
def test_m_answer_early_and_m_no_exists_and_m_no_bump(
    kept: Bookkeeping, other: Bookkeeping, control: Control, target: str
) -> None:
    """An instance that remembers every total is refused at its very first posting after the answer."""
    late = warm(other)
    kept.controls.run(a_call("control"), control, target)
    with pytest.raises(Refused):
        post(other, late)
    assert kept.proven()


def test_m_enum_cur(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Totals of any older version are retired, not only those of the version just ended."""
    post(other, "before")
    (total, *_) = kept.store.query(Query("totals", ACME, (Where("account", "==", SALES),))).documents
    kept.controls.run(a_call("freeze"), Control.FREEZE, SALES)
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, SALES)
    key = TotalsKey(SALES, "EUR", NOVEMBER, EntryKind.REGULAR, 1, 0)
    left_behind = Put(key.ref(ACME), {**total.fields, **key.fields(), "debits": 0, "credits": 0, "count": 0, "d": {}})
    kept.store.transact((), lambda _: Decision(None, (left_behind,)))
    kept.controls.run(a_call("again"), Control.FREEZE, SALES)
    assert live(kept, "account", SALES) == 0


def test_m_retire_unlocked(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A posting comes between the reading of totals and their retirement: it waits for the lock, or is in the copy."""
    a_purse(kept)
    for number in range(24):
        post(other, f"warm-{number}", pays(f"warm-{number}", 1, PURSE))
    post(other, "before", pays("before", 76, PURSE))
    answers: list[str] = []

    def beside() -> None:
        try:
            post(other, "beside", pays("beside", 100, PURSE))
        except Refused as refusal:
            answers.append(refusal.code)

    racing = Thread(target=beside)

    def meanwhile() -> None:
        racing.start()
        racing.join(0.5)

    kept.line.commits = [passes, first(meanwhile)]
    kept.controls.run(a_call("freeze"), Control.FREEZE, PURSE)
    racing.join()
    assert kept.proven()
    assert balance(kept, PURSE) == (100 if answers else 200)


def test_m_closed_set(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A month closed, reopened, posted to and closed again: the second retirement adds to the first's copy."""
    a_purse(kept)
    for number, control in enumerate((Control.SOFT_CLOSE, Control.REOPEN, Control.HARD_CLOSE)):
        if control is not Control.REOPEN:
            post(other, f"p{number}", pays(f"p{number}", 100, PURSE))
        kept.controls.run(a_call(f"c{number}"), control, NOVEMBER)
    assert (balance(kept, PURSE), live(kept, "month", NOVEMBER), kept.proven()) == (200, 0, True)


def test_m_soft_both(kept: Bookkeeping) -> None:
    """A soft close leaves adjusting totals alive: an adjusting entry still costs one commit and no read."""
    for number in range(24):
        post(kept, f"a{number}", a_sale(1, name=f"a{number}", kind=EntryKind.ADJUSTING))
    kept.controls.run(a_call("soft"), Control.SOFT_CLOSE, NOVEMBER)
    spent = counters.begin()
    post(kept, "adjusting", a_sale(1, name="adjusting", kind=EntryKind.ADJUSTING))
    assert (spent.reads, spent.rpcs) == (0, 1)


# --- floors ------------------------------------------------------------------------------


def test_m_floor_no_retire(kept: Bookkeeping, other: Bookkeeping) -> None:
    """An instance that remembers an account without its floor cannot overdraw it once the floor was answered."""
    a_purse(kept)
    post(other, "in", pays("in", 100, PURSE))
    post(other, "out", spends("out", 10, PURSE))
    kept.controls.set_floor(a_call("floor"), PURSE, Floor("EUR", 0))
    with pytest.raises(InsufficientFunds):
        post(other, "k", spends("k", 91, PURSE))
    assert post(other, "rest", spends("rest", 90, PURSE))
    assert kept.proven()


def test_m_floor_sum_first(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A withdrawal lands while the totals are being retired: the floor is decided on sums that hold it."""
    a_purse(kept)
    post(other, "october", pays("october", 76, PURSE, on=TODAY.replace(month=10)))
    for number in range(24):
        post(other, f"in-{number}", pays(f"in-{number}", 1, PURSE))
    late = spends("late", 50, PURSE)
    kept.line.commits = [passes, first(lambda: post(other, "late", late))]
    kept.controls.set_floor(a_call("floor"), PURSE, Floor("EUR", 0))
    with pytest.raises(InsufficientFunds):
        post(other, "k", spends("k", 51, PURSE))
    assert (balance(kept, PURSE), kept.proven()) == (50, True)


def test_m_guard_create(kept: Bookkeeping) -> None:
    """A floor added, removed, and added again after the balance moved: guard and inflow are set anew."""
    a_purse(kept)
    post(kept, "in", pays("in", 100, PURSE))
    kept.controls.set_floor(a_call("floor"), PURSE, Floor("EUR", 0))
    kept.controls.set_floor(a_call("none"), PURSE, None)
    post(kept, "out", spends("out", 70, PURSE))
    kept.controls.set_floor(a_call("again"), PURSE, Floor("EUR", 0))
    with pytest.raises(InsufficientFunds):
        post(kept, "k", spends("k", 31, PURSE))
    assert kept.proven()


def test_m_limit_blind(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A withdrawal within the old limit lands while the limit is lowered: it is not lowered below what is gone."""
    with_money(kept, 0)
    kept.controls.set_floor(a_call("limit"), WALLET, Floor("EUR", 100))
    kept.line.commits = [first(lambda: post(other, "out", spends("out", 80)))]
    with pytest.raises(BelowFloor):
        kept.controls.set_floor(a_call("lower", once=True), WALLET, Floor("EUR", 50))
    assert kept.proven()


def test_m_unfloor_nobump(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A deposit that was decided under a floor and comes after the floor is gone finds nothing to land on."""
    with_money(kept, 100)
    post(other, "warm", pays("warm", 1))
    late: list[Commit] = []
    other.line.commits = [held(late, then=dies)]
    with pytest.raises(Killed):
        post(other, "k", pays("k", 50))
    kept.controls.set_floor(a_call("none"), WALLET, None)
    with pytest.raises(RpcFailed):
        late[0]()
    assert read_account_of(kept, WALLET).version == 2
    assert (live(kept, "account", WALLET), kept.proven()) == (0, True)


def test_m_close_check_first(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Money comes in while an empty account is being closed: the balance is looked at after nothing can land."""
    a_purse(kept)
    for number in range(8):
        post(other, f"in-{number}", pays(f"in-{number}", 1, PURSE))
    post(other, "out", spends("out", 8, PURSE))
    kept.line.commits = [first(lambda: post(other, "k", pays("k", 50, PURSE)))]
    with pytest.raises(BalanceNotZero):
        kept.controls.run(a_call("close", once=True), Control.CLOSE_ACCOUNT, PURSE)
    assert read_account_of(kept, PURSE).state is AccountState.OPEN
    assert (balance(kept, PURSE), kept.proven()) == (50, True)


def test_m_pend_re(kept: Bookkeeping) -> None:
    """A hold is let go after its account got other shards: it is given back where it was reserved."""
    with_money(kept, 100)
    hold = reserved(kept, 30)
    kept.controls.run(a_call("reshard"), Control.RESHARD, BANK, Terms(shards=1))
    holds_of(kept).void(a_call("void"), hold)
    assert_reserved_adds_up(kept.store)
    assert kept.proven()


# --- what is sent ------------------------------------------------------------------------


def of_door(books: Bookkeeping) -> list[str]:
    """The operations whose task was handed over."""
    return [str(command.body["operation"]) for command in books.sent.commands]


def test_m_outbox_later_and_m_no_sweep(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Killed right after the raise: the task's row is in the same commit, and the sweep sends it."""
    post(kept, "before")
    kept.line.commits = [lost_then(dies)]
    with pytest.raises(Killed):
        kept.controls.run(a_call("freeze"), Control.FREEZE, SALES)
    assert of_door(kept) == []
    later = NOON + timedelta(seconds=OUTBOX_AGE_SECONDS + RESUME_AFTER_SECONDS)
    assert other.desk.outbox.sweep(later) == 1
    (operation,) = of_door(other)
    assert other.controls.finish(ACME, operation).done
    assert live(other, "account", SALES) == 0


def test_m_no_redispatch(kept: Bookkeeping, other: Bookkeeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that was silent at first hears of the operation when its order is told again."""

    def silent(_: object) -> None:
        message = "the queue does not answer"
        raise Retryable(message)

    monkeypatch.setattr(kept.sent, "enqueue", silent)
    ask: Callable[[Bookkeeping], object] = lambda books: books.controls.run(  # noqa: E731 - twice the same
        a_call("freeze", once=True), Control.FREEZE, SALES
    )
    ask(kept)
    ask(other)
    assert len(of_door(other)) == 1
