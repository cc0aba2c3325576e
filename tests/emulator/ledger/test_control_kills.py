"""Control operations that die at any commit, whose commits land late, or that meet each other on one target."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest

from shared.faults import Refused, Retryable
from shared.gcp.rpc import RpcFailed
from shared.ledger.model import Account, AccountType, Floor, JournalEntry
from shared.ledger.records import CLOSED, create_account
from shared.ledger.rules.control import Control, Operation, Terms, below
from shared.ledger.rules.operations import read_operation
from shared.ports import Decision, Query
from shared.settings import Settings
from tests.builders import ACME, TODAY, a_call
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.ledger.orders import Killed, dies, pays, post
from tests.emulator.lines import Commit, Switch, first, held

ZERO = Floor("EUR", 0)
AT_MOST = 12
"""More commits than any of these operations takes."""


def passes(commit: Commit) -> Any:
    """Nothing happens."""
    return commit()


def lands_and_dies(commit: Commit) -> Any:
    """The commit is applied, and that is the last the instance does."""
    commit()
    raise Killed


@dataclass(frozen=True)
class Scenario:
    """An operation on a target of its own: what leads up to it, the order, and what it comes to."""

    control: Control
    terms: Terms | None = None
    first: tuple[Control, ...] = ()
    floor: Floor | None = None
    paid: tuple[int, ...] = (30,)
    refused: str | None = None

    def __str__(self) -> str:
        return f"{self.control.value}{'-refused' if self.refused else ''}"

    def target(self, number: int) -> str:
        """A month or an account of its own for each run."""
        return f"2026-{number + 1:02d}" if self.control.is_period else f"liabilities:wallet:{number}"

    def entry(self, name: str, target: str, amount: int) -> JournalEntry:
        """Money that comes in on the target, or goes out if negative."""
        if not self.control.is_period:
            one, other = ("assets:bank", target) if amount > 0 else (target, "assets:bank")
            return pays(name, abs(amount), of=one, to=other)
        whole = pays(name, amount, to="revenue:sales")
        return JournalEntry(whole.id, whole.lines, TODAY.replace(month=int(target[-2:])), name, "hash-1")

    def prepare(self, books: Bookkeeping, target: str) -> None:
        """Open the target and give it a history."""
        if not self.control.is_period:
            account = Account(target, AccountType.LIABILITY, "Wallet", shards=2, floor=self.floor)
            books.store.transact((), lambda _: Decision(None, create_account(ACME, account)))
        for number, amount in enumerate(self.paid):
            post(books, self.entry(f"{target}-{number}", target, amount))
        for control in self.first:
            books.controls.run(a_call(f"{control.value} {target}"), control, target)

    def order(self, books: Bookkeeping, target: str) -> str:
        """Ask for the operation; done, or the refusal's code."""
        call = a_call(f"{self} {target}", once=True)
        try:
            return "done" if books.controls.run(call, self.control, target, self.terms).answer.done else "running"
        except Refused as refusal:
            return refusal.code


SCENARIOS = [
    Scenario(Control.SOFT_CLOSE),
    Scenario(Control.HARD_CLOSE),
    Scenario(Control.REOPEN, first=(Control.HARD_CLOSE,)),
    Scenario(Control.REOPEN_FOR_ADJUSTING, first=(Control.HARD_CLOSE,)),
    Scenario(Control.FREEZE),
    Scenario(Control.UNFREEZE, first=(Control.FREEZE,)),
    Scenario(Control.RESHARD, Terms(rate=Decimal(3))),
    Scenario(Control.SET_CURRENCIES, Terms(currencies=("EUR",))),
    Scenario(Control.CLOSE_ACCOUNT, paid=(30, -30)),
    Scenario(Control.CLOSE_ACCOUNT, refused="balance_not_zero"),
    Scenario(Control.ADD_FLOOR, Terms(floor=ZERO)),
    Scenario(Control.ADD_FLOOR, Terms(floor=ZERO), paid=(30, -31), refused="below_floor"),
    Scenario(Control.REMOVE_FLOOR, floor=ZERO),
]


def running(books: Bookkeeping) -> Iterator[Operation]:
    """Operations that have not come to their end."""
    for document in books.store.query(Query("ops", ACME)).documents:
        operation = read_operation(document)
        if not operation.done:
            yield operation


def tasks_run(books: Bookkeeping) -> None:
    """The tasks of operations that died bring them to their end; there is one in the outbox for each."""
    waiting = {str(row["body"]) for row in books.store.query(Query("outbox", ACME)).documents}
    for operation in running(books):
        assert any(operation.id in body for body in waiting)
        assert books.controls.finish(ACME, operation.id).done


def left_alive(books: Bookkeeping) -> list[str]:
    """Totals documents that a finished operation should have retired."""
    operations = [read_operation(document) for document in books.store.query(Query("ops", ACME)).documents]
    latest = {operation.target: operation for operation in sorted(operations, key=lambda one: one.version)}
    alive = []
    for document in books.store.query(Query("totals", ACME)).documents:
        for name in ("account", "month"):
            operation = latest.get(str(document[name]))
            stops = operation and operation.control.retires and not document.ref.key.endswith(CLOSED)
            if operation and stops and below(operation, document):
                alive.append(document.ref.key)
    return alive


