"""May this entry be posted, and what does that write?

The totals document is the permission. The fast path reads nothing about accounts or periods: every
increment demands that its totals document exists. Whatever fails there goes to the slow path, which
reads the period and the accounts, decides, and writes the same increments without that demand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from shared.faults import Refused
from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, AccountState, AccountType, JournalEntry, Period, Side
from shared.ledger.records import (
    Guard,
    TotalsKey,
    account_ref,
    entry_ref,
    guard_ref,
    inflow_ref,
    period_ref,
    read_account,
    read_guard,
    read_period,
    write_entry,
    write_period,
)
from shared.ledger.refusals import AccountFrozen, FloorCurrency, InsufficientFunds, PeriodClosed, UnknownAccount
from shared.ports import Create, FieldPath, Increment, Ref, Update, View, Write

Cards: TypeAlias = Mapping[AccountCode, Account]
"""Accounts as last seen, perhaps stale: good for the fast path, never for a refusal."""

SUM_FIELD: Final = {Side.DEBIT: "debits", Side.CREDIT: "credits"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What posting an entry writes; with a refusal, the record of it and nothing else.

    `loose` are inflows, since a stale one only understates what there is to spend, and guards that
    nothing is taken through.
    """

    writes: tuple[Write, ...]
    loose: frozenset[Ref] = frozenset()
    refusal: Refused | None = None


def plan_fast(tenant: TenantId, entry: JournalEntry, cards: Cards, view: View) -> Plan | None:
    """Post on the strength of the totals documents alone; None when only the slow path can tell."""
    if any(code not in cards for code in entry.accounts):
        return None
    accounts = {code: cards[code] for code in entry.accounts}
    floors = _floors(tenant, entry, accounts, view)
    if floors.refusal:
        return None
    totals = _totals(tenant, entry, accounts, must_exist=True)
    return Plan((write_entry(tenant, entry, None), *totals, *floors.writes), floors.loose)


def slow_refs(tenant: TenantId, entry: JournalEntry) -> tuple[Ref, ...]:
    """All that the slow path looks at, for one BatchGet."""
    places = (account_ref, guard_ref, inflow_ref)
    sides = tuple(place(tenant, code) for code in entry.accounts for place in places)
    return (entry_ref(tenant, entry.id), period_ref(tenant, entry.month), *sides)


def plan_slow(tenant: TenantId, entry: JournalEntry, view: View) -> Plan:
    """Decide on what is written now; every document used is checked unchanged by the commit.

    The caller has read `slow_refs` and looked for the entry itself first.

    Raises:
        Unread: the view lacks one of them.
    """
    view.need(slow_refs(tenant, entry))
    accounts = accounts_seen(tenant, entry, view)
    period, opening = _period(tenant, entry, view)
    loose = _unused_sides(tenant, entry, accounts)
    refusal = _refusal(entry, accounts, period)
    if refusal is None:
        floors = _floors(tenant, entry, accounts, view)
        refusal = floors.refusal
    if refusal:
        return Plan((write_entry(tenant, entry, refusal),), loose, refusal)
    totals = _totals(tenant, entry, accounts, must_exist=False)
    return Plan((write_entry(tenant, entry, None), *opening, *totals, *floors.writes), loose)


def accounts_seen(tenant: TenantId, entry: JournalEntry, view: View) -> dict[AccountCode, Account]:
    """The entry's accounts that exist, as this view read them."""
    documents = {code: view.documents.get(account_ref(tenant, code)) for code in entry.accounts}
    return {code: read_account(document) for code, document in documents.items() if document is not None}


def _refusal(entry: JournalEntry, accounts: Cards, period: Period) -> Refused | None:
    """The first reason, top down, why the entry cannot be posted."""
    for code in entry.accounts:
        if code not in accounts:
            message = "the chart has no such account"
            return UnknownAccount(message, field="lines", detail={"account": code})
    if not period.accepts(entry.kind):
        message = f"the period {period.month} takes no {entry.kind.value} entries"
        return PeriodClosed(message, field="effective_on", detail={"period": period.month, "state": period.state.value})
    for code, account in accounts.items():
        if account.state is AccountState.FROZEN:
            message = "the account is frozen"
            return AccountFrozen(message, field="lines", detail={"account": code})
    return None


def _unused_sides(tenant: TenantId, entry: JournalEntry, accounts: Cards) -> frozenset[Ref]:
    spending = {code for code, account in accounts.items() if account.floor and _move(entry, account)[1]}
    inflows = {inflow_ref(tenant, code) for code in entry.accounts}
    return frozenset(inflows | {guard_ref(tenant, code) for code in entry.accounts if code not in spending})


