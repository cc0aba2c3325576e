"""Tell webhook endpoints what payroll announces."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.events import Announcement
from shared.http.private import EVERY_TYPE, event_door
from shared.webhooks.model import Message
from shared.wiring import house


def _tell(call: Call, told: Announcement) -> Done[Message | None]:
    return house().webhooks.fan_out.tell(call, told)


@functions_framework.http
def fan_out_payroll(request: Request) -> Response:
    """The door."""
    return event_door(request, "fan_out_payroll", house, EVERY_TYPE, _tell)
