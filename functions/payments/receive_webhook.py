"""A partner's webhook: verify the raw bytes, store once, enqueue, acknowledge."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Done
from shared.http.webhooks import Delivery, webhook_door
from shared.payments.model import StoredEvent
from shared.payments.use_cases.inbox import RawEvent
from shared.wiring import house


def _take_in(delivery: Delivery) -> Done[tuple[StoredEvent, ...]]:
    return house().inbox.receive(delivery.call, RawEvent(delivery.partner, delivery.body, delivery.headers))


@functions_framework.http
def receive_webhook(request: Request) -> Response:
    """The door."""
    return webhook_door(request, "receive_webhook", house, _take_in)
