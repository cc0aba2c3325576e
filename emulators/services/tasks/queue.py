"""A queue at work: tasks wait in order of their instants and leave as fast as the queue's limits let them.

Everything happens on one event loop, and no state changes between an `await` and its decision.
`pump` starts whatever may start now and sets the one alarm for the next moment something may.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from google.cloud import tasks_v2

from emulators.services.grpc_server import Message
from emulators.services.outcalls import Answer
from emulators.services.rpc_status import rpc_code
from emulators.services.tasks.defaults import pace
from emulators.services.tasks.dispatch import outcall_for
from emulators.services.tasks.history import History, retry_rule
from emulators.services.tasks.rate import Bucket
from emulators.services.world import World

NAMES_KEPT = timedelta(hours=24)
EXHAUSTED_KEPT = 10_000

State = tasks_v2.Queue.State


@dataclass(slots=True)
class QueuedTask:
    """A task that is not finished: the message clients see, and where it stands."""

    message: Message
    due: datetime
    history: History = field(default_factory=History)
    ticket: int | None = None
    """Its live place in the queue; None while it is being attempted."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A task that was given up: the real service would show nothing of it but a log line."""

    name: str
    url: str
    attempts: int
    last_status: int | None
    gave_up_at: datetime


@dataclass(slots=True)
class Tally:
    """How the queue's attempts went since the process started."""

    created: int = 0
    dispatched: int = 0
    succeeded: int = 0
    failed: int = 0
    exhausted: int = 0


@dataclass(slots=True)
class Names:
    """Names that were used lately: task name to the instant it was given back, oldest first."""

    given_back: dict[str, datetime] = field(default_factory=dict)

    def give_back(self, name: str, now: datetime) -> None:
        """Remember a name; forget those whose time is over."""
        self.given_back.pop(name, None)
        self.given_back[name] = now
        while self.given_back:
            oldest, instant = next(iter(self.given_back.items()))
            if now - instant < NAMES_KEPT:
                break
            del self.given_back[oldest]

    def is_held(self, name: str, now: datetime) -> bool:
        """Whether a name may not be used again yet."""
        instant = self.given_back.get(name)
        return instant is not None and now - instant < NAMES_KEPT


