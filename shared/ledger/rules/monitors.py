"""A monitor watches one figure of an account and tells, once, when it is seen beyond an amount.

    armed --seen beyond--> crossed (announced)
    crossed --seen back--> armed
    armed, crossed --end--> ended

What counts is what was seen: a balance that went beyond and came back between two looks was not.
Every look is written down, so that an older one that comes late changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final, cast

from shared.identity import StoredId, TenantId
from shared.ledger.model import AccountCode
from shared.ledger.refusals import MonitorEnded, TooManyMonitors
from shared.ledger.rules.balances import AccountBalance
from shared.limits import MONITORS
from shared.money import Money
from shared.ports import Document, Fields, Ref, Value, tenant_ref

COLLECTION: Final = "monitors"


class Measure(Enum):
    """What is watched: all that is posted, whatever its day, or that less what holds would take."""

    BALANCE = "balance"
    AVAILABLE = "available"


class Direction(Enum):
    """On which side of the amount a figure is beyond it; the amount itself is not."""

    BELOW = "below"
    ABOVE = "above"


class MonitorState(Enum):
    """Armed and crossed are watched; ended is for ever."""

    ARMED = "armed"
    CROSSED = "crossed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched: a figure of an account, on its normal side, in one currency, against an amount."""

    account: AccountCode
    measure: Measure
    direction: Direction
    amount: Money
    reference: str = ""

    def figure(self, balance: AccountBalance) -> int:
        """What is compared, minor units."""
        return balance.amount if self.measure is Measure.BALANCE else balance.available

    def beyond(self, figure: int) -> bool:
        """Whether a figure is on the far side of the amount."""
        amount = self.amount.amount
        return figure < amount if self.direction is Direction.BELOW else figure > amount


@dataclass(frozen=True, slots=True)
class Look:
    """A figure, minor units, and the store's instant of which it is."""

    figure: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Monitor:
    """A watch and what was seen last; `crossings` counts those that were announced."""

    id: StoredId
    watch: Watch
    state: MonitorState = MonitorState.ARMED
    version: int = 1
    crossings: int = 0
    seen: Look | None = None

    def looked(self, look: Look) -> "Monitor":
        """After a look; itself when it has ended, or has seen as late a one."""
        if self.state is MonitorState.ENDED or (self.seen is not None and look.at <= self.seen.at):
            return self
        state = MonitorState.CROSSED if self.watch.beyond(look.figure) else MonitorState.ARMED
        crossed = state is MonitorState.CROSSED and self.state is MonitorState.ARMED
        return replace(self, state=state, version=self.version + 1, crossings=self.crossings + crossed, seen=look)

    def ended(self) -> "Monitor":
        """After its end.

        Raises:
            MonitorEnded: it has ended.
        """
        if self.state is MonitorState.ENDED:
            message = "the monitor has ended"
            raise MonitorEnded(message, field="id")
        return replace(self, state=MonitorState.ENDED, version=self.version + 1)


def one_more(live: int) -> int:
    """The number of monitors that are watched, with another one.

    Raises:
        TooManyMonitors: one look can take no more.
    """
    if live >= MONITORS:
        message = f"at most {MONITORS} monitors are watched: end one first"
        raise TooManyMonitors(message)
    return live + 1


# --- documents ---------------------------------------------------------------------------


def monitor_ref(tenant: TenantId, monitor_id: StoredId) -> Ref:
    """A monitor, watched or ended."""
    return tenant_ref(tenant, COLLECTION, monitor_id)


def watched_ref(tenant: TenantId) -> Ref:
    """How many monitors are watched: what bounds them."""
    return tenant_ref(tenant, "counts", COLLECTION)


def write_monitor(monitor: Monitor) -> dict[str, Value]:
    """The whole document of a new monitor."""
    watch = monitor.watch
    return {
        "schema": 1,
        "account": watch.account,
        "measure": watch.measure.value,
        "direction": watch.direction.value,
        "amount": watch.amount.amount,
        "currency": watch.amount.currency,
        "reference": watch.reference,
        **write_progress(monitor),
    }


def write_progress(monitor: Monitor) -> dict[str, Value]:
    """What changes in a monitor's life; `watched` is what a look asks for."""
    return {
        "state": monitor.state.value,
        "watched": monitor.state is not MonitorState.ENDED,
        "version": monitor.version,
        "crossings": monitor.crossings,
        "seen": {"figure": monitor.seen.figure, "at": monitor.seen.at} if monitor.seen else None,
    }


def read_monitor(document: Document) -> Monitor:
    """The monitor that a document keeps."""
    fields = document.fields
    seen = cast("Mapping[str, Value] | None", fields["seen"])
    return Monitor(
        StoredId(document.ref.key),
        _watch(fields),
        MonitorState(fields["state"]),
        cast("int", fields["version"]),
        cast("int", fields["crossings"]),
        Look(cast("int", seen["figure"]), cast("datetime", seen["at"])) if seen else None,
    )


def _watch(fields: Fields) -> Watch:
    return Watch(
        cast("str", fields["account"]),
        Measure(fields["measure"]),
        Direction(fields["direction"]),
        Money(cast("int", fields["amount"]), cast("str", fields["currency"])),
        cast("str", fields["reference"]),
    )
