"""A payroll run: chunks fixed first, calculated apart, approved by a second principal, posted apart.

Each chunk's result is its own document, written once; whoever finishes one asks the barrier to go
on. A sweep looks again at runs that stand still (docs/ledger.md, rule 12).
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.faults import Invalid, Refused, Retryable
from shared.identity import Cause, TenantId
from shared.ledger.use_cases.posting import Books
from shared.limits import PAYROLL_RUN_EMPLOYEES
from shared.listing import Listing
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.model import PayPeriod
from shared.payroll.records import chunk_ref, period_ref, read_payslip, read_run, run_ref, write_run
from shared.payroll.refusals import ApproverPrepared, NobodyToPay, PeriodAlreadyRun
from shared.payroll.runs import PayrollRun, RunPayslip, RunState, chunked
from shared.payroll.use_cases.barrier import STAGES, Barrier, chunk_commands, moved_to, there, update
from shared.payroll.use_cases.chunks import CALCULATE_DOOR, POST_DOOR, calculate_chunk, chunk_cause, post_chunk
from shared.payroll.use_cases.employees import Employees
from shared.ports import Create, Query, View, Where

SWEEP: Final = "sweep_payroll_runs"
SWEEP_RUNS: Final = 200

_log = structlog.get_logger(__name__)


class PayrollRuns:
    """The payroll runs of every tenant."""

    def __init__(self, desk: Desk, books: Books, employees: Employees) -> None:
        """Write through `desk`, post to `books`, pay `employees`."""
        self._desk, self._books, self._employees = desk, books, employees
        self._barrier = Barrier(desk)

    def prepare(self, call: Call, period: str, pay: PayPeriod) -> Done[PayrollRun]:
        """Fix who is paid, in chunks, and set every chunk calculating.

        Raises:
            PeriodAlreadyRun: the period has its run.
            TaxYearNotSupported: no sourced figure for the pay date; a run of it would be blocked for ever.
            NobodyToPay: there is no employee.
            Invalid: there are more than PAYROLL_RUN_EMPLOYEES.
        """
        tables_for(pay.pay_date)
        run_id = call.cause.stored_id("payroll_run")
        ref, taken = run_ref(call.tenant, run_id), period_ref(call.tenant, period)
        chunks = chunked(_bounded(list(self._employees.ids(call.tenant))))

        def decide(view: View) -> Outcome[PayrollRun]:
            if view[taken] is not None:
                message = f"{period} has its payroll run"
                raise PeriodAlreadyRun(message, field="period")
            run = PayrollRun(run_id, period, pay, call.principal, sum(map(len, chunks)), len(chunks))
            writes = (
                Create(ref, write_run(run)),
                Create(taken, {"schema": 1, "run_id": run_id}),
                *(
                    Create(chunk_ref(call.tenant, run_id, number), {"schema": 1, "employees": list(ids)})
                    for number, ids in enumerate(chunks)
                ),
            )
            messages = chunk_commands(call, CALCULATE_DOOR, run_id, range(len(chunks)))
            return Outcome(ref, "payroll_run.prepare", run, writes, messages)

        return self._desk.perform(call, [taken], decide, read_run)

    def calculate(self, call: Call, run_id: str, chunk: int) -> None:
        """Calculate a chunk's payslips, once, and go on with the run if that was the last.

        Raises:
            Retryable: the run or its chunk is not there yet, or contention.
        """
        call = _of_chunk(call, CALCULATE_DOOR, run_id, chunk)
        calculate_chunk(self._desk, call, run_id, chunk)
        self._barrier.advance(call, run_id)

    def approve(self, call: Call, run_id: str) -> Done[PayrollRun]:
        """Approve a calculated run and set every chunk posting.

        Raises:
            UnknownRun: no such run.
            ApproverPrepared: the same principal prepared it.
            WrongRunState: it is not awaiting approval.
        """
        ref = run_ref(call.tenant, run_id)

        def decide(view: View) -> Outcome[PayrollRun]:
            document = there(view[ref])
            run = read_run(document)
            if run.prepared_by == call.principal:
                message = "a run is approved by another principal than the one who prepared it"
                raise ApproverPrepared(message)
            approved = replace(moved_to(run, RunState.POSTING), approved_by=call.principal)
            messages = chunk_commands(call, POST_DOOR, run_id, range(run.chunks))
            return Outcome(ref, "payroll_run.approve", approved, (update(document, approved),), messages)

        return self._desk.perform(call, [ref], decide, read_run)

    def post(self, call: Call, run_id: str, chunk: int) -> None:
        """Post a chunk's payslips as one journal entry, once, and finish the run if that was the last.

        Raises:
            Refused: by the ledger, or because a year to date moved; recorded as the chunk's result.
            Retryable: the run is not approved yet, or contention.
        """
        call = _of_chunk(call, POST_DOOR, run_id, chunk)
        try:
            post_chunk(self._books, call, run_id, chunk)
        except Refused:
            self._barrier.advance(call, run_id)
            raise
        self._barrier.advance(call, run_id)

    def sweep(self, at: datetime, request_id: str, traceparent: str) -> None:
        """Resume the runs of all tenants that chunks still work on, each under its own tenant.

        Raises:
            Retryable: at least one could not be resumed; the others were.
        """
        busy = Where("state", "in", [state.value for state in STAGES])
        query = Query("payroll_runs", where=(busy,), group=True, limit=SWEEP_RUNS, only=("state",))
        left: list[Retryable] = []
        for document in self._desk.store.query(query).documents:
            tenant, run_id = document.ref.tenant, document.ref.key
            if tenant is None:
                message = f"{document.ref.path} belongs to no tenant"
                raise LookupError(message)
            cause = Cause("system", SWEEP, f"{run_id}~{at.isoformat()}")
            try:
                self._barrier.resume(Call(tenant, f"system:{SWEEP}", cause, request_id, "", traceparent, at), run_id)
            except Retryable as fault:
                _log.warning("payroll_run_not_resumed", tenant=tenant, run_id=run_id, code=fault.code)
                left.append(fault)
        if left:
            raise left[0]

    def run(self, tenant: TenantId, run_id: str) -> PayrollRun:
        """One run.

        Raises:
            UnknownRun: there is none under this id.
        """
        return self._barrier.run(tenant, run_id)

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[PayrollRun]:
        """Runs in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query("payroll_runs", tenant, limit=limit, after=cursor))
        return Listing(tuple(read_run(document) for document in page.documents), page.cursor)

    def payslips(self, tenant: TenantId, run_id: str, limit: int, cursor: str | None) -> Listing[RunPayslip]:
        """A run's payslips in the order of their ids, a page at a time."""
        query = Query("payslips", tenant, (Where("run_id", "==", run_id),), limit=limit, after=cursor)
        page = self._desk.store.query(query)
        return Listing(tuple(read_payslip(document) for document in page.documents), page.cursor)


def _of_chunk(call: Call, door: str, run_id: str, chunk: int) -> Call:
    """The call under the cause that the chunk itself is, however often and by whomever it is sent."""
    return replace(call, cause=chunk_cause(door, run_id, chunk))


def _bounded(ids: list[str]) -> list[str]:
    if not ids:
        message = "there is no employee to pay"
        raise NobodyToPay(message)
    if len(ids) > PAYROLL_RUN_EMPLOYEES:
        message = f"a run pays at most {PAYROLL_RUN_EMPLOYEES} employees"
        raise Invalid(message, field="period", detail={"employees": len(ids)})
    return ids
