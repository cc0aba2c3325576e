"""Closing a year: close its months, write down what is to be moved, move it, close the last month for good.

1. Months but the last are hard closed, and the last takes closing entries only: what is to be moved stands still.
2. It is added up at one instant and written down, an entry a document, in one commit with the year's own document.
3. Each is posted once, under an id of its own. A refused one turns the run back: the next writes down what is left.
4. The last month is hard closed, and the year is closed.

Whoever dies on the way, the task that the beginning left behind, or anybody who asks again, goes on from there.
No step of a run that was overtaken closes a month that was reopened since, and what is written down rests on months
that are still as they were added up. Years are added up one at a time, and none after a later one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias, cast

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.faults import Refused, Retryable
from shared.identity import Cause, TenantId
from shared.ledger.model import Account, AccountCode, EntryKind, Month, Period, PeriodState
from shared.ledger.records import account_ref, period_ref, read_account, read_period
from shared.ledger.refusals import MonthsOpen, WrongState
from shared.ledger.rules.balances import Standing, in_balance
from shared.ledger.rules.closing import (
    RETAINED_EARNINGS,
    Year,
    YearState,
    check_begin,
    check_begun,
    check_others,
    check_reopened,
    closing_entry,
    closing_id,
    closing_lines,
    not_to_end,
    plan_ref,
    read_plan,
    read_year,
    taken,
    turn_ref,
    write_plan,
    write_year,
    year_ref,
)
from shared.ledger.rules.control import Control
from shared.ledger.use_cases.balances import Moment, moment
from shared.ledger.use_cases.control import DOOR, QUEUE, RESUME_AFTER_SECONDS, Controls
from shared.ledger.use_cases.posting import Books
from shared.ports import Create, Decision, Document, Query, Ref, Update, View, Write

TASK: str = "year_end"
"""What the task that goes on says it is about."""

Seen: TypeAlias = Mapping[Ref, Document | None]
"""Months, and whose turn it is, as a snapshot showed them."""

_log = structlog.get_logger(__name__)


class YearEnds:
    """The ends of a tenant's years."""

    def __init__(self, desk: Desk, books: Books, controls: Controls) -> None:
        """Close months by `controls`, post by `books`, keep its own document through `desk`."""
        self._desk, self._books, self._controls = desk, books, controls

    def close(self, call: Call, year: int, last_month: int) -> Done[Year]:
        """Close the year that ends with a month (1 to 12) of a calendar year; answered when it is closed.

        While one runs, whoever asks goes on with it.

        Raises:
            MonthsOpen: a month of it is not soft closed, or one of a closed year before it is open again.
            WrongState: it is closed, or runs with another last month, or a later year is closed for good, or one within
                its months is begun and not done.
            UnknownAccount, AccountFrozen: retained earnings take nothing; or another account, found on the way.
            Retryable: it is begun and not finished; its task goes on.
        """
        ref = year_ref(call.tenant, year)
        wanted = Year(year, f"{year:04d}-{last_month:02d}")
        places = [period_ref(call.tenant, month) for month in wanted.months]
        retained = account_ref(call.tenant, RETAINED_EARNINGS)
        books = moment(self._desk.store, call.tenant)
        others = _other_years(books, wanted)

        def decide(view: View) -> Outcome[Year]:
            document = view[ref]
            known = read_year(document) if document else None
            if known and known.last_month != wanted.last_month:
                message = f"the year ends with {known.last_month}"
                raise WrongState(message, field="last_month", detail={"state": known.state.value})
            if known and known.state is not YearState.CLOSED:
                # it goes on while it is joined, and never goes away
                return Outcome(ref, "year.close", known, loose=frozenset({ref}), joined=True)
            view.need((*places, retained))
            periods = {place.key: _period(view[place]) for place in places}
            account = view[retained]
            begun = replace(wanted, run=known.run + 1 if known else 1)
            check_begun(begun, others)
            check_others(begun, others, books.periods)
            check_reopened(begun, others, books.periods)
            check_begin(begun, periods, read_account(account) if account else None)
            write: Write = Create(ref, write_year(begun))
            if document:
                write = Update(ref, write_year(begun), document.version)
            later = call.at + timedelta(seconds=RESUME_AFTER_SECONDS)
            task = call.command(QUEUE, DOOR, ref.key, {"operation": ref.key, "kind": TASK}, not_before=later)
            return Outcome(ref, "year.close", begun, (write,), (task,))

        done = self._desk.perform(call, [ref], decide, read_year)
        return Done(self.finish(call, year), done.replayed)

    def finish(self, call: Call, year: int) -> Year:
        """Bring a year end that was begun to its end; harmless when it is there.

        Raises:
            Refused: an account takes no closing entry, a month was reopened or a later year closed meanwhile; the year
                stays begun.
            Retryable: not everything could be done now.
        """
        kept = self._kept(call.tenant, year)
        if kept.state is YearState.CLOSED:
            return kept
        if kept.state is YearState.STARTED:
            for month in kept.months[:-1]:
                self._to(call, kept, Control.HARD_CLOSE, month)
            self._to(call, kept, Control.END_YEAR, kept.last_month)
            kept = self._write_down(call.tenant, kept)
        self._post(call, kept)
        self._await_close(call.tenant, kept)
        self._to(call, kept, Control.HARD_CLOSE, kept.last_month)
        return self._move(call.tenant, kept, replace(kept, state=YearState.CLOSED))

    def _kept(self, tenant: TenantId, year: int) -> Year:
        missing = Retryable("the year end is not there yet")
        return read_year(document_at(self._desk.store, year_ref(tenant, year), missing))

    def _to(self, call: Call, year: Year, control: Control, month: Month) -> None:
        """Bring a month where it belongs, to the end; who else did it is waited for."""
        ref = period_ref(call.tenant, month)
        document = self._desk.store.get([ref])[ref]
        period = _period(document)
        wanted = PeriodState.YEAR_END if control is Control.END_YEAR else PeriodState.HARD_CLOSED
        if document and period and period.state is wanted:
            self._controls.finish(call.tenant, cast("str", document["operation"]))
            return
        version = period.version if period else 0
        cause = f"{call.tenant}:{year.year:04d}~{year.run}~{control.value}~{month}~v{version}"
        try:
            demand = _standing(call.tenant, year, (control, month))
            self._controls.run(_child(call, year, cause), control, month, demand=demand)
        except WrongState:
            if self._kept(call.tenant, year.year) != year:
                raise _overtaken() from None
            if control is Control.END_YEAR and period:
                raise not_to_end(period) from None
            raise

    def _write_down(self, tenant: TenantId, year: Year) -> Year:
        """Add up what is to be moved, and keep it: from here on it is posted as written."""
        turn = turn_ref(tenant)
        places = [period_ref(tenant, month) for month in year.months]
        books = moment(self._desk.store, tenant, turn, *places)
        states = {place.key: period.state for place in places if (period := _period(books.documents[place]))}
        closed = all(states.get(month) is PeriodState.HARD_CLOSED for month in year.months[:-1])
        if not closed or states.get(year.last_month) is not PeriodState.YEAR_END:
            message = "a month of the year was reopened"
            raise Retryable(message)
        if any(map(_takes_postings, books.totals(year.months[0], year.last_month))):
            message = "a close has not come to its end"
            raise Retryable(message)
        others = _other_years(books, year)
        check_others(year, others, books.periods)
        check_reopened(year, others, books.periods)
        entries = closing_lines(_balanced(books, year), _chart(books))
        planned = replace(year, state=YearState.PLANNED, entries=len(entries))
        plan = (Create(plan_ref(tenant, year, place), write_plan(lines)) for place, lines in enumerate(entries))
        seen = {place: books.documents[place] for place in (turn, *places)}
        return self._move(tenant, year, planned, taken(turn, books.documents[turn]), *plan, seen=seen)

    def _post(self, call: Call, year: Year) -> None:
        places = [plan_ref(call.tenant, year, place) for place in range(year.entries)]
        plans = self._desk.store.get(places) if places else {}
        for place, ref in enumerate(places):
            entry = closing_entry(call.tenant, year, place, read_plan(cast("Document", plans[ref])))
            child = _child(call, year, f"{call.tenant}:{year.year:04d}~{year.run}~{place}")
            try:
                self._books.post(child, entry)
            except Refused:
                self._turn_back(call.tenant, year)
                raise

    def _await_close(self, tenant: TenantId, year: Year) -> None:
        """A last month that was reopened is closed again by who reopened it; the next run moves what came."""
        ref = period_ref(tenant, year.last_month)
        period = _period(self._desk.store.get([ref])[ref])
        if period and period.state in {PeriodState.OPEN, PeriodState.SOFT_CLOSED}:
            self._turn_back(tenant, year)
            raise _reopened(year.last_month)

    def _turn_back(self, tenant: TenantId, year: Year) -> None:
        self._move(tenant, year, replace(year, state=YearState.STARTED, run=year.run + 1, entries=0))

    def _move(self, tenant: TenantId, year: Year, after: Year, *writes: Write, seen: Seen | None = None) -> Year:
        """The next state of the year, if it and all that was seen stand as they did; who came first is followed."""
        ref, rests_on = year_ref(tenant, year.year), seen or {}

        def decide(view: View) -> Decision[Year]:
            document = cast("Document", view[ref])
            now = read_year(document)
            if now != year:
                return Decision(now)
            if any(_version(view[place]) != _version(before) for place, before in rests_on.items()):
                raise _overtaken()
            return Decision(after, (Update(ref, write_year(after), document.version), *writes))

        moved = self._desk.store.transact([ref, *rests_on], decide)
        if moved.state is not after.state or moved.run != after.run:
            raise _overtaken()
        return moved


