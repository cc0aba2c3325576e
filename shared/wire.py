"""The wire: what comes in and goes out as JSON, strict, immutable and without fields nobody knows.

Field types here accept JSON strings and whole numbers only; a fraction travels as text. Bodies
are validated with `Model.model_validate_json`, where pydantic's strict mode still reads dates,
enums and tuples from JSON, but takes neither "5" nor true for a number.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, Protocol, Self, TypeVar, cast, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.faults import Refused
from shared.identity import tenant_id
from shared.limits import AMOUNT_MINOR, DEFAULT_PAGE_SIZE, PAGE_SIZE, TEXT_CHARACTERS
from shared.listing import Listing
from shared.money import Money, minor_digits

T = TypeVar("T")
U = TypeVar("U")


class Wire(BaseModel):
    """A message on the wire: unknown fields are refused, types are not bent, values do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Empty(Wire):
    """A body that says nothing: `{}`."""


class Answers(Protocol):
    """A wire model that is made from what a use case answers."""

    @classmethod
    def of(cls, value: Any, /) -> Self:
        """The answer on the wire."""
        ...

    def model_dump_json(self) -> str:
        """The answer as JSON text."""
        ...


# --- field types -------------------------------------------------------------------------


def by_rule(rule: Callable[[T], U]) -> AfterValidator:
    """Let a kernel rule judge a field: what it refuses becomes a field error with the refusal's code."""

    def judge(value: T) -> U:
        try:
            return rule(value)
        except Refused as refusal:
            raise PydanticCustomError(cast("Any", refusal.code), cast("Any", refusal.message)) from None

    return AfterValidator(judge)


_UNPRINTABLE: Final = PydanticCustomError("unprintable_text", "control characters are not text")
_NO_DECIMAL: Final = PydanticCustomError("decimal_text", "a decimal number is written as text, such as '1.5'")


def _printable(text: str) -> str:
    if not all(character.isprintable() or character == "\n" for character in text):
        raise _UNPRINTABLE
    return text


def _supported(currency: str) -> str:
    minor_digits(currency)
    return currency


_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")

Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS), AfterValidator(_printable)]
"""Free text, 1 to 2,000 printable characters."""

ShortText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
"""A name or a line of text, 1 to 200 printable characters."""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
"""An id or a client's own reference: letters, digits and `_ . : -`, at most 128."""

Tenant = Annotated[str, by_rule(tenant_id)]
"""A tenant's id."""

Principal = Annotated[str, Field(pattern=r"^(user|client):[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
"""A person (`user:ann`) or a client's system (`client:erp`); doors and partners have prefixes of their own."""

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

Currency = Annotated[str, by_rule(_supported)]
"""ISO 4217, one of those that `shared.money` supports."""

AmountMinor = Annotated[int, Field(ge=-AMOUNT_MINOR, le=AMOUNT_MINOR)]
"""Minor units of a currency that is named elsewhere."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_DAY: Final = PydanticCustomError("date_text", "a date is written YYYY-MM-DD")


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _DAY.fullmatch(value):
        raise _NO_DAY
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _NO_DAY from None


IsoDate = Annotated[date, BeforeValidator(_day)]
"""`YYYY-MM-DD`; pydantic alone would take `"0"` for the first day of 1970."""

Period = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
"""A calendar month, `YYYY-MM`."""


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise _NO_DECIMAL


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL.pattern}$"}),
]
"""An exact decimal as text, `"2"` or `"-0.125"`: a JSON number is refused, for it may have passed through a float."""


class MoneyWire(Wire):
    """`{"amount": 1050, "currency": "EUR"}` is 10.50 euro."""

    amount: AmountMinor
    currency: Currency

    @classmethod
    def of(cls, money: Money) -> Self:
        """An amount on the wire."""
        return cls(amount=money.amount, currency=money.currency)

    def money(self) -> Money:
        """The amount."""
        return Money(self.amount, self.currency)


# --- lists -------------------------------------------------------------------------------


class PageQuery(Wire):
    """Which page of a list: subclass it with the list's filters."""

    limit: int = Field(default=DEFAULT_PAGE_SIZE, ge=1, le=PAGE_SIZE)
    cursor: str | None = Field(default=None, min_length=1, max_length=2_000)


ItemT = TypeVar("ItemT", bound=BaseModel)


class PageAnswer(Wire, Generic[ItemT]):
    """A page of a list: `PageAnswer[CustomerAnswer].of(listing)` maps every item by `CustomerAnswer.of`."""

    items: tuple[ItemT, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, listing: Listing[Any]) -> Self:
        """The page on the wire."""
        item: type[Any] = get_args(cls.model_fields["items"].annotation)[0]
        return cls(items=tuple(item.of(value) for value in listing.items), next_cursor=listing.next_cursor)
