"""Balances at the end of a day: what was carried forward, the months since, and the days of the last one.

How many documents that reads depends on months and shards, never on entries. Everything is read at one instant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from shared.desk import Desk
from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, Month, Period, month_of
from shared.ledger.records import account_ref, read_account, read_period
from shared.ledger.refusals import AccountNotFound
from shared.ledger.rules.balances import (
    BalanceOn,
    Standing,
    View,
    by_currency,
    combined,
    in_balance,
    last_whole_month,
    standing,
)
from shared.ledger.rules.carry import COLLECTION, Chain, carried_ref, chain_ref, read_chain
from shared.ledger.rules.pending import fold_pending, pending_of
from shared.ledger.rules.shifts import COLLECTION as SHIFTS
from shared.listing import every
from shared.ports import Document, Query, Ref, Store, Where

LOOKS: Final = 3
"""Looks at one instant before a difference is believed. Firestore's emulator shows a commit up to some milliseconds
after an instant that is later than it: once in 606 reads under load, never at the second look."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A tenant's books at one instant: what is carried forward and may be used, and the documents read with it."""

    store: Store
    tenant: TenantId
    at: datetime
    chain: Chain
    periods: tuple[Period, ...]
    documents: Mapping[Ref, Document | None] = field(default_factory=dict)

    def all(self, query: Query) -> Iterator[Document]:
        """Documents of a query, page by page."""
        return every(self.store, query, at=self.at)

    def totals(self, first: Month | None, last: Month, *, after: Month | None = None) -> Iterator[Document]:
        """Totals of the months first..last, or of those after one."""
        return self.all(Query("totals", self.tenant, _months(first, last, after)))

    def everybody(self, on: date | None, last: Month) -> Standing:
        """All accounts at the end of a day, or of a month: one document an account, and the months since.

        A commit that was on its way at the instant may show itself between two pages: what does not
        balance is looked at again, at the same instant.
        """
        stop = self.chain.stop(self.periods, last_whole_month(on) if on else last)
        for _ in range(LOOKS):
            fold = standing(self._carried(stop), self.totals(None, last, after=stop), on)
            if in_balance(fold):
                break
        return fold

    def one(self, code: AccountCode, on: date, view: View) -> Standing:
        """One account at the end of a day."""
        stop = self.chain.stop(self.periods, last_whole_month(on))
        documents = self.store.get([carried_ref(self.tenant, code, stop)], at=self.at).values() if stop else ()
        carried = [document for document in documents if document]
        fold = standing(carried, self._of("totals", code, month_of(on), after=stop), on)
        return combined(fold, self.shifted(code, on)) if view is View.POSTED else fold

    def shifted(self, code: AccountCode, on: date) -> Standing:
        """What the posted-date view of an account adds to the effective-date view at the end of a day."""
        return standing((), self._of(SHIFTS, code, month_of(on)), on)

    def _of(self, collection: str, code: AccountCode, last: Month, after: Month | None = None) -> Iterator[Document]:
        where = (Where("account", "==", code), *_months(None, last, after))
        return self.all(Query(collection, self.tenant, where))

    def _carried(self, stop: Month | None) -> Iterator[Document]:
        if stop:
            yield from self.all(Query(COLLECTION, self.tenant, (Where("month", "==", stop),)))


def _months(first: Month | None, last: Month, after: Month | None) -> tuple[Where, ...]:
    since = (Where("month", ">=", first),) if first else (Where("month", ">", after),) if after else ()
    return (*since, Where("month", "<=", last))


def moment(store: Store, tenant: TenantId, *refs: Ref) -> Moment:
    """The books as they are now, with some documents: two RPCs, and a read for each month of the books."""
    documents, at = store.snapshot([chain_ref(tenant), *refs])
    found = Moment(store, tenant, at, read_chain(documents[chain_ref(tenant)]), (), documents)
    return replace(found, periods=tuple(map(read_period, found.all(Query("periods", tenant)))))


class Balances:
    """What stands on an account."""

    def __init__(self, desk: Desk) -> None:
        """Read from the desk's store."""
        self._store = desk.store

    def on(self, tenant: TenantId, code: AccountCode, on: date, view: View = View.EFFECTIVE) -> BalanceOn:
        """An account at the end of a day, counting entries by one of their days; what is reserved is of now.

        Raises:
            AccountNotFound: the chart has no such account.
        """
        ref = account_ref(tenant, code)
        books = moment(self._store, tenant, ref)
        account = account_of(code, books.documents[ref])
        reserved = fold_pending(books.all(pending_of(tenant, code)))
        outgoing = {currency: held.outgoing(account) for (_, currency), held in reserved.items()}
        return BalanceOn(account, on, view, by_currency(account, books.one(code, on, view), outgoing))


def account_of(code: AccountCode, document: Document | None) -> Account:
    """The account that was asked for.

    Raises:
        AccountNotFound: there is no document of it.
    """
    if document is None:
        message = "the chart has no such account"
        raise AccountNotFound(message, field="code", detail={"account": code})
    return read_account(document)
