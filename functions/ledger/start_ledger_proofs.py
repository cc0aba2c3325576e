"""Ask for a proof of every tenant's books, one task a tenant."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.http.private import Tick, schedule_door
from shared.wiring import house


def _start(tick: Tick) -> None:
    house().proofs.start(house().tenants.ids(), tick.at, tick.traceparent)


@functions_framework.http
def start_ledger_proofs(request: Request) -> Response:
    """The door."""
    return schedule_door(request, "start_ledger_proofs", house, _start)
