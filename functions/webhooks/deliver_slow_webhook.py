"""Make one attempt to deliver a webhook to an endpoint that is slow: it waits here with its like alone."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.webhooks.model import Delivery
from shared.webhooks.use_cases.sending import Order
from shared.webhooks.wire import DeliverTask
from shared.wiring import house


def _deliver(call: Call, task: DeliverTask) -> Done[Delivery]:
    order = Order(task.delivery, task.endpoint, task.message, task.number)
    return house().webhooks.sending.attempt(call, order, patiently=True)


@functions_framework.http
def deliver_slow_webhook(request: Request) -> Response:
    """The door."""
    return task_door(request, "deliver_slow_webhook", house, DeliverTask, _deliver)
