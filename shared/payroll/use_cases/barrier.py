"""The barrier of a payroll run: the next stage begins once, when every chunk of this one has its result.

Whoever finishes a chunk, also for the second time or with a refusal, counts the results and tries to
begin the next stage by a document that must not exist yet (docs/ledger.md, rule 12).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from shared.calls import Call, Outcome
from shared.desk import Desk
from shared.events import Command, Json
from shared.identity import TenantId
from shared.payroll.records import posting_ref, read_result, read_run, result_ref, run_ref, stage_ref, write_run
from shared.payroll.refusals import UnknownRun, WrongRunState
from shared.payroll.runs import (
    NAMED_REFUSALS,
    TRANSITIONS,
    ChunkResult,
    PayrollRun,
    RunState,
    added,
)
from shared.payroll.use_cases.chunks import CALCULATE_DOOR, POST_DOOR
from shared.ports import Create, Document, Query, Update, View, Where

QUEUE: Final = "payroll"
TOPIC: Final = "payroll"

STAGES: Final = {
    RunState.CALCULATING: (result_ref, "payroll_results", RunState.AWAITING_APPROVAL, RunState.BLOCKED),
    RunState.POSTING: (posting_ref, "payroll_postings", RunState.POSTED, RunState.POSTING_REFUSED),
}
"""Of each stage that chunks work on: where results are kept, and the states that follow it, good and bad."""


class Barrier:
    """Brings runs on from stage to stage."""

    def __init__(self, desk: Desk) -> None:
        """Read, write and send through `desk`."""
        self._desk = desk

    def advance(self, call: Call, run_id: str) -> PayrollRun:
        """Begin the run's next stage if every chunk of this one has its result; harmless to ask again."""
        run = self.run(call.tenant, run_id)
        stage = STAGES.get(run.state)
        if stage is None:
            return run
        _, collection, _, _ = stage
        finished = self._desk.store.aggregate(Query(collection, call.tenant, (Where("run_id", "==", run_id),)))
        return self._complete(call, run) if finished["count"] == run.chunks else run

    def resume(self, call: Call, run_id: str) -> None:
        """Send the chunks that have no result again; for the sweep."""
        run = self.advance(call, run_id)
        stage = STAGES.get(run.state)
        if stage is None:
            return
        place, door = stage[0], CALCULATE_DOOR if run.state is RunState.CALCULATING else POST_DOOR
        refs = [place(call.tenant, run_id, number) for number in range(run.chunks)]
        results = self._desk.store.get(refs)
        missing = [number for number, ref in enumerate(refs) if results[ref] is None]
        self._desk.outbox.dispatch(chunk_commands(call, door, run_id, missing))

    def run(self, tenant: TenantId, run_id: str) -> PayrollRun:
        """One run.

        Raises:
            UnknownRun: there is none under this id.
        """
        ref = run_ref(tenant, run_id)
        return read_run(there(self._desk.store.get([ref])[ref]))

    def _complete(self, call: Call, run: PayrollRun) -> PayrollRun:
        """Move a run on from a stage whose chunks all have results."""
        place, _, good, bad = STAGES[run.state]
        ref = run_ref(call.tenant, run.id)
        results = [place(call.tenant, run.id, number) for number in range(run.chunks)]

        def decide(view: View) -> Outcome[PayrollRun]:
            document, stored = there(view[ref]), [view[result] for result in results]
            seen = read_run(document)
            if seen.state is not run.state or any(result is None for result in stored):
                return Outcome(ref, "payroll_run.advance", seen)
            done = [read_result(cast("Document", result)) for result in stored]
            moved = _with_results(seen, done, good, bad)
            writes = (update(document, moved), Create(stage_ref(call.tenant, run.id, moved.state), {"schema": 1}))
            data: dict[str, Json] = {"state": moved.state.value, "period": moved.period}
            told = call.announcement(TOPIC, f"payroll_run.{moved.state.value}", run.id, moved.version, data)
            # a result is written once and never changes, so it needs no check
            return Outcome(ref, f"payroll_run.{moved.state.value}", moved, writes, (told,), frozenset(results))

        return self._desk.perform(call, [ref, *results], decide, read_run).answer


def chunk_commands(call: Call, door: str, run_id: str, chunks: Sequence[int]) -> tuple[Command, ...]:
    """One command a chunk to a door."""
    return tuple(
        call.command(QUEUE, door, f"{run_id}~{number}", {"run_id": run_id, "chunk": number}) for number in chunks
    )


def moved_to(run: PayrollRun, state: RunState) -> PayrollRun:
    """The run in its next state.

    Raises:
        WrongRunState: the state does not follow the run's.
    """
    if state not in TRANSITIONS[run.state]:
        message = f"a run that is {run.state.value} does not become {state.value}"
        raise WrongRunState(message, field="state", detail={"state": run.state.value})
    return replace(run, state=state, version=run.version + 1)


def there(document: Document | None) -> Document:
    """A run's document.

    Raises:
        UnknownRun: there is none.
    """
    if document is None:
        message = "no such payroll run"
        raise UnknownRun(message, field="id")
    return document


def update(document: Document, run: PayrollRun) -> Update:
    """Write a run over what was read of it."""
    return Update(document.ref, write_run(run), document.version)


def _with_results(run: PayrollRun, done: list[ChunkResult], good: RunState, bad: RunState) -> PayrollRun:
    """The run after a stage, with its control totals and the first refusals by name."""
    refusals = [refusal for result in done for refusal in result.refusals]
    totals = added(result.totals for result in done) if run.state is RunState.CALCULATING else run.totals
    moved = moved_to(run, bad if refusals else good)
    return replace(moved, totals=totals, refused=len(refusals), refusals=tuple(refusals[:NAMED_REFUSALS]))
