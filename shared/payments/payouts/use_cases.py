"""Payouts: what the partner says each is made of, taken in a page at a time, each page once, with what it posts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.events import Announcement, Json
from shared.faults import Retryable
from shared.identity import StoredId, TenantId
from shared.ledger.model import JournalEntry
from shared.ledger.use_cases.posting import Booking, Books
from shared.limits import WAIT_FOR_LINES_SECONDS
from shared.listing import Listing
from shared.payments.model import Payment, Stage, Thing
from shared.payments.partners.api import Named, PartnerApi
from shared.payments.payouts.model import Found, Item, SettledItem, Statement, StatementPage
from shared.payments.payouts.records import (
    page_ref,
    read_page,
    read_statement,
    statement_ref,
    write_page,
    write_statement,
)
from shared.payments.payouts.rules import THINGS, Known, Taken, object_of, take
from shared.payments.records import (
    PAYMENTS,
    TRACKED,
    payment_ref,
    read_payment,
    read_tracked,
    tracked_ref,
    write_payment,
    write_tracked,
)
from shared.payments.refusals import UnknownPage, UnknownPayout
from shared.ports import Create, Document, Fields, Query, Ref, Update, View, Write

TOPIC: Final = "payments"
SETTLED: Final = "payout.settled"
ACTION: Final = "payout.take_page"

_log = structlog.get_logger(__name__)


class Payouts:
    """The payouts of every tenant."""

    def __init__(self, desk: Desk, books: Books, api: Callable[[], PartnerApi]) -> None:
        """Write through `desk` and `books`; ask partners by `api`, which is entered only then."""
        self._desk, self._books, self._api = desk, books, api

    def take_page(
        self, call: Call, payout: str, page: StatementPage, *, wait_until: datetime | None = None
    ) -> Done[Statement]:
        """Take in a payout's next lines: payments are marked as paid out, what only the lines tell is posted.

        Until `wait_until`, a line of what nobody knows waits, for events may be late.

        Raises:
            UnknownPayout: no partner has told of it.
            StatementClosed, PageOutOfOrder: another page was expected, or none.
            WrongPayoutCurrency: a line is in another currency.
            Invalid: its lines add up to more than any amount.
            Refused: by the ledger.
            Retryable: contention or silence outlasted the attempts, or a line waits.
        """
        tracked, kept, ref = _places(call.tenant, payout, page.number)

        def decide(view: View) -> Booking[Statement]:
            view.need((tracked, kept, ref))
            statement = _statement(view[tracked], view[kept])
            if view[ref] is not None and not call.once:
                return Booking(Outcome(kept, ACTION, statement))  # another delivery of the same message took it in
            taken = _taken(call, statement, page, view)
            if wait_until and call.at < wait_until and any(one.found is Found.UNKNOWN for one in taken.items):
                message = "a line of the payout is of what is not there yet"
                raise Retryable(message, detail={"payout": payout})
            return _booking(call, view, taken, ref)

        done = self._books.perform(call, [tracked, kept, ref], decide, lambda document: self._again(call, document))
        _look(call, done.answer)
        return done

    def ask(self, call: Call, payout: str, since: datetime | None = None) -> Statement:
        """Ask the partner for all lines that are not here yet; what was taken in before a crash stays.

        `since` is when the payout was heard of: for some time from then, lines wait for events that are late.

        Raises:
            UnknownPayout: no partner has told of it.
            NotAskable, PartnerRefused, Retryable: see `PartnerApi`.
        """
        statement = self.statement(call.tenant, payout)
        _look(call, statement)  # whoever closed it may have died before saying so
        wait_until = since + timedelta(seconds=WAIT_FOR_LINES_SECONDS) if since else None
        named = Named(call.tenant, statement.partner, statement.account, Thing.PAYOUT, statement.reference)
        while not statement.closed:
            told = self._api().payout_items(named, statement.cursor)
            page = StatementPage(statement.pages + 1, told.items, not told.cursor, told.cursor)
            cause = replace(call.cause, endpoint="settle_payout", key=f"{payout}~{page.number}")
            statement = self.take_page(replace(call, cause=cause), payout, page, wait_until=wait_until).answer
        return statement

    def statement(self, tenant: TenantId, payout: str) -> Statement:
        """What is known of a payout.

        Raises:
            UnknownPayout: there is none under this id.
        """
        tracked, kept, _ = _places(tenant, payout, 1)
        found = self._desk.store.get([tracked, kept])
        return _statement(found[tracked], found[kept])

    def lines(self, tenant: TenantId, payout: str, number: int) -> tuple[SettledItem, ...]:
        """A page of a payout's lines.

        Raises:
            UnknownPage: it is not there.
        """
        missing = UnknownPage("no such page of a payout", field="number")
        return read_page(document_at(self._desk.store, page_ref(tenant, payout, number), missing))

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Statement]:
        """Payouts in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query(TRACKED[Thing.PAYOUT], tenant, limit=limit, after=cursor))
        payouts = [read_tracked(Thing.PAYOUT, document) for document in page.documents]
        refs = [statement_ref(tenant, payout.id) for payout in payouts]
        kept = self._desk.store.get(refs) if refs else {}
        statements = (read_statement(payout, kept[ref]) for payout, ref in zip(payouts, refs, strict=True))
        return Listing(tuple(statements), page.cursor)

    def _again(self, call: Call, document: Document) -> Statement:
        """As it stands now: pages that came since are in it."""
        return self.statement(call.tenant, document.ref.key)


