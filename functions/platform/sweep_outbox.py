"""Send the messages that a crash left behind, of all tenants."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _sweep(tick: Tick) -> None:
    house().outbox.sweep(tick.at)


@functions_framework.http
def sweep_outbox(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "sweep_outbox", house, _sweep)