class LiveQueue:
    """One queue, its tasks and its attempts under way."""

    def __init__(self, message: Message, world: World) -> None:
        """A queue as described by a complete `Queue` message."""
        self.message = message
        self.names = Names()
        self.tally = Tally()
        self.exhausted: deque[Exhausted] = deque(maxlen=EXHAUSTED_KEPT)
        self.tasks: dict[str, QueuedTask] = {}
        self._world = world
        self._bucket = Bucket()
        self._pace = pace(message)
        self._waiting: list[tuple[datetime, int, QueuedTask]] = []
        self._tickets = 0
        self._attempts: set[asyncio.Task[Any]] = set()
        self._alarm = world.alarms.new(self.pump)

    @property
    def running(self) -> int:
        """Attempts under way."""
        return len(self._attempts)

    def due(self, now: datetime) -> int:
        """Tasks whose instant has come and that wait only for the queue's limits; none while it is paused."""
        if self.message.state != State.RUNNING:
            return 0
        return sum(1 for task in self.tasks.values() if task.ticket is not None and task.due <= now)

    def next_due_at(self) -> datetime | None:
        """The earliest instant for which a task waits."""
        return min((task.due for task in self.tasks.values() if task.ticket is not None), default=None)

    def add(self, message: Message) -> QueuedTask:
        """Take in a task that was admitted."""
        task = QueuedTask(message, message.schedule_time.ToDatetime(self._world.clock.now().tzinfo))
        self.tasks[message.name] = task
        self.tally.created += 1
        self._wait(task)
        self.pump()
        return task

    def remove(self, name: str) -> None:
        """Drop a task; its name stays held. An attempt under way goes on and changes nothing."""
        task = self.tasks.pop(name)
        task.ticket = None
        self.names.give_back(name, self._world.clock.now())

    def purge(self) -> None:
        """Drop every task."""
        for name in list(self.tasks):
            self.remove(name)

    def run_now(self, task: QueuedTask) -> None:
        """Attempt a task at once, whatever the queue's state and limits."""
        now = self._world.clock.now()
        task.due = now
        task.message.schedule_time.FromDatetime(now)
        self._start(task, now)

    def change(self, message: Message) -> None:
        """Follow another description from now on."""
        self.message = message
        self._pace = pace(message)
        self.pump()

    def close(self) -> None:
        """Stop for good."""
        self._world.alarms.drop(self._alarm)
        for attempt in self._attempts:
            attempt.cancel()

    def pump(self) -> None:
        """Start what may start, and set the alarm for the next moment."""
        now = self._world.clock.now()
        for task in self._ready(now):
            if not self._bucket.take(self._pace, now):
                break
            self._start(task, now)
        self._set_alarm()

    def _ready(self, now: datetime) -> Iterator[QueuedTask]:
        while task := self._first():
            if task.due > now or not self._has_room():
                return
            yield task

    def _first(self) -> QueuedTask | None:
        while self._waiting:
            _, ticket, task = self._waiting[0]
            if task.ticket == ticket:
                return task
            heapq.heappop(self._waiting)
        return None

    def _has_room(self) -> bool:
        limit = self.message.rate_limits.max_concurrent_dispatches
        return bool(self.message.state == State.RUNNING and self.running < limit)

    def _set_alarm(self) -> None:
        task = self._first()
        if task is None or not self._has_room():
            self._alarm.clear()
            return
        self._alarm.set(max(task.due, self._bucket.next_at(self._pace)))

    def _wait(self, task: QueuedTask) -> None:
        self._tickets += 1
        task.ticket = self._tickets
        heapq.heappush(self._waiting, (task.due, self._tickets, task))

    def _start(self, task: QueuedTask, now: datetime) -> None:
        task.ticket = None
        self.tally.dispatched += 1
        outcall = outcall_for(task.message, task.due, task.history, self._world.issuer)
        task.history = task.history.dispatched(now)
        _note_dispatch(task, now)
        attempt = asyncio.create_task(self._world.outcalls.send(outcall))
        self._attempts.add(attempt)
        attempt.add_done_callback(lambda done: self._finish(task, done))

    def _finish(self, task: QueuedTask, attempt: "asyncio.Task[Answer]") -> None:
        self._attempts.discard(attempt)
        if attempt.cancelled():
            return
        self._settle(task, attempt.result())
        self.pump()

    def _settle(self, task: QueuedTask, answer: Answer) -> None:
        now = self._world.clock.now()
        name = task.message.name
        if answer.is_success:
            self.tally.succeeded += 1
        else:
            self.tally.failed += 1
        if self.tasks.get(name) is not task:
            return
        task.history = task.history.answered(answer)
        _note_answer(task, answer, now)
        if answer.is_success:
            self.remove(name)
        elif retry_rule(self.message, task.message).is_exhausted(task.history, now):
            self._give_up(task, now)
        else:
            self._retry(task, answer, now)

    def _give_up(self, task: QueuedTask, now: datetime) -> None:
        self.tally.exhausted += 1
        message = task.message
        self.exhausted.append(
            Exhausted(message.name, message.http_request.url, task.history.attempts, task.history.previous, now)
        )
        self.remove(message.name)

    def _retry(self, task: QueuedTask, answer: Answer, now: datetime) -> None:
        task.due = now + retry_rule(self.message, task.message).delay(task.history, answer)
        task.message.schedule_time.FromDatetime(task.due)
        self._wait(task)


def _note_dispatch(task: QueuedTask, now: datetime) -> None:
    message = task.message
    message.dispatch_count = task.history.attempts
    message.last_attempt.Clear()
    message.last_attempt.schedule_time.FromDatetime(task.due)
    message.last_attempt.dispatch_time.FromDatetime(now)
    if not message.HasField("first_attempt"):
        message.first_attempt.dispatch_time.FromDatetime(now)


def _note_answer(task: QueuedTask, answer: Answer, now: datetime) -> None:
    message = task.message
    message.response_count = task.history.responses
    message.last_attempt.response_time.FromDatetime(now)
    message.last_attempt.response_status.code = rpc_code(answer.status)
    message.last_attempt.response_status.message = f"HTTP status code {answer.status}"
