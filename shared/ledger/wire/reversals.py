"""Reversals on the wire."""

from typing import Annotated, Self

from pydantic import Field

from shared.identity import StoredId
from shared.ledger.model import EntryKind
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.reversals import Reversed
from shared.ledger.wire.entries import EntryAnswer, Reference
from shared.limits import ENTRY_LINES
from shared.money import Money
from shared.wire import IsoDate, MoneyWire, PageQuery, Wire

Place = Annotated[int, Field(ge=0, lt=ENTRY_LINES, examples=[0])]
"""The place of a line in its entry; the first is 0."""


class PartWire(Wire):
    """So much of one line, in the line's currency."""

    line: Place
    amount: MoneyWire


class ReverseOrder(Wire):
    """Parts of an entry to reverse, or all that is left of it; effective today unless it says otherwise."""

    parts: Annotated[tuple[PartWire, ...], Field(min_length=1, max_length=ENTRY_LINES)] | None = None
    effective_on: IsoDate | None = None
    kind: EntryKind = EntryKind.REGULAR
    reference: Reference = ""

    def order(self, original: str) -> ReversalOrder:
        """The reversal asked for."""
        parts = None if self.parts is None else tuple(Part(part.line, part.amount.money()) for part in self.parts)
        return ReversalOrder(StoredId(original), parts, self.effective_on, self.kind, self.reference)


class ReversalsQuery(PageQuery):
    """Which page of the reversals of an entry."""


class ReversalsAnswer(Wire):
    """What is left of an entry by line, and the entries that reversed it, refused attempts among them."""

    entry: str
    left: tuple[PartWire, ...]
    items: tuple[EntryAnswer, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, answer: Reversed) -> Self:
        """The reversals on the wire."""
        original = answer.original.entry
        moneys = (Money(left, line.money.currency) for left, line in zip(answer.left, original.lines, strict=True))
        return cls(
            entry=original.id,
            left=tuple(PartWire(line=place, amount=MoneyWire.of(money)) for place, money in enumerate(moneys)),
            items=tuple(EntryAnswer.of(reversal) for reversal in answer.reversals.items),
            next_cursor=answer.reversals.next_cursor,
        )
