"""Accounts, months and control operations on the wire."""

from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.ledger.model import ACCOUNT_METADATA, MAX_SHARDS, Account, AccountType, Floor, Period
from shared.ledger.rules.control import Control, Operation, Terms, shards_for
from shared.ledger.use_cases.accounts import TemplateApplied
from shared.ledger.wire.entries import AccountCode
from shared.ledger.wire.entry_data import MetadataKey, MetadataValue
from shared.wire import AmountMinor, Currency, DecimalText, PageQuery, ShortText, Wire

SHARDS: Final = 4
SHARDS_WITH_FLOOR: Final = 1
"""Shards of an account that declares none (docs/ledger.md, rule 14)."""

TEMPLATE_ACCOUNTS: Final = 200
"""Accounts a template: each is up to four documents, and one commit writes them all."""

ShardCount = Annotated[int, Field(ge=1, le=MAX_SHARDS)]
Rate = Annotated[DecimalText, Field(gt=0, le=10_000, examples=["2.5"])]
"""Sustained writes per second that an account is declared to take."""

Currencies = Annotated[tuple[Currency, ...], Field(max_length=50, examples=[["EUR", "GBP"]])]
"""The currencies that an account keeps; all when empty."""

AccountMetadata = Annotated[
    dict[MetadataKey, MetadataValue], Field(max_length=ACCOUNT_METADATA, examples=[{"iban_of": "BANK-1"}])
]
"""Short codes by key, kept in clear: nothing about a person."""

_ONE_OF_TWO: Final = PydanticCustomError("one_of_two", "say either shards or rate")


class FloorWire(Wire):
    """The balance never falls below minus `limit` minor units of `currency`; a limit above zero is a credit limit."""

    currency: Currency
    limit: Annotated[AmountMinor, Field(ge=0)] = 0

    def floor(self) -> Floor:
        """The floor asked for."""
        return Floor(self.currency, self.limit)


class NewAccount(Wire):
    """An account to open; a hot one declares its rate in writes per second, or its shards, 1 to 64."""

    code: AccountCode
    type: AccountType
    name: ShortText
    shards: ShardCount | None = None
    declared_rate: Rate | None = None
    floor: FloorWire | None = None
    currencies: Currencies = ()
    metadata: AccountMetadata = Field(default_factory=dict)

    @field_validator("floor")
    @classmethod
    def _one_shard(cls, floor: FloorWire | None, info: ValidationInfo) -> FloorWire | None:
        if floor and (info.data.get("shards") or SHARDS_WITH_FLOOR) != SHARDS_WITH_FLOOR:
            message = "an account with a floor has one shard, for its guard is one"
            raise ValueError(message)
        return floor

    def account(self) -> Account:
        """The account asked for."""
        rate = self.declared_rate
        declared = SHARDS if rate is None else shards_for(rate)
        usual = SHARDS_WITH_FLOOR if self.floor else declared
        return Account(
            self.code,
            self.type,
            self.name,
            shards=self.shards or usual,
            floor=self.floor.floor() if self.floor else None,
            currencies=tuple(dict.fromkeys(self.currencies)),
            metadata=self.metadata,
            declared_rate=rate,
        )


class AccountAnswer(Wire):
    """An account of the chart."""

    code: str
    type: AccountType
    name: str
    state: str
    version: int
    shards: int
    declared_rate: DecimalText | None
    floor: FloorWire | None
    currencies: tuple[str, ...]
    metadata: dict[str, str]

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
            declared_rate=account.declared_rate,
            floor=floor,
            currencies=account.currencies,
            metadata=dict(account.metadata),
        )


class AccountQuery(PageQuery):
    """All accounts, or one and those below it in the hierarchy: `assets:bank` and `assets:bank:eur`."""

    prefix: AccountCode | None = None


class TemplateOrder(Wire):
    """Accounts to open where they are missing; the standard chart when left out."""

    accounts: Annotated[tuple[NewAccount, ...], Field(min_length=1, max_length=TEMPLATE_ACCOUNTS)] | None = None

    @field_validator("accounts")
    @classmethod
    def _each_once(cls, accounts: tuple[NewAccount, ...] | None) -> tuple[NewAccount, ...] | None:
        if accounts and len({account.code for account in accounts}) < len(accounts):
            message = "an account is in the template twice"
            raise ValueError(message)
        return accounts

    def wanted(self) -> tuple[Account, ...] | None:
        """The accounts asked for; None for the standard ones."""
        return None if self.accounts is None else tuple(account.account() for account in self.accounts)


class TemplateAnswer(Wire):
    """The codes of the accounts that were missing and are open now."""

    opened: tuple[str, ...]

    @classmethod
    def of(cls, applied: TemplateApplied) -> Self:
        """The answer on the wire."""
        return cls(opened=applied.opened)


# --- control operations ------------------------------------------------------------------


class ControlOrder(Wire):
    """Why it is done; kept in the audit record."""

    reason: ShortText


class ReshardOrder(ControlOrder):
    """How many documents a month share an account's postings: as many, or as its writes per second need."""

    shards: ShardCount | None = None
    rate: Rate | None = Field(default=None, validate_default=True)

    @field_validator("rate")
    @classmethod
    def _one_of_two(cls, rate: Decimal | None, info: ValidationInfo) -> Decimal | None:
        if "shards" in info.data and (info.data["shards"] is None) == (rate is None):
            raise _ONE_OF_TWO
        return rate

    def terms(self) -> Terms:
        """The terms asked for."""
        return Terms(shards=self.shards, rate=self.rate)


class FloorOrder(ControlOrder):
    """A floor to add or whose limit to change; null removes it."""

    floor: FloorWire | None

    def wanted(self) -> Floor | None:
        """The floor asked for."""
        return self.floor.floor() if self.floor else None


class CurrenciesOrder(ControlOrder):
    """The currencies that the account keeps from now on; all when empty."""

    currencies: Currencies

    def terms(self) -> Terms:
        """The terms asked for."""
        return Terms(currencies=tuple(dict.fromkeys(self.currencies)))


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


class OperationTask(Wire):
    """A control operation to bring to its end, or the year end that is named by its year."""

    operation: str
    kind: Literal["control", "year_end"] = "control"


# --- months ------------------------------------------------------------------------------


class CloseOrder(Wire):
    """Soft: adjusting entries only from now on. Hard: nothing."""

    kind: Literal["soft", "hard"]
    reason: ShortText | None = None

    @property
    def control(self) -> Control:
        """The control operation asked for."""
        return Control.SOFT_CLOSE if self.kind == "soft" else Control.HARD_CLOSE


class ReopenOrder(ControlOrder):
    """What the month takes again: all entries, or of a hard closed one adjusting entries only."""

    state: Literal["open", "soft_closed"]

    @property
    def control(self) -> Control:
        """The control operation asked for."""
        return Control.REOPEN if self.state == "open" else Control.REOPEN_FOR_ADJUSTING


class PeriodAnswer(Wire):
    """A month of the books; its version grows with every close and reopening."""

    period: str
    state: str
    version: int

    @classmethod
    def of(cls, period: Period) -> Self:
        """The period on the wire."""
        return cls(period=period.month, state=period.state.value, version=period.version)
