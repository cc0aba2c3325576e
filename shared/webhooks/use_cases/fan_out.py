"""An announcement is told to every enabled endpoint that wants it: a delivery and a command for each, in one commit.

The message is written under the announcement's own id, so that a redelivered one finds its trace and only sends again
what still waits. Where nobody wants it nothing is written; redelivered after that, it reaches who has come meanwhile.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Announcement, Command, Json
from shared.events import Message as Sent
from shared.identity import Cause
from shared.limits import WEBHOOK_PAYLOAD_BYTES
from shared.outbox import read_row
from shared.ports import Create, Document, View
from shared.webhooks.model import Delivery, DeliveryState, Message, Trouble
from shared.webhooks.records import (
    delivery_id,
    delivery_ref,
    message_ref,
    read_message,
    read_routes,
    routes_ref,
    write_delivery,
    write_message,
)
from shared.webhooks.rules.filters import wanted
from shared.webhooks.rules.signing import payload

QUEUE: Final = "webhook-deliveries"
DOOR: Final = "deliver_webhook"
SLOW_QUEUE: Final = "webhook-deliveries-slow"
SLOW_DOOR: Final = "deliver_slow_webhook"
ACTION: Final = "webhook.fan_out"


class FanOut:
    """Tells announcements of every tenant to its endpoints."""

    def __init__(self, desk: Desk) -> None:
        """Write through `desk`."""
        self._desk = desk

    def tell(self, call: Call, told: Announcement) -> Done[Message | None]:
        """Make the deliveries of an announcement, once; None where no endpoint wants it.

        What is too large to be sent is recorded as failed deliveries.

        Raises:
            Retryable: contention or silence outlasted the attempts.
        """
        call = replace(call, cause=Cause("system", ACTION, told.id))
        ref, routes = message_ref(call.tenant, told.id), routes_ref(call.tenant)

        def decide(view: View) -> Outcome[Message | None]:
            known = view[ref]
            if known is not None:
                return Outcome(ref, ACTION, read_message(known), messages=waiting(call, known, view))
            routed = sorted(read_routes(view[routes]).items())  # a map comes in any order
            receivers = [name for name, filters in routed if wanted(filters, told.type)]
            if not receivers:
                return Outcome(ref, ACTION, None)
            return _spread(call, told, receivers)

        return self._desk.perform(call, [ref, routes], decide, read_message)


def deliver(call: Call, delivery: Delivery) -> Command:
    """The command for the attempt that a delivery awaits; it names what to read along, so that one read is enough."""
    return call.command(QUEUE, DOOR, delivery.id, _order(delivery), not_before=delivery.next_attempt_at)


def deliver_slowly(call: Call, delivery: Delivery) -> Command:
    """The same command, now, on the queue where slow endpoints wait for each other alone."""
    return call.command(SLOW_QUEUE, SLOW_DOOR, delivery.id, _order(delivery))


def _order(delivery: Delivery) -> dict[str, Json]:
    return {
        "delivery": delivery.id,
        "endpoint": delivery.endpoint,
        "message": delivery.message,
        "number": delivery.attempts + 1,
    }


def waiting(call: Call, document: Document, view: View) -> tuple[Sent, ...]:
    """What was to be sent when a document was last written, as far as its rows still wait."""
    rows = [call.ref("outbox", key) for key in cast("Sequence[str]", document["outbox"])]
    view.need(rows)
    return tuple(read_row(row) for row in map(view.__getitem__, rows) if row is not None)


def _spread(call: Call, told: Announcement, receivers: Sequence[str]) -> Outcome[Message | None]:
    body = payload(told)
    fits = len(body.encode()) <= WEBHOOK_PAYLOAD_BYTES
    deliveries = [_delivery(call, told, endpoint, fits=fits) for endpoint in receivers]
    names = tuple(delivery.id for delivery in deliveries)
    message = Message(
        told.id, told.type, told.subject, told.subject_version, told.occurred_at, body if fits else "", names
    )
    commands = tuple(deliver(call, delivery) for delivery in deliveries) if fits else ()
    ref = message_ref(call.tenant, told.id)
    writes = (
        Create(ref, write_message(message, [command.id for command in commands], call.at)),
        *(Create(delivery_ref(call.tenant, delivery.id), write_delivery(delivery)) for delivery in deliveries),
    )
    # an endpoint that is enabled, changed or disabled at the same moment hears of it as before or as after
    return Outcome(ref, ACTION, message, writes, commands, loose=frozenset({routes_ref(call.tenant)}))


def _delivery(call: Call, told: Announcement, endpoint: str, *, fits: bool) -> Delivery:
    delivery = Delivery(
        delivery_id(told.id, endpoint), endpoint, told.id, told.type, told.subject, call.at, next_attempt_at=call.at
    )
    if fits:
        return delivery
    return replace(delivery, state=DeliveryState.FAILED, trouble=Trouble.PAYLOAD_TOO_LARGE, next_attempt_at=None)
