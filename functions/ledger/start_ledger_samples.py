"""Ask for a sample of every tenant's books, one task a tenant."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _start(tick: Tick) -> None:
    house().proofs.start_samples(house().tenants.ids(), tick.at, tick.traceparent)


@functions_framework.http
def start_ledger_samples(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "start_ledger_samples", house, _start)
