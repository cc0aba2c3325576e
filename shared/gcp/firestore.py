"""Documents on Firestore by raw RPCs: each port verb is one, so its cost can be counted.

A transaction here is optimistic: read, decide, and commit under preconditions. After a commit that
failed or was not answered everything is read again before anything is decided again (docs/ledger.md, rule 3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

import grpc

from shared import counters
from shared.gcp import firestore_methods as methods
from shared.gcp.firestore_queries import (
    cursor_after,
    parent_path,
    put_aggregations,
    put_conditions,
    put_query,
    read_aggregations,
    without_extras,
)
from shared.gcp.firestore_values import read_document, read_instant, write_instant
from shared.gcp.firestore_writes import put_write, with_checks
from shared.gcp.patience import Deadline
from shared.gcp.rpc import Metadata, Method, Rpc, RpcFailed, silent
from shared.limits import COMMIT_ATTEMPTS, READ_ROUNDS
from shared.ports import (
    Absent,
    CommitFailed,
    Contradiction,
    Create,
    Decide,
    Decision,
    Delete,
    Document,
    Failure,
    Page,
    Query,
    Ref,
    Unread,
    View,
    Write,
)
from shared.settings import Settings

T = TypeVar("T")

LOCKED_ATTEMPTS: Final = 5
"""Tries of a locked transaction: each may wait for another's locks."""

HOST: Final = "firestore.googleapis.com"

_FAILURES: Final = {
    grpc.StatusCode.ALREADY_EXISTS: Failure.PRECONDITION,
    grpc.StatusCode.FAILED_PRECONDITION: Failure.PRECONDITION,
    grpc.StatusCode.NOT_FOUND: Failure.PRECONDITION,
    grpc.StatusCode.ABORTED: Failure.PRECONDITION,
    grpc.StatusCode.DEADLINE_EXCEEDED: Failure.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE: Failure.UNKNOWN,
    grpc.StatusCode.UNKNOWN: Failure.UNKNOWN,
    grpc.StatusCode.INTERNAL: Failure.UNKNOWN,
    grpc.StatusCode.CANCELLED: Failure.UNKNOWN,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Failure.UNKNOWN,
}
"""What a commit's error means; any other is a bug in what we sent."""

_EXPIRED: Final = grpc.StatusCode.INVALID_ARGUMENT
"""What whoever names a transaction that is over is answered: it expired, or its locks went to another."""


def resource_headers(settings: Settings, database: str) -> Metadata:
    """The headers by which Firestore routes a call to one database of the project."""
    return (
        ("google-cloud-resource-prefix", f"projects/{settings.project}/databases/{database}"),
        ("x-goog-request-params", f"project_id={settings.project}&database_id={quote(database)}"),
    )


