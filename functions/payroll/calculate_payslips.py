"""Calculate the payslips of one chunk of a run."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.private import task_door
from shared.payroll.wire import ChunkTask
from shared.wiring import house


def _calculate(call: Call, task: ChunkTask) -> None:
    house().payroll_runs.calculate(call, task.run_id, task.chunk)


@functions_framework.http
def calculate_payslips(request: Request) -> Response:
    """The door."""
    return task_door(request, "calculate_payslips", house, ChunkTask, _calculate)
