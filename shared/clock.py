"""Time is an argument: this is the one place that reads it.

Production reads the system's clock. The local cloud shares one settable clock, a small file
holding an offset, so that doors, task schedules, cron and signers all move together.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The current instant, in UTC with microseconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The machine's current instant."""
        return datetime.now(UTC)


class SettableClock:
    """The machine's clock plus an offset kept in a file that several processes read.

    The file holds microseconds as a decimal integer; a missing or empty file means no offset.
    """

    def __init__(self, path: Path) -> None:
        """Share the clock kept at `path`."""
        self._path = path
        self._stamp: tuple[int, int] = (0, 0)
        self._offset = timedelta()

    def now(self) -> datetime:
        """The shared instant."""
        return datetime.now(UTC) + self.offset()

    def offset(self) -> timedelta:
        """How far the shared clock is ahead of the machine's; re-read only when the file was replaced."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - half the cost of Path.stat, on every request
        except FileNotFoundError:
            return timedelta()
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            text = self._path.read_text(encoding="ascii").strip()
            self._offset, self._stamp = timedelta(microseconds=int(text or 0)), stamp
        return self._offset

    def set(self, instant: datetime) -> None:
        """Make the shared clock read `instant` now."""
        offset = instant - datetime.now(UTC)
        self._write(offset)

    def advance(self, by: timedelta) -> datetime:
        """Move the shared clock forward and return the new instant.

        Raises:
            ValueError: `by` is negative; the local cloud's time never runs backwards.
        """
        if by < timedelta():
            message = "the clock only moves forward"
            raise ValueError(message)
        self._write(self.offset() + by)
        return self.now()

    def _write(self, offset: timedelta) -> None:
        microseconds = offset // timedelta(microseconds=1)
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        draft.write_text(str(microseconds), encoding="ascii")
        draft.replace(self._path)
