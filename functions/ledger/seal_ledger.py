"""Seal what was posted to a tenant's books since the last seal."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.ledger.use_cases.seals import Sealing
from shared.ledger.wire.seals import SealTask
from shared.wiring import house


def _seal(call: Call, task: SealTask) -> Done[Sealing]:
    return house().seals.seal(call.because(f"hourly seal of {task.hour}"))


@functions_framework.http
def seal_ledger(request: Request) -> Response:
    """The door."""
    return task_door(request, "seal_ledger", house, SealTask, _seal)
