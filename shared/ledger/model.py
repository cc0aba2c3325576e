"""Accounts, periods and journal entries: values that cannot be built wrong."""

import hashlib
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, Self, TypeAlias

from shared.faults import Invalid
from shared.identity import StoredId
from shared.ledger.entry_data import NOTHING, EntryData, check_metadata
from shared.ledger.exchange import check_rates, is_conversion
from shared.limits import ENTRY_LINES
from shared.money import Money
from shared.ports import is_key

CODE: Final = re.compile(r"[a-z0-9:_.-]{1,128}")
MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
REFERENCE: Final = re.compile(r"[A-Za-z0-9 ._:/#-]{0,64}")
MAX_SHARDS: Final = 64
"""Totals documents a month, currency and kind that share an account's postings (docs/ledger.md, rule 14)."""
SHARD_RATE: Final = Decimal("0.8")
"""Postings a second that a shard is planned for: by chance some get more, and the busiest is to stay under one."""
ACCOUNT_METADATA: Final = 16
"""Metadata keys an account."""

_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

AccountCode: TypeAlias = str
Month: TypeAlias = str
"""`yyyy-mm`."""


class Side(Enum):
    """The two sides of a journal entry."""

    DEBIT = "debit"
    CREDIT = "credit"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.CREDIT if self is Side.DEBIT else Side.DEBIT


class AccountType(Enum):
    """The five kinds of account; the kind decides the side on which the balance normally stands."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    REVENUE = "revenue"
    EXPENSE = "expense"

    @property
    def normal_side(self) -> Side:
        """Debit for assets and expenses, credit for the rest."""
        return Side.DEBIT if self in {AccountType.ASSET, AccountType.EXPENSE} else Side.CREDIT


class AccountState(Enum):
    """Whether an account takes postings.

    Closing an account and adding a floor are decided after its totals are retired: until then it is in a
    transition, where every command on it and every other control operation is asked to come again.
    """

    OPEN = "open"
    FROZEN = "frozen"
    ADDING_FLOOR = "adding_floor"
    CLOSING = "closing"
    CLOSED = "closed"

    @property
    def is_transition(self) -> bool:
        """Whether a control operation has yet to decide what becomes of the account."""
        return self in {AccountState.ADDING_FLOOR, AccountState.CLOSING}


class PeriodState(Enum):
    """Whether a month takes postings: all, adjusting entries only, none."""

    OPEN = "open"
    SOFT_CLOSED = "soft_closed"
    HARD_CLOSED = "hard_closed"
    YEAR_END = "year_end"
    """The last month of a year that is being closed: closing entries only, so that what they move stands still."""


class EntryKind(Enum):
    """Regular entries stop at the soft close; adjusting entries at the hard close."""

    REGULAR = "regular"
    ADJUSTING = "adjusting"
    CLOSING = "closing"
    """Of a year's end, by the year end alone: it empties revenue and expenses into retained earnings."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The balance never falls below minus `limit` minor units of `currency`, on the account's normal side."""

    currency: str
    limit: int

    def __post_init__(self) -> None:
        """Refuse a limit below zero: it says how far below zero the balance may fall."""
        if self.limit < 0:
            message = "a floor's limit is zero or a credit limit"
            raise Invalid(message, field="floor")


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart. `version` grows with every control operation and is part of its totals' names.

    `currencies` are those it keeps, all when empty; `declared_rate` is in writes per second; `metadata` holds
    short codes by key, never free text.
    """

    code: AccountCode
    type: AccountType
    name: str
    state: AccountState = AccountState.OPEN
    version: int = 1
    shards: int = 4
    floor: Floor | None = None
    currencies: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    declared_rate: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a code or shard count out of range, and a floor in a currency that the account does not keep."""
        account_code(self.code, "code")
        if self.floor and not self.keeps(self.floor.currency):
            message = "the floor is in a currency that the account does not keep"
            raise Invalid(message, field="floor")
        check_metadata(self.metadata, ACCOUNT_METADATA)
        if not 1 <= self.shards <= MAX_SHARDS:
            message = f"an account has 1 to {MAX_SHARDS} shards"
            raise Invalid(message, field="shards")

    def keeps(self, currency: str) -> bool:
        """Whether the account takes postings in a currency."""
        return not self.currencies or currency in self.currencies


@dataclass(frozen=True, slots=True)
class Period:
    """A month of the books."""

    month: Month
    state: PeriodState = PeriodState.OPEN
    version: int = 1

    def accepts(self, kind: EntryKind) -> bool:
        """Whether entries of a kind may still be posted with an effective date in this month."""
        match self.state:
            case PeriodState.OPEN:
                return kind is not EntryKind.CLOSING
            case PeriodState.SOFT_CLOSED:
                return kind is EntryKind.ADJUSTING
            case PeriodState.YEAR_END:
                return kind is EntryKind.CLOSING
            case PeriodState.HARD_CLOSED:
                return False


@dataclass(frozen=True, slots=True)
class Line:
    """One debit or credit of a positive amount."""

    account: AccountCode
    side: Side
    money: Money

    def __post_init__(self) -> None:
        """Refuse an amount that is not positive: the side says the direction."""
        account_code(self.account, "account")
        if self.money.amount <= 0:
            message = "a line's amount is positive; its side says the direction"
            raise Invalid(message, field="amount")


def debit(account: AccountCode, money: Money) -> Line:
    """A debit line."""
    return Line(account, Side.DEBIT, money)


def credit(account: AccountCode, money: Money) -> Line:
    """A credit line."""
    return Line(account, Side.CREDIT, money)


@dataclass(frozen=True, slots=True)
class Reverses:
    """What a reversing entry undoes: the original, and for each own line the place of the original's line."""

    entry: StoredId
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Lines whose debits equal their credits in every currency, effective on a day.

    `id` comes from the cause; `request_hash` tells the same cause from another under the same id.
    `reference` is a short code (an invoice number), never free text.
    """

    id: StoredId
    lines: tuple[Line, ...]
    effective_on: date
    cause: str
    request_hash: str
    kind: EntryKind = EntryKind.REGULAR
    reference: str = ""
    reverses: Reverses | None = None
    hold: StoredId | None = None
    """The hold that it posts, wholly or in part."""
    posted_on: date | None = None
    """The posting day: the UTC day of the call that posts it. None until then, and read as the effective day."""
    data: EntryData = NOTHING

    def __post_init__(self) -> None:
        """Refuse what does not balance, is empty or is too long, and rates that its lines do not bear out."""
        check_lines(self.lines, self.reference)
        if self.data.rates:
            converted = sums_by_currency(line for line in self.lines if is_conversion(line.account))
            check_rates(self.data.rates, {line.money.currency for line in self.lines}, converted)

    @property
    def month(self) -> Month:
        """The period that the entry belongs to."""
        return month_of(self.effective_on)

    @property
    def posting_day(self) -> date:
        """The day that the posted-date view counts it on."""
        return self.posted_on or self.effective_on

    def posted_at(self, at: datetime) -> Self:
        """The entry as a call at this instant posts it; one that says its posting day keeps it."""
        return self if self.posted_on else replace(self, posted_on=at.astimezone(UTC).date())

    @property
    def accounts(self) -> tuple[AccountCode, ...]:
        """The accounts it moves, each once, in order."""
        return tuple(sorted({line.account for line in self.lines}))

    @property
    def content_hash(self) -> str:
        """SHA-256 over the canonical form (sorted keys, NFC): what a later seal covers."""
        content: dict[str, object] = {
            "id": self.id,
            "lines": [[line.account, line.side.value, line.money.amount, line.money.currency] for line in self.lines],
            "effective_on": self.effective_on.isoformat(),
            "cause": unicodedata.normalize("NFC", self.cause),
            "kind": self.kind.value,
            "reference": self.reference,
        }
        if self.reverses:
            content["reverses"] = [self.reverses.entry, list(self.reverses.lines)]
        if self.hold:
            content["hold"] = self.hold
        if self.posting_day != self.effective_on:
            content["posted_on"] = self.posting_day.isoformat()
        content |= self.data.content()
        return hashlib.sha256(_canonical(content).encode()).hexdigest()

    def shard(self, shards: int) -> int:
        """The shard of an account's totals that this entry writes."""
        return zlib.crc32(self.id.encode()) % shards


