"""Private doors, each as its file in functions/ calls its use case; a new one is a line here."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from shared.calls import Call
from shared.events import Announcement
from shared.faults import Refused, Retryable
from shared.http.messages import read_announcement, read_task
from shared.http.private import Tick
from shared.identity import Cause, TenantId, stored_id
from shared.ledger.rules.control import Control
from shared.ledger.wire.accounts import OperationTask
from shared.ledger.wire.monitors import WatchTask
from shared.ledger.wire.proofs import ProofTask
from shared.ledger.wire.seals import SealTask
from shared.payments.applying import APPLIED
from shared.payments.refunds.wire import RefundTask
from shared.payments.wire import ApplyTask, AskTask, MatchTask
from shared.payroll.wire import ChunkTask
from shared.webhooks.use_cases.sending import Order
from shared.webhooks.wire import DeliverTask, ResendTask
from shared.wiring import House

TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True)
class TaskDoor:
    """A door that a queue knocks at: how its body is read, and its use case."""

    model: type[BaseModel]
    handle: Callable[[House, Call, Any], object]


def _operation(house: House, call: Call, task: OperationTask) -> object:
    if task.kind == "year_end":
        return house.year_ends.finish(call, int(task.operation))
    operation = house.controls.finish(call.tenant, task.operation)
    if operation.control is Control.HARD_CLOSE:
        house.carry_forward.carry(call.tenant)
    return operation


def _attempt(house: House, call: Call, task: DeliverTask, *, patiently: bool = False) -> object:
    order = Order(task.delivery, task.endpoint, task.message, task.number)
    return house.webhooks.sending.attempt(call, order, patiently=patiently)


TASKS: Final[Mapping[str, TaskDoor]] = {
    "apply_payment_event": TaskDoor(
        ApplyTask,
        lambda house, call, task: house.payments.apply(call, task.event, task.along(call.tenant), replay=task.replay),
    ),
    "match_payment": TaskDoor(
        MatchTask, lambda house, call, task: house.matching.match(call, task.payment, task.numbers)
    ),
    "send_refund": TaskDoor(RefundTask, lambda house, call, task: house.money_out.send(call, task.refund)),
    "ask_partner": TaskDoor(AskTask, lambda house, call, task: house.asking.ask(call, task.event, replay=task.replay)),
    "calculate_payslips": TaskDoor(
        ChunkTask, lambda house, call, task: house.payroll_runs.calculate(call, task.run_id, task.chunk)
    ),
    "post_payslips": TaskDoor(
        ChunkTask, lambda house, call, task: house.payroll_runs.post(call, task.run_id, task.chunk)
    ),
    "run_ledger_operation": TaskDoor(OperationTask, _operation),
    "watch_balances": TaskDoor(
        WatchTask, lambda house, call, task: house.monitors.look(call.because(f"look of {task.minute}"))
    ),
    "prove_ledger": TaskDoor(
        ProofTask,
        lambda house, call, task: house.proofs.carry_out(
            call.because(task.why), proof=task.proof, sample=task.sample is not None
        ),
    ),
    "deliver_webhook": TaskDoor(DeliverTask, _attempt),
    "deliver_slow_webhook": TaskDoor(
        DeliverTask, lambda house, call, task: _attempt(house, call, task, patiently=True)
    ),
    "resend_webhooks": TaskDoor(
        ResendTask, lambda house, call, task: house.webhooks.resending.page(call, task.resend, task.page)
    ),
    "seal_ledger": TaskDoor(
        SealTask, lambda house, call, task: house.seals.seal(call.because(f"hourly seal of {task.hour}"))
    ),
}


@dataclass(frozen=True)
class EventDoor:
    """A door that a topic pushes to: which types it hears, and its use case."""

    topic: str
    types: frozenset[str] | None
    """None for all of them."""
    handle: Callable[[House, Call, Announcement], object]


FANNED_OUT: Final = ("invoicing", "ledger", "payments", "payroll", "webhooks")


def _tell(house: House, call: Call, told: Announcement) -> object:
    return house.webhooks.fan_out.tell(call, told)


EVENTS: Final[Mapping[str, EventDoor]] = {
    "issue_receipt": EventDoor(
        "payments", frozenset({APPLIED}), lambda house, call, told: house.payments.issue_receipt(call, told.subject)
    ),
    **{f"fan_out_{topic}": EventDoor(topic, None, _tell) for topic in FANNED_OUT},
}


@dataclass(frozen=True)
class Schedule:
    """A door that a clock knocks at, every so many minutes."""

    minutes: int
    handle: Callable[[House, Tick], object]


SCHEDULES: Final[Mapping[str, Schedule]] = {
    "sweep_outbox": Schedule(5, lambda house, tick: house.outbox.sweep(tick.at)),
    "sweep_refunds": Schedule(
        15, lambda house, tick: house.money_out.sweep(tick.at, tick.request_id, tick.traceparent)
    ),
    "sweep_payroll_runs": Schedule(
        10, lambda house, tick: house.payroll_runs.sweep(tick.at, tick.request_id, tick.traceparent)
    ),
    "expire_holds": Schedule(
        10, lambda house, tick: house.hold_expiry.sweep(tick.at, tick.request_id, tick.traceparent)
    ),
    "start_balance_watches": Schedule(
        20, lambda house, tick: house.monitors.start(house.tenants.ids(), tick.at, tick.traceparent)
    ),
    "start_ledger_seals": Schedule(
        60, lambda house, tick: house.seals.start(house.tenants.ids(), tick.at, tick.traceparent)
    ),
    "start_ledger_samples": Schedule(
        60, lambda house, tick: house.proofs.start_samples(house.tenants.ids(), tick.at, tick.traceparent)
    ),
}


ADDED: Final = "added_by_the_next_version"
"""A field that the product of today does not know."""


def with_a_field_more(request: Any) -> Any:
    """A CreateTask or Publish request as the next version sends it; the request itself may be sent again."""
    newer = type(request)()
    newer.CopyFrom(request)
    if hasattr(newer, "task"):
        newer.task.http_request.body = _changed(newer.task.http_request.body, "body")
    else:
        for message in newer.messages:
            message.data = _changed(message.data, "data")
    return newer


def _changed(text: bytes, part: str) -> bytes:
    content = json.loads(text)
    content[part] = {**content[part], ADDED: 1}
    return json.dumps(content).encode()


def read_by(body: bytes, *, newer: bool) -> bytes:
    """A task's body as a door of the next version reads it: it knows the field more."""
    content = json.loads(body)
    if newer:
        content["body"].pop(ADDED, None)
    return json.dumps(content).encode()


