"""Things that happen at an instant of the settable clock, even when that clock jumps.

An alarm is a timer of the event loop; a watch looks at the clock's offset every 50 ms and sets
all timers anew when it moved, so a jump wakes whatever it made due.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.clock import Clock, SettableClock

LOOK_SECONDS = 0.05
SHORTEST_SECONDS = 0.001
LONGEST_SECONDS = 86_400.0


class Alarm:
    """One callback at one instant; setting it again moves it."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        """An alarm that is not set."""
        self._clock = clock
        self._ring = ring
        self._instant: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, instant: datetime) -> None:
        """Ring at `instant`; at once (from the event loop) when that has passed."""
        if instant != self._instant or self._timer is None:
            self.clear()
            self._instant = instant
            self.wind()

    def clear(self) -> None:
        """Do not ring."""
        self._instant = None
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def wind(self) -> None:
        """Measure the time left anew."""
        if self._instant is None:
            return
        if self._timer:
            self._timer.cancel()
        left = (self._instant - self._clock.now()).total_seconds()
        seconds = min(max(left, SHORTEST_SECONDS), LONGEST_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._instant and self._clock.now() < self._instant:
            self.wind()
            return
        self._instant = None
        self._ring()


class Alarms:
    """All alarms of the process, and the watch over the clock that they follow."""

    def __init__(self, clock: Clock) -> None:
        """No alarms yet."""
        self._clock = clock
        self._alarms: dict[int, Alarm] = {}

    def new(self, ring: Callable[[], None]) -> Alarm:
        """An alarm, not set, that the watch will keep right until it is dropped."""
        alarm = Alarm(self._clock, ring)
        self._alarms[id(alarm)] = alarm
        return alarm

    def drop(self, alarm: Alarm) -> None:
        """Clear an alarm and forget it."""
        alarm.clear()
        self._alarms.pop(id(alarm), None)

    async def watch(self) -> None:
        """Follow the clock until cancelled."""
        if not isinstance(self._clock, SettableClock):
            return
        known = timedelta()
        while True:
            offset = self._clock.offset()
            if offset != known:
                known = offset
                for alarm in list(self._alarms.values()):
                    alarm.wind()
            await asyncio.sleep(LOOK_SECONDS)
