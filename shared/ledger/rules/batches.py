"""Many entries in one commit: sums merged, each guard moved once, each entry judged as if those before it stood.

Order counts, as in a chain of single postings: an entry may spend what an earlier one brought in, never what a
later one will. All of a commit's entries write the same shard of a totals document, so that a commit of hundreds
touches one document an account and month, not all of its shards.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from shared.faults import Refused, Retryable
from shared.identity import StoredId, TenantId
from shared.ledger.model import Account, AccountCode, AccountState, EntryKind, JournalEntry, Month, Side, accounts_of
from shared.ledger.records import TotalsKey, guard_ref, inflow_ref, write_entry
from shared.ledger.refusals import InsufficientFunds
from shared.ledger.rules.posting import (
    SUM_FIELD,
    Cards,
    accounts_seen,
    available,
    await_decisions,
    empties,
    floor_currency,
    floor_lines,
    guard_of,
    moved,
    not_kept,
    period_of,
    refusal_of,
    slow_refs,
    still_absent,
)
from shared.ledger.rules.shifts import shifts
from shared.ports import FieldPath, Increment, Ref, View, Write

Sums: TypeAlias = dict[FieldPath, int]

_DEBITS: Final = (SUM_FIELD[Side.DEBIT],)
_CREDITS: Final = (SUM_FIELD[Side.CREDIT],)
_COUNT: Final = ("count",)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one commit writes for several entries, and which of them it refuses, by place.

    Those that `wait` are neither posted nor refused: an account of theirs is in a transition. `totals` are the
    documents whose existence the fast path demands; `loose` as in `Plan`.
    """

    writes: tuple[Write, ...]
    refusals: Mapping[int, Refused]
    totals: frozenset[Ref] = frozenset()
    loose: frozenset[Ref] = frozenset()
    wait: Mapping[int, Retryable] = field(default_factory=dict)


def gather_fast(
    tenant: TenantId, entries: Sequence[JournalEntry], cards: Cards, view: View, *, lead: StoredId
) -> Gathered | None:
    """Post all of them on the strength of the totals documents alone; None when only the slow path can tell.

    `lead` names the commit: its hash is the shard that all entries write.

    Raises:
        Unread: guards and inflows of what they spend from.
    """
    codes = accounts_of(entries)
    if any(code not in cards or cards[code].state is not AccountState.OPEN for code in codes):
        return None
    gathering = _Gathering(tenant, view, lead, must_exist=True)
    gathering.need(entries, cards)
    for entry in entries:
        if not_kept(entry.lines, cards) or gathering.add(entry, cards):
            return None
    records = tuple(write_entry(tenant, entry, None) for entry in entries)
    return gathering.gathered(records, {})


def gather_refs(tenant: TenantId, entries: Iterable[JournalEntry], cards: Cards) -> frozenset[Ref]:
    """All that the slow path looks at, for one BatchGet, but for guards and inflows of accounts that had no floor.

    Should one have got a floor since, the decision asks for them, and reads them at the same instant.
    """
    refs = {ref for entry in entries for ref in slow_refs(tenant, entry)}
    plain = [code for code, card in cards.items() if card.floor is None]
    return frozenset(refs.difference(place(tenant, code) for code in plain for place in (guard_ref, inflow_ref)))


def gather_slow(
    tenant: TenantId, entries: Sequence[JournalEntry], view: View, lead: StoredId, *, linked: bool
) -> Gathered:
    """Decide on what is written now, entry by entry; a refused one is recorded, or, if `linked`, stops them all.

    The caller has looked for the entries themselves first. Of a linked batch that is refused nothing is
    written here, only demanded: the caller records it under the batch's own id.

    Raises:
        Unread: the view lacks something.
        Retryable: an account of a linked batch is in a transition.
    """
    gathering = _Gathering(tenant, view, lead, must_exist=False)
    accounts: dict[AccountCode, Account] = {}
    for entry in entries:
        accounts |= accounts_seen(tenant, entry, view)
    wait = _waiting(entries, accounts)
    if linked and wait:
        raise next(iter(wait.values()))
    gathering.need(entries, accounts)
    refusals: dict[int, Refused] = {}
    for place, entry in enumerate(entries):
        if place in wait:
            continue
        period, opening = period_of(tenant, entry, view)
        own = _own(entry, accounts)
        gathering.judged_by |= {write.ref: still_absent(write) for write in opening}
        refusal = refusal_of(entry, own, period) or gathering.add(entry, own, opening)
        if refusal:
            refusals[place] = refusal
            if linked:
                return Gathered(tuple(gathering.judged_by.values()), refusals, loose=gathering.loose(view))
    decided = {place: entry for place, entry in enumerate(entries) if place not in wait}
    records = tuple(write_entry(tenant, entry, refusals.get(place)) for place, entry in decided.items())
    gathered = gathering.gathered(records, refusals)
    return replace(gathered, wait=wait, loose=gathered.loose | _others(tenant, decided.values(), view))


def _others(tenant: TenantId, decided: Iterable[JournalEntry], view: View) -> frozenset[Ref]:
    """Accounts and months that only entries were about which wait, or are in the journal: nothing rests on them."""
    used = {ref for entry in decided for ref in slow_refs(tenant, entry)}
    return frozenset(ref for ref in view.documents if ref.collection in {"accounts", "periods"} and ref not in used)


def _own(entry: JournalEntry, accounts: Cards) -> dict[AccountCode, Account]:
    return {code: accounts[code] for code in entry.accounts if code in accounts}