@dataclass(frozen=True, slots=True)
class RefusedCommand(JournalEntry):
    """A command that was refused before its lines were known: the books keep it under its id, always refused."""

    def __post_init__(self) -> None:
        """Refuse lines: what has some is a journal entry."""
        if self.lines:
            message = "a command refused before its lines were known has none"
            raise Invalid(message, field="lines")


class Unbalanced(Invalid):
    """Debits and credits differ in a currency."""

    code = "unbalanced_entry"


def accounts_of(entries: Iterable[JournalEntry]) -> set[AccountCode]:
    """The accounts that entries move, all together."""
    return {line.account for entry in entries for line in entry.lines}


def check_lines(lines: tuple[Line, ...], reference: str) -> None:
    """Check what an entry or a hold is made of: 2 to ENTRY_LINES lines that balance, and a reference.

    Raises:
        Invalid: too few or too many lines, or a reference that is no code.
        Unbalanced: debits and credits differ in a currency.
    """
    if not 2 <= len(lines) <= ENTRY_LINES:  # noqa: PLR2004 - double entry
        message = f"an entry has 2 to {ENTRY_LINES} lines"
        raise Invalid(message, field="lines")
    if not REFERENCE.fullmatch(reference):
        message = "a reference is a code of up to 64 characters"
        raise Invalid(message, field="reference")
    if off := currencies_out_of_balance(lines):
        message = f"debits and credits differ in {', '.join(off)}"
        raise Unbalanced(message, field="lines")


def currencies_out_of_balance(lines: Iterable[Line]) -> list[str]:
    """Currencies whose debits and credits differ, sorted."""
    return sorted(currency for currency, amount in sums_by_currency(lines).items() if amount)


def sums_by_currency(lines: Iterable[Line]) -> dict[str, int]:
    """Debits less credits of each currency, minor units."""
    sums: dict[str, int] = {}
    for line in lines:
        sign = 1 if line.side is Side.DEBIT else -1
        sums[line.money.currency] = sums.get(line.money.currency, 0) + sign * line.money.amount
    return sums


def kind_to_post(kind: EntryKind) -> EntryKind:
    """Check the kind of an entry that anybody asks for.

    Raises:
        Invalid: only the end of a year posts closing entries.
    """
    if kind is EntryKind.CLOSING:
        message = "only the end of a year posts closing entries"
        raise Invalid(message, field="kind")
    return kind


def account_code(text: str, field: str = "account") -> AccountCode:
    """Check an account code: 1 to 128 of a-z 0-9 : _ . -, and one that a document can have.

    Raises:
        Invalid: the text is no account code.
    """
    if not CODE.fullmatch(text) or not is_key(text):
        message = "an account code is 1 to 128 characters of a-z 0-9 : _ . -"
        raise Invalid(message, field=field)
    return text


def month_of(day: date) -> Month:
    """The month of a day."""
    return f"{day.year:04d}-{day.month:02d}"


def check_month(text: str, field: str = "month") -> Month:
    """Check a month written `yyyy-mm`.

    Raises:
        Invalid: the text is no month.
    """
    if not MONTH.fullmatch(text):
        message = "a month is written yyyy-mm"
        raise Invalid(message, field=field)
    return text