def _look(call: Call, statement: Statement) -> None:
    """Say aloud that a payout does not tie; again with each repetition, rather than never."""
    if statement.closed and not statement.ties:
        _log.error(
            "payout_does_not_tie", tenant=call.tenant, payout=statement.payout_id, difference=statement.difference
        )


def _places(tenant: TenantId, payout: str, number: int) -> tuple[Ref, Ref, Ref]:
    return (
        tracked_ref(tenant, Thing.PAYOUT, payout),
        statement_ref(tenant, payout),
        page_ref(tenant, payout, number),
    )


def _statement(tracked: Document | None, kept: Document | None) -> Statement:
    if tracked is None:
        message = "no such payout"
        raise UnknownPayout(message, field="id")
    return read_statement(read_tracked(Thing.PAYOUT, tracked), kept)


def _taken(call: Call, statement: Statement, page: StatementPage, view: View) -> Taken:
    """The page, with what its lines are about read along."""
    refs = {key: ref for key, ref in (_about(call, statement, item) for item in page.items) if ref}
    view.need(list(refs.values()))
    known = {key: _read(ref, view[ref]) for key, ref in refs.items()}
    others = {payout for one in known.values() if one for payout in _payouts(one)} - {"", statement.payout_id}
    places = [tracked_ref(call.tenant, Thing.PAYOUT, key) for key in sorted(others)]
    view.need(places)
    failed = frozenset(ref.key for ref in places if _failed(view[ref]))
    return take(statement, page, known, failed)


def _about(call: Call, statement: Statement, item: Item) -> tuple[StoredId, Ref | None]:
    key = object_of(statement, item)
    if key is None:
        return StoredId(""), None
    if item.kind in THINGS:
        return key, tracked_ref(call.tenant, THINGS[item.kind], key)
    return key, payment_ref(call.tenant, key)


def _read(ref: Ref, document: Document | None) -> Known | None:
    if document is None:
        return None
    if ref.collection == PAYMENTS:
        return read_payment(document)
    return read_tracked(next(thing for thing, name in TRACKED.items() if name == ref.collection), document)


def _payouts(thing: Known) -> tuple[str, ...]:
    """The payouts that brought a thing, or took it."""
    return (thing.payout_id, thing.reversal_payout_id) if isinstance(thing, Payment) else (thing.payout_id,)


def _failed(payout: Document | None) -> bool:
    return payout is None or read_tracked(Thing.PAYOUT, payout).stage is not Stage.PAID


def _booking(call: Call, view: View, taken: Taken, page: Ref) -> Booking[Statement]:
    statement = taken.statement
    kept = statement_ref(call.tenant, statement.payout_id)
    writes = (
        Create(page, write_page(taken.items)),
        _put(view, kept, write_statement(statement)),
        *(_changed(call, view, one) for one in taken.changed),
    )
    told = (_told(call, statement),) if statement.closed else ()
    return Booking(Outcome(kept, ACTION, statement, writes, told), _entry(call, taken))


def _changed(call: Call, view: View, thing: Known) -> Write:
    if isinstance(thing, Payment):
        return _put(view, payment_ref(call.tenant, thing.id), write_payment(thing))
    return _put(view, tracked_ref(call.tenant, thing.thing, thing.id), write_tracked(thing))


def _entry(call: Call, taken: Taken) -> JournalEntry | None:
    """Fees and reserves that the lines tell of, on the day that they are told."""
    if not taken.lines:
        return None
    return JournalEntry(call.cause.stored_id("entry"), taken.lines, call.at.date(), str(call.cause), call.request_hash)


def _told(call: Call, statement: Statement) -> Announcement:
    data: dict[str, Json] = {
        "amount": statement.money.amount,
        "currency": statement.money.currency,
        "ties": statement.ties,
        "difference": statement.difference,
    }
    return call.announcement(TOPIC, SETTLED, statement.payout_id, statement.version, data)


def _put(view: View, ref: Ref, fields: Fields) -> Write:
    document = view[ref]
    return Update(ref, fields, document.version) if document else Create(ref, fields)
