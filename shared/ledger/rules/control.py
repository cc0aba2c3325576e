"""Control operations: what may be asked of a period or account in which state, and which totals that retires.

A control operation first raises its target's version and state in one commit, then retires every
live totals document that could still permit a posting, and only then answers. Closing an account and
adding a floor are decided after that (`rules/settling.py`): until then the account is in a transition.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from enum import Enum
from typing import Final, TypeAlias, cast

from shared.faults import Refused
from shared.identity import TenantId
from shared.ledger.model import (
    MAX_SHARDS,
    SHARD_RATE,
    Account,
    AccountCode,
    AccountState,
    Floor,
    Month,
    Period,
    PeriodState,
)
from shared.ledger.records import CLOSED, account_ref, period_ref
from shared.ledger.refusals import FloorCurrency, WrongState
from shared.ports import Document, Fields, Ref, Value, Where

Target: TypeAlias = Account | Period


class Control(Enum):
    """The operations that stop, resume or redirect postings."""

    SOFT_CLOSE = "soft_close"
    HARD_CLOSE = "hard_close"
    END_YEAR = "end_year"
    REOPEN = "reopen"
    REOPEN_FOR_ADJUSTING = "reopen_for_adjusting"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    CLOSE_ACCOUNT = "close_account"
    RESHARD = "reshard"
    SET_CURRENCIES = "set_currencies"
    ADD_FLOOR = "add_floor"
    CHANGE_LIMIT = "change_limit"
    REMOVE_FLOOR = "remove_floor"

    @property
    def is_period(self) -> bool:
        """Whether it is about a month rather than an account."""
        return self in PERIOD_STEPS

    @property
    def retires(self) -> bool:
        """Whether totals are retired; what lets postings in again re-creates nothing, the slow path does."""
        return self not in {Control.UNFREEZE, Control.REOPEN, Control.REOPEN_FOR_ADJUSTING, Control.CHANGE_LIMIT}

    @property
    def settles(self) -> bool:
        """Whether what becomes of the account is decided only once its totals are retired."""
        return self in {Control.CLOSE_ACCOUNT, Control.ADD_FLOOR}


PERIOD_STEPS: Final[Mapping[Control, tuple[frozenset[PeriodState], PeriodState]]] = {
    Control.SOFT_CLOSE: (frozenset({PeriodState.OPEN}), PeriodState.SOFT_CLOSED),
    Control.HARD_CLOSE: (
        frozenset({PeriodState.OPEN, PeriodState.SOFT_CLOSED, PeriodState.YEAR_END}),
        PeriodState.HARD_CLOSED,
    ),
    Control.END_YEAR: (frozenset({PeriodState.SOFT_CLOSED}), PeriodState.YEAR_END),
    Control.REOPEN: (frozenset({PeriodState.SOFT_CLOSED, PeriodState.HARD_CLOSED}), PeriodState.OPEN),
    Control.REOPEN_FOR_ADJUSTING: (frozenset({PeriodState.HARD_CLOSED}), PeriodState.SOFT_CLOSED),
}

_OPEN: Final = frozenset({AccountState.OPEN})
_KEPT: Final = frozenset({AccountState.OPEN, AccountState.FROZEN})

ACCOUNT_STEPS: Final[Mapping[Control, tuple[frozenset[AccountState], AccountState | None]]] = {
    Control.FREEZE: (_OPEN, AccountState.FROZEN),
    Control.UNFREEZE: (frozenset({AccountState.FROZEN}), AccountState.OPEN),
    Control.CLOSE_ACCOUNT: (_OPEN, AccountState.CLOSING),
    Control.ADD_FLOOR: (_OPEN, AccountState.ADDING_FLOOR),
    Control.RESHARD: (_KEPT, None),
    Control.SET_CURRENCIES: (_KEPT, None),
    Control.CHANGE_LIMIT: (_KEPT, None),
    Control.REMOVE_FLOOR: (_KEPT, None),
}
"""From which states an operation on an account starts, and the state that its raise gives; None keeps it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operation is to bring about, where its name does not say it all."""

    shards: int | None = None
    rate: Decimal | None = None
    """Writes per second that the account is declared to take."""
    floor: Floor | None = None
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """A control operation as its document keeps it."""

    id: str
    control: Control
    target: AccountCode | Month
    version: int
    """The version that the raise gave its target; older totals of an account are retired."""
    done: bool
    request_hash: str
    terms: Terms = field(default_factory=Terms)
    refusal: Refused | None = None
    """Why it turned back, where that was decided after the raise."""


def raised(control: Control, target: Target, terms: Terms = Terms()) -> Target:
    """The target after the raise.

    Raises:
        WrongState: the operation does not start from the target's state.
        FloorCurrency: floor and currencies of the account would not go together.
    """
    if isinstance(target, Period):
        sources, period_state = PERIOD_STEPS[control]
        if target.state in sources:
            return replace(target, state=period_state, version=target.version + 1)
    else:
        starts, account_state = ACCOUNT_STEPS[control]
        if target.state in starts:
            after = replace(target, state=account_state or target.state, version=target.version + 1)
            return _on_terms(control, after, terms)
    message = f"cannot {control.value.replace('_', ' ')} from the state {target.state.value}"
    raise WrongState(message, field="state", detail={"state": target.state.value})


def _on_terms(control: Control, account: Account, terms: Terms) -> Account:
    match control:
        case Control.RESHARD:
            return replace(account, shards=_shards(account, terms), declared_rate=terms.rate)
        case Control.SET_CURRENCIES:
            if account.floor and terms.currencies and account.floor.currency not in terms.currencies:
                message = f"the account's floor is in {account.floor.currency}"
                raise FloorCurrency(message, field="currencies")
            return replace(account, currencies=terms.currencies)
        case Control.ADD_FLOOR:
            if terms.floor and not account.keeps(terms.floor.currency):
                message = f"the account keeps {', '.join(account.currencies)} only"
                raise FloorCurrency(message, field="floor")
            return account
        case Control.REMOVE_FLOOR:
            if account.floor is None:
                message = "the account has no floor"
                raise WrongState(message, field="floor", detail={"state": account.state.value})
            return replace(account, floor=None)
        case _:
            return account


def _shards(account: Account, terms: Terms) -> int:
    """As asked (docs/ledger.md, rule 14); a floored account's guard is one document anyway."""
    if account.floor:
        return 1
    asked = terms.shards or (1 if terms.rate is None else shards_for(terms.rate))
    return min(max(asked, 1), MAX_SHARDS)


