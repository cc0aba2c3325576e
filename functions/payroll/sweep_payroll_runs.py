"""Look again at payroll runs that stand still, of all tenants."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _sweep(tick: Tick) -> None:
    house().payroll_runs.sweep(tick.at, tick.request_id, tick.traceparent)


@functions_framework.http
def sweep_payroll_runs(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "sweep_payroll_runs", house, _sweep)