def task(house: House, door: str, body: bytes, at: Any) -> object:
    """Serve a task as `shared.http.private.task_door` does once it knows the caller."""
    known = TASKS[door]
    try:
        envelope, content = read_task(body, known.model)
    except Refused as unreadable:
        if ADDED.encode() not in body:
            raise
        message = "a task of the next version: answered with a problem, so the queue brings it again"
        raise Retryable(message) from unreadable
    return known.handle(
        house, _call(door, TenantId(envelope.tenant), envelope.id, content.model_dump_json(), at), content
    )


def event(house: House, door: str, body: bytes, at: Any) -> object:
    """Serve a push as `shared.http.private.event_door` does."""
    told, known = read_announcement(body), EVENTS[door]
    if known.types is not None and told.type not in known.types:
        return None
    return known.handle(house, _call(door, told.tenant, told.id, told.type, at), told)


def push(message: Any) -> bytes:
    """A published message as Pub/Sub pushes it."""
    data = base64.b64encode(message.data).decode("ascii")
    return json.dumps({"message": {"data": data, "attributes": dict(message.attributes)}}).encode()


def _call(door: str, tenant: TenantId, key: str, asked: str, at: Any) -> Call:
    return Call(
        tenant=tenant,
        principal=f"system:{door}",
        cause=Cause("system", door, key),
        request_id="simulated",
        request_hash=stored_id("request", door, asked),
        traceparent=TRACE,
        at=at,
    )
