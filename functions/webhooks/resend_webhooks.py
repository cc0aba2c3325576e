"""Send a page of a range of deliveries again."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.webhooks.model import Resend
from shared.webhooks.wire import ResendTask
from shared.wiring import house


def _resend(call: Call, task: ResendTask) -> Done[Resend]:
    return house().webhooks.resending.page(call, task.resend, task.page)


@functions_framework.http
def resend_webhooks(request: Request) -> Response:
    """The door."""
    return task_door(request, "resend_webhooks", house, ResendTask, _resend)
