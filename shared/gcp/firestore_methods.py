"""The remote methods of Firestore that the store calls."""

from typing import Final

from google.protobuf.empty_pb2 import Empty

from shared.gcp.messages import Messages
from shared.gcp.rpc import Method

_types: Final = Messages("google.cloud.firestore_v1", "firestore")
_SERVICE: Final = "/google.firestore.v1.Firestore"

BATCH_GET: Final = Method(
    f"{_SERVICE}/BatchGetDocuments", _types.BatchGetDocumentsRequest, _types.BatchGetDocumentsResponse, streams=True
)
RUN_QUERY: Final = Method(f"{_SERVICE}/RunQuery", _types.RunQueryRequest, _types.RunQueryResponse, streams=True)
RUN_AGGREGATION: Final = Method(
    f"{_SERVICE}/RunAggregationQuery",
    _types.RunAggregationQueryRequest,
    _types.RunAggregationQueryResponse,
    streams=True,
)
COMMIT: Final = Method(f"{_SERVICE}/Commit", _types.CommitRequest, _types.CommitResponse)
BEGIN: Final = Method(f"{_SERVICE}/BeginTransaction", _types.BeginTransactionRequest, _types.BeginTransactionResponse)
ROLLBACK: Final = Method(f"{_SERVICE}/Rollback", _types.RollbackRequest, Empty)
