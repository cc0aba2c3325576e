"""A tenant whose invoices are paid through Stripe, on the real emulator."""

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from shared.calls import Call, Done
from shared.events import Command
from shared.identity import Cause
from shared.payments.model import StoredEvent
from shared.payments.use_cases.inbox import RawEvent
from shared.payments.wire import ApplyTask, AskTask
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Instance
from tests.unit.payments.partner_events import delivery
from tests.unit.payments.stripe_events import body_of, signed

Event: TypeAlias = dict[str, Any]


def told(house: Instance, event: Event, at: datetime = NOON, **changes: Any) -> Done[StoredEvent]:
    """Stripe tells an event, signed at that instant."""
    body = body_of(event)
    call = replace(a_call("", at=at, principal="partner:stripe"), cause=Cause("webhook:stripe", "receive_webhook", ""))
    return received(house, RawEvent("stripe", body, signed(body, at)), replace(call, **changes))


def told_by(house: Instance, partner: str, *events: Any, at: datetime = NOON) -> Done[tuple[StoredEvent, ...]]:
    """A partner tells events in one delivery, signed at that instant."""
    body, headers = delivery(partner, *events, at=at)
    call = replace(a_call("", at=at, principal=f"partner:{partner}"), cause=Cause(f"webhook:{partner}", "door", ""))
    return house.inbox.receive(call, RawEvent(partner, body, headers))


def received(house: Instance, raw: RawEvent, call: Call | None = None) -> Done[StoredEvent]:
    """A delivery that tells one event is taken in."""
    done = house.inbox.receive(call or a_call(""), raw)
    (stored,) = done.answer
    return Done(stored, done.replayed, done.messages)


def task_call(task: Command, at: datetime = NOON) -> Call:
    """The call under which the queue brings a task."""
    cause = Cause("system", task.door, task.id)
    return a_call("", at=at, cause=cause, principal=f"system:{task.door}", request_hash=f"task-{task.id}")


def apply(house: Instance, task: Command, at: datetime = NOON) -> Done[StoredEvent]:
    """The queue brings the command to apply an event."""
    asked = ApplyTask.model_validate(task.body)
    return house.payments.apply(task_call(task, at), asked.event, asked.along(ACME), replay=asked.replay)


def ask(house: Instance, task: Command, at: datetime = NOON) -> Done[StoredEvent]:
    """The queue brings the command to ask a partner about an event."""
    asked = AskTask.model_validate(task.body)
    return house.asking.ask(task_call(task, at), asked.event, replay=asked.replay)


def task_of(house: Instance, event: Event, at: datetime = NOON) -> Command:
    """Stripe tells an event; the command that applies it."""
    (command,) = told(house, event, at).messages
    assert isinstance(command, Command)
    return command


def settle(house: Instance, event: Event, at: datetime = NOON) -> StoredEvent:
    """Stripe tells an event and the queue brings it."""
    task = task_of(house, event, at)
    stored: StoredEvent = house.again(lambda: apply(house, task, at)).answer
    return stored
