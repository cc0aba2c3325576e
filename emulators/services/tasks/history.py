"""What has happened to a task so far, and what that means for its next attempt. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from emulators.services.backoff import Backoff
from emulators.services.outcalls import Answer

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class History:
    """A task's attempts. `executions` leaves out those that ended in a 5xx; `previous` is the last status."""

    attempts: int = 0
    executions: int = 0
    responses: int = 0
    first_attempt_at: datetime | None = None
    previous: int | None = None

    def dispatched(self, now: datetime) -> "History":
        """With one more attempt, begun at `now`."""
        return replace(self, attempts=self.attempts + 1, first_attempt_at=self.first_attempt_at or now)

    def answered(self, answer: Answer) -> "History":
        """With the answer of an attempt."""
        executions = self.executions + (0 if answer.is_server_error else 1)
        return replace(self, executions=executions, responses=self.responses + 1, previous=answer.status)


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When to try again and when to stop."""

    max_attempts: int
    max_duration: timedelta
    backoff: Backoff

    def is_exhausted(self, history: History, now: datetime) -> bool:
        """Attempts end only when every limit that is set has been reached.

        Source: google.cloud.tasks.v2.RetryConfig.max_attempts and .max_retry_duration
        ("stops retrying only when both are satisfied"); -1 and 0 mean that the limit is not set.
        """
        is_counted, is_timed = self.max_attempts != UNLIMITED, bool(self.max_duration)
        begun = history.first_attempt_at or now
        by_count = not is_counted or history.attempts >= self.max_attempts
        by_time = not is_timed or now - begun >= self.max_duration
        return (is_counted or is_timed) and by_count and by_time

    def delay(self, history: History, answer: Answer) -> timedelta:
        """The wait before the next attempt; a door's Retry-After on 429 and 503 can only lengthen it."""
        wait = self.backoff.delay(history.attempts)
        return max(wait, answer.retry_after) if answer.status in {429, 503} else wait


def retry_rule(queue: Any, task: Any) -> RetryRule:
    """The queue's `RetryConfig`, with what the task's own says instead."""
    merged = type(queue.retry_config)()
    merged.CopyFrom(queue.retry_config)
    for field, _ in task.retry_config.ListFields():
        merged.ClearField(field.name)  # else a duration would be merged part by part
    merged.MergeFrom(task.retry_config)
    return RetryRule(
        max_attempts=merged.max_attempts,
        max_duration=merged.max_retry_duration.ToTimedelta(),
        backoff=Backoff(merged.min_backoff.ToTimedelta(), merged.max_backoff.ToTimedelta(), merged.max_doublings),
    )
