"""What an export says of the chart and the months: whether such a record is one. Nothing is sealed about either."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from shared.faults import Invalid
from shared.ledger.model import AccountState, AccountType, PeriodState, check_month

T = TypeVar("T")
Record: TypeAlias = Mapping[str, Any]


def kinds(kind: type[T], *values: Any) -> tuple[T, ...]:
    """The values; a TypeError when one is of another kind, so that none is kept that cannot be put in order."""
    if any(type(value) is not kind for value in values):
        message = f"one of {values} is no {kind.__name__}"
        raise TypeError(message)
    return values


def check_account(record: Record) -> None:
    """Check that a record is an account whole; what older exports did not have may be missing.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    AccountType(record["type"])
    AccountState(record["state"])
    kinds(int, record["shards"])
    kinds(str, record["code"], record["name"], *record.get("currencies", ()), *record.get("metadata", {}).values())
    if (rate := record.get("declared_rate")) is not None:
        kinds(str, rate)
    if (floor := record["floor"]) is not None:
        kinds(str, floor["currency"])
        kinds(int, floor["limit"])


def check_period(record: Record) -> None:
    """Check that a record is a month and its state.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    PeriodState(record["state"])
    (month,) = kinds(str, record["month"])
    try:
        check_month(month)
    except Invalid as error:
        raise ValueError(error.message) from error
