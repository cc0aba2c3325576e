"""Balances on a day, statements, years and opening balances on the wire."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from shared.calls import Call
from shared.ledger.model import EntryKind, Side, month_of
from shared.ledger.rules.balances import AccountBalance, BalanceOn, View
from shared.ledger.rules.closing import DECEMBER, Year, YearState
from shared.ledger.rules.opening import OpeningRow
from shared.ledger.rules.statements import Question, Statement, StatementLine
from shared.ledger.use_cases.opening import OpeningEntry
from shared.ledger.wire.entries import AccountCode
from shared.money import Money
from shared.wire import Currency, IsoDate, MoneyWire, PageQuery, ShortText, Wire
from shared.wire import Period as Month

OPENING_ROWS = 2_000
"""Rows of one order of opening balances: at most a dozen commits, well within a door's time."""


class UntilQuery(Wire):
    """All months through one, or all days up to `on`: one of the two."""

    through: Month | None = None
    on: IsoDate | None = Field(default=None, validate_default=True)

    @field_validator("on")
    @classmethod
    def _one_of_the_two(cls, on: date | None, info: ValidationInfo) -> date | None:
        if "through" in info.data and (info.data["through"] is None) == (on is None):
            message = "say either `through` or `on`"
            raise ValueError(message)
        return on

    @property
    def month(self) -> str:
        """The last month."""
        return self.through or month_of(self.on or date.min)


# --- an account --------------------------------------------------------------------------


class BalanceQuery(Wire):
    """At the end of which day (today's, if not said), and by which day of an entry."""

    on: IsoDate | None = None
    by: View = View.EFFECTIVE


class CurrencyBalance(Wire):
    """One currency, minor units; `balance`, `reserved` and `available` on the account's normal side.

    `reserved` is what open holds would still take, now; `available` is the balance less that.
    """

    currency: str
    debits: int
    credits: int
    balance: int
    reserved: int
    available: int

    @classmethod
    def of(cls, row: AccountBalance) -> Self:
        """The row on the wire."""
        return cls(
            currency=row.currency,
            debits=row.debits,
            credits=row.credits,
            balance=row.amount,
            reserved=row.reserved,
            available=row.available,
        )


class BalanceOnAnswer(Wire):
    """An account at the end of a day, by currency."""

    account: str
    on: date
    by: View
    items: tuple[CurrencyBalance, ...]

    @classmethod
    def of(cls, balance: BalanceOn) -> Self:
        """The balance on the wire."""
        rows = tuple(CurrencyBalance.of(row) for row in balance.rows)
        return cls(account=balance.account.code, on=balance.on, by=balance.view, items=rows)


class StatementQuery(PageQuery):
    """Days from..to, by one of an entry's days; `limit` counts entries, each with all its lines on the account."""

    first: IsoDate = Field(alias="from")
    last: IsoDate = Field(alias="to")
    by: View = View.EFFECTIVE
    cursor: str | None = Field(default=None, min_length=1, max_length=4_000)

    @field_validator("last")
    @classmethod
    def _in_order(cls, last: date, info: ValidationInfo) -> date:
        if "first" in info.data and last < info.data["first"]:
            message = "`to` is not before `from`"
            raise ValueError(message)
        return last

    def question(self, call: Call, account: str) -> Question:
        """The statement asked for."""
        return Question(call.tenant, account, self.first, self.last, self.by)


class StatementLineAnswer(Wire):
    """One line of an entry, and the balance after it in its currency, on the account's normal side."""

    entry: str
    line: int
    effective_on: date
    posted_on: date
    recorded_at: datetime
    kind: EntryKind
    reference: str
    side: Side
    amount: MoneyWire
    balance: int

    @classmethod
    def of(cls, line: StatementLine) -> Self:
        """The line on the wire."""
        return cls(
            entry=line.entry,
            line=line.place,
            effective_on=line.effective_on,
            posted_on=line.posted_on,
            recorded_at=line.recorded_at,
            kind=line.kind,
            reference=line.reference,
            side=line.side,
            amount=MoneyWire.of(line.money),
            balance=line.balance,
        )


class StatementAnswer(Wire):
    """A page of a statement: balances before its first and after its last line, by currency, all as of `read_at`."""

    account: str
    by: View
    read_at: datetime
    opening: dict[str, int]
    items: tuple[StatementLineAnswer, ...]
    closing: dict[str, int]
    next_cursor: str | None

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The page on the wire."""
        return cls(
            account=statement.question.account,
            by=statement.question.view,
            read_at=statement.read_at,
            opening=dict(statement.opening),
            items=tuple(StatementLineAnswer.of(line) for line in statement.lines),
            closing=dict(statement.closing),
            next_cursor=statement.next_cursor,
        )


# --- years -------------------------------------------------------------------------------


class YearPath(Wire):
    """The calendar year that the year ends in."""

    year: Annotated[str, Field(pattern=r"^(19|2[0-9])[0-9]{2}$")]


class CloseYearOrder(Wire):
    """Why, for the audit record; `last_month` of the year, 12 if it is the calendar's."""

    reason: ShortText
    last_month: Annotated[int, Field(ge=1, le=12)] = DECEMBER


class YearAnswer(Wire):
    """A year that is closed, in how many closing entries."""

    year: str
    last_month: str
    state: YearState
    run: int
    entries: int

    @classmethod
    def of(cls, year: Year) -> Self:
        """The year on the wire."""
        return cls(
            year=f"{year.year:04d}", last_month=year.last_month, state=year.state, run=year.run, entries=year.entries
        )


# --- opening balances --------------------------------------------------------------------


class OpeningRowWire(Wire):
    """What an account stands at, on one of its sides, minor units."""

    account: AccountCode
    currency: Currency
    debit: Annotated[int, Field(gt=0, le=10**15)] | None = None
    credit: Annotated[int, Field(gt=0, le=10**15)] | None = Field(default=None, validate_default=True)

    @field_validator("credit")
    @classmethod
    def _one_side(cls, amount: int | None, info: ValidationInfo) -> int | None:
        if "debit" in info.data and (info.data["debit"] is None) == (amount is None):
            message = "a row has a debit or a credit"
            raise ValueError(message)
        return amount

    def row(self) -> OpeningRow:
        """The row asked for."""
        side = Side.CREDIT if self.debit is None else Side.DEBIT
        return OpeningRow(self.account, side, Money(self.debit or self.credit or 0, self.currency))


class OpeningOrder(Wire):
    """Balances to bring in, as they stood at the start of `on`."""

    on: IsoDate
    rows: Annotated[tuple[OpeningRowWire, ...], Field(min_length=1, max_length=OPENING_ROWS)]


class OpeningEntryAnswer(Wire):
    """One entry of opening balances: which accounts it brought in, or why it did not."""

    id: str
    outcome: Literal["posted", "refused"]
    currency: str
    accounts: tuple[str, ...]
    refusal: str | None

    @classmethod
    def of(cls, opening: OpeningEntry) -> Self:
        """The entry on the wire."""
        return cls(
            id=opening.entry.id,
            outcome="refused" if opening.refusal else "posted",
            currency=opening.entry.lines[0].money.currency,
            accounts=opening.entry.accounts,
            refusal=opening.refusal.code if opening.refusal else None,
        )


class OpeningAnswer(Wire):
    """All entries of an order of opening balances, each posted once or refused alone."""

    items: tuple[OpeningEntryAnswer, ...]

    @classmethod
    def of(cls, entries: tuple[OpeningEntry, ...]) -> Self:
        """The entries on the wire."""
        return cls(items=tuple(OpeningEntryAnswer.of(entry) for entry in entries))
