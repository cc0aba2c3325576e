"""The end of a year: every balance of revenue and expenses moved to retained earnings by closing entries.

A year is named by the calendar year in which it ends and has the twelve months that end with `last_month`. Closing
entries have a kind of their own: only the year end posts them, into a month that takes nothing else any more, and
income statements leave them out, so that a closed year still shows what it earned.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, cast

from shared.faults import Retryable
from shared.identity import StoredId, TenantId, stored_id
from shared.ledger.model import (
    Account,
    AccountCode,
    AccountState,
    EntryKind,
    JournalEntry,
    Line,
    Month,
    Period,
    PeriodState,
    Side,
)
from shared.ledger.refusals import AccountFrozen, MonthsOpen, UnknownAccount, WrongState
from shared.ledger.rules.balances import Standing
from shared.ledger.rules.posting import await_decisions, is_balance_sheet
from shared.limits import AMOUNT_MINOR, ENTRY_LINES
from shared.money import Money
from shared.ports import Create, Document, Ref, Update, Value, Write, tenant_ref

RETAINED_EARNINGS: Final = "equity:retained_earnings"
DECEMBER: Final = 12


class YearState(Enum):
    """How far a year end has come: months are being closed; what is to be posted is written down; done."""

    STARTED = "started"
    PLANNED = "planned"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Year:
    """A year's end, as its own document keeps it. `run` counts: a reopened year is closed again, for what is left."""

    year: int
    last_month: Month
    state: YearState = YearState.STARTED
    run: int = 1
    entries: int = 0
    """Closing entries that this run posts."""

    @property
    def months(self) -> tuple[Month, ...]:
        """Its twelve months, in order."""
        year, month = (int(part) for part in self.last_month.split("-"))
        count = year * 12 + month - 1
        return tuple(f"{place // 12:04d}-{place % 12 + 1:02d}" for place in range(count - 11, count + 1))

    @property
    def last_day(self) -> date:
        """The day that the closing entries are effective on."""
        year, month = (int(part) for part in self.last_month.split("-"))
        return date(year, month, monthrange(year, month)[1])


def year_ref(tenant: TenantId, year: int) -> Ref:
    """A year's end."""
    return tenant_ref(tenant, "years", f"{year:04d}")


def plan_ref(tenant: TenantId, year: Year, place: int) -> Ref:
    """What one closing entry of a run posts, written down before any is posted."""
    return tenant_ref(tenant, "closings", f"{year.year:04d}~{year.run}~{place}")


def turn_ref(tenant: TenantId) -> Ref:
    """Whose turn it is: what two years that end at once would both move is added up by one of them."""
    return tenant_ref(tenant, "chains", "years")


def taken(turn: Ref, document: Document | None) -> Write:
    """To be written with what a year adds up: whoever saw the turn before this fails."""
    if document is None:
        return Create(turn, {"schema": 1, "version": 1})
    return Update(turn, {"version": cast("int", document["version"]) + 1}, document.version)


def check_begin(year: Year, periods: Mapping[Month, Period | None], retained: Account | None) -> None:
    """Refuse to end a year whose months are not closed, or that has nowhere to put its income.

    A month that nobody posted to needs no soft close: the year end closes it for good before it counts.

    Raises:
        MonthsOpen, WrongState, UnknownAccount, AccountFrozen: as they say.
        Retryable: it is not decided yet what becomes of the account for retained earnings.
    """
    for month in year.months:
        period = periods[month]
        if (period.state if period else None) is PeriodState.OPEN or (period is None and month == year.last_month):
            message = f"the month {month} is open"
            raise MonthsOpen(message, field="year", detail={"period": month})
    last = cast("Period", periods[year.last_month])
    if last.state is not PeriodState.SOFT_CLOSED:
        raise not_to_end(last)
    if retained is None:
        message = "the chart has no account for retained earnings"
        raise UnknownAccount(message, field="year", detail={"account": RETAINED_EARNINGS})
    await_decisions([retained])
    if retained.state is not AccountState.OPEN:
        message = "the account for retained earnings takes no postings"
        raise AccountFrozen(message, field="year", detail={"account": RETAINED_EARNINGS})


def not_to_end(last: Period) -> WrongState:
    """Why a year whose last month is not soft closed is not ended."""
    message = "the last month of the year is closed for good: reopen it for adjusting entries first"
    return WrongState(message, field="year", detail={"period": last.month, "state": last.state.value})


def check_reopened(year: Year, others: Iterable[Year], periods: Iterable[Period]) -> None:
    """Refuse to end a year after one that was closed and is open again: it would move what belongs to that one.

    Raises:
        MonthsOpen: a month of that one is not closed for good; the first is named.
    """
    once_closed = {
        month for other in others if other.state is YearState.CLOSED or other.run > 1 for month in other.months
    }
    again = (period.month for period in periods if period.state is not PeriodState.HARD_CLOSED)
    first = min(once_closed.intersection(again), default=year.months[0])
    if first < year.months[0]:
        message = f"the month {first} of a year before was reopened: close that year again first"
        raise MonthsOpen(message, field="year", detail={"period": first})


