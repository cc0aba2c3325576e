"""How long a failed attempt waits: Cloud Tasks' and Cloud Scheduler's one formula."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """From `minimum`, doubling `doublings` times, then growing by 2^doublings x minimum, never above `maximum`.

    Source: google.cloud.tasks.v2.RetryConfig.max_doublings, whose example is
    10 s, 300 s, 3: 10, 20, 40, 80, 160, 240, 300, 300.
    """

    minimum: timedelta
    maximum: timedelta
    doublings: int

    def delay(self, retry: int) -> timedelta:
        """The wait before a retry; the first is number 1."""
        doubled = min(retry - 1, self.doublings)
        linear = max(retry - self.doublings, 1)
        if self.minimum and doubled >= (self.maximum // self.minimum).bit_length():
            return self.maximum
        return min(self.minimum * ((1 << doubled) * linear), self.maximum)