def shards_for(rate: Decimal) -> int:
    """Shards that take so many sustained writes per second, as far as there may be."""
    return min(max(int((rate / SHARD_RATE).to_integral_value(ROUND_CEILING)), 1), MAX_SHARDS)


def floor_control(account: Account, floor: Floor | None) -> Control:
    """Which operation brings an account to a floor, or to none.

    Raises:
        FloorCurrency: the account has a floor in another currency, to be removed first.
    """
    if floor is None:
        return Control.REMOVE_FLOOR
    if account.floor is None:
        return Control.ADD_FLOOR
    if account.floor.currency != floor.currency:
        message = f"the account's floor is in {account.floor.currency}"
        raise FloorCurrency(message, field="floor", detail={"account": account.code})
    return Control.CHANGE_LIMIT


def target_ref(tenant: TenantId, control: Control, target: AccountCode | Month) -> Ref:
    """The document of the account or period that an operation is about."""
    return period_ref(tenant, target) if control.is_period else account_ref(tenant, target)


def to_retire(operation: Operation) -> tuple[Where, ...]:
    """Conditions of the totals that the operation retires, to be queried after the raise.

    A soft close retires regular totals, a hard close all kinds and so does the end of a year, before any
    closing entry is posted; what is about an account everything
    of it (see `below`).
    """
    live = Where("closed", "==", value=False)
    if not operation.control.is_period:
        return (live, Where("account", "==", operation.target))
    month = (live, Where("month", "==", operation.target))
    return (*month, Where("kind", "==", "regular")) if operation.control is Control.SOFT_CLOSE else month


def below(operation: Operation, document: Document) -> bool:
    """Whether a totals document is of a version that the operation ended."""
    return operation.control.is_period or cast("int", document["version"]) < operation.version


def closed_ref(live: Ref) -> Ref:
    """Where a retired totals document is kept."""
    return Ref(live.path + CLOSED)


def merged(live: Document, closed: Document | None) -> Fields:
    """The retired copy: the live sums, added to what an earlier retirement left."""
    fields = {**live.fields, "closed": True}
    return _added(fields, closed.fields) if closed else fields


def _added(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> dict[str, Value]:
    sums = dict(ours)
    for name in ("debits", "credits", "count"):
        amount = cast("int", ours.get(name, 0)) + cast("int", theirs.get(name, 0))
        if name in ours or name in theirs:
            sums[name] = amount
    days: dict[str, Value] = dict(cast("Fields", ours.get("d", {})))
    for day, bucket in cast("Fields", theirs.get("d", {})).items():
        days[day] = _added(cast("Fields", days.get(day, {})), cast("Fields", bucket))
    if days:
        sums["d"] = days
    return sums
