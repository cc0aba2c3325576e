"""Bring a control operation or a year end to its end, if whoever began it did not; then carry balances forward."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.private import task_door
from shared.ledger.rules.closing import Year
from shared.ledger.rules.control import Control, Operation
from shared.ledger.wire.accounts import OperationTask
from shared.wiring import house


def _finish(call: Call, task: OperationTask) -> Operation | Year:
    if task.kind == "year_end":
        return house().year_ends.finish(call, int(task.operation))
    operation = house().controls.finish(call.tenant, task.operation)
    if operation.control is Control.HARD_CLOSE:
        house().carry_forward.carry(call.tenant)
    return operation


@functions_framework.http
def run_ledger_operation(request: Request) -> Response:
    """The door."""
    return task_door(request, "run_ledger_operation", house, OperationTask, _finish)
