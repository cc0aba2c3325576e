"""Many journal entries in one request: linked, all or nothing, or each answered for itself."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.http.requests import keyed_request
from shared.ledger.use_cases.batches import BatchResult
from shared.ledger.use_cases.dry_run import DryRun
from shared.ledger.wire.batches import BatchAnswer, DryRunAnswer, NewBatch
from shared.wiring import house

api = Api("batches", house)


def _hashes(asked: bytes) -> tuple[str, ...]:
    return keyed_request(house(), asked)


@api.route("POST", "/v1/ledger/batches", answers=BatchAnswer)
def post_batch(call: Call, body: NewBatch) -> Done[BatchResult]:
    """Post up to 500 entries; a linked batch in one commit or not at all, an independent one entry by entry."""
    batch = body.batch(call, _hashes)
    sealed = house().memos.sealed_batch(call.tenant, batch, body.memos(batch))
    return house().batches.post(call, sealed)


@api.route("POST", "/v1/ledger/batches/dry_run", answers=DryRunAnswer, writes=False)
def dry_run_batch(call: Call, body: NewBatch) -> DryRun:
    """What posting this batch would come to now; nothing is written."""
    return house().dry_runs.batch(call, body.batch(call, _hashes))


@functions_framework.http
def batches(request: Request) -> Response:
    """The door."""
    return api.serve(request)
