"""The whole journal as it stands at one instant, record by record: what an auditor takes away.

Every field of every entry's document goes out as it is stored, sealed text included: what is
personal in it stays unreadable, and what is sealed can be verified from the export alone.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.desk import Desk
from shared.faults import Malformed, Refused
from shared.identity import TenantId
from shared.ledger.model import Account, PeriodState
from shared.ledger.records import read_account, read_period
from shared.ledger.refusals import UnknownSeal
from shared.ledger.rules.chart_records import check_account, kinds
from shared.ledger.rules.seals import instant_of, leaves_list, leaves_records, micros, plain_fields, read_seal
from shared.ledger.rules.statements import check_age
from shared.ledger.rules.verifying import SCHEMA, UNREADABLE
from shared.ledger.use_cases.seals import Seals
from shared.limits import JOURNAL_PAGE
from shared.listing import every
from shared.ports import Document, Query, Value

SEALS_PAGE: Final = 100

GARBLED: Final = (*UNREADABLE, ArithmeticError, Refused)
"""What a document of the chart raises that is none: a model of ours refuses it, or a number is none."""


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Entries in the order of their ids, at one instant; the first page has the chart, the last totals and periods."""

    tenant: TenantId
    read_at: datetime
    entries: tuple[dict[str, Any], ...]
    chart: tuple[dict[str, Any], ...] | None
    totals: tuple[dict[str, Any], ...] | None
    periods: tuple[dict[str, Any], ...] | None
    """Months that are not open: what an import does last."""
    next_cursor: str | None


class Journals:
    """Every tenant's journal, to be taken away."""

    def __init__(self, desk: Desk, seals: Seals) -> None:
        """Read from the desk's store, and by `seals`."""
        self._store, self._seals = desk.store, seals

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> JournalPage:
        """A page of entries; all pages of a journal are read at the instant of the first.

        Raises:
            Malformed: the cursor is of no journal.
            StaleCursor: the journal's instant cannot be read any more.
        """
        now = self._store.read_time()  # the store's own: a cursor's instant is held against the clock that it is of
        read_at, after = _read_cursor(cursor, now) if cursor else (now, None)
        page = self._store.query(Query("entries", tenant, limit=limit, after=after, as_is=True), at=read_at)
        return JournalPage(
            tenant,
            read_at,
            tuple(map(entry_record, page.documents)),
            None if cursor else tuple(map(account_record, self._all(tenant, "accounts", read_at))),
            None if page.cursor else tuple(total_records(self._all(tenant, "totals", read_at))),
            None if page.cursor else tuple(period_records(self._all(tenant, "periods", read_at))),
            _write_cursor(read_at, page.cursor) if page.cursor else None,
        )

    def records(self, tenant: TenantId) -> Iterator[dict[str, Any]]:
        """A whole journal from the store: seals with their leaves, chart, entries, totals, closed months, the end.

        Raises:
            StaleCursor: it took longer than an instant of the past can be read.
        """
        yield {"kind": "journal", "schema": SCHEMA, "tenant": tenant}
        yield from self._seal_records(tenant)
        cursor: str | None = None
        count = 0
        while True:
            page = self.page(tenant, JOURNAL_PAGE, cursor)
            yield from page.chart or ()
            yield from page.entries
            yield from page.totals or ()
            yield from page.periods or ()
            count, cursor = count + len(page.entries), page.next_cursor
            if cursor is None:
                yield {"kind": "end", "entries": count, "read_at": micros(page.read_at)}
                return

    def _seal_records(self, tenant: TenantId) -> Iterator[dict[str, Any]]:
        """Seals by their places, for a garbled one may have no number, before the entries: those are all there then."""
        for document in every(self._store, Query("seals", tenant, limit=SEALS_PAGE, as_is=True)):
            key = document.ref.key
            try:
                seal = read_seal(document.fields)
            except UNREADABLE:
                yield _as_it_is(document, "seal", number=int(key) if key.isdecimal() else key)
                continue
            yield seal.as_json()
            yield from leaves_records(seal.number, seal.pages, self._reader(tenant, seal.number))

    def _reader(self, tenant: TenantId, number: int) -> Callable[[int], list[list[Any]] | None]:
        def read(page: int) -> list[list[Any]] | None:
            try:
                return leaves_list(self._seals.leaves(tenant, number, page))
            except UnknownSeal:
                return None

        return read

    def _all(self, tenant: TenantId, collection: str, at: datetime) -> Iterator[Document]:
        return every(self._store, Query(collection, tenant, as_is=True), at=at)


