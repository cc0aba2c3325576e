"""Ask a partner how much an event of its is of, and set the event applying."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.payments.model import StoredEvent
from shared.payments.wire import AskTask
from shared.wiring import house


def _ask(call: Call, task: AskTask) -> Done[StoredEvent]:
    return house().asking.ask(call, task.event, replay=task.replay)


@functions_framework.http
def ask_partner(request: Request) -> Response:
    """The door."""
    return task_door(request, "ask_partner", house, AskTask, _ask)
