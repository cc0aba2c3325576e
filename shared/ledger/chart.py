"""The chart of accounts that a tenant starts with, from a template file that anyone can read."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from shared.faults import Invalid, Refused
from shared.identity import TenantId
from shared.ledger.exchange import CONVERSION
from shared.ledger.model import Account, AccountType, Floor
from shared.ledger.records import create_account
from shared.ledger.rules.closing import RETAINED_EARNINGS
from shared.ledger.rules.control import shards_for
from shared.ledger.rules.opening import OPENING_BALANCES
from shared.money import minor_digits
from shared.ports import Create

WAGES: Final = "expenses:wages"
EMPLOYER_CONTRIBUTIONS: Final = "expenses:employer_contributions"
INCOME_TAX_WITHHELD: Final = "liabilities:payroll:income_tax"
SOCIAL_CONTRIBUTIONS: Final = "liabilities:payroll:social_contributions"
STUDENT_LOANS_WITHHELD: Final = "liabilities:payroll:student_loans"
NET_PAY: Final = "liabilities:payroll:net_pay"

NEEDED: Final[Mapping[str, AccountType]] = {
    RETAINED_EARNINGS: AccountType.EQUITY,
    CONVERSION: AccountType.EQUITY,
    WAGES: AccountType.EXPENSE,
    EMPLOYER_CONTRIBUTIONS: AccountType.EXPENSE,
    INCOME_TAX_WITHHELD: AccountType.LIABILITY,
    SOCIAL_CONTRIBUTIONS: AccountType.LIABILITY,
    STUDENT_LOANS_WITHHELD: AccountType.LIABILITY,
    NET_PAY: AccountType.LIABILITY,
}
"""Accounts that the house itself posts to: a template without them opens books that it cannot keep."""

POSTED_TO: Final = frozenset(
    {
        *NEEDED,
        OPENING_BALANCES.code,
        "equity:exchange_differences",
        *(f"assets:{name}" for name in ("bank", "disputed", "receivable", "reserved")),
        *(f"liabilities:{name}" for name in ("customer_credit", "refunds_payable", "unapplied_cash")),
        *(f"revenue:{name}" for name in ("fx_gains", "sales")),
        *(f"expenses:{name}" for name in ("chargebacks", "fx_losses", "payment_fees", "write_offs")),
    }
)
"""All that the house posts to, where a chart has them, and under each of `POSTED_UNDER` as many as it has."""
POSTED_UNDER: Final = ("assets:clearing:", "liabilities:vat:")

SCHEMA: Final = 1
FIELDS: Final = frozenset({"code", "type", "name", "shards", "rate", "floor", "currencies", "metadata"})


def is_posted_to(code: str) -> bool:
    """Whether the house itself posts to an account: closed for good, it would stop what does."""
    return code in POSTED_TO or code.startswith(POSTED_UNDER)


@cache
def template() -> tuple[Account, ...]:
    """The accounts of chart.json."""
    return read_template(files("shared.ledger").joinpath("chart.json").read_text(encoding="utf-8"))


def read_template(text: str) -> tuple[Account, ...]:
    """The accounts of a template: `{"schema": 1, "accounts": [{"code", "type", "name", ...}]}`.

    An account may say `shards` or `rate` (writes per second, as text), `floor` (`{"currency", "limit"}`),
    `currencies` (those it keeps; all when left out) and `metadata` (short codes by key).

    Raises:
        Invalid: it is no such template; `field` names the account.
    """
    try:
        content = json.loads(text)
        rows = content["accounts"] if content["schema"] == SCHEMA else None
    except (ValueError, TypeError, KeyError):
        rows = None
    if not isinstance(rows, list):
        message = "a chart template is JSON with schema 1 and a list of accounts"
        raise Invalid(message, field="accounts")
    accounts = tuple(_account(number, row) for number, row in enumerate(rows))
    _check(accounts)
    return accounts


def _account(number: int, row: Any) -> Account:
    """One row; whatever is wrong with it is told with its place."""
    place = f"accounts.{number}"
    try:
        return _read(row)
    except Refused as refused:
        raise Invalid(refused.message, field=place) from refused
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        message = "an account has a code, a type, a name and shards or a rate"
        raise Invalid(message, field=place) from error


def _read(row: Any) -> Account:
    unknown = sorted(set(row) - FIELDS)
    if unknown:
        message = f"no account has {', '.join(unknown)}"
        raise Invalid(message)
    floor, rate = row.get("floor"), _decimal(row.get("rate"))
    currencies = tuple(row.get("currencies", ()))
    for currency in (*currencies, *([floor["currency"]] if floor else [])):
        minor_digits(currency)
    return Account(
        row["code"],
        AccountType(row["type"]),
        " ".join(row["name"].split()),
        shards=row["shards"] if rate is None else shards_for(rate),
        floor=Floor(floor["currency"], floor["limit"]) if floor else None,
        currencies=currencies,
        metadata=row.get("metadata", {}),
        declared_rate=rate,
    )


def _decimal(text: object) -> Decimal | None:
    """An exact number as text: a JSON number may have passed through a float."""
    if text is None or isinstance(text, str):
        return None if text is None else Decimal(text)
    message = "a rate is written as text"
    raise TypeError(message)


def _check(accounts: tuple[Account, ...]) -> None:
    chart = {account.code: account for account in accounts}
    if len(chart) != len(accounts):
        message = "an account is in the template twice"
        raise Invalid(message, field="accounts")
    for code, kind in NEEDED.items():
        if code not in chart or chart[code].type is not kind:
            message = f"the template needs {code} as {kind.value}"
            raise Invalid(message, field="accounts")


def opening_chart(tenant: TenantId) -> tuple[Create, ...]:
    """The documents of a new tenant's chart."""
    return tuple(write for account in template() for write in create_account(tenant, account))
