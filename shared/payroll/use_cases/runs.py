"""A payroll run: chunks fixed first, calculated apart, approved by a second principal, posted apart.

Each chunk's result is its own document, written once. Whoever finishes a chunk, also for the second
time, looks whether the stage is complete and tries to begin the next by a document that must not
exist yet. A sweep looks again at runs that stand still (LEDGER.md, rule 12).
"""

from dataclasses import replace
from datetime import datetime
from typing import Final, cast

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Command, Json
from shared.faults import Invalid, Refused, Retryable
from shared.identity import Cause, TenantId
from shared.ledger.records import RecordedEntry, read_entry
from shared.ledger.use_cases.posting import Books
from shared.limits import PAYROLL_RUN_EMPLOYEES
from shared.listing import Listing
from shared.payroll.countries.gb.tables import tables_for
from shared.payroll.model import PayPeriod
from shared.payroll.records import (
    chunk_ref,
    period_ref,
    posting_ref,
    read_payslip,
    read_result,
    read_run,
    result_ref,
    run_ref,
    stage_ref,
    write_run,
)
from shared.payroll.refusals import ApproverPrepared, NobodyToPay, PeriodAlreadyRun, UnknownRun, WrongRunState
from shared.payroll.runs import (
    NAMED_REFUSALS,
    POSTING_REFUSED,
    TRANSITIONS,
    ChunkRefusal,
    ChunkResult,
    PayrollRun,
    RunPayslip,
    RunState,
    added,
    chunked,
)
from shared.payroll.use_cases.chunks import POST_DOOR, calculate_chunk, chunk_cause, post_chunk, posting_entry_ref
from shared.payroll.use_cases.employees import Employees
from shared.ports import Create, Document, Query, Update, View, Where

QUEUE: Final = "payroll"
TOPIC: Final = "payroll"
CALCULATE: Final = "calculate_payslips"
SWEEP: Final = "sweep_payroll_runs"
SWEEP_RUNS: Final = 200

_log = structlog.get_logger(__name__)

_STAGES: Final = {
    RunState.CALCULATING: (result_ref, "payroll_results", RunState.AWAITING_APPROVAL, RunState.BLOCKED),
    RunState.POSTING: (posting_ref, "payroll_postings", RunState.POSTED, RunState.POSTING_REFUSED),
}
"""Of each stage that chunks work on: where results are kept, and the states that follow it, good and bad."""


class PayrollRuns:
    """The payroll runs of every tenant."""

    def __init__(self, desk: Desk, books: Books, employees: Employees) -> None:
        """Write through `desk`, post to `books`, pay `employees`."""
        self._desk, self._books, self._employees = desk, books, employees

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
            messages = tuple(_command(call, CALCULATE, run_id, number) for number in range(len(chunks)))
            return Outcome(ref, "payroll_run.prepare", run, writes, messages)

        return self._desk.perform(call, [taken], decide, read_run)

    def calculate(self, call: Call, run_id: str, chunk: int) -> None:
        """Calculate a chunk's payslips, once, and go on with the run if that was the last.

        Raises:
            Retryable: the run or its chunk is not there yet, or contention.
        """
        call = _of_chunk(call, CALCULATE, run_id, chunk)
        calculate_chunk(self._desk, call, run_id, chunk)
        self.advance(call, run_id)

    def approve(self, call: Call, run_id: str) -> Done[PayrollRun]:
        """Approve a calculated run and set every chunk posting.

        Raises:
            UnknownRun: no such run.
            ApproverPrepared: the same principal prepared it.
            WrongRunState: it is not awaiting approval.
        """
        ref = run_ref(call.tenant, run_id)

        def decide(view: View) -> Outcome[PayrollRun]:
            document = view[ref]
            run = _known(document)
            if run.prepared_by == call.principal:
                message = "a run is approved by another principal than the one who prepared it"
                raise ApproverPrepared(message)
            approved = replace(_moved(run, RunState.POSTING), approved_by=call.principal)
            messages = tuple(_command(call, POST_DOOR, run_id, number) for number in range(run.chunks))
            return Outcome(ref, "payroll_run.approve", approved, (_update(document, approved),), messages)

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
            self.advance(call, run_id)
            raise
        self.advance(call, run_id)

    def advance(self, call: Call, run_id: str) -> PayrollRun:
        """Begin the run's next stage if every chunk of this one has its result; harmless to ask again."""
        run = self.run(call.tenant, run_id)
        stage = _STAGES.get(run.state)
        if stage is None:
            return run
        _, collection, _, _ = stage
        finished = self._desk.store.aggregate(Query(collection, call.tenant, (Where("run_id", "==", run_id),)))
        return self._complete(call, run) if finished["count"] == run.chunks else run

    def resume(self, call: Call, run_id: str) -> None:
        """Send the chunks that have no result again; for the sweep."""
        run = self.advance(call, run_id)
        stage = _STAGES.get(run.state)
        if stage is None:
            return
        place, door = stage[0], CALCULATE if run.state is RunState.CALCULATING else POST_DOOR
        refs = [place(call.tenant, run_id, number) for number in range(run.chunks)]
        results = self._desk.store.get(refs)
        missing = [number for number, ref in enumerate(refs) if results[ref] is None]
        self._desk.outbox.dispatch([_command(call, door, run_id, number) for number in missing])

    def sweep(self, at: datetime, request_id: str, traceparent: str) -> None:
        """Resume the runs of all tenants that chunks still work on, each under its own tenant.

        Raises:
            Retryable: at least one could not be resumed; the others were.
        """
        busy = Where("state", "in", [state.value for state in _STAGES])
        query = Query("payroll_runs", where=(busy,), group=True, limit=SWEEP_RUNS, only=("state",))
        left: list[Retryable] = []
        for document in self._desk.store.query(query).documents:
            tenant, run_id = document.ref.tenant, document.ref.key
            if tenant is None:
                message = f"{document.ref.path} belongs to no tenant"
                raise LookupError(message)
            cause = Cause("system", SWEEP, f"{run_id}~{at.isoformat()}")
            try:
                self.resume(Call(tenant, f"system:{SWEEP}", cause, request_id, "", traceparent, at), run_id)
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
        ref = run_ref(tenant, run_id)
        return _known(self._desk.store.get([ref])[ref])

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[PayrollRun]:
        """Runs in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query("payroll_runs", tenant, limit=limit, after=cursor))
        return Listing(tuple(read_run(document) for document in page.documents), page.cursor)

    def payslips(self, tenant: TenantId, run_id: str, limit: int, cursor: str | None) -> Listing[RunPayslip]:
        """A run's payslips in the order of their ids, a page at a time."""
        query = Query("payslips", tenant, (Where("run_id", "==", run_id),), limit=limit, after=cursor)
        page = self._desk.store.query(query)
        return Listing(tuple(read_payslip(document) for document in page.documents), page.cursor)

    def _complete(self, call: Call, run: PayrollRun) -> PayrollRun:
        """Move a run on from a stage whose chunks all have results."""
        place, _, good, bad = _STAGES[run.state]
        ref = run_ref(call.tenant, run.id)
        results = [place(call.tenant, run.id, number) for number in range(run.chunks)]

        def decide(view: View) -> Outcome[PayrollRun]:
            document, stored = view[ref], [view[result] for result in results]
            seen = _known(document)
            if seen.state is not run.state or any(result is None for result in stored):
                return Outcome(ref, "payroll_run.advance", seen)
            done = [read_result(cast("Document", result)) for result in stored]
            moved = replace(_with_results(seen, done, good, bad), refusals=_named(call.tenant, done, view))
            writes = (_update(document, moved), Create(stage_ref(call.tenant, run.id, moved.state), {"schema": 1}))
            data: dict[str, Json] = {"state": moved.state.value, "period": moved.period}
            told = call.announcement(TOPIC, f"payroll_run.{moved.state.value}", run.id, moved.version, data)
            return Outcome(ref, f"payroll_run.{moved.state.value}", moved, writes, (told,), frozenset(results))

        return self._desk.perform(call, [ref, *results], decide, read_run).answer


