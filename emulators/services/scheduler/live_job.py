"""A job at work: it waits for its next instant, runs once however many it slept through, and retries if told to.

A job never runs twice at the same time: an instant that comes during a run waits for its end.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import scheduler_v1

from emulators.services.backoff import Backoff
from emulators.services.grpc_server import Message
from emulators.services.oidc import Issuer
from emulators.services.outcalls import Answer, Outcall, passed_headers
from emulators.services.rpc_status import rpc_code
from emulators.services.scheduler.calendar import Calendar
from emulators.services.world import World

USER_AGENT = "Google-Cloud-Scheduler"
State = scheduler_v1.Job.State


@dataclass(slots=True)
class Tally:
    """How the job's attempts went since the process started."""

    dispatched: int = 0
    succeeded: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution under way: for which instant, since when, after how many failed attempts."""

    for_instant: datetime
    begun_at: datetime
    failures: int = 0


class LiveJob:
    """One job, its next instant and its run under way."""

    def __init__(self, message: Message, world: World) -> None:
        """A job as described by a complete `Job` message."""
        self.message = message
        self.tally = Tally()
        self._world = world
        self._attempt: asyncio.Task[Any] | None = None
        self._again: Run | None = None
        self._next_at: datetime | None = None
        self._alarm = world.alarms.new(self.pump)

    @property
    def running(self) -> int:
        """Attempts under way: none or one."""
        return int(self._attempt is not None)

    def due(self, now: datetime) -> int:
        """Whether an instant has come and the run has not begun: 0 or 1."""
        wanted = self._wanted_at()
        return int(not self.running and wanted is not None and wanted <= now)

    def plan(self) -> None:
        """Look up the next instant anew: after a change, and after each run."""
        message, now = self.message, self._world.clock.now()
        self._next_at = None
        message.ClearField("schedule_time")
        if message.state == State.ENABLED:
            self._next_at = self._calendar().after(now)
            message.schedule_time.FromDatetime(self._next_at)
        self._set_alarm()

    def run_now(self) -> None:
        """Run at once, whatever the calendar and the state say; a run under way is left alone."""
        now = self._world.clock.now()
        if not self.running:
            self._start(Run(now, now))

    def close(self) -> None:
        """Stop for good."""
        self._world.alarms.drop(self._alarm)
        if self._attempt:
            self._attempt.cancel()

    def pump(self) -> None:
        """Start what is due, and set the alarm for the next moment."""
        now = self._world.clock.now()
        if self.due(now):
            self._start(self._next_run(now))
        self._set_alarm()

    def _next_run(self, now: datetime) -> Run:
        if self._next_at and self._next_at <= now:
            instant = self._calendar().latest(now)
            self._next_at = self._calendar().after(now)
            self.message.schedule_time.FromDatetime(self._next_at)
            return Run(instant, now)
        return self._again or Run(now, now)

    def _wanted_at(self) -> datetime | None:
        instants = [self._retry_at(self._again)] if self._again else []
        instants += [self._next_at] if self._next_at else []
        return min(instants, default=None)

    def _set_alarm(self) -> None:
        wanted = self._wanted_at()
        if wanted is None or self.running:
            self._alarm.clear()
        else:
            self._alarm.set(wanted)

    def _start(self, run: Run) -> None:
        self._again = None
        self.tally.dispatched += 1
        now = self._world.clock.now()
        self.message.last_attempt_time.FromDatetime(now)
        outcall = outcall_for(self.message, run.for_instant, self._world.issuer)
        self._attempt = asyncio.create_task(self._world.outcalls.send(outcall))
        self._attempt.add_done_callback(lambda done: self._finish(run, done))

    def _finish(self, run: Run, attempt: "asyncio.Task[Answer]") -> None:
        self._attempt = None
        if attempt.cancelled():
            return
        answer = attempt.result()
        self.message.status.code = rpc_code(answer.status)
        self.message.status.message = "" if answer.is_success else f"HTTP status code {answer.status}"
        if answer.is_success:
            self.tally.succeeded += 1
        else:
            self.tally.failed += 1
            self._again = self._retry_of(run)
        self.pump()

    def _retry_of(self, run: Run) -> Run | None:
        retries, now = self.message.retry_config, self._world.clock.now()
        limit = retries.max_retry_duration.ToTimedelta()
        is_over_time = not limit or now - run.begun_at >= limit
        if run.failures >= retries.retry_count and is_over_time:
            return None
        return Run(run.for_instant, run.begun_at, run.failures + 1)

    def _retry_at(self, run: Run) -> datetime:
        retries = self.message.retry_config
        backoff = Backoff(
            retries.min_backoff_duration.ToTimedelta(),
            retries.max_backoff_duration.ToTimedelta(),
            retries.max_doublings,
        )
        last: datetime = self.message.last_attempt_time.ToDatetime(UTC)
        return last + backoff.delay(run.failures)

    def _calendar(self) -> Calendar:
        return Calendar.read(self.message.schedule, self.message.time_zone)


def outcall_for(job: Message, instant: datetime, issuer: Issuer) -> Outcall:
    """The request of a job's attempt for the calendar's `instant`."""
    target = job.http_target
    headers = passed_headers(target.headers) | {
        "User-Agent": USER_AGENT,
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": job.name.rpartition("/")[2],
        "X-CloudScheduler-ScheduleTime": rfc3339(instant),
    }
    if target.body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/octet-stream"
    if target.HasField("oidc_token"):
        token = target.oidc_token
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = f"Bearer {issuer.token(token.service_account_email, token.audience or target.uri)}"
    method = scheduler_v1.HttpMethod(target.http_method).name
    deadline: timedelta = job.attempt_deadline.ToTimedelta()
    return Outcall(method, target.uri, headers, target.body, deadline)


def rfc3339(instant: datetime) -> str:
    """An instant as RFC 3339 in UTC, to the second, with Z."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
