"""What goes wrong: a menu of faults, of which each seed takes some, each as often as its own chance says."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from random import Random  # noqa: TID251 - seeded by the world
from typing import Final


class Fault(Enum):
    """One thing that goes wrong."""

    # in a call to the store, the key service, the queue or the bus
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "applied, answer lost"
    LATE = "applied after the caller has read again"
    TWICE = "sent twice by the library"
    SLOW = "slow"
    STALE = "snapshot that misses a commit on its way"
    KILLED = "handler killed before a call"
    KILLED_AFTER = "handler killed after a call"
    OUTAGE = "service out"
    # on the way to a handler
    TASK_TWICE = "task twice, at once or later"
    TASK_HOURS_LATE = "task hours late"
    NAME_FORGOTTEN = "task name forgotten"
    EXHAUSTED = "attempts exhausted"
    EVENT_TWICE = "event twice"
    EVENT_LATE = "event late, behind younger ones"
    EVENT_DEAD = "event dead-lettered"
    REQUEST_TWICE = "request twice, at once or later"
    SWEEP_MISSED = "firing of a schedule missed"
    # of partners
    WEBHOOK_TWICE = "webhook twice"
    WEBHOOK_LATE = "webhook late, behind younger ones"
    WEBHOOK_OLD = "webhook 30 days late"
    WEBHOOK_STALE = "webhook with an old signature"
    WEBHOOK_FORGED = "webhook forged"
    WEBHOOK_HALF_FORGED = "batch half forged"
    # of tenants' own systems, which are told by webhooks
    RECEIVER_FAILS = "receiver fails"
    RECEIVER_BUSY = "receiver asks for time"
    RECEIVER_HANGS = "receiver hears and hangs"
    RECEIVER_DOWN = "receiver down, for minutes or days"
    RECEIVER_GONE = "receiver gone for good"
    # of the platform
    CLOCK = "clock of an instance wrong"
    RESTART = "instance replaced"
    ROTATION = "key rotated"
    SECRET = "webhook secret switched"  # noqa: S105 - a fault's name
    VERSIONS = "two versions of the code at once"


CALLS: Final[Mapping[str, tuple[Fault, ...]]] = {
    "Commit": (
        Fault.REQUEST_LOST,
        Fault.ANSWER_LOST,
        Fault.LATE,
        Fault.TWICE,
        Fault.SLOW,
        Fault.KILLED,
        Fault.KILLED_AFTER,
    ),
    "RunQuery": (Fault.REQUEST_LOST, Fault.SLOW, Fault.KILLED),
    "RunAggregationQuery": (Fault.REQUEST_LOST, Fault.SLOW, Fault.KILLED),
    "BatchGetDocuments": (Fault.REQUEST_LOST, Fault.SLOW, Fault.KILLED),
    "BeginTransaction": (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.KILLED_AFTER),
    "Rollback": (Fault.REQUEST_LOST, Fault.KILLED),
    "CreateTask": (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.TWICE, Fault.KILLED, Fault.KILLED_AFTER),
    "Publish": (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.TWICE, Fault.KILLED, Fault.KILLED_AFTER),
    "Post": (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.SLOW, Fault.KILLED, Fault.KILLED_AFTER),
    "Encrypt": (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.SLOW, Fault.KILLED),
    "Decrypt": (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.SLOW, Fault.KILLED),
    "GetPublicKey": (Fault.REQUEST_LOST, Fault.KILLED),
    "ListSecretVersions": (Fault.REQUEST_LOST, Fault.SLOW, Fault.KILLED),
    "AccessSecretVersion": (Fault.REQUEST_LOST, Fault.SLOW, Fault.KILLED),
    "CreateRefund": (
        Fault.REQUEST_LOST,
        Fault.ANSWER_LOST,
        Fault.LATE,
        Fault.TWICE,
        Fault.SLOW,
        Fault.KILLED,
        Fault.KILLED_AFTER,
    ),
    "GetRefund": (Fault.REQUEST_LOST, Fault.SLOW, Fault.KILLED),
    "Sign": (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.KILLED, Fault.KILLED_AFTER),
}
"""What can go wrong with a call, by its verb."""

CHANCES: Final = (0.004, 0.01, 0.03)
"""How often a chosen fault happens where it can, of which each seed draws one a fault."""


CHOSEN: Final = 0.6
"""Part of the faults that a seed takes."""


@dataclass
class Menu:
    """The faults of one seed: `chances` by fault, none while the world heals."""

    random: Random
    chances: dict[Fault, float] = field(default_factory=dict)
    happened: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    healed: bool = False
    allowed: frozenset[int] | None = None
    """Ordinal numbers of the faults that may still happen, for shrinking; None for all."""
    drawn: int = 0
    script: list[tuple[int, str, Fault]] = field(default_factory=list)

    def strike(self, where: str, fault: Fault) -> bool:
        """Whether a fault happens here and now."""
        chance = self.chances.get(fault, 0.0)
        if self.healed or not chance or self.random.random() >= chance:
            return False
        return self.take(where, fault)

    def take(self, where: str, fault: Fault) -> bool:
        """A fault that is planned for this moment, unless it is left out; it gets its number."""
        self.drawn += 1
        if self.allowed is not None and self.drawn not in self.allowed:
            return False
        self.happened[where, fault] += 1
        self.script.append((self.drawn, where, fault))
        return True

    def of_call(self, where: str, verb: str) -> Fault | None:
        """What goes wrong with a call, if anything does."""
        return next((fault for fault in CALLS[verb] if self.strike(where, fault)), None)


RARE: Final = frozenset(
    {
        Fault.CLOCK,
        Fault.VERSIONS,
        Fault.RESTART,
        Fault.STALE,
        *(one for one in Fault if one.name.startswith(("TASK", "EVENT"))),
        Fault.EXHAUSTED,
        *(one for one in Fault if one.name.startswith("WEBHOOK")),
        *(one for one in Fault if one.name.startswith("RECEIVER")),
    }
)
"""What can only happen a few times in a day, and so happens more often each time it can."""


def a_menu(random: Random) -> Menu:
    """A random part of the faults, each with a chance of its own."""
    chosen = [fault for fault in Fault if random.random() < CHOSEN]
    return Menu(random, {fault: random.choice(CHANCES) * (10 if fault in RARE else 1) for fault in chosen})
