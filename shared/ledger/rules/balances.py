"""What stands on accounts at the end of a day, as folds of totals, of shifts and of what was carried forward."""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeAlias, cast

from shared.ledger.model import Account, AccountCode, Month, Side, month_of
from shared.ledger.rules.carry import read_carried
from shared.ledger.rules.reports import Sums
from shared.ports import Document, Fields

Standing: TypeAlias = Mapping[tuple[AccountCode, str], Sums]
"""By account and currency: debits and credits of all time up to some day; counts only where whole months were added."""


class View(Enum):
    """Which day of an entry counts: the one it is effective on, or the one it was posted on."""

    EFFECTIVE = "effective"
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One currency of an account at the end of a day, minor units; `amount` stands on the account's normal side."""

    currency: str
    debits: int
    credits: int
    amount: int
    reserved: int = 0
    """What open holds would still take from it, now."""

    @property
    def available(self) -> int:
        """The balance less what holds reserve."""
        return self.amount - self.reserved


@dataclass(frozen=True, slots=True)
class BalanceOn:
    """An account at the end of a day, in every currency that it ever held."""

    account: Account
    on: date
    view: View
    rows: tuple[AccountBalance, ...]


def standing(carried: Iterable[Document], since: Iterable[Document], on: date | None) -> Standing:
    """Carried balances and the totals since, of days up to `on` (all, when None)."""
    fold: dict[tuple[AccountCode, str], Sums] = {}
    for document in carried:
        for key, sums in read_carried(document).items():
            fold[key] = fold.get(key, Sums()) + sums
    for document in since:
        key = (cast("str", document["account"]), cast("str", document["currency"]))
        fold[key] = fold.get(key, Sums()) + _through(document, on)
    return fold


def _through(document: Document, on: date | None) -> Sums:
    """What a totals or shifts document holds of days up to one."""
    month = cast("str", document["month"])
    if on is None or month < month_of(on):
        return _sums(document.fields)
    if month > month_of(on):
        return Sums()
    days = cast("Mapping[str, Fields]", document.fields.get("d", {}))
    return sum((_sums(bucket) for day, bucket in days.items() if int(day) <= on.day), Sums())


def _sums(fields: Fields) -> Sums:
    return Sums(*(cast("int", fields.get(name, 0)) for name in ("debits", "credits", "count")))


def combined(*standings: Standing) -> dict[tuple[AccountCode, str], Sums]:
    """Several, added up."""
    fold: dict[tuple[AccountCode, str], Sums] = {}
    for one in standings:
        for key, sums in one.items():
            fold[key] = fold.get(key, Sums()) + sums
    return fold


def in_balance(fold: Standing) -> bool:
    """Whether debits equal credits in every currency."""
    nets: dict[str, int] = {}
    for (_, currency), sums in fold.items():
        nets[currency] = nets.get(currency, 0) + sums.net
    return not any(nets.values())


def by_currency(account: Account, fold: Standing, reserved: Mapping[str, int]) -> tuple[AccountBalance, ...]:
    """An account's rows, by currency."""
    sums = {currency: amount for (code, currency), amount in fold.items() if code == account.code}
    moved = {currency for currency, amount in sums.items() if amount.debits or amount.credits}
    return tuple(
        AccountBalance(
            currency,
            (amount := sums.get(currency, Sums())).debits,
            amount.credits,
            on_normal_side(account, amount.net),
            reserved.get(currency, 0),
        )
        for currency in sorted(moved | reserved.keys())
    )


def on_normal_side(account: Account, net: int) -> int:
    """Debits less credits, seen from the account's normal side."""
    return net if account.type.normal_side is Side.DEBIT else -net


def last_whole_month(on: date) -> Month:
    """The last month that is over at the end of a day."""
    if on.day == monthrange(on.year, on.month)[1]:
        return month_of(on)
    return f"{on.year - (on.month == 1):04d}-{(on.month - 2) % 12 + 1:02d}"
