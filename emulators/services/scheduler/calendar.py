"""When a cron line fires, in the local time of its zone. Pure.

Where clocks change, a local time that is skipped fires at the moment of the change, and one that
happens twice fires twice: https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules
("Daylight saving time") advises to expect just that.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import CroniterError, croniter

from emulators.services.declined import invalid

UNIX_FIELDS = 5
SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A unix cron line and an IANA time zone."""

    cron: str
    zone: ZoneInfo

    @classmethod
    def read(cls, cron: str, zone: str) -> "Calendar":
        """A calendar from a job's `schedule` and `time_zone`.

        Raises:
            Declined: INVALID_ARGUMENT; not five fields of cron, no such zone, or a date that never comes.
        """
        if len(cron.split()) != UNIX_FIELDS or not croniter.is_valid(cron):
            message = f"Schedule or time zone is invalid: '{cron}' is no unix-cron line."
            raise invalid(message)
        try:
            calendar = cls(cron, ZoneInfo(zone))
        except (KeyError, ValueError, OSError) as unknown:
            message = f"Schedule or time zone is invalid: '{zone}' is no zone."
            raise invalid(message) from unknown
        calendar.after(SOME_DAY)  # a date that never comes is refused here
        return calendar

    def after(self, instant: datetime) -> datetime:
        """The first instant (UTC) later than `instant` at which it fires."""
        return self._step(instant, is_forward=True)

    def latest(self, instant: datetime) -> datetime:
        """The last instant (UTC) not later than `instant` at which it fired."""
        before = self._step(instant, is_forward=False)
        following = self.after(before)
        return following if following <= instant else before

    def _step(self, instant: datetime, *, is_forward: bool) -> datetime:
        steps = croniter(self.cron, instant.astimezone(self.zone))
        try:
            found = steps.get_next(datetime) if is_forward else steps.get_prev(datetime)
        except CroniterError as never:
            message = f"Schedule or time zone is invalid: '{self.cron}' never fires."
            raise invalid(message) from never
        local: datetime = found
        return local.astimezone(UTC)