def entry_record(document: Document) -> dict[str, Any]:
    """An entry's document whole: id, instant of its commit, every field."""
    created, fields = micros(document.created_at), plain_fields(document.fields)
    return {"kind": "entry", "id": document.ref.key, "created": created, "fields": fields}


def _as_it_is(document: Document, kind: str, **names: Any) -> dict[str, Any]:
    """A document that somebody garbled, under its name: whoever verifies calls it unreadable."""
    return {"kind": kind, **names, "fields": plain_fields(document.fields)}


def account_record(document: Document) -> dict[str, Any]:
    """An account whole, but for its version, which only counts what was done to it; as it is where it is none."""
    try:
        record = _account_record(read_account(document))
        check_account(record)
    except GARBLED:
        return _as_it_is(document, "account", code=document.ref.key)
    return record


def _account_record(account: Account) -> dict[str, Any]:
    floor, rate = account.floor, account.declared_rate
    return {
        "kind": "account",
        "code": account.code,
        "type": account.type.value,
        "name": account.name,
        "state": account.state.value,
        "shards": account.shards,
        "declared_rate": None if rate is None else str(rate),
        "floor": {"currency": floor.currency, "limit": floor.limit} if floor else None,
        "currencies": list(account.currencies),
        "metadata": {key: account.metadata[key] for key in sorted(account.metadata)},
    }


def period_records(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """The months that are not open, oldest first, and what is none; of any other month there is nothing to say."""
    for document in documents:
        try:
            period = read_period(document)
        except GARBLED:
            yield _as_it_is(document, "period", month=document.ref.key)
            continue
        if period.state is not PeriodState.OPEN:
            yield {"kind": "period", "month": period.month, "state": period.state.value}


def total_records(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """A month's totals by account, currency and kind of entry: live and closed, of all versions and shards.

    A sum that somebody made something else than an integer is null: it differs from whatever entries say. Sums that
    are nobody's go out as they are.
    """
    fold: dict[tuple[str, ...], list[int | None]] = {}
    for document in documents:
        try:
            key = kinds(str, *(document[name] for name in ("account", "currency", "month", "kind")))
        except (KeyError, TypeError):
            yield _as_it_is(document, "total", id=document.ref.key)
            continue
        sums = fold.setdefault(key, [0, 0, 0])
        for place, name in enumerate(("debits", "credits", "count")):
            sums[place] = _sum(sums[place], document.fields.get(name, 0))
    for (account, currency, month, kind), (debits, credits_, count) in sorted(fold.items()):
        yield {
            "kind": "total",
            "account": account,
            "currency": currency,
            "month": month,
            "entry_kind": kind,
            "debits": debits,
            "credits": credits_,
            "count": count,
        }


def _sum(one: int | None, other: Value) -> int | None:
    return one + other if one is not None and isinstance(other, int) else None


def _write_cursor(read_at: datetime, after: str) -> str:
    text = json.dumps([micros(read_at), after], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode("ascii")


def _read_cursor(cursor: str, now: datetime) -> tuple[datetime, str]:
    match _cursor_parts(cursor):
        case [int(count), str(after)] if not isinstance(count, bool) and 0 <= count <= micros(now):
            check_age(instant_of(count), now, "journal")
            return instant_of(count), after
    raise _foreign_cursor()


def _cursor_parts(cursor: str) -> object:
    try:
        return json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _foreign_cursor() from error


def _foreign_cursor() -> Malformed:
    message = "the cursor does not belong to a journal"
    return Malformed(message, field="cursor")
