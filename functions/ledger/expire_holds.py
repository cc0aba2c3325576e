"""Release the holds of all tenants whose time is over."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _expire(tick: Tick) -> None:
    house().hold_expiry.sweep(tick.at, tick.request_id, tick.traceparent)


@functions_framework.http
def expire_holds(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "expire_holds", house, _expire)
