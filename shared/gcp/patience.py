"""How long to wait for an answer, and how long between two questions: time and chance of every adapter."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from secrets import SystemRandom
from typing import Final

_chance: Final = SystemRandom()


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds in seconds. Waiting and chance are fields, so that a test decides both.

    A call waits `call_seconds` (docs/ledger.md, rule 13: at most 5); all calls of one question together
    `total_seconds`, which stays below every door's timeout in the catalogue.
    """

    call_seconds: float = 5.0
    total_seconds: float = 20.0
    first_pause_seconds: float = 0.01
    longest_pause_seconds: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _chance.random
    """Uniform in [0, 1)."""
    monotonic: Callable[[], float] = time.monotonic

    def start(self) -> "Deadline":
        """Begin to wait."""
        return Deadline(self, self.monotonic() + self.total_seconds)


@dataclass(slots=True)
class Deadline:
    """The time one question has; pauses double, with full jitter, so that rivals do not meet again."""

    patience: Patience
    ends_at: float
    pauses: int = 0

    def left_seconds(self) -> float:
        """Seconds for the next call."""
        return min(self.patience.call_seconds, self.ends_at - self.patience.monotonic())

    def pause(self) -> bool:
        """Wait before asking again; False when there is no time left for it."""
        patience = self.patience
        longest = min(patience.longest_pause_seconds, patience.first_pause_seconds * 2**self.pauses)
        self.pauses += 1
        seconds = patience.jitter() * longest
        if patience.monotonic() + seconds >= self.ends_at:
            return False
        patience.sleep(seconds)
        return True
