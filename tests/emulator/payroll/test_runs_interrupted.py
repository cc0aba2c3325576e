"""Payroll runs against lost answers and death: everybody is paid once, and no run stands still."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import NoReturn

import pytest

from shared.faults import Retryable
from shared.identity import TenantId
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod
from shared.payroll.runs import PayrollRun, RunState
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import Commit, Switch, lost, unsent
from tests.emulator.payroll.conftest import (
    NOVEMBER,
    a_new_employee,
    approved,
    calculated,
    deliver,
    employ,
    posted,
    prepared,
    tasks_of,
)
from tests.emulator.payroll.paid import entries, staff

# --- answers lost, instances killed ------------------------------------------------------


@pytest.mark.parametrize("fault", [lost, unsent])
@pytest.mark.parametrize("step", ["prepare", "calculate", "approve", "post"])
def test_a_commit_without_an_answer_pays_once(house: Instance, fault: Switch, step: str) -> None:
    """Whichever commit of the line is not answered."""
    employ(house)
    steps: dict[str, Callable[[], object]] = {
        "prepare": lambda: prepared(house),
        "calculate": lambda: calculated(house, only_run(house)),
        "approve": lambda: approved(house, only_run(house)),
        "post": lambda: deliver(house, tasks_of(house, "post_payslips", only_run(house))[0]),
    }
    for name, act in steps.items():
        if name == step:
            house.line.commits.append(fault)
        act()
    assert only_run(house).state is RunState.POSTED
    assert (len(entries(house)), house.proven()) == (1, True)


def only_run(house: Instance) -> PayrollRun:
    """The one run there is."""
    (run,) = house.runs.page(ACME, 10, None).items
    return run


def lands_and_dies(commit: Commit) -> NoReturn:
    """The commit is applied, and the instance dies before it hears of it."""
    commit()
    raise Killed


@pytest.mark.parametrize("door", ["calculate_payslips", "post_payslips"])
def test_killed_between_a_result_and_the_barrier_the_sweep_goes_on(house: Instance, another: More, door: str) -> None:
    """The last chunk's result is there, its instance died before it looked: the sweep looks, and sends nothing."""
    staff(house, 30)
    run = prepared(house)
    if door == "post_payslips":
        approved(house, calculated(house, run))
    *others, last = tasks_of(house, door, run)
    for task in others:
        deliver(house, task)
    mortal = another(Fate())
    mortal.line.commits.append(lands_and_dies)
    with suppress(Killed):
        deliver(mortal, last)
    before = len(house.post.tasks)
    house.runs.sweep(NOON + timedelta(minutes=5), "request", "trace")
    assert len(house.post.tasks) == before
    after = RunState.AWAITING_APPROVAL if door == "calculate_payslips" else RunState.POSTED
    assert (house.runs.run(ACME, run.id).state, house.proven()) == (after, True)


def test_killed_at_any_moment_of_calculating_the_sweep_brings_the_run_on(house: Instance, another: More) -> None:
    """Nobody redelivers: what the sweep sends again is enough."""
    killed_at_every_moment(house, another, "calculate_payslips")


def test_killed_at_any_moment_of_posting_the_sweep_brings_the_run_on(house: Instance, another: More) -> None:
    """Nobody redelivers: what the sweep sends again is enough, and the books hold each chunk once."""
    killed_at_every_moment(house, another, "post_payslips")


@pytest.mark.parametrize("step", ["prepare", "approve"])
def test_killed_at_any_moment_the_same_key_sets_every_chunk_going(house: Instance, another: More, step: str) -> None:
    """Dead between any two calls to store and queue: asked again, one run, one task a chunk."""
    staff(house, 30)
    acts: dict[str, Callable[[Instance, str], PayrollRun]] = {
        "prepare": lambda instance, month: prepared(instance, month, pay_in(month)),
        "approve": lambda instance, month: approved(instance, run_of(house, month)),
    }
    door = {"prepare": "calculate_payslips", "approve": "post_payslips"}[step]
    for moment in range(9):
        month, fate = f"2026-{moment + 4:02d}", Fate()
        if step == "approve":
            calculated(house, prepared(house, month, pay_in(month)))
        mortal, fate.left = another(fate), moment
        try:
            acts[step](mortal, month)
        except Killed:
            killed = True
        else:
            killed = False
        run = acts[step](house, month)
        sent = mortal.post.tasks | house.post.tasks
        chunks = [task.body["chunk"] for task in sent.values() if task.door == door and task.body["run_id"] == run.id]
        assert sorted(map(str, chunks)) == ["0", "1"]
        if not killed:
            break
    assert moment > 5, "reading, committing and two tasks have more moments"


def pay_in(month: str) -> PayPeriod:
    """The 28th of a month."""
    return PayPeriod(date.fromisoformat(f"{month}-28"), Frequency.MONTHLY)


def run_of(house: Instance, month: str) -> PayrollRun:
    """The run of a month."""
    return next(run for run in house.runs.page(ACME, 50, None).items if run.period == month)


def killed_at_every_moment(house: Instance, another: More, door: str) -> None:
    """Run one month after another, dead one moment later each time."""
    employ(house)
    months = [(2026, month) for month in range(4, 13)] + [(2027, month) for month in range(1, 4)]
    for moment, (year, month) in enumerate(months):
        pay = PayPeriod(date(year, month, 28), Frequency.MONTHLY)
        run = prepared(house, f"{year}-{month:02d}", pay)
        if door == "post_payslips":
            approved(house, calculated(house, run))
        fate = Fate()
        mortal, fate.left = another(fate), moment
        try:
            deliver(mortal, tasks_of(house, door, run)[0])
        except Killed:
            killed = True
        else:
            killed = False
        at = NOON + timedelta(minutes=10 * moment)
        house.runs.sweep(at, "request", "trace")
        for task in tasks_of(house, door, run)[1:]:
            deliver(house, task)
        run = house.runs.run(ACME, run.id)
        if door == "calculate_payslips":
            assert run.state is RunState.AWAITING_APPROVAL
            run = posted(house, run)
        assert run.state is RunState.POSTED
        assert len(entries(house)) == moment + 1
        if not killed:
            break
    assert moment > 6, "a chunk and its barrier have more moments"
    assert house.proven()


def test_a_run_that_cannot_be_resumed_keeps_the_sweep_from_no_other(house: Instance) -> None:
    """One tenant's trouble is not another's: all others are resumed, and the sweep comes again."""
    rival = TenantId("rival")
    house.open_books(rival)
    for tenant in (ACME, rival):
        call = a_call(f"employ-{tenant}", tenant=tenant, once=True)
        house.employees.take_on(call, a_new_employee())
        house.runs.prepare(a_call("prepare", tenant=tenant, once=True), "2026-11", NOVEMBER)
    before = len(house.post.tasks)
    house.line.silent_about = "tenants/acme/"
    with pytest.raises(Retryable):
        house.runs.sweep(NOON, "request", "trace")
    assert [task.tenant for task in list(house.post.tasks.values())[before:]] == [rival]
