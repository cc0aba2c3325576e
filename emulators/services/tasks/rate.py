"""A queue's token bucket, kept as one instant: when the next dispatch would be due at an even pace.

The generic cell rate algorithm (ITU-T I.371): the same as a bucket of `burst` tokens refilled at
`per_second`, without counting tokens.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """So many dispatches a second, and so many at once after a rest."""

    per_second: Fraction
    burst: int

    @property
    def interval(self) -> timedelta:
        """The time between two dispatches at an even pace."""
        return timedelta(microseconds=int(MICROSECONDS / self.per_second))

    def slack(self) -> timedelta:
        """How far ahead of the even pace a burst may run."""
        return self.interval * (self.burst - 1)


class Bucket:
    """What a pace leaves at each moment."""

    def __init__(self) -> None:
        """A full bucket."""
        self._even = datetime.min.replace(tzinfo=UTC)

    def next_at(self, pace: Pace) -> datetime:
        """The earliest instant at which `take` succeeds."""
        earliest = datetime.min.replace(tzinfo=UTC)
        return self._even - pace.slack() if self._even - earliest > pace.slack() else earliest

    def take(self, pace: Pace, now: datetime) -> bool:
        """Take one token, if there is one."""
        if self.next_at(pace) > now:
            return False
        self._even = max(self._even, now) + pace.interval
        return True
