"""Reports as rows of sums by account and currency, all read at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from shared.ledger.model import Account, AccountCode, AccountType, Month, Side
from shared.ledger.rules.posting import is_balance_sheet

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


def rows_of(sums: Mapping[tuple[AccountCode, str], Sums], chart: Mapping[AccountCode, Account]) -> tuple[Balance, ...]:
    """Sums by account and currency as rows, in order."""
    return tuple(
        Balance(account, chart[account].name, chart[account].type, currency, amount.debits, amount.credits)
        for (account, currency), amount in sorted(sums.items())
    )


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account's debits and credits; each currency's totals are equal, or the books are broken."""

    through: Month
    rows: tuple[Balance, ...]
    on: date | None = None
    """The day of that month at whose end it ends; the last, when None."""

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
    on: date | None = None
    """As `TrialBalance.on`."""

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


def balance_sheet(rows: tuple[Balance, ...], through: Month, on: date | None = None) -> BalanceSheet:
    """The asset, liability and equity rows of all movements through a month, or a day in it."""
    income = income_statement(rows, "0000-01", through).net_income
    return BalanceSheet(through, tuple(row for row in rows if is_balance_sheet(row.type)), income, on)