def _period(tenant: TenantId, entry: JournalEntry, view: View) -> tuple[Period, tuple[Write, ...]]:
    """The entry's period; a missing one is opened by this very commit, for absence is no reason to post."""
    ref = period_ref(tenant, entry.month)
    document = view[ref]
    if document is not None:
        return read_period(document), ()
    period = Period(entry.month)
    return period, (Create(ref, write_period(period)),)


def _totals(tenant: TenantId, entry: JournalEntry, accounts: Cards, *, must_exist: bool) -> tuple[Increment, ...]:
    """One increment a totals document: the month's sums, the count of entries, and the day's bucket."""
    day = f"{entry.effective_on.day:02d}"
    sums: dict[tuple[AccountCode, str], dict[FieldPath, int]] = {}
    for line in entry.lines:
        side = SUM_FIELD[line.side]
        amounts = sums.setdefault((line.account, line.money.currency), {("count",): 1})
        for path in ((side,), ("d", day, side)):
            amounts[path] = amounts.get(path, 0) + line.money.amount
    month = entry.month
    increments: list[Increment] = []
    for (code, currency), amounts in sums.items():
        account = accounts[code]
        key = TotalsKey(code, currency, month, entry.kind, account.version, entry.shard(account.shards))
        increments.append(key.increment(tenant, amounts, must_exist=must_exist))
    return tuple(increments)


@dataclass(frozen=True, slots=True)
class _Floors:
    writes: tuple[Write, ...] = ()
    loose: frozenset[Ref] = frozenset()
    refusal: Refused | None = None


def _floors(tenant: TenantId, entry: JournalEntry, accounts: Cards, view: View) -> _Floors:
    """Outflows of floored accounts go through the guard, unchanged since read; inflows are added blindly."""
    floored = [account for account in accounts.values() if account.floor]
    moves = {account.code: _move(entry, account) for account in floored}
    outflows = [account for account in floored if moves[account.code][1]]
    needed = [place(tenant, account.code) for account in outflows for place in (guard_ref, inflow_ref)]
    view.need(needed)
    writes: list[Write] = []
    for account in floored:
        received, spent = moves[account.code]
        if refusal := _floor_currency(entry, account):
            return _Floors(refusal=refusal)
        if received:
            writes.append(Increment(inflow_ref(tenant, account.code), {("credits",): received}, must_exist=True))
        if spent:
            guard = _guard(tenant, account, view)
            if _available(tenant, account, guard, view) < spent:
                message = "the account would fall below its floor"
                return _Floors(refusal=InsufficientFunds(message, field="lines", detail={"account": account.code}))
            fields = {"spent": guard.spent + spent, "version": guard.version + 1}
            writes.append(Update(guard.document.ref, fields, guard.document.version))
    return _Floors(tuple(writes), frozenset(inflow_ref(tenant, account.code) for account in outflows))


def _move(entry: JournalEntry, account: Account) -> tuple[int, int]:
    """What the entry brings to an account and takes from it, minor units, seen from its normal side."""
    normal = account.type.normal_side
    lines: Sequence[tuple[Side, int]] = [
        (line.side, line.money.amount) for line in entry.lines if line.account == account.code
    ]
    received = sum(amount for side, amount in lines if side is normal)
    return received, sum(amount for side, amount in lines if side is not normal)


def _floor_currency(entry: JournalEntry, account: Account) -> Refused | None:
    floor = account.floor
    if floor and any(line.account == account.code and line.money.currency != floor.currency for line in entry.lines):
        message = f"the account keeps {floor.currency} only"
        return FloorCurrency(message, field="lines", detail={"account": account.code})
    return None


def _guard(tenant: TenantId, account: Account, view: View) -> Guard:
    document = view[guard_ref(tenant, account.code)]
    if document is None:
        message = f"the floored account {account.code} has no guard"
        raise LookupError(message)
    return read_guard(document)


def _available(tenant: TenantId, account: Account, guard: Guard, view: View) -> int:
    inflow = view[inflow_ref(tenant, account.code)]
    received = cast("int", inflow["credits"]) if inflow else 0
    return guard.limit + received - guard.spent - guard.held


def is_balance_sheet(kind: AccountType) -> bool:
    """Whether an account's balance carries over the year end."""
    return kind in {AccountType.ASSET, AccountType.LIABILITY, AccountType.EQUITY}
