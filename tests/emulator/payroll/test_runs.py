"""A payroll run: chunks apart, once each, a second principal between, and one entry a chunk."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from shared import counters
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.chart import (
    INCOME_TAX_WITHHELD,
    NET_PAY,
    STUDENT_LOANS_WITHHELD,
    WAGES,
)
from shared.ledger.rules.control import Control
from shared.money import Money
from shared.payroll.countries.gb.categories import Plan
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, PostingComponent, YearToDate
from shared.payroll.refusals import (
    ApproverPrepared,
    NobodyToPay,
    PeriodAlreadyRun,
    TaxYearNotSupported,
    UnknownRun,
    WrongRunState,
)
from shared.payroll.rules import posting_amounts
from shared.payroll.runs import ChunkRefusal, RunState
from shared.payroll.use_cases.chunks import ACCOUNTS
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance, More
from tests.emulator.payroll.conftest import (
    DECEMBER,
    NOVEMBER,
    approved,
    calculated,
    deliver,
    employ,
    posted,
    prepared,
    task_call,
    tasks_of,
)
from tests.emulator.payroll.paid import PAYROLL, entries, payslips, staff, told, twice_shuffled, year_of

# --- the whole line ----------------------------------------------------------------------


def test_sixty_employees_are_paid_once_though_every_task_comes_twice(house: Instance, another: More) -> None:
    """Three chunks, each task twice, at the same time, shuffled: control totals, payslips and accounts agree."""
    people = staff(house, 60)
    run = prepared(house)
    assert (run.employees, run.chunks, run.state) == (60, 3, RunState.CALCULATING)
    instances = [another() for _ in range(3)]

    def deliver_all(door: str) -> None:
        tasks = list(enumerate(twice_shuffled(tasks_of(house, door, run))))
        assert len(tasks) == 6
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(lambda job: deliver(instances[job[0] % 3], job[1]), tasks)) == [""] * 6

    deliver_all("calculate_payslips")
    run = house.runs.run(ACME, run.id)
    slips = payslips(house, run)
    assert run.state is RunState.AWAITING_APPROVAL
    assert sorted(slip.employee_id for slip in slips) == sorted(people)
    assert run.totals == posting_amounts([slip.payslip for slip in slips])
    approved(house, run)
    deliver_all("post_payslips")
    run = house.runs.run(ACME, run.id)
    assert (run.state, run.refused, run.version) == (RunState.POSTED, 0, 4)
    assert run.totals is not None
    for component, account in ACCOUNTS.items():
        assert house.balance(account) == run.totals[component].amount
    assert sorted(entry.entry.reference for entry in entries(house)) == [f"PAY-2026-11-{n}" for n in range(3)]
    assert {entry.entry.effective_on for entry in entries(house)} == {date(2026, 11, 28)}
    for slip in slips:
        assert year_of(house, slip.employee_id) == slip.before.after(slip.payslip)
    assert told(house) == ["payroll_run.awaiting_approval", "payroll_run.posted"]
    assert house.proven()


def test_the_next_month_goes_on_from_the_year_to_date(house: Instance) -> None:
    """December's payslips are calculated from what November left."""
    employee = employ(house, year=YearToDate.opening("2026-27", Money(1_000_000, "GBP"), Money(150_000, "GBP")))
    november = posted(house, calculated(house, prepared(house)))
    december = posted(house, calculated(house, prepared(house, "2026-12", DECEMBER)))
    (first,), (second,) = payslips(house, november), payslips(house, december)
    assert first.before.taxable_pay == Money(1_000_000, "GBP")
    assert second.before == first.before.after(first.payslip)
    assert year_of(house, employee) == second.before.after(second.payslip)
    assert (november.state, december.state, house.proven()) == (RunState.POSTED, RunState.POSTED, True)


