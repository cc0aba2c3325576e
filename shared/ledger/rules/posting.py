"""May this entry be posted, and what does that write?

The totals document is the permission. The fast path reads nothing about accounts or periods: every
increment demands that its totals document exists. Whatever fails there goes to the slow path, which
reads the period and the accounts, decides, and writes the same increments without that demand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from shared.faults import Refused, Retryable
from shared.identity import TenantId
from shared.ledger.model import (
    Account,
    AccountCode,
    AccountState,
    AccountType,
    EntryKind,
    JournalEntry,
    Line,
    Period,
    Side,
)
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
from shared.ledger.refusals import (
    AccountClosed,
    AccountFrozen,
    CurrencyNotKept,
    FloorCurrency,
    InsufficientFunds,
    PeriodClosed,
    UnknownAccount,
)
from shared.ledger.rules.shifts import shifts
from shared.ports import Absent, Create, FieldPath, Increment, Ref, View, Write

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


def plan_fast(
    tenant: TenantId, entry: JournalEntry, cards: Cards, view: View, *, release: Sequence[Line] = ()
) -> Plan | None:
    """Post on the strength of the totals documents alone; None when only the slow path can tell.

    `release` are lines that a hold kept in reserve until now: what they held back is free again in this commit.
    """
    if any(code not in cards for code in entry.accounts):
        return None
    accounts = {code: cards[code] for code in entry.accounts}
    if any(account.state is not AccountState.OPEN for account in accounts.values()) or not_kept(entry.lines, accounts):
        return None
    floors = _floors(tenant, entry, accounts, view, release=release)
    if floors.refusal:
        return None
    totals = _totals(tenant, entry, accounts, must_exist=True)
    shifted = shifts(tenant, (entry,), accounts, entry.id)
    return Plan((write_entry(tenant, entry, None), *totals, *shifted, *floors.writes), floors.loose)


def slow_refs(tenant: TenantId, entry: JournalEntry) -> tuple[Ref, ...]:
    """All that the slow path looks at, for one BatchGet."""
    places = (account_ref, guard_ref, inflow_ref)
    sides = tuple(place(tenant, code) for code in entry.accounts for place in places)
    return (entry_ref(tenant, entry.id), period_ref(tenant, entry.month), *sides)


def plan_slow(tenant: TenantId, entry: JournalEntry, view: View, *, release: Sequence[Line] = ()) -> Plan:
    """Decide on what is written now; every document used is checked unchanged by the commit.

    The caller has read `slow_refs` and looked for the entry itself first.

    Raises:
        Unread: the view lacks one of them.
        Retryable: an account is in a transition.
    """
    view.need(slow_refs(tenant, entry))
    accounts = accounts_seen(tenant, entry, view)
    await_decisions(accounts.values())
    period, opening = period_of(tenant, entry, view)
    loose = _unused_sides(tenant, entry, accounts, release)
    refusal = refusal_of(entry, accounts, period)
    if refusal is None:
        floors = _floors(tenant, entry, accounts, view, release=release)
        refusal = floors.refusal
    if refusal:
        return Plan((write_entry(tenant, entry, refusal), *map(still_absent, opening)), loose, refusal)
    totals = (*_totals(tenant, entry, accounts, must_exist=False), *shifts(tenant, (entry,), accounts, entry.id))
    return Plan((write_entry(tenant, entry, None), *opening, *totals, *floors.writes), loose)


def accounts_seen(tenant: TenantId, entry: JournalEntry, view: View) -> dict[AccountCode, Account]:
    """The entry's accounts that exist, as this view read them."""
    documents = {code: view.documents.get(account_ref(tenant, code)) for code in entry.accounts}
    return {code: read_account(document) for code, document in documents.items() if document is not None}


def refusal_of(entry: JournalEntry, accounts: Cards, period: Period) -> Refused | None:
    """The first reason, top down, why the entry cannot be posted."""
    if unknown := unknown_account(entry.accounts, accounts):
        return unknown
    if not period.accepts(entry.kind):
        message = f"the period {period.month} takes no {entry.kind.value} entries"
        return PeriodClosed(message, field="effective_on", detail={"period": period.month, "state": period.state.value})
    return _stopped(entry, accounts)


def _stopped(entry: JournalEntry, accounts: Cards) -> Refused | None:
    """The refusal of lines on accounts that take no such.

    The end of a year empties income accounts as they stood at its end, whatever became of them since: one that was
    closed, at zero then, or keeps fewer currencies, may have earned or spent in a year that is closed only now.
    """
    if entry.kind is not EntryKind.CLOSING:
        return stopped_account(accounts) or not_kept(entry.lines, accounts)
    emptied = {code for code, account in accounts.items() if not is_balance_sheet(account.type)}
    bound = {
        code: account
        for code, account in accounts.items()
        if not (code in emptied and account.state is AccountState.CLOSED)
    }
    return stopped_account(bound) or not_kept((line for line in entry.lines if line.account not in emptied), accounts)


def unknown_account(codes: Iterable[AccountCode], accounts: Cards) -> Refused | None:
    """The refusal of lines on an account that the chart lacks."""
    for code in codes:
        if code not in accounts:
            message = "the chart has no such account"
            return UnknownAccount(message, field="lines", detail={"account": code})
    return None


def stopped_account(accounts: Cards) -> Refused | None:
    """The refusal of lines on an account whose state takes none: of entries, of holds and of posts of holds."""
    for account in accounts.values():
        if refusal := state_refusal(account):
            return refusal
    return None


