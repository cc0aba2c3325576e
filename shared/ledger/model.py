"""Accounts, periods and journal entries: values that cannot be built wrong."""

import hashlib
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, TypeAlias

from shared.faults import Invalid
from shared.identity import StoredId
from shared.limits import ENTRY_LINES
from shared.money import Money
from shared.ports import is_key

CODE: Final = re.compile(r"[a-z0-9:_.-]{1,128}")
MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
REFERENCE: Final = re.compile(r"[A-Za-z0-9 ._:/#-]{0,64}")

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
    """Whether an account takes postings. Closing an account and adding a floor later need states of their own."""

    OPEN = "open"
    FROZEN = "frozen"


class PeriodState(Enum):
    """Whether a month takes postings: all, adjusting entries only, none."""

    OPEN = "open"
    SOFT_CLOSED = "soft_closed"
    HARD_CLOSED = "hard_closed"


class EntryKind(Enum):
    """Regular entries stop at the soft close; adjusting entries at the hard close."""

    REGULAR = "regular"
    ADJUSTING = "adjusting"


@dataclass(frozen=True, slots=True)
class Floor:
    """The balance never falls below minus `limit` minor units of `currency`, on the account's normal side."""

    currency: str
    limit: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart. `version` grows with every control operation and is part of its totals' names."""

    code: AccountCode
    type: AccountType
    name: str
    state: AccountState = AccountState.OPEN
    version: int = 1
    shards: int = 4
    floor: Floor | None = None

    def __post_init__(self) -> None:
        """Refuse a code or shard count out of range."""
        account_code(self.code, "code")
        if not 1 <= self.shards <= 64:  # noqa: PLR2004 - docs/ledger.md, rule 14
            message = "an account has 1 to 64 shards"
            raise Invalid(message, field="shards")


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
                return True
            case PeriodState.SOFT_CLOSED:
                return kind is EntryKind.ADJUSTING
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

    def __post_init__(self) -> None:
        """Refuse what does not balance, is empty or is too long."""
        if not 2 <= len(self.lines) <= ENTRY_LINES:  # noqa: PLR2004 - double entry
            message = f"an entry has 2 to {ENTRY_LINES} lines"
            raise Invalid(message, field="lines")
        if not REFERENCE.fullmatch(self.reference):
            message = "a reference is a code of up to 64 characters"
            raise Invalid(message, field="reference")
        if off := currencies_out_of_balance(self.lines):
            message = f"debits and credits differ in {', '.join(off)}"
            raise Unbalanced(message, field="lines")

    @property
    def month(self) -> Month:
        """The period that the entry belongs to."""
        return month_of(self.effective_on)

    @property
    def accounts(self) -> tuple[AccountCode, ...]:
        """The accounts it moves, each once, in order."""
        return tuple(sorted({line.account for line in self.lines}))

    @property
    def content_hash(self) -> str:
        """SHA-256 over the canonical form (sorted keys, NFC): what a later seal covers."""
        content = {
            "id": self.id,
            "lines": [[line.account, line.side.value, line.money.amount, line.money.currency] for line in self.lines],
            "effective_on": self.effective_on.isoformat(),
            "cause": unicodedata.normalize("NFC", self.cause),
            "kind": self.kind.value,
            "reference": self.reference,
        }
        return hashlib.sha256(_canonical(content).encode()).hexdigest()

    def shard(self, shards: int) -> int:
        """The shard of an account's totals that this entry writes."""
        return zlib.crc32(self.id.encode()) % shards


class Unbalanced(Invalid):
    """Debits and credits differ in a currency."""

    code = "unbalanced_entry"


def currencies_out_of_balance(lines: Iterable[Line]) -> list[str]:
    """Currencies whose debits and credits differ, sorted."""
    sums: dict[str, int] = {}
    for line in lines:
        sign = 1 if line.side is Side.DEBIT else -1
        sums[line.money.currency] = sums.get(line.money.currency, 0) + sign * line.money.amount
    return sorted(currency for currency, amount in sums.items() if amount)


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
