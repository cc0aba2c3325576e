"""The states that payments, refunds, disputes and payouts go through: one table each, and what an event means in them.

Partners' events come late, twice and in any order. An event is news when it leads on from the state that is known; it
waits when the one before it has still to come; else it is stale, for the state is past it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

from shared.payments.model import EventKind, EventState, PartnerEvent, Stage, Thing

Steps: TypeAlias = Mapping[Stage | None, Mapping[EventKind, Stage]]
"""From each stage, None before the first, the stage that an event of each kind leads to."""

PAYMENT: Final[Steps] = {
    None: {
        EventKind.PAYMENT_PENDING: Stage.PENDING,
        EventKind.PAYMENT_FAILED: Stage.FAILED,
        EventKind.PAYMENT_SUCCEEDED: Stage.SUCCEEDED,
    },
    Stage.PENDING: {EventKind.PAYMENT_FAILED: Stage.FAILED, EventKind.PAYMENT_SUCCEEDED: Stage.SUCCEEDED},
    Stage.FAILED: {EventKind.PAYMENT_SUCCEEDED: Stage.SUCCEEDED},  # the payer tries again
    Stage.SUCCEEDED: {EventKind.PAYMENT_REVERSED: Stage.REVERSED},
    Stage.REVERSED: {},
}
REFUND: Final[Steps] = {
    None: {EventKind.REFUND_SUCCEEDED: Stage.SUCCEEDED},
    Stage.SUCCEEDED: {EventKind.REFUND_FAILED: Stage.FAILED},
    Stage.FAILED: {},
}
DISPUTE: Final[Steps] = {
    None: {EventKind.DISPUTE_OPENED: Stage.OPEN},
    Stage.OPEN: {EventKind.DISPUTE_WON: Stage.WON, EventKind.DISPUTE_LOST: Stage.LOST},
    Stage.WON: {EventKind.DISPUTE_LOST: Stage.LOST},  # the payer's bank disputes it a second time
    Stage.LOST: {},
}
PAYOUT: Final[Steps] = {
    None: {EventKind.PAYOUT_PAID: Stage.PAID},
    Stage.PAID: {EventKind.PAYOUT_FAILED: Stage.FAILED},
    Stage.FAILED: {},
}

TABLES: Final[Mapping[Thing, Steps]] = {
    Thing.PAYMENT: PAYMENT,
    Thing.REFUND: REFUND,
    Thing.DISPUTE: DISPUTE,
    Thing.PAYOUT: PAYOUT,
}

THING: Final[Mapping[EventKind, Thing]] = {
    kind: thing for thing, steps in TABLES.items() for ends in steps.values() for kind in ends
} | {EventKind.PAYMENT_REFUNDED: Thing.PAYMENT}
"""What an event of each kind is about; the others are nothing for the books."""


def first_state(event: PartnerEvent) -> EventState:
    """What becomes of an event when it is stored: what is for the books is received, all else is kept."""
    if event.kind is EventKind.UNREADABLE:
        return EventState.QUARANTINED
    return EventState.RECEIVED if can_be_applied(event) or wants_the_truth(event) else EventState.KEPT


def wants_the_truth(event: PartnerEvent) -> bool:
    """Whether an event is for the books and says what it is about, but not how much: its partner is asked first."""
    thing = THING.get(event.kind)
    named = event.payment if thing is Thing.PAYMENT else event.object
    return thing is not None and event.money is None and bool(named)


def can_be_applied(event: PartnerEvent) -> bool:
    """Whether an event is for the books, and says which payment or object it is about and how much."""
    thing = THING.get(event.kind)
    if thing is None or event.money is None:
        return False
    if event.kind in _OBJECT_SAYS_IT:
        return bool(event.object)
    return bool(event.payment and (event.object or thing is Thing.PAYMENT))


_OBJECT_SAYS_IT: Final = frozenset(
    {EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST, EventKind.PAYOUT_PAID, EventKind.PAYOUT_FAILED}
)
"""Kinds whose object is enough: a payout is of no payment, and a dispute's payment is known since it was opened."""


class Meaning(Enum):
    """What an event is where it leads nowhere."""

    WAITS = "waits"
    STALE = "stale"


def step(steps: Steps, stage: Stage | None, kind: EventKind) -> Stage | Meaning:
    """The stage that an event leads to from the one that is known; or that it waits, or is stale."""
    if kind in steps[stage]:
        return steps[stage][kind]
    later = any(kind in steps[after] for after in _after(steps, stage))
    return Meaning.WAITS if later else Meaning.STALE


def _after(steps: Steps, stage: Stage | None) -> set[Stage]:
    """All stages that can still come."""
    found: set[Stage] = set()
    ahead = list(steps[stage].values())
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += steps[one].values()
    return found
