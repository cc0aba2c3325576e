"""Monitors of balances: made, ended, and looked at together at one instant, each crossing announced once.

A look is written unchanged since the monitor was read, and a crossing in the same commit as its announcement,
whose id is the monitor's and the crossing's number: so of tasks that come twice, of two that look at once and of one
that was killed, one announces it, and whoever comes later finds it announced.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, audit_record
from shared.events import Announcement
from shared.identity import Cause, StoredId, TenantId
from shared.ledger.model import Account, AccountCode
from shared.ledger.records import account_ref, read_account
from shared.ledger.refusals import CurrencyNotKept, UnknownAccount, UnknownMonitor
from shared.ledger.rules.balances import AccountBalance, by_currency
from shared.ledger.rules.balances import View as Days
from shared.ledger.rules.monitors import (
    COLLECTION,
    Look,
    Monitor,
    MonitorState,
    Watch,
    monitor_ref,
    one_more,
    read_monitor,
    watched_ref,
    write_monitor,
    write_progress,
)
from shared.ledger.rules.pending import fold_pending, pending_of
from shared.ledger.use_cases.balances import Moment, moment
from shared.listing import Listing
from shared.outbox import read_row, row, row_ref
from shared.ports import Create, Decision, Document, Query, Queue, Ref, Update, View, Where, Write
from shared.rounds import Round

TOPIC: Final = "ledger"
CROSSED: Final = "ledger.balance_crossed"
QUEUE: Final = "balance-watches"
DOOR: Final = "watch_balances"
ROUND: Final = Round("start_balance_watches", DOOR, QUEUE, "minute")

_WATCHED: Final = Where("watched", "==", value=True)

Told = tuple[Announcement, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """What one look at a tenant's monitors came to."""

    at: datetime
    monitors: int
    crossed: int
    """Crossings that this look announced, or found announced by itself."""


class Monitors:
    """The monitors of every tenant."""

    def __init__(self, desk: Desk, queue: Queue) -> None:
        """Write through `desk`, read from its store, ask for looks by `queue`."""
        self._desk, self._queue = desk, queue

    # --- asking

    def start(self, tenants: Iterable[TenantId], at: datetime, traceparent: str) -> None:
        """Ask for a look at each tenant's monitors; asked again in the same minute, the queue knows the task.

        Raises:
            Retryable: it is not certain that the queue has them all.
        """
        ROUND.ask(self._queue, tenants, f"{at:%Y-%m-%dT%H:%M}", traceparent)

    # --- making and ending

    def watch(self, call: Call, watch: Watch) -> Done[Monitor]:
        """Begin to watch; a figure that is beyond the amount at the first look is a crossing.

        Raises:
            UnknownAccount: the chart has no such account.
            CurrencyNotKept: the account keeps other currencies.
            TooManyMonitors: one look can take no more.
        """
        ref, account, count = self._refs(call, call.cause.stored_id("monitor"), watch.account)
        monitor = Monitor(StoredId(ref.key), watch)

        def decide(view: View) -> Outcome[Monitor]:
            known = view[ref]
            if known is not None:
                return Outcome(ref, "monitor.watch", read_monitor(known))
            _check_kept(watch, view[account])
            made = Create(ref, write_monitor(monitor))
            return Outcome(ref, "monitor.watch", monitor, (made, _counted(count, view[count], 1)))

        return self._desk.perform(call, (ref, account, count), decide, read_monitor)

    def end(self, call: Call, monitor_id: StoredId) -> Done[Monitor]:
        """Watch no longer.

        Raises:
            UnknownMonitor: there is none under this id.
            MonitorEnded: it has ended.
        """
        ref, count = monitor_ref(call.tenant, monitor_id), watched_ref(call.tenant)

        def decide(view: View) -> Outcome[Monitor]:
            document = _there(view[ref])
            after = read_monitor(document).ended()
            writes = (Update(ref, write_progress(after), document.version), _counted(count, view[count], -1))
            return Outcome(ref, "monitor.end", after, writes)

        return self._desk.perform(call, (ref, count), decide, read_monitor)

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Monitor]:
        """Monitors in the order of their ids, ended ones too, a page at a time."""
        page = self._desk.store.query(Query(COLLECTION, tenant, limit=limit, after=cursor))
        return Listing(tuple(read_monitor(document) for document in page.documents), page.cursor)

    @staticmethod
    def _refs(call: Call, monitor_id: StoredId, code: AccountCode) -> tuple[Ref, Ref, Ref]:
        return monitor_ref(call.tenant, monitor_id), account_ref(call.tenant, code), watched_ref(call.tenant)

    # --- looking

    def look(self, call: Call) -> Done[Watched]:
        """Look at every watched figure as of one instant, and announce each that is seen to have gone beyond.

        Raises:
            Retryable: contention or silence outlasted the attempts; those looked at before are written.
        """
        books = moment(self._desk.store, call.tenant)
        monitors = [read_monitor(one) for one in books.all(Query(COLLECTION, call.tenant, (_WATCHED,)))]
        balances = {code: _standing(books, code) for code in sorted({one.watch.account for one in monitors})}
        crossed = 0
        for one in monitors:
            told = self._write(call, one.id, Look(one.watch.figure(_row(balances, one.watch)), books.at))
            self._desk.outbox.dispatch(told)
            crossed += len(told)
        return Done(Watched(books.at, len(monitors), crossed))

    def _write(self, call: Call, monitor_id: StoredId, look: Look) -> Told:
        """Write a look down, with the announcement if it is a crossing: what is to be sent now."""
        ref = monitor_ref(call.tenant, monitor_id)

        def decide(view: View) -> Decision[Told]:
            document = _there(view[ref])
            before = read_monitor(document)
            after = before.looked(look)
            if after is before:
                return Decision(_told_before(call, before, look, view))
            update = Update(ref, write_progress(after), document.version)
            if after.crossings == before.crossings:
                return Decision((), (update,))
            crossing, told = _crossing(call, after), _announcement(call, after)
            audit = audit_record(crossing, Outcome(ref, "monitor.cross", None))
            return Decision((told,), (update, audit, row(told, call.at)))

        return self._desk.store.transact((ref,), decide)


