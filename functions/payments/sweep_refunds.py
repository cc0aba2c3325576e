"""Look again at refunds that stand still, of all tenants."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _sweep(tick: Tick) -> None:
    house().money_out.sweep(tick.at, tick.request_id, tick.traceparent)


@functions_framework.http
def sweep_refunds(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "sweep_refunds", house, _sweep)
