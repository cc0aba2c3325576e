"""Match a payment that is unapplied cash to the invoices that it names, or to its customer's only one that fits."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.payments.allocations import Allocation
from shared.payments.wire import MatchTask
from shared.wiring import house


def _match(call: Call, task: MatchTask) -> Done[Allocation | None]:
    return house().matching.match(call, task.payment, task.numbers)


@functions_framework.http
def match_payment(request: Request) -> Response:
    """The door."""
    return task_door(request, "match_payment", house, MatchTask, _match)