def await_decisions(accounts: Iterable[Account]) -> None:
    """Let a control operation decide first what becomes of an account; every command on it calls this.

    Raises:
        Retryable: an account is in a transition.
    """
    for account in accounts:
        if account.state.is_transition:
            state_refusal(account)


def state_refusal(account: Account) -> Refused | None:
    """The refusal of what moves an account that is frozen or closed.

    Raises:
        Retryable: the account is in a transition.
    """
    match account.state:
        case AccountState.FROZEN:
            message = "the account is frozen"
            return AccountFrozen(message, field="lines", detail={"account": account.code})
        case AccountState.CLOSED:
            message = "the account is closed"
            return AccountClosed(message, field="lines", detail={"account": account.code})
        case AccountState.OPEN:
            return None
        case AccountState.ADDING_FLOOR | AccountState.CLOSING:
            message = "a control operation on the account is still running"
            raise Retryable(message, detail={"account": account.code})


def not_kept(lines: Iterable[Line], accounts: Cards) -> Refused | None:
    """The refusal of the first line in a currency that its account does not keep."""
    for line in lines:
        if not accounts[line.account].keeps(line.money.currency):
            message = f"the account keeps {', '.join(accounts[line.account].currencies)} only"
            return CurrencyNotKept(message, field="lines", detail={"account": line.account})
    return None


def _unused_sides(tenant: TenantId, entry: JournalEntry, accounts: Cards, release: Sequence[Line]) -> frozenset[Ref]:
    leaving = (*entry.lines, *release)
    spending = {code for code, account in accounts.items() if account.floor and moved(leaving, account)[1]}
    inflows = {inflow_ref(tenant, code) for code in entry.accounts}
    return frozenset(inflows | {guard_ref(tenant, code) for code in entry.accounts if code not in spending})


def still_absent(opening: Write) -> Absent:
    """What a refusal demands of the month that a posting would have opened: a refused order opens none."""
    return Absent(opening.ref)


def period_of(tenant: TenantId, entry: JournalEntry, view: View) -> tuple[Period, tuple[Write, ...]]:
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


def _floors(
    tenant: TenantId, entry: JournalEntry, accounts: Cards, view: View, *, release: Sequence[Line] = ()
) -> _Floors:
    """Outflows of floored accounts go through the guard, unchanged since read; inflows are added blindly.

    What a hold reserved needs no funds a second time, and what the entry itself brings is there: only what leaves
    beyond both must be available.
    """
    floored = [account for account in accounts.values() if account.floor]
    moves = {account.code: moved(floor_lines(entry, account), account) for account in floored}
    freed = {account.code: moved(release, account)[1] for account in floored}
    outflows = [account for account in floored if moves[account.code][1] or freed[account.code]]
    needed = [place(tenant, account.code) for account in outflows for place in (guard_ref, inflow_ref)]
    view.need(needed)
    writes: list[Write] = []
    for account in floored:
        received, spent = moves[account.code]
        if refusal := floor_currency(floor_lines(entry, account), account):
            return _Floors(refusal=refusal)
        if received:
            writes.append(Increment(inflow_ref(tenant, account.code), {("credits",): received}, must_exist=True))
        if account in outflows:
            guard, short = guard_of(tenant, account, view), spent - received - freed[account.code]
            if short > 0 and available(tenant, account, guard, view) < short and not empties(entry, account):
                message = "the account would fall below its floor"
                return _Floors(refusal=InsufficientFunds(message, field="lines", detail={"account": account.code}))
            writes.append(guard.moved(spent=spent, held=-freed[account.code]))
    return _Floors(tuple(writes), frozenset(inflow_ref(tenant, account.code) for account in outflows))


def empties(entry: JournalEntry, account: Account) -> bool:
    """Whether the entry empties an income account at the end of a year: as it stood then, whatever binds it since."""
    return entry.kind is EntryKind.CLOSING and not is_balance_sheet(account.type)


def floor_lines(entry: JournalEntry, account: Account) -> Sequence[Line]:
    """The lines that an account's floor is about: where a year's end empties it, only those in the floor's currency."""
    if account.floor and empties(entry, account):
        return tuple(line for line in entry.lines if line.money.currency == account.floor.currency)
    return entry.lines


def moved(lines: Iterable[Line], account: Account) -> tuple[int, int]:
    """What lines bring to an account and take from it, minor units, seen from its normal side."""
    normal = account.type.normal_side
    amounts = [(line.side, line.money.amount) for line in lines if line.account == account.code]
    received = sum(amount for side, amount in amounts if side is normal)
    return received, sum(amount for side, amount in amounts if side is not normal)


def floor_currency(lines: Iterable[Line], account: Account) -> Refused | None:
    """The refusal of lines in another currency than the one a floored account keeps."""
    floor = account.floor
    if floor and any(line.account == account.code and line.money.currency != floor.currency for line in lines):
        message = f"the account keeps {floor.currency} only"
        return FloorCurrency(message, field="lines", detail={"account": account.code})
    return None


def guard_of(tenant: TenantId, account: Account, view: View) -> Guard:
    """The guard of a floored account."""
    return read_guard(view.named(guard_ref(tenant, account.code)))


def available(tenant: TenantId, account: Account, guard: Guard, view: View) -> int:
    """What may leave a floored account now, minor units: a stale inflow only understates it."""
    inflow = view[inflow_ref(tenant, account.code)]
    received = cast("int", inflow["credits"]) if inflow else 0
    return guard.limit + received - guard.spent - guard.held


def is_balance_sheet(kind: AccountType) -> bool:
    """Whether an account's balance carries over the year end."""
    return kind in {AccountType.ASSET, AccountType.LIABILITY, AccountType.EQUITY}
