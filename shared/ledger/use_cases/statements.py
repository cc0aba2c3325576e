"""The statement of an account, a page at a time, all pages at the instant of the first.

A first page is an RPC for the account, one for the balance before it and one for its entries; an account whose side
this instance knows saves the first. By posting day the shifts are read first, and tell the side. Further pages are one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from shared.calls import Call
from shared.desk import Desk
from shared.identity import TenantId
from shared.ledger.model import AccountCode, Side, month_of
from shared.ledger.records import account_ref, read_entry
from shared.ledger.rules.balances import View, standing
from shared.ledger.rules.shifts import COLLECTION as SHIFTS
from shared.ledger.rules.statements import (
    Position,
    Question,
    Statement,
    lines_of,
    open_cursor,
    seen_from,
    sign_cursor,
)
from shared.ledger.use_cases.balances import account_of
from shared.ports import Document, Page, Query, Where

REMEMBERED: int = 50_000


class Statements:
    """Statements of accounts."""

    def __init__(self, desk: Desk, keys: Callable[[], tuple[bytes, ...]]) -> None:
        """Read from the desk's store; sign cursors with the newest of `keys`, believe those under any."""
        self._store, self._keys = desk.store, keys
        self._sides: dict[tuple[TenantId, AccountCode], Side] = {}

    def page(self, call: Call, question: Question, limit: int, cursor: str | None) -> Statement:
        """Up to `limit` entries of the account with all their lines on it, and the balance after each line.

        Raises:
            AccountNotFound: the chart has no such account.
            ForeignCursor, StaleCursor: the cursor is none of ours for this question, or too old.
        """
        keys = self._keys()
        position = open_cursor(cursor, question, keys, call.at) if cursor else self._begin(question, call.at)
        page = self._entries(question, position, limit)
        lines, balances = lines_of(question, position, map(read_entry, page.documents))
        after = replace(position, balances=balances, after=page.cursor)
        return Statement(
            question,
            position.read_at,
            _seen(position),
            lines,
            _seen(after),
            sign_cursor(question, after, keys[0]) if page.cursor else None,
        )

    def _begin(self, question: Question, begun_at: datetime) -> Position:
        """The account's side and its balance before the first day, at one instant."""
        before = question.first - timedelta(days=1) if question.first > date.min else None
        shifts: Sequence[Document] = ()
        read_at: datetime | None = None
        if question.view is View.POSTED:
            shifts, read_at = self._sums(SHIFTS, question, before, None)
        side, read_at = self._side(question, shifts, read_at)
        totals, read_at = self._sums("totals", question, before, read_at)
        opening = standing((), (*totals, *shifts), before)
        balances = {currency: sums.net for (_, currency), sums in opening.items() if sums.debits or sums.credits}
        return Position(read_at, begun_at, side, balances)

    def _side(
        self, question: Question, shifts: Sequence[Document], at: datetime | None
    ) -> tuple[Side, datetime | None]:
        """The account's normal side: remembered, told by its shifts, or read; and the instant, if one was read at."""
        known = self._sides.get((question.tenant, question.account))
        if known is not None:
            return known, at
        told = next((document["side"] for document in shifts if "side" in document.fields), None)
        if told is not None:
            return self._remember(question, Side(told)), at
        ref = account_ref(question.tenant, question.account)
        documents, at = self._store.snapshot([ref]) if at is None else (self._store.get([ref], at=at), at)
        return self._remember(question, account_of(question.account, documents[ref]).type.normal_side), at

    def _sums(
        self, collection: str, question: Question, on: date | None, at: datetime | None
    ) -> tuple[Sequence[Document], datetime]:
        """A collection's documents of the account of months up to a day's, and the instant they were read at."""
        last = month_of(on) if on else ""
        where = (Where("account", "==", question.account), Where("month", "<=", last))
        page = self._store.query(Query(collection, question.tenant, where), at=at)
        if page.read_at is None:
            message = "a query that does not say its instant"
            raise LookupError(message)
        return page.documents, at or page.read_at

    def _entries(self, question: Question, position: Position, limit: int) -> Page:
        day = question.day_field
        where = (
            Where("accounts", "array_contains", question.account),
            Where("outcome", "==", "posted"),
            Where(day, ">=", question.first.isoformat()),
            Where(day, "<=", question.last.isoformat()),
        )
        query = Query("entries", question.tenant, where, (day, "recorded_at"), limit, position.after)
        return self._store.query(query, at=position.read_at)

    def _remember(self, question: Question, side: Side) -> Side:
        """An account never changes its type, so its side may be remembered."""
        if len(self._sides) >= REMEMBERED:
            self._sides.clear()
        self._sides[question.tenant, question.account] = side
        return side


def _seen(position: Position) -> dict[str, int]:
    return {currency: seen_from(position.normal_side, net) for currency, net in sorted(position.balances.items())}
