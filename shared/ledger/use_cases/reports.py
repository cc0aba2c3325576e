"""Reports: what the books say, all of a report read at one instant."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.desk import Desk
from shared.identity import TenantId
from shared.ledger.model import Account, JournalEntry, Month
from shared.ledger.records import read_account, read_entry
from shared.ledger.rules.reports import (
    BalanceSheet,
    Fold,
    IncomeStatement,
    TrialBalance,
    balance_sheet,
    balanced,
    balances,
    fold_totals,
    income_statement,
)
from shared.ports import Document, Query, Where

FIRST_MONTH: Final = "0000-01"
PAGE: Final = 500
LOOKS: Final = 3
"""Looks at one instant before a difference is believed. Firestore's emulator shows a commit up to some milliseconds
after an instant that is later than it: once in 606 reads under load, never at the second look."""


class Reports:
    """What the books say."""

    def __init__(self, desk: Desk) -> None:
        """Read from the desk's store."""
        self._store = desk.store

    def trial_balance(self, tenant: TenantId, through: Month) -> TrialBalance:
        """Debits and credits of every account, all months through one."""
        fold, chart, _ = self.read(tenant)
        return TrialBalance(through, balances(fold, chart, FIRST_MONTH, through))

    def income_statement(self, tenant: TenantId, first: Month, last: Month) -> IncomeStatement:
        """Revenue and expenses of the months first..last."""
        fold, chart, _ = self.read(tenant)
        return income_statement(balances(fold, chart, first, last), first, last)

    def balance_sheet(self, tenant: TenantId, through: Month) -> BalanceSheet:
        """Assets, liabilities and equity at the end of a month."""
        fold, chart, _ = self.read(tenant)
        return balance_sheet(balances(fold, chart, FIRST_MONTH, through), through)

    def read(self, tenant: TenantId, at: datetime | None = None) -> tuple[Fold, dict[str, Account], datetime]:
        """The fold of all totals, the chart, and the instant (`at`, or now) at which both were read.

        A commit that was on its way at the instant may show itself between two pages: totals that
        do not balance are looked at again, at the same instant.
        """
        at = at or self._store.read_time()
        for _ in range(LOOKS):
            fold = fold_totals(self._all(Query("totals", tenant), at))
            if balanced(fold):
                break
        chart = {account.code: account for account in map(read_account, self._all(Query("accounts", tenant), at))}
        return fold, chart, at

    def posted(self, tenant: TenantId, at: datetime) -> Iterator[JournalEntry]:
        """Every posted entry, as of an instant."""
        query = Query("entries", tenant, (Where("outcome", "==", "posted"),))
        return (read_entry(document).entry for document in self._all(query, at))

    def _all(self, query: Query, at: datetime) -> Iterator[Document]:
        cursor: str | None = None
        while True:
            page = self._store.query(replace(query, limit=PAGE, after=cursor), at=at)
            yield from page.documents
            cursor = page.cursor
            if cursor is None:
                return
