"""What a task does with one chunk of a run: calculate its payslips, or post them as one journal entry."""

from typing import Final, cast

from shared.calls import Call, Outcome
from shared.desk import Desk
from shared.faults import Refused, Retryable
from shared.identity import TenantId
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
from shared.ports import Create, Document, Update, View, Write

CALCULATE: Final = "payroll_chunk.calculate"
POST: Final = "payroll_chunk.post"

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
        ids = cast("list[str]", _there(view[chunk_place])["employees"])
        slips, refusals = _payslips(tenant, run, ids, view)
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
    run_place, chunk_place, posting_place = places

    def decide(view: View) -> Booking[ChunkResult]:
        known = view[posting_place]
        if known is not None:
            return Booking(Outcome(posting_place, POST, read_result(known)))
        run = read_run(_there(view[run_place]))
        if run.state is not RunState.POSTING:
            message = "the run is not approved yet"
            raise Retryable(message, detail={"state": run.state.value})
        ids = cast("list[str]", _there(view[chunk_place])["employees"])
        slips = _stored_payslips(tenant, run_id, ids, view)
        refused = ChunkResult(run_id, chunk, 0, posting_amounts([]), (ChunkRefusal("", "posting_refused", ""),))
        record_refusal = Create(posting_place, write_result(refused))
        try:
            moved = _moved_years(tenant, slips, view)
        except YearToDateMoved as refusal:
            return Booking(Outcome(posting_place, POST, refused, (record_refusal,), refusal=refusal))
        payslips = [slip.payslip for slip in slips]
        result = ChunkResult(run_id, chunk, len(slips), posting_amounts(payslips))
        outcome = Outcome(posting_place, POST, result, (*moved, Create(posting_place, write_result(result))))
        return Booking(outcome, _entry(call, run, chunk, payslips), if_refused=(record_refusal,))

    books.perform(call, places, decide, read_result)


def _payslips(
    tenant: TenantId, run: PayrollRun, ids: list[str], view: View
) -> tuple[list[RunPayslip], list[ChunkRefusal]]:
    tax_year = tax_period(run.pay.pay_date, run.pay.frequency).tax_year
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
            refusals.append(ChunkRefusal(key, refusal.code, refusal.field or ""))
            continue
        slip_id = payslip_ref(tenant, run.id, key).key
        slips.append(RunPayslip(slip_id, run.id, key, payslip, before))
    return slips, refusals


def _stored_payslips(tenant: TenantId, run_id: str, ids: list[str], view: View) -> list[RunPayslip]:
    refs = [payslip_ref(tenant, run_id, key) for key in ids]
    view.need(refs)
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
            message = "the year to date moved since the payslip was calculated"
            raise YearToDateMoved(message, detail={"employee_id": slip.employee_id})
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
