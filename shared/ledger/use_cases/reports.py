"""Reports: what the books say, all of a report read at one instant, from what was carried forward where there is any.

A trial balance reads a carried document of each account and the totals of the months since; an income statement the
totals of its own months.
"""

from datetime import date

from shared.desk import Desk
from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, EntryKind, Month
from shared.ledger.records import read_account
from shared.ledger.rules.balances import standing
from shared.ledger.rules.reports import (
    Balance,
    BalanceSheet,
    IncomeStatement,
    TrialBalance,
    balance_sheet,
    income_statement,
    rows_of,
)
from shared.ledger.use_cases.balances import Moment, moment
from shared.ports import Query


class Reports:
    """What the books say."""

    def __init__(self, desk: Desk) -> None:
        """Read from the desk's store."""
        self._store = desk.store

    def trial_balance(self, tenant: TenantId, through: Month, on: date | None = None) -> TrialBalance:
        """Debits and credits of every account, all months through one, or all days up to one in it."""
        return TrialBalance(through, self._rows(tenant, through, on), on)

    def balance_sheet(self, tenant: TenantId, through: Month, on: date | None = None) -> BalanceSheet:
        """Assets, liabilities and equity at the end of a month, or of a day in it."""
        return balance_sheet(self._rows(tenant, through, on), through, on)

    def income_statement(self, tenant: TenantId, first: Month, last: Month) -> IncomeStatement:
        """Revenue and expenses of the months first..last: what a year's end moved to equity is not taken off."""
        books = moment(self._store, tenant)
        earned = (document for document in books.totals(first, last) if document["kind"] != EntryKind.CLOSING.value)
        return income_statement(rows_of(standing((), earned, None), _chart(books)), first, last)

    def _rows(self, tenant: TenantId, through: Month, on: date | None) -> tuple[Balance, ...]:
        books = moment(self._store, tenant)
        return rows_of(books.everybody(on, through), _chart(books))


def _chart(books: Moment) -> dict[AccountCode, Account]:
    return {account.code: account for account in map(read_account, books.all(Query("accounts", books.tenant)))}
