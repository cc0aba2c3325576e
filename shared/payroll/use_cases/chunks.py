"""What a task does with one chunk of a run: calculate its payslips, or post them as one journal entry."""

from typing import Final, cast

from shared.calls import Call, Outcome
from shared.desk import Desk, read_refusal, write_refusal
from shared.faults import Refused, Retryable
from shared.identity import Cause, TenantId
from shared.ledger.chart import (
    EMPLOYER_CONTRIBUTIONS,
    INCOME_TAX_WITHHELD,
    NET_PAY,
    SOCIAL_CONTRIBUTIONS,
    STUDENT_LOANS_WITHHELD,
    WAGES,
)
from shared.ledger.model import JournalEntry, Line, Side
from shared.ledger.use_cases.posting import Booking, Books
from shared.money import Money
from shared.payroll.countries.gb.tax_periods import tax_period
from shared.payroll.model import COSTS, Payslip, PostingComponent, YearToDate
from shared.payroll.records import (
    chunk_ref,
    employee_ref,
    payslip_ref,
    posting_ref,
    read_employee,
    read_payslip,
    read_result,
    read_run,
    read_year,
    result_ref,
    run_ref,
    write_payslip,
    write_result,
    write_year,
    year_ref,
)
from shared.payroll.refusals import YearToDateMoved
from shared.payroll.rules import calculate_payslip, posting_amounts
from shared.payroll.runs import ChunkRefusal, ChunkResult, PayrollRun, RunPayslip, RunState
from shared.ports import Create, Document, Fields, Update, Value, View, Write

CALCULATE: Final = "payroll_chunk.calculate"
POST: Final = "payroll_chunk.post"
CALCULATE_DOOR: Final = "calculate_payslips"
POST_DOOR: Final = "post_payslips"

ACCOUNTS: Final = {
    PostingComponent.GROSS_PAY: WAGES,
    PostingComponent.EMPLOYER_NIC: EMPLOYER_CONTRIBUTIONS,
    PostingComponent.INCOME_TAX: INCOME_TAX_WITHHELD,
    PostingComponent.NATIONAL_INSURANCE: SOCIAL_CONTRIBUTIONS,
    PostingComponent.STUDENT_LOANS: STUDENT_LOANS_WITHHELD,
    PostingComponent.NET_PAY: NET_PAY,
}
"""Where each component of a payroll is posted."""


def calculate_chunk(desk: Desk, call: Call, run_id: str, chunk: int) -> None:
    """Write a chunk's payslips and its result, once; an employee who cannot be calculated is in the result.

    Raises:
        Retryable: the run or its chunk is not there yet, or contention.
    """
    tenant = call.tenant
    run_place, chunk_place = run_ref(tenant, run_id), chunk_ref(tenant, run_id, chunk)
    result_place = result_ref(tenant, run_id, chunk)

    def decide(view: View) -> Outcome[ChunkResult]:
        known = view[result_place]
        if known is not None:
            return Outcome(result_place, CALCULATE, read_result(known))
        run = read_run(_there(view[run_place]))
        slips, refusals = _payslips(tenant, run, chunk, view)
        totals = posting_amounts([slip.payslip for slip in slips])
        result = ChunkResult(run_id, chunk, len(slips), totals, tuple(refusals))
        created = (Create(payslip_ref(tenant, run_id, slip.employee_id), write_payslip(slip)) for slip in slips)
        writes = (*created, Create(result_place, write_result(result)))
        return Outcome(result_place, CALCULATE, result, writes)

    desk.perform(call, [run_place, chunk_place, result_place], decide, read_result)


def post_chunk(books: Books, call: Call, run_id: str, chunk: int) -> None:
    """Post one entry whose lines are the sums of the chunk's payslips, and move each year to date on, once.

    Raises:
        Refused: by the ledger, or because a year to date moved; recorded as the chunk's result.
        Retryable: the run is not approved yet, or contention.
    """
    tenant = call.tenant
    places = [run_ref(tenant, run_id), chunk_ref(tenant, run_id, chunk), posting_ref(tenant, run_id, chunk)]
    run_place, _, posting_place = places

    def decide(view: View) -> Booking[ChunkResult]:
        known = view[posting_place]
        if known is not None:
            return _posted_before(known)
        run = read_run(_there(view[run_place]))
        if run.state is not RunState.POSTING:
            message = "the run is not approved yet"
            raise Retryable(message, detail={"state": run.state.value})
        slips = _stored_payslips(tenant, run, chunk, view)

        def refuse(refusal: Refused) -> tuple[Write, ...]:
            return (Create(posting_place, _write_refused(run_id, chunk, refusal)),)

        try:
            moved = _moved_years(tenant, slips, view)
        except YearToDateMoved as refusal:
            nothing = ChunkResult(run_id, chunk, 0, posting_amounts([]))
            return Booking(Outcome(posting_place, POST, nothing, refuse(refusal), refusal=refusal))
        payslips = [slip.payslip for slip in slips]
        result = ChunkResult(run_id, chunk, len(slips), posting_amounts(payslips))
        outcome = Outcome(posting_place, POST, result, (*moved, Create(posting_place, write_result(result))))
        return Booking(outcome, _entry(call, run, chunk, payslips), if_refused=refuse)

    books.perform(call, places, decide, read_result)


