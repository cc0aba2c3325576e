"""Prove a tenant's books, whole or by sample: totals recomputed from the journal at one instant."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.private import task_door
from shared.ledger.rules.proof_records import Proof
from shared.ledger.wire.proofs import ProofTask
from shared.wiring import house


def _prove(call: Call, task: ProofTask) -> Done[Proof]:
    return house().proofs.carry_out(call.because(task.why), proof=task.proof, sample=task.sample is not None)


@functions_framework.http
def prove_ledger(request: Request) -> Response:
    """The door."""
    return task_door(request, "prove_ledger", house, ProofTask, _prove)
