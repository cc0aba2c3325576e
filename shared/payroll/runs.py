"""A payroll run as a fact: its chunks, the states it goes through, and what each chunk came to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from shared.faults import Invalid
from shared.limits import PAYROLL_CHUNK
from shared.money import Money
from shared.payroll.model import PayPeriod, Payslip, PayTerms, PostingComponent, YearToDate, summed


class RunState(Enum):
    """Where a run stands: calculate every chunk, approve by a second principal, post every chunk."""

    CALCULATING = "calculating"
    BLOCKED = "blocked"
    """At least one employee could not be calculated; the refusals say who and why."""
    AWAITING_APPROVAL = "awaiting_approval"
    POSTING = "posting"
    POSTED = "posted"
    POSTING_REFUSED = "posting_refused"
    """The ledger refused at least one chunk; the refusals say which and why."""


TRANSITIONS: Final[Mapping[RunState, frozenset[RunState]]] = {
    RunState.CALCULATING: frozenset({RunState.AWAITING_APPROVAL, RunState.BLOCKED}),
    RunState.BLOCKED: frozenset(),
    RunState.AWAITING_APPROVAL: frozenset({RunState.POSTING}),
    RunState.POSTING: frozenset({RunState.POSTED, RunState.POSTING_REFUSED}),
    RunState.POSTED: frozenset(),
    RunState.POSTING_REFUSED: frozenset(),
}

NAMED_REFUSALS: Final = 50
"""Refusals that a run itself names; all of them stand with the chunks' results."""


@dataclass(frozen=True, slots=True)
class Employee:
    """Whom a run pays: pseudonymous, with the terms of pay."""

    id: str
    reference: str
    terms: PayTerms


@dataclass(frozen=True, slots=True)
class PayrollRun:
    """One run of one period; `chunks` are fixed when it is prepared."""

    id: str
    period: str
    pay: PayPeriod
    prepared_by: str
    employees: int
    chunks: int
    state: RunState = RunState.CALCULATING
    approved_by: str = ""
    totals: Mapping[PostingComponent, Money] | None = None
    refused: int = 0
    refusals: tuple["ChunkRefusal", ...] = ()
    """The first NAMED_REFUSALS of the `refused`."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class ChunkRefusal:
    """An employee whose payslip could not be calculated or posted, or a chunk that the ledger refused (no employee)."""

    chunk: int
    employee_id: str
    code: str
    field: str


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What a stage made of one chunk; its document is written once."""

    run_id: str
    chunk: int
    payslips: int
    totals: Mapping[PostingComponent, Money]
    refusals: tuple[ChunkRefusal, ...] = ()


@dataclass(frozen=True, slots=True)
class RunPayslip:
    """A payslip of a run, with the year to date that it was calculated from."""

    id: str
    run_id: str
    employee_id: str
    payslip: Payslip
    before: YearToDate


def chunked(employee_ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The employees of a run in fixed chunks, in the order of their ids."""
    ids = sorted(employee_ids)
    return tuple(tuple(ids[start : start + PAYROLL_CHUNK]) for start in range(0, len(ids), PAYROLL_CHUNK))


def added(totals: Iterable[Mapping[PostingComponent, Money]]) -> dict[PostingComponent, Money]:
    """Control totals of several chunks together."""
    rows = list(totals)
    return {component: summed(row[component] for row in rows) for component in PostingComponent}


def period_of(period: str, pay_date: date) -> str:
    """Check that the pay date lies in the period's month: the books follow the pay date.

    Raises:
        Invalid: it does not.
    """
    if pay_date.isoformat()[:7] != period:
        message = "the pay date lies in the period's month"
        raise Invalid(message, field="pay_date")
    return period
