"""What becomes of an account in transition: decided once its totals are retired, on what stands then.

While the transition lasts no command changes the account, so its closed totals and what holds reserve,
read at one instant, are the whole truth. Whatever is decided, the version is raised again: an instance
that remembers the account as it was in transition finds no totals to write to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

from shared.faults import Refused
from shared.identity import TenantId
from shared.ledger.model import Account, AccountState, Floor, Side
from shared.ledger.records import guard_ref, inflow_ref
from shared.ledger.refusals import BalanceNotZero, BelowFloor, FloorCurrency, HoldsOpen
from shared.ledger.rules.control import Control, Operation
from shared.ledger.rules.pending import Reserved
from shared.ports import Document, Put, Write

SHARDS_WITH_FLOOR: Final = 1
"""A floored account's outflows all go through its guard: more shards of its totals would serve nothing."""

BySide: TypeAlias = Mapping[Side, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """An account at one instant, minor units by currency: what was posted by side, what open holds reserve."""

    posted: Mapping[str, BySide]
    reserved: Mapping[str, Reserved]


@dataclass(frozen=True, slots=True)
class Settlement:
    """The account as it comes out of its transition, what else is written with it, and why it turned back."""

    account: Account
    writes: tuple[Write, ...] = ()
    refusal: Refused | None = None


def posted(totals: Iterable[Document]) -> Mapping[str, BySide]:
    """What totals documents of one account add up to, by currency."""
    sums: dict[str, dict[Side, int]] = {}
    for document in totals:
        amounts = sums.setdefault(cast("str", document["currency"]), {Side.DEBIT: 0, Side.CREDIT: 0})
        amounts[Side.DEBIT] += cast("int", document.fields.get("debits", 0))
        amounts[Side.CREDIT] += cast("int", document.fields.get("credits", 0))
    return sums


def settle(tenant: TenantId, operation: Operation, account: Account, standing: Standing) -> Settlement:
    """Close the account or give it its floor; or turn back, and say why."""
    after = replace(account, version=account.version + 1, state=AccountState.OPEN)
    if operation.control is Control.CLOSE_ACCOUNT:
        refusal = _not_closable(account, standing)
        return Settlement(after if refusal else replace(after, state=AccountState.CLOSED), refusal=refusal)
    floor = operation.terms.floor
    if operation.control is not Control.ADD_FLOOR or floor is None:
        message = f"nothing is to be settled by {operation.control.value}"
        raise ValueError(message)
    received, spent, held = _in(floor, account, standing)
    if refusal := _not_floorable(account, floor, standing, floor.limit + received - spent - held):
        return Settlement(after, refusal=refusal)
    guard = Put(
        guard_ref(tenant, account.code),
        {"schema": 1, "limit": floor.limit, "spent": spent, "held": held, "version": after.version},
    )
    inflow = Put(inflow_ref(tenant, account.code), {"schema": 1, "credits": received})
    return Settlement(replace(after, floor=floor, shards=SHARDS_WITH_FLOOR), (guard, inflow))


def _not_closable(account: Account, standing: Standing) -> Refused | None:
    off = sorted(code for code, sides in standing.posted.items() if sides[Side.DEBIT] != sides[Side.CREDIT])
    if off:
        message = f"the account's balance is not zero in {', '.join(off)}"
        return BalanceNotZero(message, field="code", detail={"account": account.code})
    if standing.reserved:
        message = "a hold on the account is open"
        return HoldsOpen(message, field="code", detail={"account": account.code})
    return None


def _not_floorable(account: Account, floor: Floor, standing: Standing, available: int) -> Refused | None:
    if other := sorted((standing.posted.keys() | standing.reserved.keys()) - {floor.currency}):
        message = f"the account has postings or holds in {', '.join(other)}"
        return FloorCurrency(message, field="floor", detail={"account": account.code})
    if available < 0:
        message = "the account's balance less what is held stands below this floor"
        return BelowFloor(message, field="floor", detail={"account": account.code})
    return None


def _in(floor: Floor, account: Account, standing: Standing) -> tuple[int, int, int]:
    """Received, spent and held of a floored account, seen from its normal side, minor units."""
    normal = account.type.normal_side
    amounts = standing.posted.get(floor.currency, {})
    held = standing.reserved.get(floor.currency, Reserved()).outgoing(account)
    return amounts.get(normal, 0), amounts.get(normal.other, 0), held