def _waiting(entries: Sequence[JournalEntry], accounts: Cards) -> dict[int, Retryable]:
    """The entries on which a control operation decides first, by place: nobody else waits for it with them."""
    wait: dict[int, Retryable] = {}
    for place, entry in enumerate(entries):
        try:
            await_decisions(_own(entry, accounts).values())
        except Retryable as fault:
            wait[place] = fault
    return wait


@dataclass(slots=True)
class _Purse:
    """A floored account within one commit: what is free for the next entry, what all of them bring and take."""

    account: Account
    free: int = 0
    received: int = 0
    spent: int = 0
    taken_from: bool = False
    """Whether anything asked for its funds, also in vain: then its guard was used."""


@dataclass(slots=True)
class _Gathering:
    """Adds entry after entry to the writes of one commit; mutable until `gathered`."""

    tenant: TenantId
    view: View
    lead: StoredId
    must_exist: bool
    sums: dict[tuple[Month, EntryKind], dict[tuple[AccountCode, str], Sums]] = field(default_factory=dict)
    purses: dict[AccountCode, _Purse] = field(default_factory=dict)
    openings: dict[Ref, Write] = field(default_factory=dict)
    judged_by: dict[Ref, Write] = field(default_factory=dict)
    """Months that are not there: a refusal rests on them, too."""
    posted: list[JournalEntry] = field(default_factory=list)
    accounts: dict[AccountCode, Account] = field(default_factory=dict)

    def need(self, entries: Iterable[JournalEntry], accounts: Cards) -> None:
        """Ask for the guards and inflows of all that is spent from, at once."""
        spent_from = {
            line.account
            for entry in entries
            for line in entry.lines
            if (account := accounts.get(line.account)) and account.floor and line.side is not account.type.normal_side
        }
        self.view.need([place(self.tenant, code) for code in sorted(spent_from) for place in (guard_ref, inflow_ref)])

    def add(self, entry: JournalEntry, accounts: Cards, opening: Iterable[Write] = ()) -> Refused | None:
        """Take an entry in, or say why its floors do not allow it: then it leaves nothing here."""
        moves = []
        codes = entry.accounts
        for code in codes:
            account = accounts[code]
            if account.floor is None:
                continue
            lines = floor_lines(entry, account)
            if refusal := floor_currency(lines, account):
                return refusal
            received, spent = moved(lines, account)
            purse = self._purse(account)
            short = spent - received
            if short > 0 and self._free(purse) < short and not empties(entry, account):
                message = "the account would fall below its floor"
                return InsufficientFunds(message, field="lines", detail={"account": code})
            moves.append((purse, received, spent))
        for purse, received, spent in moves:
            purse.received += received
            purse.spent += spent
            purse.free += received - spent
        self.openings |= {write.ref: write for write in opening}
        self.posted.append(entry)
        for code in codes:
            self.accounts[code] = accounts[code]
        self._sum(entry)
        return None

    def gathered(self, records: tuple[Write, ...], refusals: Mapping[int, Refused]) -> Gathered:
        """All writes of the commit."""
        hashed, accounts = zlib.crc32(self.lead.encode()), self.accounts
        totals = tuple(
            TotalsKey(code, currency, month, kind, accounts[code].version, hashed % accounts[code].shards).increment(
                self.tenant, sums, must_exist=self.must_exist
            )
            for (month, kind), within in self.sums.items()
            for (code, currency), sums in within.items()
        )
        shifted = shifts(self.tenant, self.posted, self.accounts, self.lead)
        months = (self.judged_by | self.openings).values()
        writes = (*records, *months, *totals, *shifted, *self._floors())
        return Gathered(writes, refusals, frozenset(total.ref for total in totals), self.loose(self.view))

    def loose(self, view: View) -> frozenset[Ref]:
        """Inflows, which only grow, guards that nothing was taken through, totals that were only looked for."""
        used = {guard_ref(self.tenant, code) for code, purse in self.purses.items() if purse.taken_from}
        return frozenset(
            ref
            for ref in view.documents
            if ref.collection in {"inflows", "totals"} or (ref.collection == "guards" and ref not in used)
        )

    def _purse(self, account: Account) -> _Purse:
        return self.purses.setdefault(account.code, _Purse(account))

    def _free(self, purse: _Purse) -> int:
        if not purse.taken_from:
            guard = guard_of(self.tenant, purse.account, self.view)
            purse.free += available(self.tenant, purse.account, guard, self.view)
            purse.taken_from = True
        return purse.free

    def _floors(self) -> Iterable[Write]:
        for code, purse in self.purses.items():
            if purse.received:
                yield Increment(inflow_ref(self.tenant, code), {("credits",): purse.received}, must_exist=True)
            if purse.spent:
                yield guard_of(self.tenant, purse.account, self.view).moved(spent=purse.spent)

    def _sum(self, entry: JournalEntry) -> None:
        within = self.sums.setdefault((entry.month, entry.kind), {})
        day, counted = f"{entry.effective_on.day:02d}", dict[tuple[AccountCode, str], Sums]()
        for line in entry.lines:
            place, amount = (line.account, line.money.currency), line.money.amount
            counted[place] = amounts = within.setdefault(place, {})
            side = _DEBITS if line.side is Side.DEBIT else _CREDITS
            for path in (side, ("d", day, *side)):
                amounts[path] = amounts.get(path, 0) + amount
        for amounts in counted.values():
            amounts[_COUNT] = amounts.get(_COUNT, 0) + 1
