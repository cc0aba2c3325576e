"""Reports read at one instant, and the scheduled proof that the totals are the fold of the entries."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, cast

import structlog

from shared.calls import Call, Done, Outcome
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
    balances,
    differences,
    fold_entries,
    fold_totals,
    income_statement,
)
from shared.listing import Listing
from shared.ports import Create, Document, Query, Value, View, Where

FIRST_MONTH: Final = "0000-01"
PAGE: Final = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof of the books found at one instant."""

    id: str
    proven_at: datetime
    entries: int
    accounts: int
    differences: int
    out_of_balance: int

    @property
    def holds(self) -> bool:
        """Totals are the fold of the entries and every currency balances."""
        return not self.differences and not self.out_of_balance


class Reports:
    """What the books say."""

    def __init__(self, desk: Desk) -> None:
        """Read from the desk's store; record proofs through it."""
        self._desk, self._store = desk, desk.store

    def trial_balance(self, tenant: TenantId, through: Month) -> TrialBalance:
        """Debits and credits of every account, all months through one."""
        fold, chart, _ = self._read(tenant)
        return TrialBalance(through, balances(fold, chart, FIRST_MONTH, through))

    def income_statement(self, tenant: TenantId, first: Month, last: Month) -> IncomeStatement:
        """Revenue and expenses of the months first..last."""
        fold, chart, _ = self._read(tenant)
        return income_statement(balances(fold, chart, first, last), first, last)

    def balance_sheet(self, tenant: TenantId, through: Month) -> BalanceSheet:
        """Assets, liabilities and equity at the end of a month."""
        fold, chart, _ = self._read(tenant)
        return balance_sheet(balances(fold, chart, FIRST_MONTH, through), through)

    def prove(self, call: Call) -> Done[Proof]:
        """Recompute every total from the entries at one instant and record what was found.

        A difference is logged as an error with the accounts it is about: the alert hangs on it.
        """
        ref = call.ref("proofs", call.cause.stored_id("proof"))
        proof = self._proof(call.tenant, ref.key)

        def decide(view: View) -> Outcome[Proof]:
            known = view[ref] if view.failures else None
            if known is not None:
                return Outcome(ref, "ledger.prove", read_proof(known))
            fields: dict[str, Value] = {
                "schema": 1,
                "proven_at": proof.proven_at,
                "entries": proof.entries,
                "accounts": proof.accounts,
                "differences": proof.differences,
                "out_of_balance": proof.out_of_balance,
                "holds": proof.holds,
            }
            return Outcome(ref, "ledger.prove", proof, (Create(ref, fields),))

        return self._desk.perform(call, (), decide, read_proof)

    def proofs(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Proof]:
        """Recorded proofs, newest first."""
        page = self._store.query(Query("proofs", tenant, order=("-proven_at",), limit=limit, after=cursor))
        return Listing(tuple(read_proof(document) for document in page.documents), page.cursor)

    def _proof(self, tenant: TenantId, proof_id: str) -> Proof:
        fold, chart, at = self._read(tenant)
        entries = list(self._posted(tenant, at))
        found = differences(fold, fold_entries(entries))
        trial = TrialBalance("9999-12", balances(fold, chart, FIRST_MONTH, "9999-12"))
        off = {currency: net for currency, net in trial.out_of_balance.items() if net}
        if found or off:
            keys = ["/".join(difference.key) for difference in found[:20]]
            _log.error("ledger_proof_failed", tenant=tenant, differences=keys, out_of_balance=sorted(off))
        return Proof(proof_id, at, len(entries), len(chart), len(found), len(off))

    def _read(self, tenant: TenantId) -> tuple[Fold, dict[str, Account], datetime]:
        at = self._store.read_time()
        fold = fold_totals(self._all(Query("totals", tenant), at))
        chart = {account.code: account for account in map(read_account, self._all(Query("accounts", tenant), at))}
        return fold, chart, at

    def _posted(self, tenant: TenantId, at: datetime) -> Iterator[JournalEntry]:
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


def read_proof(document: Document) -> Proof:
    """The proof that a document keeps."""
    entries, accounts, found, off = (
        cast("int", document[name]) for name in ("entries", "accounts", "differences", "out_of_balance")
    )
    return Proof(document.ref.key, cast("datetime", document["proven_at"]), entries, accounts, found, off)
