"""Holds on the wire."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.identity import StoredId
from shared.ledger.model import Line
from shared.ledger.rules.holds import Hold, HoldState, PostOrder
from shared.ledger.use_cases.holds import HoldOrder
from shared.ledger.wire.entries import AccountCode, LineWire, Reference
from shared.limits import ENTRY_LINES
from shared.money import Money
from shared.wire import IsoDate, MoneyWire, PageQuery, Wire

_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})")
_NO_INSTANT: Final = PydanticCustomError("instant_text", "an instant is written YYYY-MM-DDThh:mm:ssZ or with an offset")


def _instant(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _INSTANT.fullmatch(value):
        raise _NO_INSTANT
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _NO_INSTANT from None


Instant = Annotated[datetime, BeforeValidator(_instant), Field(examples=["2026-12-01T12:00:00Z"])]
"""An instant with its offset (RFC 3339), kept in UTC."""

Lines = Annotated[tuple[LineWire, ...], Field(min_length=2, max_length=ENTRY_LINES)]


class NewHold(Wire):
    """Lines to set aside until an instant; `effective_on` is the day of its posts unless they say another."""

    lines: Lines
    expires_at: Instant
    effective_on: IsoDate | None = None
    reference: Reference = ""

    def order(self) -> HoldOrder:
        """The hold asked for."""
        return HoldOrder(_lines(self.lines), self.expires_at, self.effective_on, self.reference)


class PostHold(Wire):
    """What to post of a hold: these lines, or all that is left; `final` gives back what remains.

    Effective on the day named here, else on the hold's, else today.
    """

    lines: Lines | None = None
    final: bool = False
    effective_on: IsoDate | None = None

    def order(self) -> PostOrder:
        """The post asked for."""
        return PostOrder(_lines(self.lines) if self.lines else None, self.final, self.effective_on)


class HoldPath(Wire):
    """The hold in the path."""

    id: Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]

    @property
    def hold_id(self) -> StoredId:
        """Its id."""
        return StoredId(self.id)


class HoldQuery(PageQuery):
    """Holds of all accounts and states, or of one."""

    account: AccountCode | None = None
    state: HoldState | None = None


class HoldLineAnswer(LineWire):
    """A line of a hold: what was posted of it, and what is still reserved; the rest was given back."""

    posted: MoneyWire
    reserved: MoneyWire


class HoldAnswer(Wire):
    """A hold as it stands."""

    id: str
    state: HoldState
    version: int
    lines: tuple[HoldLineAnswer, ...]
    expires_at: datetime
    effective_on: date | None
    reference: str
    cause: str
    refusal: str | None

    @classmethod
    def of(cls, hold: Hold) -> Self:
        """The hold on the wire."""
        return cls(
            id=hold.id,
            state=hold.state,
            version=hold.version,
            lines=tuple(_line(hold, line, left) for line, left in zip(hold.lines, hold.left, strict=True)),
            expires_at=hold.expires_at,
            effective_on=hold.effective_on,
            reference=hold.reference,
            cause=hold.cause,
            refusal=str(hold.refusal["code"]) if hold.refusal else None,
        )


def _line(hold: Hold, line: Line, left: int) -> HoldLineAnswer:
    def money(amount: int) -> MoneyWire:
        return MoneyWire.of(Money(amount, line.money.currency))

    reserved = left if hold.state is HoldState.RESERVED else 0
    return HoldLineAnswer(
        account=line.account,
        side=line.side,
        amount=MoneyWire.of(line.money),
        posted=money(line.money.amount - left),
        reserved=money(reserved),
    )


def _lines(wires: tuple[LineWire, ...]) -> tuple[Line, ...]:
    return tuple(wire.line() for wire in wires)
