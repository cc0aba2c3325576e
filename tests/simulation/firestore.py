"""Firestore in this process, one request at a time: commits, preconditions, snapshots, locks, queries.

It answers the very messages that the adapter sends, so the adapter is simulated with everything above it. What it
does was measured on Google's emulator (docs/ledger.md, M1 to M5), and a test holds it against that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - seeded by the world
from typing import Any, Final, TypeAlias

import grpc

from shared.gcp import firestore_methods as methods
from shared.gcp.firestore_values import read_fields
from shared.gcp.rpc import Method, RpcFailed
from shared.ports import Fields, Value
from tests.simulation.documents import Documents, Micros, Stored, instant, put_instant
from tests.simulation.indexes import served
from tests.simulation.queries import aggregate, matching, selected

Status: TypeAlias = grpc.StatusCode

EARLIER: Final = 95_000
"""Microseconds by which the request's time may lie before its commit's (docs/ledger.md, M5)."""

LOCK_SECONDS: Final = 60
"""How long an abandoned transaction keeps its locks."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Blocked(Exception):
    """Another transaction has locked a document: the writer waits."""


@dataclass(frozen=True)
class Change:
    """What a commit made of one document."""

    before: Stored | None
    after: Stored | None


Observer: TypeAlias = Callable[[Sequence[Change]], None]


@dataclass
class _Transaction:
    """Locks on what was read, until its commit, its rollback or its time."""

    until: Micros
    locked: set[str] = field(default_factory=set)


