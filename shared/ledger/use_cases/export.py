"""The whole journal as it stands at one instant, record by record: what an auditor takes away.

Every field of every entry's document goes out as it is stored, sealed text included: what is
personal in it stays unreadable, and what is sealed can be verified from the export alone.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from shared.desk import Desk
from shared.faults import Malformed
from shared.identity import TenantId
from shared.ledger.model import Account, Period, PeriodState
from shared.ledger.records import read_account, read_period
from shared.ledger.refusals import UnknownSeal
from shared.ledger.rules.seals import Seal, instant_of, leaves_list, micros, plain_fields
from shared.ledger.rules.statements import check_age
from shared.ledger.rules.verifying import SCHEMA
from shared.ledger.use_cases.seals import Seals
from shared.limits import JOURNAL_PAGE
from shared.listing import every
from shared.ports import Document, Query, Value

SEALS_PAGE: Final = 100


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
            None if cursor else tuple(map(account_record, map(read_account, self._all(tenant, "accounts", read_at)))),
            None if page.cursor else tuple(total_records(self._all(tenant, "totals", read_at))),
            None if page.cursor else tuple(period_records(map(read_period, self._all(tenant, "periods", read_at)))),
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
        """Seals from the newest on, read before the entries: what they cover is then among those."""
        cursor: str | None = None
        while True:
            listing = self._seals.page(tenant, SEALS_PAGE, cursor)
            for seal in listing.items:
                yield seal.as_json()
                for page in range(seal.pages):
                    yield {"kind": "leaves", "seal": seal.number, "page": page, "leaves": self._leaves(seal, page)}
            cursor = listing.next_cursor
            if cursor is None:
                return

    def _leaves(self, seal: Seal, page: int) -> list[list[Any]]:
        """A page's leaves; none where somebody took or garbled them: the root tells whoever verifies."""
        try:
            return leaves_list(self._seals.leaves(seal.tenant, seal.number, page))
        except UnknownSeal:
            return []

    def _all(self, tenant: TenantId, collection: str, at: datetime) -> Iterator[Document]:
        return every(self._store, Query(collection, tenant, as_is=collection == "totals"), at=at)


def entry_record(document: Document) -> dict[str, Any]:
    """An entry's document whole: id, instant of its commit, every field."""
    created, fields = micros(document.created_at), plain_fields(document.fields)
    return {"kind": "entry", "id": document.ref.key, "created": created, "fields": fields}


def account_record(account: Account) -> dict[str, Any]:
    """An account whole, but for its version, which only counts what was done to it."""
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


def period_records(periods: Iterable[Period]) -> Iterator[dict[str, Any]]:
    """The months that are not open, oldest first; of any other month there is nothing to say."""
    for period in periods:
        if period.state is not PeriodState.OPEN:
            yield {"kind": "period", "month": period.month, "state": period.state.value}


def total_records(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """A month's totals by account, currency and kind of entry: live and closed, of all versions and shards.

    A sum that somebody made something else than an integer is null: it differs from whatever entries say.
    """
    fold: dict[tuple[str, ...], list[int | None]] = {}
    for document in documents:
        key = tuple(cast("str", document[name]) for name in ("account", "currency", "month", "kind"))
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