def chunk_cause(door: str, run_id: str, chunk: int) -> Cause:
    """The cause that a chunk itself is at a door, however often and by whomever it is sent there."""
    return Cause("system", door, f"{run_id}~{chunk}")


def _write_refused(run_id: str, chunk: int, refusal: Refused) -> dict[str, Value]:
    """The result of a chunk that was refused whole: who and why for the run, and the refusal to give again."""
    employee = refusal.employee_id if isinstance(refusal, YearToDateMoved) else ""
    reason = ChunkRefusal(chunk, employee, refusal.code, refusal.field or "")
    result = ChunkResult(run_id, chunk, 0, posting_amounts([]), (reason,))
    return write_result(result) | {"refusal": write_refusal(refusal)}


def _posted_before(known: Document) -> Booking[ChunkResult]:
    """What the chunk's posting came to; a refusal is raised again as it was."""
    refusal = known.fields.get("refusal")
    if refusal is not None:
        raise read_refusal(cast("Fields", refusal))
    return Booking(Outcome(known.ref, POST, read_result(known)))


def _payslips(tenant: TenantId, run: PayrollRun, chunk: int, view: View) -> tuple[list[RunPayslip], list[ChunkRefusal]]:
    ids = _members(tenant, run.id, chunk, view)
    tax_year = _tax_year(run)
    view.need([place for key in ids for place in (employee_ref(tenant, key), year_ref(tenant, key, tax_year))])
    slips: list[RunPayslip] = []
    refusals: list[ChunkRefusal] = []
    for key in ids:
        employee = read_employee(_there(view[employee_ref(tenant, key)]))
        year = view[year_ref(tenant, key, tax_year)]
        before = read_year(year.fields) if year else YearToDate.opening(tax_year)
        try:
            payslip = calculate_payslip(employee.terms, run.pay, before)
        except Refused as refusal:
            refusals.append(ChunkRefusal(chunk, key, refusal.code, refusal.field or ""))
            continue
        slip_id = payslip_ref(tenant, run.id, key).key
        slips.append(RunPayslip(slip_id, run.id, key, payslip, before))
    return slips, refusals


def _tax_year(run: PayrollRun) -> str:
    return tax_period(run.pay.pay_date, run.pay.frequency).tax_year


def _members(tenant: TenantId, run_id: str, chunk: int, view: View) -> list[str]:
    """The employees of a chunk."""
    return cast("list[str]", _there(view[chunk_ref(tenant, run_id, chunk)])["employees"])


def _stored_payslips(tenant: TenantId, run: PayrollRun, chunk: int, view: View) -> list[RunPayslip]:
    """The chunk's payslips; the years to date that they will move are read along."""
    ids = _members(tenant, run.id, chunk, view)
    refs = [payslip_ref(tenant, run.id, key) for key in ids]
    view.need(refs + [year_ref(tenant, key, _tax_year(run)) for key in ids])
    return [read_payslip(_there(view[ref])) for ref in refs]


def _moved_years(tenant: TenantId, slips: list[RunPayslip], view: View) -> list[Write]:
    """Every year to date with its payslip added, if it still is what the payslip was calculated from."""
    refs = {slip.employee_id: year_ref(tenant, slip.employee_id, slip.payslip.tax_year) for slip in slips}
    view.need(list(refs.values()))
    writes: list[Write] = []
    for slip in slips:
        ref = refs[slip.employee_id]
        document = view[ref]
        now = read_year(document.fields) if document else YearToDate.opening(slip.payslip.tax_year)
        if now != slip.before:
            raise YearToDateMoved(slip.employee_id)
        fields = write_year(now.after(slip.payslip))
        writes.append(Update(ref, fields, document.version) if document else Create(ref, fields))
    return writes


def _entry(call: Call, run: PayrollRun, chunk: int, payslips: list[Payslip]) -> JournalEntry | None:
    """The chunk's entry; None when nothing was earned."""
    amounts = posting_amounts(payslips)
    lines = tuple(line for component in PostingComponent if (line := _line(component, amounts[component])) is not None)
    if not lines:
        return None
    return JournalEntry(
        call.cause.stored_id("entry"),
        lines,
        run.pay.pay_date,
        str(call.cause),
        call.request_hash,
        reference=f"PAY-{run.period}-{chunk}",
    )


def _line(component: PostingComponent, money: Money) -> Line | None:
    """The component's line; a negative amount (more tax refunded than taken) stands on the other side."""
    if not money.amount:
        return None
    side = Side.DEBIT if component in COSTS else Side.CREDIT
    return Line(ACCOUNTS[component], side if money.amount > 0 else side.other, Money(abs(money.amount), money.currency))


def _there(document: Document | None) -> Document:
    """A document that its cause wrote first; not being there yet means asking again later."""
    if document is None:
        message = "a document of the run is not there yet"
        raise Retryable(message)
    return document