class FirestoreStore:
    """One Firestore database as the port `Store`."""

    def __init__(self, settings: Settings, database: str, *, rpc: Rpc | None = None) -> None:
        """Use `database` of the settings' project, through `rpc` where a test brings its own."""
        self._database = f"projects/{settings.project}/databases/{database}"
        self._documents = f"{self._database}/documents"
        self._root = f"{self._documents}/"
        self._rpc = rpc or Rpc(HOST, settings.firestore_endpoint, metadata=resource_headers(settings, database))

    # --- reading

    def get(
        self, refs: Sequence[Ref], *, at: datetime | None = None, as_is: bool = False
    ) -> Mapping[Ref, Document | None]:
        """Read documents in one RPC; see the port."""
        return self._get(refs, self._rpc.patience.start(), at=at, as_is=as_is)[0] if refs else {}

    def query(self, query: Query, *, at: datetime | None = None) -> Page:
        """Read one page; a limited one reads one document more, to know whether it is the last. See the port.

        Raises:
            Malformed: the cursor does not belong to this query.
        """
        request = methods.RUN_QUERY.request(parent=self._parent(query))
        limit = None if query.limit is None else query.limit + 1
        put_query(request.structured_query, query, root=self._root, limit=limit)
        if at is not None:
            write_instant(request.read_time, at)
        answers = self._rpc.ask(methods.RUN_QUERY, request)
        found = [one.document for one in answers if one.HasField("document")]
        documents = [read_document(one, len(self._root), as_is=query.as_is) for one in found]
        counters.current().reads += max(1, len(documents))
        return _page(query, documents, read_instant(answers[-1].read_time))

    def aggregate(self, query: Query, *, sums: Sequence[str] = (), at: datetime | None = None) -> Mapping[str, int]:
        """Count and sum, see the port; a limited query counts up to its limit.

        Billed, and counted here, as one read for each 1,000 documents begun.
        """
        request = methods.RUN_AGGREGATION.request(parent=self._parent(query))
        put_conditions(request.structured_aggregation_query.structured_query, query)
        put_aggregations(request.structured_aggregation_query, sums, up_to=query.limit)
        if at is not None:
            write_instant(request.read_time, at)
        answers = self._rpc.ask(methods.RUN_AGGREGATION, request)
        results = [one.result.aggregate_fields for one in answers if one.HasField("result")]
        answer = read_aggregations(results[0], sums)
        counters.current().reads += max(1, -(-answer["count"] // 1_000))
        return answer

    def read_time(self) -> datetime:
        """The store's own time, as the read of a document that is never there tells it."""
        return self.snapshot((Ref("clock/now"),))[1]

    def snapshot(self, refs: Sequence[Ref]) -> tuple[Mapping[Ref, Document | None], datetime]:
        """Read documents and say the instant; see the port."""
        return self._get(refs, self._rpc.patience.start())

    # --- deciding

    def transact(self, refs: Sequence[Ref], decide: Decide[T], *, attempts: int | None = None) -> T:
        """Read, decide, commit; see the port. `attempts` counts commits, `limits.COMMIT_ATTEMPTS` if not said."""
        deadline = self._rpc.patience.start()
        wanted = frozenset(refs)
        for failures in range(attempts or COMMIT_ATTEMPTS):
            if failures and not deadline.pause():
                break
            decision, read = self._decide(wanted, decide, failures, deadline)
            if not decision.writes:
                return decision.answer
            try:
                self._commit(with_checks(decision.writes, read, decision.loose), deadline)
            except CommitFailed:
                wanted = wanted | read.keys() | _created(decision.writes)
            else:
                return decision.answer
        raise silent(methods.COMMIT)

    def transact_locked(self, refs: Sequence[Ref], decide: Decide[T]) -> T:
        """Read with locks, decide, commit; see the port. The locks are given back whatever happens."""
        deadline = self._rpc.patience.start()
        wanted = frozenset(refs)
        failures = 0
        for attempt in range(LOCKED_ATTEMPTS):
            if attempt and not deadline.pause():
                break
            transaction = self._begin(deadline)
            written = False
            try:
                decision, read = self._decide(wanted, decide, failures, deadline, transaction)
                if not decision.writes:
                    return decision.answer
                wanted = wanted | read.keys() | _created(decision.writes)
                self._commit(with_checks(decision.writes, {}, ()), deadline, transaction)
                written = True
            except CommitFailed:
                failures += 1
            except _LocksLost:
                continue
            else:
                return decision.answer
            finally:
                if not written:
                    self._roll_back(transaction)
        raise silent(methods.COMMIT)

    def _decide(
        self,
        wanted: frozenset[Ref],
        decide: Decide[T],
        failures: int,
        deadline: Deadline,
        transaction: bytes = b"",
    ) -> tuple[Decision[T], Mapping[Ref, Document | None]]:
        """Ask for a decision, reading what it wants at the first read's instant, for a bounded number of rounds.

        Documents that contradict each other are all read again, at a new instant: Google's emulator tells of a
        commit document by document, and one that lands in between is in one read and not in the other.
        """
        read: dict[Ref, Document | None] = {}
        at: datetime | None = None
        contradiction: Contradiction | None = None
        for _ in range(READ_ROUNDS):
            if wanted:
                more, instant = self._get(sorted(wanted), deadline, at=at, transaction=transaction)
                read |= more
                at = None if transaction else (at or instant)
            try:
                return decide(View(read, failures)), read
            except Unread as unread:
                wanted = unread.refs
            except Contradiction as found:
                contradiction, wanted, at = found, frozenset(read), None
        if contradiction:
            raise contradiction
        message = f"a decision asked for more documents {READ_ROUNDS} times"
        raise RuntimeError(message)

    # --- calls

    def _get(
        self,
        refs: Iterable[Ref],
        deadline: Deadline,
        *,
        at: datetime | None = None,
        transaction: bytes = b"",
        as_is: bool = False,
    ) -> tuple[dict[Ref, Document | None], datetime]:
        request = methods.BATCH_GET.request(database=self._database)
        unique = dict.fromkeys(refs)
        request.documents.extend([self._root + ref.path for ref in unique])
        if at is not None:
            write_instant(request.read_time, at)
        if transaction:
            request.transaction = transaction
        answers = self._ask(methods.BATCH_GET, request, deadline, locked=bool(transaction))
        counters.current().reads += len(unique)
        length = len(self._root)
        read: dict[Ref, Document | None] = dict.fromkeys(unique)
        for answer in answers:
            if answer.HasField("found"):
                document = read_document(answer.found, length, as_is=as_is)
                read[document.ref] = document
        return read, read_instant(answers[-1].read_time)

    def _ask(self, method: Method, request: Any, deadline: Deadline, *, locked: bool) -> Any:
        """Ask again when nothing was answered, but never inside a transaction whose locks are gone."""
        if not locked:
            return self._rpc.ask(method, request, deadline)
        try:
            return self._rpc.send(method, request, deadline.left_seconds())
        except RpcFailed as failed:
            if failed.status in _FAILURES or failed.status is _EXPIRED:
                raise _LocksLost from failed
            raise

    def _commit(
        self, planned: Sequence[tuple[Write, str | None]], deadline: Deadline, transaction: bytes = b""
    ) -> None:
        request = methods.COMMIT.request(database=self._database, transaction=transaction)
        add = request.writes.add
        for write, version in planned:
            put_write(add(), self._root, write, version)
        left = deadline.left_seconds()
        if left <= 0:
            raise silent(methods.COMMIT)
        try:
            self._rpc.send(methods.COMMIT, request, left)
        except RpcFailed as failed:
            failure = _FAILURES.get(failed.status)
            if transaction and failed.status is _EXPIRED:
                failure = Failure.PRECONDITION
            if failure is None:
                raise
            raise CommitFailed(failure) from failed
        _count(planned)

    def _begin(self, deadline: Deadline) -> bytes:
        request = methods.BEGIN.request(database=self._database)
        request.options.read_write.SetInParent()
        transaction: bytes = self._rpc.ask(methods.BEGIN, request, deadline).transaction
        return transaction

    def _roll_back(self, transaction: bytes) -> None:
        """Give the locks back; when that fails too, Firestore does it after a minute."""
        request = methods.ROLLBACK.request(database=self._database, transaction=transaction)
        try:
            self._rpc.send(methods.ROLLBACK, request, self._rpc.patience.call_seconds)
        except RpcFailed:
            return

    def _parent(self, query: Query) -> str:
        path = parent_path(query)
        return self._root + path if path else self._documents


class _LocksLost(Exception):
    """The transaction is over before its commit."""


def _created(writes: Iterable[Write]) -> frozenset[Ref]:
    return frozenset(write.ref for write in writes if isinstance(write, Create))


def _count(planned: Sequence[tuple[Write, str | None]]) -> None:
    deletes = sum(isinstance(write, Absent | Delete) for write, _ in planned)
    operations = counters.current()
    operations.deletes += deletes
    operations.writes += len(planned) - deletes


def _page(query: Query, documents: list[Document], read_at: datetime) -> Page:
    last = None
    if query.limit is not None and len(documents) > query.limit:
        documents = documents[: query.limit]
        last = documents[-1]
    cursor = None if last is None else cursor_after(query, last)
    if query.only:
        documents = [replace(document, fields=without_extras(query, document)) for document in documents]
    return Page(tuple(documents), cursor, read_at)
