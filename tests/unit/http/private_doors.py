"""Private doors that do little, and what is sent to them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from shared.calls import Call, Done
from shared.events import Announcement
from shared.faults import Conflict, Retryable
from shared.http.private import EVERY_TYPE, Tick, event_door, schedule_door, task_door
from shared.wire import Identifier, Wire
from tests.unit.http.rooms import Rooms


class Chunk(Wire):
    """A task's body."""

    run: Identifier
    chunk: int


@dataclass
class Worker:
    """What stands behind the private doors: it keeps what it was given, and fails when told to."""

    given: list[Any] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    fault: Exception | None = None

    def work(self, call: Call, body: Chunk | Announcement) -> Done[str]:
        """Keep the call and its body."""
        self.calls.append(call)
        return self.tick(body)

    def tick(self, given: Chunk | Announcement | Tick) -> Done[str]:
        """Keep what came."""
        self.given.append(given)
        if self.fault:
            raise self.fault
        return Done("done", replayed=len(self.given) > 1)


REFUSED = Conflict("the run is closed", detail={"run": "run-1"})
BUSY = Retryable("not now")

Serve = Callable[[Request], Response]


def a_task_door(rooms: Rooms, worker: Worker) -> Serve:
    """A door of the payroll queue."""
    return lambda request: task_door(request, "calculate_payslips", lambda: rooms, Chunk, worker.work)


def an_event_door(rooms: Rooms, worker: Worker) -> Serve:
    """A door of the payments topic that listens to one type."""
    return lambda request: event_door(request, "issue_receipt", lambda: rooms, ("payment.applied",), worker.work)


def a_listening_door(rooms: Rooms, worker: Worker) -> Serve:
    """A door of the payments topic that listens to everything."""
    return lambda request: event_door(request, "fan_out_payments", lambda: rooms, EVERY_TYPE, worker.work)


def a_schedule_door(rooms: Rooms, worker: Worker) -> Serve:
    """A sweep."""
    return lambda request: schedule_door(request, "sweep_outbox", lambda: rooms, worker.tick)


def a_task(**changes: Any) -> dict[str, Any]:
    """A task as the queue brings it."""
    return {"id": "message-1", "tenant": "acme", "body": {"run": "run-1", "chunk": 3}} | changes


def an_announcement(**changes: Any) -> dict[str, Any]:
    """An announcement as it stands in a push's data."""
    return {
        "id": "event-1",
        "tenant": "acme",
        "type": "payment.applied",
        "subject": "payment-1",
        "subject_version": 1,
        "occurred_at": "2026-11-16T12:00:00+00:00",
        "data": {"invoice": "invoice-1", "amount": 1050},
    } | changes


def a_push(announcement: object, traceparent: str = "") -> dict[str, Any]:
    """A push as Pub/Sub sends it."""
    data = base64.b64encode(json.dumps(announcement).encode()).decode()
    return {
        "message": {
            "data": data,
            "attributes": {"type": "payment.applied", "traceparent": traceparent},
            "messageId": "7",
            "message_id": "7",
            "publishTime": "2026-11-16T12:00:00Z",
        },
        "subscription": "projects/daybook-test/subscriptions/issue-receipt",
    }