def state_of(books: Bookkeeping, target: str) -> dict[str, object]:
    """What is kept of the target."""
    collection = "periods" if target.startswith("2026") else "accounts"
    found = [one for one in books.store.query(Query(collection, ACME)).documents if one.ref.key == target]
    return {name: value for one in found for name, value in one.fields.items() if name != "operation"}


@pytest.mark.parametrize("how", ["dies before", "lands and dies", "lands late"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_killed_at_any_commit_its_task_finishes_it(
    kept: Bookkeeping, other: Bookkeeping, scenario: Scenario, how: str
) -> None:
    """Whichever commit was the last, and should it land later, the operation is done once, as if nothing had been."""
    wanted = scenario.refused or "done"
    for number in range(AT_MOST):
        target = scenario.target(number)
        scenario.prepare(other, target)
        before, late = state_of(other, target), list[Commit]()
        switches: dict[str, Switch] = {
            "dies before": first(dies),
            "lands and dies": lands_and_dies,
            "lands late": held(late, dies),
        }
        kept.line.commits = [*[passes] * number, switches[how]]
        try:
            assert scenario.order(kept, target) == wanted
        except Killed:
            tasks_run(other)
            assert scenario.order(other, target) == wanted
            for commit in late:
                with suppress(RpcFailed):
                    commit()
            assert scenario.order(other, target) == wanted
        else:
            break
        after = state_of(other, target)
        raises = 2 if scenario.control.settles else 1
        first_version = before["version"]
        assert isinstance(first_version, int)
        assert after["version"] == first_version + raises
        assert (list(running(other)), left_alive(other)) == ([], [])
    else:
        pytest.fail("the operation takes more commits than were killed")
    kept.line.commits = []
    assert other.proven()


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.control.retires], ids=str)
def test_a_raise_that_lands_late_is_finished_by_its_task(
    kept: Bookkeeping, other: Bookkeeping, scenario: Scenario
) -> None:
    """The instance is gone and its raise arrives afterwards: the task that came with it ends the operation."""
    target, late = scenario.target(0), list[Commit]()
    scenario.prepare(other, target)
    kept.line.commits = [held(late, dies)]
    with pytest.raises(Killed):
        scenario.order(kept, target)
    post(other, scenario.entry("meanwhile", target, 1))
    post(other, scenario.entry("and back", target, 1 if scenario.control.is_period else -1))
    late[0]()
    tasks_run(other)
    assert scenario.order(other, target) == (scenario.refused or "done")
    assert left_alive(other) == []
    assert other.proven()


ON_ACCOUNTS: tuple[tuple[str, Callable[[Bookkeeping, str], object]], ...] = (
    ("freeze", lambda books, code: books.controls.run(a_call("freeze"), Control.FREEZE, code)),
    ("reshard", lambda books, code: books.controls.run(a_call("reshard"), Control.RESHARD, code, Terms(shards=3))),
    ("close", lambda books, code: books.controls.run(a_call("close"), Control.CLOSE_ACCOUNT, code)),
    ("floor", lambda books, code: books.controls.set_floor(a_call("floor"), code, ZERO)),
    ("currencies", lambda books, code: books.controls.run(a_call("euro"), Control.SET_CURRENCIES, code)),
)


@pytest.mark.parametrize("raised", [False, True])
@pytest.mark.parametrize(("one", "two"), [*combinations(ON_ACCOUNTS, 2)], ids=lambda named: str(named[0]))
def test_two_operations_on_one_account_come_one_after_the_other(
    kept: Bookkeeping, other: Bookkeeping, one: Any, two: Any, *, raised: bool
) -> None:
    """The second one between the first one's decision and its raise, or between that and the retirement."""
    scenario, told = Scenario(Control.FREEZE), list[str]()
    target = scenario.target(0)
    scenario.prepare(other, target)
    kept.line.commits = [*[passes] * raised, first(lambda: told.append(ends(lambda: two[1](other, target))))]
    answer = ends(lambda: one[1](kept, target))
    assert answer in {"done", "wrong_state", "balance_not_zero"}
    assert (told == ["retry_later"]) is raised
    assert (list(running(other)), left_alive(other)) == ([], [])
    assert other.proven()


def test_many_operations_at_once_on_one_account_all_come_to_an_end(
    settings: Settings, kept: Bookkeeping, other: Bookkeeping
) -> None:
    """Five instances, one target: each is done or refused, one after the other, and the figures hold."""
    scenario = Scenario(Control.FREEZE)
    target = scenario.target(0)
    scenario.prepare(kept, target)
    instances = [bookkeeping(settings) for _ in ON_ACCOUNTS]

    def ask(number: int) -> str:
        for _ in range(500):
            answer = ends(lambda: ON_ACCOUNTS[number][1](instances[number], target))
            if answer != "retry_later":
                return answer
        return "never"

    with ThreadPoolExecutor(len(instances)) as pool:
        answers = list(pool.map(ask, range(len(instances))))
    for instance in instances:
        instance.line.close()
    assert set(answers) <= {"done", "wrong_state", "balance_not_zero"}
    assert "done" in answers
    assert (list(running(other)), left_alive(other)) == ([], [])
    assert other.proven()


def ends(ask: Callable[[], object]) -> str:
    """What an order comes to, as one word."""
    try:
        ask()
    except (Refused, Retryable) as fault:
        return fault.code
    return "done"
