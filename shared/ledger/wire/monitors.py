"""Balance monitors on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from shared.identity import StoredId
from shared.ledger.rules.monitors import Direction, Measure, Monitor, MonitorState, Watch
from shared.ledger.wire.entries import AccountCode, Reference
from shared.money import Money
from shared.wire import AmountMinor, Currency, Wire


class NewMonitor(Wire):
    """What to watch: `measure` of an account in a currency, on its normal side, gone `direction` of an amount."""

    account: AccountCode
    currency: Currency
    measure: Measure
    direction: Direction
    amount: AmountMinor
    reference: Reference = ""

    def watch(self) -> Watch:
        """The watch asked for."""
        return Watch(self.account, self.measure, self.direction, Money(self.amount, self.currency), self.reference)


class MonitorPath(Wire):
    """The monitor in the path."""

    id: Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]

    @property
    def monitor_id(self) -> StoredId:
        """Its id."""
        return StoredId(self.id)


class MonitorAnswer(Wire):
    """A monitor: what it watches, how often it was seen beyond, and what was seen last and of which instant."""

    id: str
    account: str
    currency: str
    measure: Measure
    direction: Direction
    amount: int
    reference: str
    state: MonitorState
    version: int
    crossings: int
    figure: int | None
    seen_at: datetime | None

    @classmethod
    def of(cls, monitor: Monitor) -> Self:
        """The monitor on the wire."""
        watch, seen = monitor.watch, monitor.seen
        return cls(
            id=monitor.id,
            account=watch.account,
            currency=watch.amount.currency,
            measure=watch.measure,
            direction=watch.direction,
            amount=watch.amount.amount,
            reference=watch.reference,
            state=monitor.state,
            version=monitor.version,
            crossings=monitor.crossings,
            figure=seen.figure if seen else None,
            seen_at=seen.at if seen else None,
        )


class WatchTask(Wire):
    """The minute whose look is asked for."""

    minute: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$")]