def _of_chunk(call: Call, door: str, run_id: str, chunk: int) -> Call:
    """The call under the cause that the chunk itself is, however often and by whomever it is sent."""
    return replace(call, cause=chunk_cause(door, run_id, chunk))


def _command(call: Call, door: str, run_id: str, chunk: int) -> Command:
    return call.command(QUEUE, door, f"{run_id}~{chunk}", {"run_id": run_id, "chunk": chunk})


def _with_results(run: PayrollRun, done: list[ChunkResult], good: RunState, bad: RunState) -> PayrollRun:
    refused = sum(len(result.refusals) for result in done)
    totals = added(result.totals for result in done) if run.state is RunState.CALCULATING else run.totals
    return replace(_moved(run, bad if refused else good), totals=totals, refused=refused)


def _named(tenant: TenantId, done: list[ChunkResult], view: View) -> tuple[ChunkRefusal, ...]:
    """The first refusals, with the ledger's own reason where it refused a chunk."""
    refusals = [refusal for result in done for refusal in result.refusals][:NAMED_REFUSALS]
    run_id = done[0].run_id
    entries = {
        refusal.chunk: posting_entry_ref(tenant, run_id, refusal.chunk)
        for refusal in refusals
        if refusal.code == POSTING_REFUSED
    }
    view.need(list(entries.values()))
    reasons = {chunk: read_entry(entry) for chunk, ref in entries.items() if (entry := view[ref])}
    return tuple(_because(refusal, reasons.get(refusal.chunk)) for refusal in refusals)


def _because(refusal: ChunkRefusal, entry: RecordedEntry | None) -> ChunkRefusal:
    reason = entry.refusal if entry else None
    return replace(refusal, code=cast("str", reason["code"])) if reason else refusal


def _moved(run: PayrollRun, state: RunState) -> PayrollRun:
    if state not in TRANSITIONS[run.state]:
        message = f"a run that is {run.state.value} does not become {state.value}"
        raise WrongRunState(message, field="state", detail={"state": run.state.value})
    return replace(run, state=state, version=run.version + 1)


def _known(document: Document | None) -> PayrollRun:
    if document is None:
        message = "no such payroll run"
        raise UnknownRun(message, field="id")
    return read_run(document)


def _update(document: Document | None, run: PayrollRun) -> Update:
    assert document is not None  # noqa: S101 - `_known` has looked
    return Update(document.ref, write_run(run), document.version)


def _bounded(ids: list[str]) -> list[str]:
    if not ids:
        message = "there is no employee to pay"
        raise NobodyToPay(message)
    if len(ids) > PAYROLL_RUN_EMPLOYEES:
        message = f"a run pays at most {PAYROLL_RUN_EMPLOYEES} employees"
        raise Invalid(message, field="period", detail={"employees": len(ids)})
    return ids
