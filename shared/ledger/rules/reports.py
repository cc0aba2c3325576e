"""Reports as folds of totals read at one instant, and the proof that totals are the fold of the entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from shared.ledger.model import Account, AccountCode, AccountType, JournalEntry, Month, Side
from shared.ledger.rules.posting import is_balance_sheet
from shared.ports import Document

FoldKey: TypeAlias = tuple[AccountCode, str, Month, str]
"""Account, currency, month, kind."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Debits, credits (minor units) and the number of entries that made them."""

    debits: int = 0
    credits: int = 0
    count: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums(self.debits + other.debits, self.credits + other.credits, self.count + other.count)

    @property
    def net(self) -> int:
        """Debits less credits."""
        return self.debits - self.credits


Fold: TypeAlias = Mapping[FoldKey, Sums]


def fold_totals(documents: Iterable[Document]) -> Fold:
    """Live and closed totals of all versions and shards, added up."""
    fold: dict[FoldKey, Sums] = {}
    for document in documents:
        fields = document.fields
        account, currency, month, kind = (
            cast("str", fields[name]) for name in ("account", "currency", "month", "kind")
        )
        sums = Sums(*(cast("int", fields.get(name, 0)) for name in ("debits", "credits", "count")))
        key = (account, currency, month, kind)
        fold[key] = fold.get(key, Sums()) + sums
    return fold


def fold_entries(entries: Iterable[JournalEntry]) -> Fold:
    """What the totals must be: posted entries, folded afresh."""
    fold: dict[FoldKey, Sums] = {}
    for entry in entries:
        counted: set[FoldKey] = set()
        for line in entry.lines:
            key = (line.account, line.money.currency, entry.month, entry.kind.value)
            amount = line.money.amount
            debits, credits_ = (amount, 0) if line.side is Side.DEBIT else (0, amount)
            fold[key] = fold.get(key, Sums()) + Sums(debits, credits_, int(key not in counted))
            counted.add(key)
    return fold


def balanced(fold: Fold) -> bool:
    """Whether debits equal credits in every currency."""
    nets: dict[str, int] = {}
    for (_, currency, _, _), sums in fold.items():
        nets[currency] = nets.get(currency, 0) + sums.net
    return not any(nets.values())


@dataclass(frozen=True, slots=True)
class Difference:
    """Where totals and entries disagree."""

    key: FoldKey
    totals: Sums
    entries: Sums


def differences(totals: Fold, entries: Fold) -> tuple[Difference, ...]:
    """Every key on which two folds disagree, in order; empty means proven."""
    keys = sorted(totals.keys() | entries.keys())
    pairs = ((key, totals.get(key, Sums()), entries.get(key, Sums())) for key in keys)
    return tuple(Difference(key, left, right) for key, left, right in pairs if left != right)


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's movement or balance in one currency, minor units."""

    account: AccountCode
    name: str
    type: AccountType
    currency: str
    debits: int
    credits: int

    @property
    def amount(self) -> int:
        """The balance on the account's normal side."""
        net = self.debits - self.credits
        return net if self.type.normal_side is Side.DEBIT else -net


def balances(fold: Fold, chart: Mapping[AccountCode, Account], first: Month, last: Month) -> tuple[Balance, ...]:
    """Movements of the months first..last by account and currency, in order, without idle accounts."""
    sums: dict[tuple[AccountCode, str], Sums] = {}
    for (account, currency, month, _), amount in fold.items():
        if first <= month <= last:
            sums[account, currency] = sums.get((account, currency), Sums()) + amount
    return tuple(
        Balance(account, chart[account].name, chart[account].type, currency, amount.debits, amount.credits)
        for (account, currency), amount in sorted(sums.items())
    )


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account's debits and credits; each currency's totals are equal, or the books are broken."""

    through: Month
    rows: tuple[Balance, ...]

    @property
    def out_of_balance(self) -> dict[str, int]:
        """Debits less credits by currency: all zero in sound books."""
        nets: dict[str, int] = {}
        for row in self.rows:
            nets[row.currency] = nets.get(row.currency, 0) + row.debits - row.credits
        return nets


@dataclass(frozen=True, slots=True)
class IncomeStatement:
    """Revenue less expenses of the months first..last, by currency."""

    first: Month
    last: Month
    rows: tuple[Balance, ...]

    @property
    def net_income(self) -> dict[str, int]:
        """Revenue less expenses by currency, minor units."""
        incomes: dict[str, int] = {}
        for row in self.rows:
            sign = 1 if row.type is AccountType.REVENUE else -1
            incomes[row.currency] = incomes.get(row.currency, 0) + sign * row.amount
        return incomes


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """What is owned and owed at the end of a month; income not yet closed counts as equity."""

    through: Month
    rows: tuple[Balance, ...]
    unclosed_income: Mapping[str, int]

    @property
    def difference(self) -> dict[str, int]:
        """Assets less liabilities less equity by currency: all zero in sound books."""
        nets = {currency: -income for currency, income in self.unclosed_income.items()}
        for row in self.rows:
            sign = 1 if row.type is AccountType.ASSET else -1
            nets[row.currency] = nets.get(row.currency, 0) + sign * row.amount
        return nets


def income_statement(rows: tuple[Balance, ...], first: Month, last: Month) -> IncomeStatement:
    """The revenue and expense rows of a period's movements."""
    return IncomeStatement(first, last, tuple(row for row in rows if not is_balance_sheet(row.type)))


def balance_sheet(rows: tuple[Balance, ...], through: Month) -> BalanceSheet:
    """The asset, liability and equity rows of all movements through a month."""
    income = income_statement(rows, "0000-01", through).net_income
    return BalanceSheet(through, tuple(row for row in rows if is_balance_sheet(row.type)), income)
