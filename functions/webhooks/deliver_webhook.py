"""Make one attempt to deliver a webhook to a tenant's endpoint."""

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
    return house().webhooks.sending.attempt(call, Order(task.delivery, task.endpoint, task.message, task.number))


@functions_framework.http
def deliver_webhook(request: Request) -> Response:
    """The door."""
    return task_door(request, "deliver_webhook", house, DeliverTask, _deliver)