def test_what_a_chunk_costs(house: Instance) -> None:
    """Counted, for the last chunk, of 25: calculating and posting are one commit each, and the barrier one."""
    staff(house, 25)
    run = prepared(house)
    (task,) = tasks_of(house, "calculate_payslips", run)
    spent = counters.begin()
    deliver(house, task)
    assert (spent.reads, spent.writes, spent.rpcs) == (57, 58, 7)
    approved(house, run)
    (task,) = tasks_of(house, "post_payslips", run)
    spent = counters.begin()
    deliver(house, task)
    assert (spent.reads, spent.writes, spent.rpcs) == (77, 78, 8)  # 6 are shifts: posted before they are effective


# --- preparing and approving -------------------------------------------------------------


def test_a_period_has_one_run(house: Instance, another: More) -> None:
    """A second key is refused, the same key answered; also eight at once."""
    employ(house)
    run = prepared(house)
    assert prepared(house).id == run.id
    with pytest.raises(PeriodAlreadyRun):
        another().runs.prepare(a_call("other", once=True), "2026-11", NOVEMBER)
    instance = another()

    def prepare(number: int) -> str:
        try:
            call = a_call(f"december-{number}", once=True)
            return str(house.again(lambda: instance.runs.prepare(call, "2026-12", DECEMBER)).answer.id)
        except PeriodAlreadyRun:
            return ""

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(prepare, range(8))) - {""}) == 1
    assert len(house.store.query(Query("payroll_runs", ACME)).documents) == 2


def test_without_employees_there_is_nothing_to_run(house: Instance) -> None:
    """And the period stays free."""
    with pytest.raises(NobodyToPay):
        prepared(house)
    employ(house)
    assert prepared(house).employees == 1


def test_a_pay_date_without_sourced_figures_is_not_prepared(house: Instance) -> None:
    """A run that could only be blocked never takes its period."""
    employ(house)
    with pytest.raises(TaxYearNotSupported):
        prepared(house, "2031-11", PayPeriod(date(2031, 11, 28), Frequency.MONTHLY))
    assert house.store.query(Query("payroll_periods", ACME)).documents == ()


@pytest.mark.parametrize("key", ["approve", "another-key"])
def test_who_prepared_a_run_does_not_approve_it(house: Instance, key: str) -> None:
    """Principals are compared, never keys."""
    employ(house)
    run = calculated(house, prepared(house))
    with pytest.raises(ApproverPrepared):
        house.runs.approve(a_call(key, once=True), run.id)
    assert house.runs.run(ACME, run.id).state is RunState.AWAITING_APPROVAL
    assert tasks_of(house, "post_payslips", run) == []


def test_a_run_is_approved_once(house: Instance) -> None:
    """The same key is answered again, another finds it approved; a run still calculating is not approved."""
    employ(house)
    run = prepared(house)
    with pytest.raises(WrongRunState):
        approved(house, run)
    calculated(house, run)
    assert approved(house, run) == approved(house, run)
    with pytest.raises(WrongRunState):
        approved(house, run, "again")
    assert len(tasks_of(house, "post_payslips", run)) == 1


def test_a_run_of_another_tenant_is_unknown(house: Instance) -> None:
    """Knowing the id is no key."""
    employ(house)
    run = calculated(house, prepared(house))
    with pytest.raises(UnknownRun):
        house.runs.approve(a_call("steal", tenant=TenantId("rival"), principal="user:eve", once=True), run.id)


def test_posting_before_approval_waits(house: Instance) -> None:
    """A task that is early or forged posts nothing."""
    employ(house)
    run = calculated(house, prepared(house))
    call = task_call(tasks_of(house, "calculate_payslips", run)[0])
    with pytest.raises(Retryable):
        house.runs.post(call, run.id, 0)
    assert entries(house) == ()


def test_a_task_ahead_of_its_run_waits(house: Instance) -> None:
    """Nothing to find yet is not an answer."""
    with pytest.raises(Retryable):
        house.runs.calculate(a_call("early"), "r" * 52, 0)


# --- what cannot be paid -----------------------------------------------------------------


