"""Post the payslips of one chunk of a run as one journal entry."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.private import task_door
from shared.payroll.wire import ChunkTask
from shared.wiring import house


def _post(call: Call, task: ChunkTask) -> None:
    house().payroll_runs.post(call, task.run_id, task.chunk)


@functions_framework.http
def post_payslips(request: Request) -> Response:
    """The door."""
    return task_door(request, "post_payslips", house, ChunkTask, _post)
