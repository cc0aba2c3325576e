"""The ledger on the wire."""

from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from shared.calls import Call
from shared.ledger.model import (
    Account,
    AccountType,
    EntryKind,
    Floor,
    JournalEntry,
    Line,
    Period,
    Side,
    account_code,
)
from shared.ledger.records import RecordedEntry
from shared.ledger.rules.control import Control, Operation
from shared.ledger.rules.reports import Balance, BalanceSheet, IncomeStatement, TrialBalance
from shared.ledger.use_cases.proofs import Proof
from shared.limits import ENTRY_LINES
from shared.wire import AmountMinor, Currency, IsoDate, MoneyWire, PageQuery, ShortText, Wire, by_rule
from shared.wire import Period as Month

AccountCode = Annotated[str, Field(pattern=r"^[a-z0-9:_.-]{1,128}$", examples=["assets:bank"]), by_rule(account_code)]
SHARDS: Final = 4
SHARDS_WITH_FLOOR: Final = 1
"""Shards of an account that declares none (docs/ledger.md, rule 14)."""

Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/#-]{0,64}$", examples=["INV-2026-000123"])]


class FloorWire(Wire):
    """The balance never falls below minus `limit` minor units of `currency`."""

    currency: Currency
    limit: Annotated[AmountMinor, Field(ge=0)] = 0


class NewAccount(Wire):
    """An account to open; a hot one declares more shards, 1 to 64."""

    code: AccountCode
    type: AccountType
    name: ShortText
    shards: Annotated[int | None, Field(ge=1, le=64)] = None
    floor: FloorWire | None = None

    def account(self) -> Account:
        """The account asked for."""
        floor = Floor(self.floor.currency, self.floor.limit) if self.floor else None
        usual = SHARDS_WITH_FLOOR if floor else SHARDS
        return Account(self.code, self.type, self.name, shards=self.shards or usual, floor=floor)


class AccountAnswer(Wire):
    """An account of the chart."""

    code: str
    type: AccountType
    name: str
    state: str
    version: int
    shards: int
    floor: FloorWire | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """The account on the wire."""
        floor = FloorWire(currency=account.floor.currency, limit=account.floor.limit) if account.floor else None
        return cls(
            code=account.code,
            type=account.type,
            name=account.name,
            state=account.state.value,
            version=account.version,
            shards=account.shards,
            floor=floor,
        )


class ChartAnswer(Wire):
    """The whole chart of accounts, by code."""

    items: tuple[AccountAnswer, ...]

    @classmethod
    def of(cls, accounts: tuple[Account, ...]) -> Self:
        """The chart on the wire."""
        return cls(items=tuple(AccountAnswer.of(account) for account in accounts))


class AccountPath(Wire):
    """The account in the path."""

    code: AccountCode


class FreezeOrder(Wire):
    """Why an account is frozen or unfrozen; kept in the audit record."""

    reason: ShortText


class ControlAnswer(Wire):
    """A control operation that has come to its end: nothing can land any more that it excludes."""

    id: str
    operation: Control
    target: str
    version: int
    done: bool

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """The operation on the wire."""
        return cls(
            id=operation.id,
            operation=operation.control,
            target=operation.target,
            version=operation.version,
            done=operation.done,
        )


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
    kind: EntryKind = EntryKind.REGULAR
    reference: Reference = ""

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
        )


class EntryAnswer(Wire):
    """A journal entry as the books keep it."""

    id: str
    outcome: Literal["posted", "refused"]
    lines: tuple[LineWire, ...]
    effective_on: date
    kind: EntryKind
    reference: str
    cause: str
    content_hash: str
    refusal: str | None

    @classmethod
    def of(cls, recorded: RecordedEntry) -> Self:
        """The entry on the wire."""
        entry = recorded.entry
        return cls(
            id=entry.id,
            outcome="posted" if recorded.posted else "refused",
            lines=tuple(LineWire.of(line) for line in entry.lines),
            effective_on=entry.effective_on,
            kind=entry.kind,
            reference=entry.reference,
            cause=entry.cause,
            content_hash=entry.content_hash,
            refusal=str(recorded.refusal["code"]) if recorded.refusal else None,
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


class CloseOrder(Wire):
    """Soft: adjusting entries only from now on. Hard: nothing."""

    kind: Literal["soft", "hard"]
    reason: ShortText | None = None

    @property
    def control(self) -> Control:
        """The control operation asked for."""
        return Control.SOFT_CLOSE if self.kind == "soft" else Control.HARD_CLOSE


class PeriodAnswer(Wire):
    """A month of the books."""

    period: str
    state: str
    version: int

    @classmethod
    def of(cls, period: Period) -> Self:
        """The period on the wire."""
        return cls(period=period.month, state=period.state.value, version=period.version)


class PeriodsAnswer(Wire):
    """Every month that was posted to or closed."""

    items: tuple[PeriodAnswer, ...]

    @classmethod
    def of(cls, periods: tuple[Period, ...]) -> Self:
        """The periods on the wire."""
        return cls(items=tuple(PeriodAnswer.of(period) for period in periods))


class ThroughQuery(Wire):
    """All months through one."""

    through: Month


class RangeQuery(ThroughQuery):
    """The months of a range; `first` is the last one when left out."""

    first: Month | None = None


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
    rows: tuple[BalanceRow, ...]
    difference: dict[str, int]

    @classmethod
    def of(cls, report: TrialBalance) -> Self:
        """The report on the wire."""
        rows = tuple(BalanceRow.of(row) for row in report.rows)
        return cls(through=report.through, rows=rows, difference=report.out_of_balance)


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
    rows: tuple[BalanceRow, ...]
    unclosed_income: dict[str, int]
    difference: dict[str, int]

    @classmethod
    def of(cls, report: BalanceSheet) -> Self:
        """The report on the wire."""
        return cls(
            through=report.through,
            rows=tuple(BalanceRow.of(row) for row in report.rows),
            unclosed_income=dict(report.unclosed_income),
            difference=report.difference,
        )


class ProofAnswer(Wire):
    """What a proof of the books found: both counts of faults are zero when it holds."""

    id: str
    proven_at: datetime
    entries: int
    accounts: int
    differences: int
    out_of_balance: int
    holds: bool

    @classmethod
    def of(cls, proof: Proof) -> Self:
        """The proof on the wire."""
        return cls(
            id=proof.id,
            proven_at=proof.proven_at,
            entries=proof.entries,
            accounts=proof.accounts,
            differences=proof.differences,
            out_of_balance=proof.out_of_balance,
            holds=proof.holds,
        )


class OperationTask(Wire):
    """A control operation to bring to its end."""

    operation: str


class ProofTask(Wire):
    """The day whose proof is asked for."""

    day: IsoDate
