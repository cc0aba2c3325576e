"""Bring an approved refund on: ask its partner, or ask it what became of it."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.private import task_door
from shared.payments.refunds.wire import RefundTask
from shared.wiring import house


def _send(call: Call, task: RefundTask) -> None:
    house().money_out.send(call, task.refund)


@functions_framework.http
def send_refund(request: Request) -> Response:
    """The door."""
    return task_door(request, "send_refund", house, RefundTask, _send)
