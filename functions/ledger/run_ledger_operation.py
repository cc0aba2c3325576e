"""Bring a control operation to its end, if whoever began it did not."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.private import task_door
from shared.ledger.rules.control import Operation
from shared.ledger.wire import OperationTask
from shared.wiring import house


def _finish(call: Call, task: OperationTask) -> Operation:
    return house().controls.finish(call.tenant, task.operation)


@functions_framework.http
def run_ledger_operation(request: Request) -> Response:
    """The door."""
    return task_door(request, "run_ledger_operation", house, OperationTask, _finish)
