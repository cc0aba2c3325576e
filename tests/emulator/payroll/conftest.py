"""A tenant that pays its employees, on the real emulator."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

from shared.calls import Call
from shared.events import Command
from shared.faults import Refused
from shared.identity import Cause
from shared.money import Money
from shared.payroll.countries.gb.categories import NicCategory
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, PayTerms, YearToDate
from shared.payroll.records import SEALED_FIELDS
from shared.payroll.runs import Employee, PayrollRun
from shared.payroll.use_cases.employees import NewEmployee
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance

NOVEMBER: Final = PayPeriod(date(2026, 11, 28), Frequency.MONTHLY)
DECEMBER: Final = PayPeriod(date(2026, 12, 28), Frequency.MONTHLY)
NAME: Final = "Ada Canary-Lovelace"


def a_new_employee(
    reference: str = "E-1", salary: int = 3_600_000, *, year: YearToDate | None = None, **changes: Any
) -> NewEmployee:
    """An employee with 36,000 pounds a year on the standard code, category A."""
    terms = PayTerms(Money(salary, "GBP"), TaxCode.parse("1257L"), NicCategory.A)
    return NewEmployee(Employee("", reference, replace(terms, **changes)), dict.fromkeys(SEALED_FIELDS, NAME), year)


def employ(house: Instance, reference: str = "E-1", salary: int = 3_600_000, **changes: Any) -> str:
    """Take somebody on."""
    call = a_call(f"employ-{reference}", once=True)
    return house.employees.take_on(call, a_new_employee(reference, salary, **changes)).answer.id


def prepared(
    house: Instance, period: str = "2026-11", pay: PayPeriod = NOVEMBER, principal: str = "user:ann"
) -> PayrollRun:
    """A run of everybody."""
    return house.runs.prepare(a_call(f"prepare-{period}", principal=principal, once=True), period, pay).answer


def approved(house: Instance, run: PayrollRun, key: str = "approve") -> PayrollRun:
    """The run, approved by another principal."""
    return house.runs.approve(a_call(f"{key}-{run.id}", principal="user:bob", once=True), run.id).answer


def tasks_of(house: Instance, door: str, run: PayrollRun) -> list[Command]:
    """The tasks of a run's chunks for a door."""
    return [task for task in house.post.take(door) if task.body["run_id"] == run.id]


def deliver(house: Instance, task: Command) -> str:
    """The queue brings a chunk's task; the code of its refusal, or nothing."""
    run_id, chunk = task.body["run_id"], task.body["chunk"]
    assert isinstance(run_id, str)
    assert isinstance(chunk, int)
    handle = {"calculate_payslips": house.runs.calculate, "post_payslips": house.runs.post}[task.door]
    try:
        house.again(lambda: handle(task_call(task), run_id, chunk))
    except Refused as refusal:
        return refusal.code
    return ""


def task_call(task: Command) -> Call:
    """The call under which the queue brings a task."""
    cause = Cause("system", task.door, task.id)
    return a_call("", cause=cause, principal=f"system:{task.door}", request_hash=f"task-{task.id}")


def calculated(house: Instance, run: PayrollRun) -> PayrollRun:
    """The run after all its chunks were calculated."""
    for task in tasks_of(house, "calculate_payslips", run):
        assert deliver(house, task) == ""
    return house.runs.run(ACME, run.id)


def posted(house: Instance, run: PayrollRun) -> PayrollRun:
    """The run, approved and posted."""
    approved(house, run)
    for task in tasks_of(house, "post_payslips", run):
        deliver(house, task)
    return house.runs.run(ACME, run.id)