def _standing(tenant: TenantId, year: Year, step: tuple[Control, Month]) -> Callable[[View], None]:
    """What the close of a month demands: that the year stands as the run saw it, and that nobody reopened the month.

    The last month is hard closed only as the closing entries left it: reopened for adjusting, it may have had others.
    """
    control, month = step
    last = control is Control.HARD_CLOSE and month == year.last_month
    reopened = {PeriodState.OPEN, PeriodState.SOFT_CLOSED} if last else {PeriodState.OPEN}

    def demand(view: View) -> None:
        document = view[year_ref(tenant, year.year)]
        if document is None or read_year(document) != year:
            raise _overtaken()
        period = _period(view[period_ref(tenant, month)])
        if period and period.state in reopened:
            raise _reopened(month)

    return demand


def _reopened(month: Month) -> MonthsOpen:
    message = f"the month {month} was reopened"
    return MonthsOpen(message, field="year", detail={"period": month})


def _other_years(books: Moment, year: Year) -> list[Year]:
    years = map(read_year, books.all(Query("years", books.tenant)))
    return [other for other in years if other.year != year.year]


def _takes_postings(totals: Document) -> bool:
    """Whether totals permit a posting, other than of a run before this one, which turned back and posts no more."""
    return totals["closed"] is False and totals["kind"] != EntryKind.CLOSING.value


def _balanced(books: Moment, year: Year) -> Standing:
    """All accounts at the end of the year."""
    fold = books.everybody(None, year.last_month)
    if in_balance(fold):
        return fold
    message = "the totals to be moved do not balance"
    _log.error("ledger_year_end_out_of_balance", tenant=books.tenant, through=year.last_month)
    raise Retryable(message)


def _chart(books: Moment) -> dict[AccountCode, Account]:
    return {account.code: account for account in map(read_account, books.all(Query("accounts", books.tenant)))}


def _version(document: Document | None) -> str | None:
    return document.version if document else None


def _overtaken() -> Retryable:
    message = "somebody else goes on with the year end"
    return Retryable(message)


def _period(document: Document | None) -> Period | None:
    return read_period(document) if document else None


def _child(call: Call, year: Year, key: str) -> Call:
    """The call of one step: the same step has the same cause, whoever takes it."""
    return replace(
        call,
        cause=Cause("system", "close_year", key),
        once=False,
        request_hash=closing_id(call.tenant, year, "request"),
        earlier_hashes=(),
    )