@dataclass
class Firestore:
    """One database. `now` tells the world's time; `random` chooses which of several failures is told (M4)."""

    now: Callable[[], datetime]
    random: Random
    serves: Callable[[Any], bool] = served
    """Whether a query has an index; Google's emulator looks for none."""
    documents: Documents = field(default_factory=Documents)
    observers: list[Observer] = field(default_factory=list)
    commits: int = 0
    newest: Micros = 0
    """The time of the last commit."""
    _last: Micros = 0
    _transactions: dict[bytes, _Transaction] = field(default_factory=dict)
    _begun: int = 0

    def answer(self, method: Method, request: Any) -> Any:
        """Answer a request.

        Raises:
            RpcFailed: as Firestore would refuse it.
            Blocked: a commit has to wait for another transaction's locks.
        """
        match method.path.rsplit("/", 1)[-1]:
            case "BatchGetDocuments":
                return self._get(method, request)
            case "RunQuery":
                return self._query(request)
            case "RunAggregationQuery":
                return self._aggregate(request)
            case "Commit":
                return self._commit(method, request)
            case "BeginTransaction":
                return self._begin()
            case "Rollback":
                self._transactions.pop(request.transaction, None)
                return methods.ROLLBACK.response()
            case name:
                raise RpcFailed(method, grpc.StatusCode.UNIMPLEMENTED, name)

    def time(self) -> Micros:
        """The server's time: never the same twice, so that every commit has its own."""
        self._last = max(self._last + 1, (self.now() - _EPOCH) // timedelta(microseconds=1))
        return self._last

    # --- reading

    def _get(self, method: Method, request: Any) -> list[Any]:
        at = instant(request.read_time) if request.HasField("read_time") else None
        if request.transaction:
            self._live(method, request.transaction).locked.update(request.documents)
        read_at, answers = at or self.time(), []
        for name in request.documents:
            answer = methods.BATCH_GET.response()
            state = self.documents.get(name, at)
            if state is None:
                answer.missing = name
            else:
                answer.found.CopyFrom(state.message)
            put_instant(answer.read_time, read_at)
            answers.append(answer)
        return answers

    def _query(self, request: Any) -> list[Any]:
        at = instant(request.read_time) if request.HasField("read_time") else None
        read_at, answers = at or self.time(), []
        query = request.structured_query
        self._indexed(methods.RUN_QUERY, query)
        for state in matching(self.documents, request.parent, query, at):
            answer = methods.RUN_QUERY.response()
            answer.document.CopyFrom(selected(state, query))
            put_instant(answer.read_time, read_at)
            answers.append(answer)
        if not answers:
            answers.append(methods.RUN_QUERY.response())
            put_instant(answers[0].read_time, read_at)
        return answers

    def _aggregate(self, request: Any) -> list[Any]:
        at = instant(request.read_time) if request.HasField("read_time") else None
        answer = methods.RUN_AGGREGATION.response()
        query = request.structured_aggregation_query
        self._indexed(methods.RUN_AGGREGATION, query.structured_query)
        found = matching(self.documents, request.parent, query.structured_query, at)
        for alias, value in aggregate(found, query.aggregations).items():
            answer.result.aggregate_fields[alias].CopyFrom(value)
        put_instant(answer.read_time, at or self.time())
        return [answer]

    def _indexed(self, method: Method, query: Any) -> None:
        """Refuse what Firestore would: a query that no index serves."""
        if not self.serves(query):
            raise RpcFailed(method, Status.FAILED_PRECONDITION, f"no index serves {query}")

    # --- transactions

    def _begin(self) -> Any:
        self._begun += 1
        name = f"transaction-{self._begun}".encode()
        self._transactions[name] = _Transaction(self.time() + LOCK_SECONDS * 1_000_000)
        return methods.BEGIN.response(transaction=name)

    def _live(self, method: Method, name: bytes) -> _Transaction:
        transaction = self._transactions.get(name)
        if transaction is None or transaction.until < self.time():
            self._transactions.pop(name, None)
            raise RpcFailed(method, Status.INVALID_ARGUMENT, "the transaction is over")
        return transaction

    def _locked(self, names: set[str], own: bytes) -> bool:
        now = self.time()
        return any(
            transaction.until >= now and not transaction.locked.isdisjoint(names)
            for name, transaction in self._transactions.items()
            if name != own
        )

    # --- writing

    def _commit(self, method: Method, request: Any) -> Any:
        if request.transaction:
            self._live(method, request.transaction)
        names = {write.delete or write.update.name for write in request.writes}
        if self._locked(names, request.transaction):
            raise Blocked
        failures = [status for write in request.writes if (status := self._failing(write))]
        if failures:
            raise RpcFailed(method, self.random.choice(failures), "a precondition failed")
        self._transactions.pop(request.transaction, None)
        at = self.time()
        changes = [self._apply(write, at) for write in request.writes]
        self.commits += 1
        self.newest = at
        response = methods.COMMIT.response()
        put_instant(response.commit_time, at)
        for change in changes:
            result = response.write_results.add()
            if change.after is not None:
                put_instant(result.update_time, change.after.updated)
        for observer in self.observers:
            observer(changes)
        return response

    def _failing(self, write: Any) -> Status | None:
        """Why a precondition does not hold; None when it does."""
        known = self.documents.get(write.delete or write.update.name)
        match write.current_document.WhichOneof("condition_type"):
            case "exists" if write.current_document.exists:
                return Status.NOT_FOUND if known is None else None
            case "exists":
                return None if known is None else Status.ALREADY_EXISTS
            case "update_time":
                wanted = instant(write.current_document.update_time)
                return None if known and known.updated == wanted else Status.FAILED_PRECONDITION
            case _:
                return None

    def _apply(self, write: Any, at: Micros) -> Change:
        name = write.delete or write.update.name
        before = self.documents.get(name)
        if write.delete:
            if before is not None:
                self.documents.put(name, None, at)
            return Change(before, None)
        fields = _written(before.fields if before else {}, write)
        for transform in write.update_transforms:
            _transform(fields, transform, at - self.random.randrange(EARLIER))
        if before is not None and fields == before.fields:
            return Change(before, before)  # what changes nothing does not move the time (M2)
        after = Stored(name, fields, before.created if before else at, at)
        self.documents.put(name, after, at)
        return Change(before, after)


def _written(before: Fields, write: Any) -> dict[str, Value]:
    """The fields after an update: all of them without a mask, the named ones with it."""
    given = read_fields(write.update.fields)
    if not write.HasField("update_mask"):
        return dict(given)
    fields = dict(before)
    for path in write.update_mask.field_paths:
        name = _names(path)[0]
        if name in given:
            fields[name] = given[name]
        else:
            fields.pop(name, None)
    return fields


def _transform(fields: dict[str, Value], transform: Any, at: Micros) -> None:
    """Add to an integer, or put the request's time: in milliseconds, a little earlier than the commit (M5)."""
    *path, last = _names(transform.field_path)
    target: dict[str, Any] = fields
    for name in path:
        inner = target.get(name)
        target[name] = dict(inner) if isinstance(inner, Mapping) else {}
        target = target[name]
    if transform.WhichOneof("transform_type") == "increment":
        known = target.get(last)
        number = known if isinstance(known, int) and not isinstance(known, bool) else 0
        target[last] = max(-(2**63), min(2**63 - 1, number + int(transform.increment.integer_value)))
    else:
        target[last] = _EPOCH + timedelta(milliseconds=at // 1_000)


def _names(path: str) -> list[str]:
    """The field names of a path as Firestore spells it: ``d.`06`.debits``."""
    return list(_split(path))


def _split(path: str) -> Iterator[str]:
    place = 0
    while place < len(path):
        if path[place] == "`":
            name, place = _quoted(path, place + 1)
        else:
            end = path.find(".", place)
            end = len(path) if end < 0 else end
            name, place = path[place:end], end
        yield name
        place += 1


def _quoted(path: str, place: int) -> tuple[str, int]:
    name = ""
    while path[place] != "`":
        if path[place] == "\\":
            place += 1
        name += path[place]
        place += 1
    return name, place + 1
