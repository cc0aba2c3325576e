"""What a proof or a repair looks at: one tenant's books at one instant, read in pages and kept by nobody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final, cast

from shared.faults import Refused
from shared.identity import StoredId, TenantId
from shared.ledger.model import Account, AccountCode, JournalEntry, Month
from shared.ledger.records import guard_ref, inflow_ref, read_account, read_entry, read_guard, read_period
from shared.ledger.rules.carry import chain_ref, read_chain
from shared.ledger.rules.derived import fold_carried, fold_shift_documents
from shared.ledger.rules.holds import HoldState, read_hold
from shared.ledger.rules.pending import Pending, fold_lines, fold_pending, pending_of
from shared.ledger.rules.proofs import RIGHT, Books, Folded, GuardOff, altered, fold_documents, guard_off
from shared.listing import every
from shared.ports import Document, Query, Store, Where

NO_ENTRY: Final = (Refused, KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an altered entry may raise."""
POSTED: Final = Where("outcome", "==", "posted")


@dataclass(slots=True)
class Snapshot:
    """A tenant's books at `at`; `entries` counts what went by, `altered` names what contradicts its own hash."""

    store: Store
    tenant: TenantId
    at: datetime
    entries: int = 0
    altered: list[StoredId] = field(default_factory=list)

    def all(
        self, collection: str, *where: Where, as_is: bool = False, order: tuple[str, ...] = ()
    ) -> Iterator[Document]:
        """Documents of a collection, page by page."""
        return every(self.store, Query(collection, self.tenant, where, order=order, as_is=as_is), at=self.at)

    def totals(self, *where: Where, as_is: bool = False) -> Folded:
        """The fold of totals documents; `as_is` where a sum that is none is to be found missing, not to be an error."""
        return fold_documents(self.all("totals", *where, as_is=as_is))

    def shifts(self, *where: Where) -> Folded:
        """The fold of shifts; a sum that is none is missing."""
        return fold_shift_documents(self.all("shifts", *where, as_is=True))

    def stops(self) -> tuple[Month, ...]:
        """The months through which carried balances may be used at this instant."""
        ref = chain_ref(self.tenant)
        carried = read_chain(self.store.get([ref], at=self.at)[ref])
        return carried.sound_stops(tuple(map(read_period, self.all("periods")))) if carried.stops else ()

    def carried(self, stops: Iterable[Month], *where: Where) -> Folded:
        """The balances carried through these months; a sum that is none is missing."""
        documents = (self.all("carried", *where, Where("month", "==", stop), as_is=True) for stop in stops)
        return fold_carried(chain.from_iterable(documents))

    def journal_of(self, code: AccountCode, month: Month) -> Iterator[JournalEntry]:
        """The posted entries of an account that are effective in a month, then those that are only posted in it."""
        mine = Where("accounts", "array_contains", code)
        yield from self.journal(mine, Where("month", "==", month))
        days = (Where("posted_on", ">=", f"{month}-01"), Where("posted_on", "<=", f"{month}-31"))
        for entry in self.journal(mine, *days, order=("posted_on", "recorded_at")):
            if entry.month != month:
                yield entry

    def journal(self, *where: Where, order: tuple[str, ...] = ()) -> Iterator[JournalEntry]:
        """Posted entries, counted and held against their content hash as they go by.

        One that is no entry any more (its lines do not balance, an amount is none) is named as altered and left out.
        """
        for document in self.all("entries", POSTED, *where, as_is=True, order=order):
            self.entries += 1
            try:
                entry = read_entry(document).entry
                is_altered = altered(document, entry)
            except NO_ENTRY:
                self.altered.append(StoredId(document.ref.key))
                continue
            if is_altered:
                self.altered.append(entry.id)
            yield entry

    def has_more_than(self, entries: int, *where: Where) -> bool:
        """Whether there are more posted entries than that: counted no further, however many there are."""
        query = Query("entries", self.tenant, (POSTED, *where), limit=entries + 1)
        return self.store.aggregate(query, at=self.at)["count"] > entries

    def chart(self) -> dict[AccountCode, Account]:
        """All accounts."""
        return {account.code: account for account in map(read_account, self.all("accounts"))}

    def reserved(self, code: AccountCode | None = None) -> Pending:
        """What pending documents say is reserved, of one account or of all."""
        return fold_pending(self.all("pending", *pending_of(self.tenant, code).where))

    def held(self) -> Pending:
        """What open holds have left, which is what must be reserved."""
        open_holds = self.all("holds", Where("state", "==", HoldState.RESERVED.value))
        return fold_lines(line for document in open_holds for line in read_hold(document).open_lines)

    def guards_off(self, accounts: Iterable[Account], books: Books) -> dict[AccountCode, GuardOff]:
        """Floored accounts whose guard and inflow allow something else than their totals, all months of them."""
        floored = [(account, account.floor) for account in accounts if account.floor]
        refs = [place(self.tenant, account.code) for account, _ in floored for place in (guard_ref, inflow_ref)]
        read = self.store.get(refs, at=self.at)
        off: dict[AccountCode, GuardOff] = {}
        for account, floor in floored:
            guard, inflow = read[guard_ref(self.tenant, account.code)], read[inflow_ref(self.tenant, account.code)]
            received = cast("int", inflow["credits"]) if inflow else 0
            off[account.code] = guard_off(account, floor, read_guard(guard) if guard else None, received, books=books)
        return {code: one for code, one in off.items() if one != RIGHT}
