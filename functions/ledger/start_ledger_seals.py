"""Ask for a seal of every tenant's journal, one task a tenant."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _start(tick: Tick) -> None:
    house().seals.start(house().tenants.ids(), tick.at, tick.traceparent)


@functions_framework.http
def start_ledger_seals(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "start_ledger_seals", house, _start)
