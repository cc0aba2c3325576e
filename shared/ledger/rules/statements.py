"""Statements: an account's lines in order with the balance after each, paged by a cursor that nobody can forge.

The cursor carries the instant that all pages are read at, the place in the order and the balances reached, so
that a page costs the same however long the account is. It is signed for one question of one tenant: what it holds
is believed, never looked up again.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from shared.identity import StoredId, TenantId, keyed_hash
from shared.ledger.model import AccountCode, EntryKind, JournalEntry, Side
from shared.ledger.records import RecordedEntry
from shared.ledger.refusals import ForeignCursor, StaleCursor
from shared.ledger.rules.balances import View
from shared.money import Money

STALE_AFTER: Final = timedelta(minutes=50)
"""Firestore reads back one hour at any instant (longer only at whole minutes, with point-in-time recovery); the rest
is for the clocks of whoever began and whoever goes on."""

_PURPOSE: Final = b"statement cursor 1\n"
"""The key signs other things too: none of them can be taken for a cursor."""


@dataclass(frozen=True, slots=True)
class Question:
    """Lines of an account on the days first..last, by one of an entry's days."""

    tenant: TenantId
    account: AccountCode
    first: date
    last: date
    view: View = View.EFFECTIVE

    @property
    def day_field(self) -> str:
        """The field of an entry's document that the lines are ordered by."""
        return "effective_on" if self.view is View.EFFECTIVE else "posted_on"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a statement stands between two pages."""

    read_at: datetime
    """The store's instant that all pages show."""
    begun_at: datetime
    """When the first page was asked for, by the clock of the doors."""
    normal_side: Side
    balances: Mapping[str, int]
    """Debits less credits reached, by currency."""
    after: str | None = None
    """The store's own cursor."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of an entry and the balance after it, on the account's normal side, in the line's currency."""

    entry: StoredId
    place: int
    effective_on: date
    posted_on: date
    recorded_at: datetime
    kind: EntryKind
    reference: str
    side: Side
    money: Money
    balance: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One page: opening and closing balances are those before and after its lines, by currency."""

    question: Question
    read_at: datetime
    opening: Mapping[str, int]
    lines: tuple[StatementLine, ...]
    closing: Mapping[str, int]
    next_cursor: str | None


def lines_of(
    question: Question, position: Position, entries: Iterable[RecordedEntry]
) -> tuple[tuple[StatementLine, ...], dict[str, int]]:
    """The lines of a page, and the balances (debits less credits) after the last."""
    balances = dict(position.balances)
    lines: list[StatementLine] = []
    for recorded in entries:
        entry = recorded.entry
        for place, line in enumerate(entry.lines):
            if line.account != question.account:
                continue
            currency, amount = line.money.currency, line.money.amount
            balances[currency] = balances.get(currency, 0) + (amount if line.side is Side.DEBIT else -amount)
            balance = seen_from(position.normal_side, balances[currency])
            lines.append(_line(recorded, entry, place, balance))
    return tuple(lines), balances


def _line(recorded: RecordedEntry, entry: JournalEntry, place: int, balance: int) -> StatementLine:
    line = entry.lines[place]
    return StatementLine(
        entry.id,
        place,
        entry.effective_on,
        entry.posting_day,
        recorded.recorded_at,
        entry.kind,
        entry.reference,
        line.side,
        line.money,
        balance,
    )


def seen_from(side: Side, net: int) -> int:
    """Debits less credits, seen from a normal side."""
    return net if side is Side.DEBIT else -net


# --- cursors -----------------------------------------------------------------------------


def sign_cursor(question: Question, position: Position, key: bytes) -> str:
    """The cursor of the page that begins at a position."""
    payload = json.dumps(_write(position), separators=(",", ":"), sort_keys=True).encode()
    text = base64.urlsafe_b64encode(payload).decode("ascii").rstrip("=")
    return f"{text}.{_signature(question, text, key)}"


def open_cursor(text: str, question: Question, keys: Sequence[bytes], at: datetime) -> Position:
    """The position that a cursor names; `keys` are all live ones.

    Raises:
        ForeignCursor: it was not signed by us for this question of this tenant.
        StaleCursor: its instant cannot be read any more.
    """
    body, _, signature = text.partition(".")
    matches = [hmac.compare_digest(signature.encode(), _signature(question, body, key).encode()) for key in keys]
    if not any(matches):
        raise _foreign()
    try:
        position = _read(json.loads(base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)))
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise _foreign() from error
    check_age(position.begun_at, at, "statement")
    return position


def check_age(begun_at: datetime, at: datetime, what: str) -> None:
    """See that what was begun then can still be gone on with.

    Raises:
        StaleCursor: its instant cannot be read any more.
    """
    if at - begun_at > STALE_AFTER:
        message = f"the {what} was begun too long ago; begin it again"
        raise StaleCursor(message, field="cursor")


def _signature(question: Question, body: str, key: bytes) -> str:
    asked = [
        question.tenant,
        question.account,
        question.first.isoformat(),
        question.last.isoformat(),
        question.view.value,
    ]
    return keyed_hash(key, _PURPOSE + json.dumps([*asked, body]).encode())


def _foreign() -> ForeignCursor:
    message = "the cursor does not belong to this statement"
    return ForeignCursor(message, field="cursor")


def _write(position: Position) -> dict[str, Any]:
    return {
        "read_at": position.read_at.isoformat(),
        "begun_at": position.begun_at.isoformat(),
        "side": position.normal_side.value,
        "balances": dict(position.balances),
        "after": position.after,
    }


def _read(fields: dict[str, Any]) -> Position:
    return Position(
        datetime.fromisoformat(fields["read_at"]),
        datetime.fromisoformat(fields["begun_at"]),
        Side(fields["side"]),
        fields["balances"],
        fields["after"],
    )
