"""May these lines be held back, and what does it write to hold them back and to let them go?

A hold has no permission from totals: it reads its accounts and its commit checks them unchanged. What it takes
from an account with a floor is counted in the guard, so that nothing else can spend it.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.faults import Refused
from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, Line
from shared.ledger.records import account_ref, guard_ref, inflow_ref, read_account
from shared.ledger.refusals import ExpiryPassed, InsufficientFunds
from shared.ledger.rules.holds import Hold, HoldState
from shared.ledger.rules.pending import reserving
from shared.ledger.rules.posting import (
    available,
    await_decisions,
    floor_currency,
    guard_of,
    moved,
    not_kept,
    stopped_account,
    unknown_account,
)
from shared.limits import HOLD_DAYS
from shared.ports import Ref, View, Write

PLACES: Final = (account_ref, guard_ref, inflow_ref)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A hold and what reserving it writes besides its own document; or why not.

    `loose` are inflows, since a stale one only understates what there is to reserve, and guards that nothing
    is reserved through.
    """

    hold: Hold
    writes: tuple[Write, ...] = ()
    loose: frozenset[Ref] = frozenset()
    refusal: Refused | None = None


def reserve_refs(tenant: TenantId, hold: Hold) -> tuple[Ref, ...]:
    """All that reserving looks at besides the hold, for one BatchGet."""
    return tuple(place(tenant, code) for code in hold.accounts for place in PLACES)


def reserve(tenant: TenantId, hold: Hold, at: datetime, view: View) -> Reservation:
    """Decide on a hold by what is written now; a hold has no permission from totals, so every account is checked.

    Raises:
        Retryable: an account is in a transition.
        Unread: the view lacks one of `reserve_refs`.
    """
    view.need(reserve_refs(tenant, hold))
    accounts = _accounts(tenant, hold.accounts, view)
    await_decisions(accounts.values())
    through = [account for account in accounts.values() if account.floor and moved(hold.lines, account)[1]]
    used = {guard_ref(tenant, account.code) for account in through}
    sides = {place(tenant, code) for code in hold.accounts for place in (guard_ref, inflow_ref)}
    loose = frozenset(sides - used)
    if refusal := _refusal(tenant, hold, at, view):
        return Reservation(replace(hold, state=HoldState.REFUSED), loose=loose, refusal=refusal)
    placed = replace(hold, shards={code: _shard(hold, account) for code, account in accounts.items()})
    guards = [
        guard_of(tenant, account, view).moved(held=moved(hold.lines, account)[1])  # spent stays
        for account in through
    ]
    return Reservation(placed, (*reserving(tenant, hold.lines, placed.shards), *guards), loose)


def _refusal(tenant: TenantId, hold: Hold, at: datetime, view: View) -> Refused | None:
    """The first reason, top down, why the hold cannot be made."""
    accounts = _accounts(tenant, hold.accounts, view)
    return (
        _lifetime(hold, at)
        or unknown_account(hold.accounts, accounts)
        or stopped_account(accounts)
        or not_kept(hold.lines, accounts)
        or _no_room(tenant, hold, accounts.values(), view)
    )


def _lifetime(hold: Hold, at: datetime) -> Refused | None:
    if at < hold.expires_at <= at + timedelta(days=HOLD_DAYS):
        return None
    message = f"a hold expires later than now and within {HOLD_DAYS} days"
    return ExpiryPassed(message, field="expires_at")


def _no_room(tenant: TenantId, hold: Hold, accounts: Iterable[Account], view: View) -> Refused | None:
    """What a hold takes from a floored account must be available; what it would bring is not there yet."""
    for account in accounts:
        if account.floor is None:
            continue
        if refusal := floor_currency(hold.lines, account):
            return refusal
        outgoing = moved(hold.lines, account)[1]
        if outgoing and available(tenant, account, guard_of(tenant, account, view), view) < outgoing:
            message = "the account would fall below its floor"
            return InsufficientFunds(message, field="lines", detail={"account": account.code})
    return None


def _shard(hold: Hold, account: Account) -> int:
    return zlib.crc32(hold.id.encode()) % account.shards


def release_guards(tenant: TenantId, lines: Sequence[Line], view: View) -> tuple[Write, ...]:
    """What lines held back on floored accounts, given back; frozen or not.

    The accounts are read, so checked: whether one has a floor must not change meanwhile.

    Raises:
        Retryable: an account is in a transition.
        Unread: accounts or guards were not read yet.
    """
    codes = sorted({line.account for line in lines})
    view.need([account_ref(tenant, code) for code in codes])
    accounts = _accounts(tenant, codes, view).values()
    await_decisions(accounts)
    through = [account for account in accounts if account.floor and moved(lines, account)[1]]
    view.need([guard_ref(tenant, account.code) for account in through])
    return tuple(guard_of(tenant, account, view).moved(held=-moved(lines, account)[1]) for account in through)


def _accounts(tenant: TenantId, codes: Iterable[AccountCode], view: View) -> dict[AccountCode, Account]:
    found = {code: view[account_ref(tenant, code)] for code in codes}
    return {code: read_account(document) for code, document in found.items() if document is not None}