def test_an_employee_who_cannot_be_calculated_blocks_the_run_by_name(house: Instance) -> None:
    """No figure without a source: the run says who and why, and nobody can approve it."""
    employ(house, "E-1")
    odd = employ(house, "E-2", student_loan_plans=frozenset({Plan.PLAN_5}))
    run = calculated(house, prepared(house, "2025-11", PayPeriod(date(2025, 11, 28), Frequency.MONTHLY)))
    assert (run.state, run.refused) == (RunState.BLOCKED, 1)
    assert run.refusals == (ChunkRefusal(0, odd, "student_loan_plan_not_supported", "student_loan_plans"),)
    with pytest.raises(WrongRunState):
        approved(house, run)
    assert told(house) == ["payroll_run.blocked"]


def test_a_frozen_account_refuses_a_chunk_whole(house: Instance, another: More) -> None:
    """Nothing of it is posted, no year to date moves, the run says what the ledger said; told again the same."""
    employee = employ(house)
    run = calculated(house, prepared(house))
    house.controls.run(a_call("freeze"), Control.FREEZE, WAGES)
    approved(house, run)
    (task,) = tasks_of(house, "post_payslips", run)
    assert [deliver(instance, task) for instance in (house, house, another())] == ["account_frozen"] * 3
    run = house.runs.run(ACME, run.id)
    assert (run.state, run.refused) == (RunState.POSTING_REFUSED, 1)
    assert run.refusals == (ChunkRefusal(0, "", "account_frozen", "lines"),)
    assert year_of(house, employee) is None
    assert [house.balance(account) for account in PAYROLL] == [0] * 5
    (entry,) = entries(house)
    assert (entry.posted, house.proven()) == (False, True)
    assert told(house) == ["payroll_run.awaiting_approval", "payroll_run.posting_refused"]


def test_a_year_to_date_that_moved_between_refuses_the_chunk_by_name(house: Instance) -> None:
    """Calculated side by side, posted one after the other: the second one's figures are of yesterday."""
    employee = employ(house)
    november, december = prepared(house), prepared(house, "2026-12", DECEMBER)
    calculated(house, november)
    calculated(house, december)
    posted(house, november)
    before = year_of(house, employee)
    approved(house, december)
    (task,) = tasks_of(house, "post_payslips", december)
    assert [deliver(house, task) for _ in range(2)] == ["year_to_date_moved"] * 2
    run = house.runs.run(ACME, december.id)
    assert run.state is RunState.POSTING_REFUSED
    assert run.refusals == (ChunkRefusal(0, employee, "year_to_date_moved", ""),)
    assert (year_of(house, employee), len(entries(house)), house.proven()) == (before, 1, True)


# --- odd amounts -------------------------------------------------------------------------


def test_more_tax_refunded_than_taken_stands_on_the_other_side(house: Instance) -> None:
    """Withheld tax is debited, net pay is more than gross; costs still equal what is owed."""
    employ(house, salary=1_200_000, year=YearToDate.opening("2026-27", Money(500_000, "GBP"), Money(300_000, "GBP")))
    run = posted(house, calculated(house, prepared(house)))
    assert run.totals is not None
    assert run.totals[PostingComponent.INCOME_TAX].amount < 0
    assert house.balance(INCOME_TAX_WITHHELD) == run.totals[PostingComponent.INCOME_TAX].amount
    assert house.balance(NET_PAY) > house.balance(WAGES)
    assert (run.state, house.proven()) == (RunState.POSTED, True)


def test_a_chunk_that_earned_nothing_posts_nothing(house: Instance) -> None:
    """No entry of zeros; the run is posted all the same."""
    employee = employ(house, salary=0)
    run = posted(house, calculated(house, prepared(house)))
    assert (run.state, entries(house), house.proven()) == (RunState.POSTED, (), True)
    assert year_of(house, employee) == YearToDate.opening("2026-27")


def test_loans_are_withheld_apart(house: Instance) -> None:
    """Student and postgraduate loans stand on their own account."""
    employ(house, salary=6_000_000, student_loan_plans=frozenset({Plan.PLAN_2, Plan.POSTGRADUATE}))
    run = posted(house, calculated(house, prepared(house)))
    (slip,) = payslips(house, run)
    assert house.balance(STUDENT_LOANS_WITHHELD) == slip.payslip.deductions.amount > 0