def check_begun(year: Year, others: Iterable[Year]) -> None:
    """Refuse to begin a year's end on top of one within its months that was begun before, and may have been refused.

    Raises:
        WrongState: that one is to be closed first.
    """
    for other in others:
        if other.state is YearState.STARTED and other.last_month in year.months:
            message = f"the end of the year {other.year} is begun and not done: close that year first"
            detail = {"year": other.year, "period": other.last_month, "state": other.state.value}
            raise WrongState(message, field="year", detail=detail)


def check_others(year: Year, others: Iterable[Year], periods: Iterable[Period]) -> None:
    """Refuse to end a year after a later one, which moved this one's income too, and let no two be moved at once.

    The later one may be reopened for adjusting entries, and is closed again afterwards: that puts right what it moved.

    Raises:
        WrongState: a later year is closed for good.
        Retryable: another year is being closed, so far that it adds up income too, or within this one's months.
    """
    states = {period.month: period.state for period in periods}
    for other in others:
        within = other.state is YearState.STARTED and other.last_month in year.months
        if within or other.state is YearState.PLANNED:
            message = "another year is being closed"
            raise Retryable(message, detail={"year": other.year})
        later = other.last_month > year.last_month and other.state is YearState.CLOSED
        if later and states.get(other.last_month) is PeriodState.HARD_CLOSED:
            message = (
                "a later year is closed: reopen its last month for adjusting entries, and close it again after this"
            )
            detail = {"period": other.last_month, "state": PeriodState.HARD_CLOSED.value}
            raise WrongState(message, field="year", detail=detail)


def closing_lines(fold: Standing, chart: Mapping[AccountCode, Account]) -> tuple[tuple[Line, ...], ...]:
    """The lines of each closing entry: income accounts to zero, a currency at a time, the rest to equity."""
    nets: dict[str, list[tuple[AccountCode, int]]] = {}
    for (code, currency), sums in sorted(fold.items()):
        if sums.net and not is_balance_sheet(chart[code].type):
            nets.setdefault(currency, []).append((code, sums.net))
    return tuple(lines for currency, rows in sorted(nets.items()) for lines in balanced_chunks(rows, currency))


def balanced_chunks(
    nets: Sequence[tuple[AccountCode, int]], currency: str, against: AccountCode = RETAINED_EARNINGS
) -> Iterator[tuple[Line, ...]]:
    """Lines that undo each net (debits less credits) and put it on one account, an entry's worth at a time.

    An amount beyond what one line may hold takes several.
    """
    pieces = [(code, piece) for code, net in nets for piece in _pieces(net)]
    chunk: list[tuple[AccountCode, int]] = []
    for code, net in pieces:
        total = sum(amount for _, amount in chunk) + net
        if chunk and (len(chunk) == ENTRY_LINES - 1 or abs(total) > AMOUNT_MINOR):
            yield _balanced(chunk, currency, against)
            chunk = []
        chunk.append((code, net))
    if chunk:
        yield _balanced(chunk, currency, against)


def _pieces(net: int) -> Iterator[int]:
    sign = 1 if net > 0 else -1
    whole, rest = divmod(abs(net), AMOUNT_MINOR)
    yield from [sign * AMOUNT_MINOR] * whole
    if rest:
        yield sign * rest


def _balanced(chunk: Sequence[tuple[AccountCode, int]], currency: str, against: AccountCode) -> tuple[Line, ...]:
    lines = [_line(code, -net, currency) for code, net in chunk]
    total = sum(net for _, net in chunk)
    return (*lines, _line(against, total, currency)) if total else tuple(lines)


def _line(code: AccountCode, net: int, currency: str) -> Line:
    return Line(code, Side.DEBIT if net > 0 else Side.CREDIT, Money(abs(net), currency))


def closing_entry(tenant: TenantId, year: Year, place: int, lines: tuple[Line, ...]) -> JournalEntry:
    """One closing entry; the same place of the same run is always the same entry."""
    return JournalEntry(
        closing_id(tenant, year, f"entry {place}"),
        lines,
        year.last_day,
        f"system/close_year/{year.year:04d}~{year.run}~{place}",
        closing_id(tenant, year, "request"),
        EntryKind.CLOSING,
        f"year end {year.year:04d}",
    )


def closing_id(tenant: TenantId, year: Year, purpose: str) -> StoredId:
    """An id that a run of a year end gives."""
    return stored_id("close_year", tenant, f"{year.year:04d}", str(year.run), purpose)


def write_plan(lines: Sequence[Line]) -> dict[str, Value]:
    """The fields of one planned closing entry."""
    rows: list[Value] = [[line.account, line.side.value, line.money.amount, line.money.currency] for line in lines]
    return {"schema": 1, "lines": [{"line": row} for row in rows]}


def read_plan(document: Document) -> tuple[Line, ...]:
    """The lines of a planned closing entry."""
    rows = [row["line"] for row in cast("list[dict[str, tuple[str, str, int, str]]]", document["lines"])]
    return tuple(Line(code, Side(side), Money(amount, currency)) for code, side, amount, currency in rows)


def write_year(year: Year) -> dict[str, Value]:
    """A year end's fields."""
    return {
        "schema": 1,
        "last_month": year.last_month,
        "state": year.state.value,
        "run": year.run,
        "entries": year.entries,
    }


def read_year(document: Document) -> Year:
    """The year end that a document keeps."""
    run, entries = (cast("int", document[name]) for name in ("run", "entries"))
    return Year(int(document.ref.key), cast("str", document["last_month"]), YearState(document["state"]), run, entries)
