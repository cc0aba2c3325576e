"""Entries and reports on the wire."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from shared.calls import Call
from shared.ledger.entry_data import EntryData
from shared.ledger.model import (
    AccountType,
    EntryKind,
    JournalEntry,
    Line,
    Side,
    account_code,
    kind_to_post,
)
from shared.ledger.records import RecordedEntry
from shared.ledger.rules.reports import Balance, BalanceSheet, IncomeStatement, TrialBalance
from shared.ledger.wire.entry_data import Metadata, Rates, RateWire, ReversesWire
from shared.limits import ENTRY_LINES
from shared.wire import IsoDate, MoneyWire, PageQuery, Wire, by_rule
from shared.wire import Period as Month

AccountCode = Annotated[str, Field(pattern=r"^[a-z0-9:_.-]{1,128}$", examples=["assets:bank"]), by_rule(account_code)]
Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/#-]{0,64}$", examples=["INV-2026-000123"])]


class AccountPath(Wire):
    """The account in the path."""

    code: AccountCode


class LineWire(Wire):
    """One debit or credit of a positive amount."""

    account: AccountCode
    side: Side
    amount: MoneyWire

    def line(self) -> Line:
        """The line asked for."""
        return Line(self.account, self.side, self.amount.money())

    @classmethod
    def of(cls, line: Line) -> Self:
        """The line on the wire."""
        return cls(account=line.account, side=line.side, amount=MoneyWire.of(line.money))


class NewEntry(Wire):
    """A journal entry to post; effective today unless it says otherwise."""

    lines: Annotated[tuple[LineWire, ...], Field(min_length=2, max_length=ENTRY_LINES)]
    effective_on: IsoDate | None = None
    kind: Annotated[EntryKind, by_rule(kind_to_post)] = EntryKind.REGULAR
    reference: Reference = ""
    metadata: Metadata = Field(default_factory=dict)
    rates: Rates = ()

    def entry(self, call: Call) -> JournalEntry:
        """The entry asked for, under the id that the call's cause gives."""
        return JournalEntry(
            call.cause.stored_id("entry"),
            tuple(line.line() for line in self.lines),
            self.effective_on or call.at.date(),
            str(call.cause),
            call.request_hash,
            self.kind,
            self.reference,
            data=EntryData(self.metadata, rates=tuple(rate.rate_kept() for rate in self.rates)),
            posted_on=call.at.date(),
        )


class EntryAnswer(Wire):
    """A journal entry as the books keep it."""

    id: str
    outcome: Literal["posted", "refused"]
    lines: tuple[LineWire, ...]
    effective_on: date
    posted_on: date
    kind: EntryKind
    reference: str
    cause: str
    content_hash: str
    refusal: str | None
    reverses: ReversesWire | None
    metadata: dict[str, str]
    rates: Rates
    has_memo: bool
    hold: str | None

    @classmethod
    def of(cls, recorded: RecordedEntry) -> Self:
        """The entry on the wire; a memo needs a disclosure."""
        entry = recorded.entry
        return cls(
            id=entry.id,
            outcome="posted" if recorded.posted else "refused",
            lines=tuple(LineWire.of(line) for line in entry.lines),
            effective_on=entry.effective_on,
            posted_on=entry.posting_day,
            kind=entry.kind,
            reference=entry.reference,
            cause=entry.cause,
            content_hash=entry.content_hash,
            refusal=str(recorded.refusal["code"]) if recorded.refusal else None,
            reverses=ReversesWire.of(entry.reverses) if entry.reverses else None,
            metadata=dict(entry.data.metadata),
            rates=tuple(RateWire.of(rate) for rate in entry.data.rates),
            has_memo=bool(entry.data.memo),
            hold=entry.hold,
        )


class EntryPath(Wire):
    """The entry in the path."""

    id: Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]


class EntryQuery(PageQuery):
    """Entries of all accounts, or of one."""

    account: AccountCode | None = None


class PeriodPath(Wire):
    """The month in the path."""

    period: Month


class RangeQuery(Wire):
    """The months of a range; `first` is the last one when left out."""

    through: Month
    first: Month | None = None

    @field_validator("first")
    @classmethod
    def _in_order(cls, first: str | None, info: ValidationInfo) -> str | None:
        if first and "through" in info.data and info.data["through"] < first:
            message = "`first` is not after `through`"
            raise ValueError(message)
        return first


class BalanceRow(Wire):
    """One account in one currency: debits, credits, and the balance on its normal side, minor units."""

    account: str
    name: str
    type: AccountType
    currency: str
    debits: int
    credits: int
    balance: int

    @classmethod
    def of(cls, row: Balance) -> Self:
        """The row on the wire."""
        return cls(
            account=row.account,
            name=row.name,
            type=row.type,
            currency=row.currency,
            debits=row.debits,
            credits=row.credits,
            balance=row.amount,
        )


class TrialBalanceAnswer(Wire):
    """Debits and credits of every account; `difference` is zero in every currency, or the books are broken."""

    through: str
    on: date | None
    rows: tuple[BalanceRow, ...]
    difference: dict[str, int]

    @classmethod
    def of(cls, report: TrialBalance) -> Self:
        """The report on the wire."""
        rows = tuple(BalanceRow.of(row) for row in report.rows)
        return cls(through=report.through, on=report.on, rows=rows, difference=report.out_of_balance)


class IncomeStatementAnswer(Wire):
    """Revenue and expenses of a range of months, and the difference by currency."""

    first: str
    through: str
    rows: tuple[BalanceRow, ...]
    net_income: dict[str, int]

    @classmethod
    def of(cls, report: IncomeStatement) -> Self:
        """The report on the wire."""
        rows = tuple(BalanceRow.of(row) for row in report.rows)
        return cls(first=report.first, through=report.last, rows=rows, net_income=report.net_income)


class BalanceSheetAnswer(Wire):
    """Assets, liabilities and equity; `difference` is zero in every currency, or the books are broken."""

    through: str
    on: date | None
    rows: tuple[BalanceRow, ...]
    unclosed_income: dict[str, int]
    difference: dict[str, int]

    @classmethod
    def of(cls, report: BalanceSheet) -> Self:
        """The report on the wire."""
        return cls(
            through=report.through,
            on=report.on,
            rows=tuple(BalanceRow.of(row) for row in report.rows),
            unclosed_income=dict(report.unclosed_income),
            difference=report.difference,
        )
