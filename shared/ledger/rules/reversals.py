"""What a reversal undoes: posted lines on their other side, never more of a line than is left, nothing computed anew.

What is left only shrinks, and an entry never changes: whatever is refused here stays refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.faults import Invalid
from shared.identity import StoredId
from shared.ledger.model import (
    EntryKind,
    JournalEntry,
    Line,
    Reverses,
    currencies_out_of_balance,
    kind_to_post,
)
from shared.ledger.records import RecordedEntry
from shared.ledger.refusals import (
    ClosingEntryStands,
    EntryNotPosted,
    MoreThanLeftToReverse,
    NothingLeftToReverse,
    UnbalancedReversal,
    UnknownLine,
)
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Part:
    """So much of one line of the original; `line` is its place, the first is 0."""

    line: int
    money: Money

    def __post_init__(self) -> None:
        """Refuse a place before the first, and an amount that is not positive."""
        if self.line < 0:
            message = "the first line is line 0"
            raise Invalid(message, field="parts")
        if self.money.amount <= 0:
            message = "a part's amount is positive: the original's side says the direction"
            raise Invalid(message, field="parts")


@dataclass(frozen=True, slots=True)
class ReversalOrder:
    """What to reverse: `parts` of an entry, or all that is left of it; effective on the call's day if not said."""

    original: StoredId
    parts: tuple[Part, ...] | None = None
    effective_on: date | None = None
    kind: EntryKind = EntryKind.REGULAR
    reference: str = ""

    def __post_init__(self) -> None:
        """Refuse a closing entry, a line named twice, and parts that are none."""
        kind_to_post(self.kind)
        if self.parts is None:
            return
        if not self.parts or len({part.line for part in self.parts}) < len(self.parts):
            message = "parts name at least one line, and each once"
            raise Invalid(message, field="parts")


@dataclass(frozen=True, slots=True)
class Undone:
    """What a reversal posts: its lines, the places of the original's lines they undo, and what is left by line then."""

    lines: tuple[Line, ...]
    places: tuple[int, ...]
    left: tuple[int, ...]

    def entry(self, command: JournalEntry, original: StoredId) -> JournalEntry:
        """The entry that a command comes to once its lines are known."""
        return JournalEntry(
            command.id,
            self.lines,
            command.effective_on,
            command.cause,
            command.request_hash,
            command.kind,
            command.reference,
            reverses=Reverses(original, self.places),
        )


def whole(recorded: RecordedEntry) -> tuple[int, ...]:
    """What is left of an entry that nobody reversed yet, minor units by line; nothing of one that was not posted."""
    return tuple(line.money.amount if recorded.posted else 0 for line in recorded.entry.lines)


def undo(recorded: RecordedEntry, left: Sequence[int], parts: Sequence[Part] | None) -> Undone:
    """The lines that undo the parts, or all that is left.

    Raises:
        EntryNotPosted: the entry was refused.
        ClosingEntryStands: it closed a year; what undid it would be income, of which there was none.
        NothingLeftToReverse: every line was reversed to its end.
        UnknownLine: a part names no line of the entry, or another currency than the line's.
        MoreThanLeftToReverse: a part is larger than what is left of its line.
        UnbalancedReversal: debits and credits of the parts differ in a currency.
    """
    entry = recorded.entry
    if not recorded.posted:
        message = "the entry was refused: nothing of it is posted"
        raise EntryNotPosted(message, detail={"entry": entry.id})
    if entry.kind is EntryKind.CLOSING:
        message = "the entry closed a year: reopen its last month, adjust, and close the year again"
        raise ClosingEntryStands(message, detail={"entry": entry.id})
    if not any(left):
        message = "the entry is reversed to its end"
        raise NothingLeftToReverse(message, detail={"entry": entry.id})
    amounts = list(left) if parts is None else _asked(entry, left, parts)
    places = tuple(place for place, amount in enumerate(amounts) if amount)
    lines = tuple(_undoing(entry.lines[place], amounts[place]) for place in places)
    if off := currencies_out_of_balance(lines):
        message = f"debits and credits of the parts differ in {', '.join(off)}"
        raise UnbalancedReversal(message, field="parts")
    return Undone(lines, places, tuple(have - take for have, take in zip(left, amounts, strict=True)))


def _asked(entry: JournalEntry, left: Sequence[int], parts: Sequence[Part]) -> list[int]:
    """How much of each line is asked for; the first part that cannot be had is named by its place."""
    amounts = [0] * len(left)
    for part in parts:
        if part.line >= len(left) or entry.lines[part.line].money.currency != part.money.currency:
            message = f"the entry has no line {part.line} in {part.money.currency}"
            raise UnknownLine(message, field="parts", detail={"line": part.line})
        if part.money.amount > left[part.line]:
            message = f"less of line {part.line} is left"
            detail = {"line": part.line, "left": left[part.line]}
            raise MoreThanLeftToReverse(message, field="parts", detail=detail)
        amounts[part.line] = part.money.amount
    return amounts


def _undoing(line: Line, amount: int) -> Line:
    return Line(line.account, line.side.other, Money(amount, line.money.currency))
