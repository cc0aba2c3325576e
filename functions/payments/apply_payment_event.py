"""Apply an event of the inbox to the payment, the invoice and the books."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.payments.model import StoredEvent
from shared.payments.wire import ApplyTask
from shared.wiring import house


def _apply(call: Call, task: ApplyTask) -> Done[StoredEvent]:
    return house().payments.apply(call, task.event, task.along(call.tenant), replay=task.replay)


@functions_framework.http
def apply_payment_event(request: Request) -> Response:
    """The door."""
    return task_door(request, "apply_payment_event", house, ApplyTask, _apply)
