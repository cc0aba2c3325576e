"""Time passes in the local cloud: the clock moves on, and what that makes due comes to its end."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from emulators.addresses import fetch
from emulators.cloud import LocalCloud
from emulators.processes import CloudFault

IDLE_SECONDS: Final = 120.0
"""How long work under way may take, on the machine's clock."""

ROUNDS_A_DAY: Final = 4
"""Retries waited for in the evening: what still waits then waits for something of another day."""

ROUNDS_AT_THE_END: Final = 60
SWEEP_EVERY: Final = timedelta(minutes=10)
"""A step that makes every sweep of the catalogue due."""


class Passing:
    """The local cloud's clock in the driver's hand."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Move this cloud's clock."""
        self._cloud, self._clock = cloud, cloud.clock

    def to(self, day: date, hour: int) -> None:
        """It becomes this hour (UTC) of this day, unless it is later already."""
        instant = datetime.combine(day, time(hour), UTC)
        if instant > self._clock.now():
            self._clock.set(instant)
        self._cloud.tend()

    def on(self) -> None:
        """Long enough for every sweep to look again."""
        self._clock.advance(SWEEP_EVERY)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is due or running, retries of the next minutes included."""
        for _ in range(ROUNDS_A_DAY):
            if not self._wait_for_next():
                return

    def come_to_rest(self) -> None:
        """Wait until no task is left at all.

        Raises:
            CloudFault: some task is retried again and again.
        """
        for _ in range(ROUNDS_AT_THE_END):
            if not self._wait_for_next():
                return
        message = f"tasks are retried without end: {self.idleness()['tasks']}"
        raise CloudFault(message)

    def idleness(self) -> dict[str, Any]:
        """What waits and runs, as our services count it."""
        counts: dict[str, Any] = json.loads(fetch(f"{self._cloud.services_url}/admin/idle") or b"{}")
        return counts

    def _wait_for_next(self) -> bool:
        """Wait until idle; if a task waits for its retry, make it due. False when none waits."""
        self._cloud.wait_until_idle(IDLE_SECONDS)
        next_due_at = self.idleness().get("next_due_at")
        if next_due_at is None:
            return False
        ahead = datetime.fromisoformat(next_due_at) - self._clock.now()
        self._clock.advance(max(ahead, timedelta()))
        self._cloud.wait_until_idle(IDLE_SECONDS)
        return True