def _standing(books: Moment, code: AccountCode) -> Mapping[str, AccountBalance]:
    """An account's balances by currency: all that is posted, whatever its day, and what holds would take."""
    ref = account_ref(books.tenant, code)
    account = read_account(_there(books.store.get([ref], at=books.at)[ref]))
    reserved = fold_pending(books.all(pending_of(books.tenant, code)))
    outgoing = {currency: held.outgoing(account) for (_, currency), held in reserved.items()}
    return {one.currency: one for one in by_currency(account, books.one(code, date.max, Days.EFFECTIVE), outgoing)}


def _row(balances: Mapping[AccountCode, Mapping[str, AccountBalance]], watch: Watch) -> AccountBalance:
    currency = watch.amount.currency
    return balances[watch.account].get(currency, AccountBalance(currency, 0, 0, 0))


def _crossing(call: Call, monitor: Monitor) -> Call:
    """The look's call under the crossing's own cause: whoever sees it writes the same ids."""
    return replace(call, cause=Cause("system", CROSSED, f"{monitor.id}.{monitor.crossings}"))


def _announcement(call: Call, monitor: Monitor) -> Announcement:
    watch, seen = monitor.watch, monitor.seen
    return _crossing(call, monitor).announcement(
        TOPIC,
        CROSSED,
        monitor.id,
        monitor.crossings,
        {
            "account": watch.account,
            "measure": watch.measure.value,
            "direction": watch.direction.value,
            "amount": watch.amount.amount,
            "currency": watch.amount.currency,
            "reference": watch.reference,
            "figure": seen.figure if seen else None,
            "seen_at": seen.at.isoformat() if seen else None,
        },
    )


def _told_before(call: Call, monitor: Monitor, look: Look, view: View) -> Told:
    """After a lost answer: what this very look announced, while its row waits."""
    if not view.failures or monitor.state is not MonitorState.CROSSED or monitor.seen != look:
        return ()
    waiting = view[row_ref(_announcement(call, monitor))]
    if waiting is None:
        return ()
    told = cast("Announcement", read_row(waiting))  # an earlier look's, when this one saw no crossing: not ours to send
    return (told,) if told.data["seen_at"] == look.at.isoformat() else ()


def _check_kept(watch: Watch, document: Document | None) -> Account:
    if document is None:
        message = "the chart has no such account"
        raise UnknownAccount(message, field="account", detail={"account": watch.account})
    account = read_account(document)
    if not account.keeps(watch.amount.currency):
        message = f"the account keeps {', '.join(account.currencies)} only"
        raise CurrencyNotKept(message, field="amount", detail={"account": watch.account})
    return account


def _counted(ref: Ref, document: Document | None, more: int) -> Write:
    """The number of watched monitors, unchanged since read: so their limit holds."""
    if document is None:
        return Create(ref, {"schema": 1, "watched": one_more(0)})
    watched = cast("int", document["watched"])
    return Update(ref, {"watched": one_more(watched) if more > 0 else watched + more}, document.version)


def _there(document: Document | None) -> Document:
    if document is None:
        message = "no such monitor"
        raise UnknownMonitor(message, field="id")
    return document
