"""Look at a tenant's monitored balances at one instant, and announce what crossed."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.ledger.use_cases.monitors import Watched
from shared.ledger.wire.monitors import WatchTask
from shared.wiring import house


def _look(call: Call, task: WatchTask) -> Done[Watched]:
    return house().monitors.look(call.because(f"look of {task.minute}"))


@functions_framework.http
def watch_balances(request: Request) -> Response:
    """The door."""
    return task_door(request, "watch_balances", house, WatchTask, _look)
