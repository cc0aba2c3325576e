"""Control operations: what may be closed or frozen from which state, and which totals that retires.

A control operation first raises its target's version and state in one commit, then retires every
live totals document that could still permit a posting, and only then answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeAlias, cast

from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, AccountState, Month, Period, PeriodState
from shared.ledger.records import CLOSED, account_ref, period_ref
from shared.ledger.refusals import WrongState
from shared.ports import Document, Fields, Ref, Value, Where

Target: TypeAlias = Account | Period


class Control(Enum):
    """The operations that stop or resume postings."""

    SOFT_CLOSE = "soft_close"
    HARD_CLOSE = "hard_close"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"

    @property
    def is_period(self) -> bool:
        """Whether it is about a month rather than an account."""
        return self in {Control.SOFT_CLOSE, Control.HARD_CLOSE}

    @property
    def retires(self) -> bool:
        """Whether totals are retired; unfreezing re-creates nothing, the slow path does."""
        return self is not Control.UNFREEZE


PERIOD_STEPS: Final[Mapping[Control, tuple[frozenset[PeriodState], PeriodState]]] = {
    Control.SOFT_CLOSE: (frozenset({PeriodState.OPEN}), PeriodState.SOFT_CLOSED),
    Control.HARD_CLOSE: (frozenset({PeriodState.OPEN, PeriodState.SOFT_CLOSED}), PeriodState.HARD_CLOSED),
}

ACCOUNT_STEPS: Final[Mapping[Control, tuple[AccountState, AccountState]]] = {
    Control.FREEZE: (AccountState.OPEN, AccountState.FROZEN),
    Control.UNFREEZE: (AccountState.FROZEN, AccountState.OPEN),
}


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


def raised(control: Control, target: Target) -> Target:
    """The target after the raise.

    Raises:
        WrongState: the operation does not start from the target's state.
    """
    version = target.version + 1
    if isinstance(target, Period):
        sources, period_state = PERIOD_STEPS[control]
        if target.state in sources:
            return replace(target, state=period_state, version=version)
    else:
        source, account_state = ACCOUNT_STEPS[control]
        if target.state is source:
            return replace(target, state=account_state, version=version)
    message = f"cannot {control.value.replace('_', ' ')} from the state {target.state.value}"
    raise WrongState(message, field="state", detail={"state": target.state.value})


def target_ref(tenant: TenantId, control: Control, target: AccountCode | Month) -> Ref:
    """The document of the account or period that an operation is about."""
    return period_ref(tenant, target) if control.is_period else account_ref(tenant, target)


def to_retire(operation: Operation) -> tuple[Where, ...]:
    """Conditions of the totals that the operation retires, to be queried after the raise.

    A soft close retires regular totals, a hard close both kinds; a freeze everything of the
    account (see `below`).
    """
    live = Where("closed", "==", value=False)
    match operation.control:
        case Control.SOFT_CLOSE:
            return (live, Where("month", "==", operation.target), Where("kind", "==", "regular"))
        case Control.HARD_CLOSE:
            return (live, Where("month", "==", operation.target))
        case Control.FREEZE | Control.UNFREEZE:
            return (live, Where("account", "==", operation.target))


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
