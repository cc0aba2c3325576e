"""Prove a tenant's books: totals recomputed from the journal at one instant."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.ledger.use_cases.proofs import Proof
from shared.ledger.wire import ProofTask
from shared.wiring import house


def _prove(call: Call, task: ProofTask) -> Done[Proof]:
    return house().proofs.prove(call.because(f"daily proof of {task.day}"))


@functions_framework.http
def prove_ledger(request: Request) -> Response:
    """The door."""
    return task_door(request, "prove_ledger", house, ProofTask, _prove)
