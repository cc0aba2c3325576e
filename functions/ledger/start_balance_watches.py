"""Ask for a look at every tenant's monitored balances, one task a tenant."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _start(tick: Tick) -> None:
    house().monitors.start(house().tenants.ids(), tick.at, tick.traceparent)


@functions_framework.http
def start_balance_watches(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "start_balance_watches", house, _start)
