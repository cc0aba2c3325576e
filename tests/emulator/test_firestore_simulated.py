"""The simulated Firestore held against Google's emulator: the same random requests, the same answers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - the seed is printed
from typing import Any, Final

import grpc
import pytest

from shared.gcp import firestore_methods as methods
from shared.gcp.firestore import HOST, resource_headers
from shared.gcp.firestore_queries import cursor_after, parent_path, put_aggregations, put_conditions, put_query
from shared.gcp.firestore_values import read_document, read_fields
from shared.gcp.firestore_writes import put_write
from shared.gcp.rpc import Method, Rpc, RpcFailed
from shared.ports import Absent, Check, Create, Delete, Increment, Put, Query, Ref, Update, Value, Where, Write
from shared.settings import Settings
from tests.simulation.firestore import Firestore

pytestmark = pytest.mark.emulator

TRACES: Final = 8
OPERATIONS: Final = 300
"""Of each trace: 2,400 in a run."""

REFS: Final = tuple(
    Ref(f"{parent}{collection}/{key}")
    for parent in ("", "tenants/acme/", "tenants/bolt/")
    for collection in ("things", "others")
    for key in ("a", "b~1", "ü")
)
VALUES: Final[tuple[Value, ...]] = (
    None,
    True,
    0,
    -7,
    2**53 + 1,
    "",
    "text",
    "Zoë",
    "\U0001f600",
    "\uffee",
    b"\x00\xff",
    datetime(2026, 11, 16, 12, 0, 0, 123456, tzinfo=UTC),
    [1, "two", {"three": 3}],
    [],
    {"inner": {"x": 1}, "b c": "d"},
)
FIELDS: Final = ("number", "text", "list", "any", "we`ird name")


@dataclass
class Side:
    """One of the two, and what it said: versions of documents, and instants."""

    send: Any
    versions: dict[Ref, list[str]] = field(default_factory=dict)
    instants: list[Any] = field(default_factory=list)

    def ask(self, method: Method, request: Any) -> Any:
        """The answer, or the status of the refusal."""
        try:
            return self.send(method, request)
        except RpcFailed as failed:
            return failed.status


@dataclass
class Pair:
    """Both, over one project."""

    settings: Settings
    random: Random
    ours: Side
    theirs: Side
    server: Firestore

    @property
    def database(self) -> str:
        """The database's name."""
        return f"projects/{self.settings.project}/databases/{self.settings.database}"

    @property
    def root(self) -> str:
        """What the name of each document begins with."""
        return f"{self.database}/documents/"

    @property
    def sides(self) -> tuple[Side, Side]:
        """Ours and theirs."""
        return self.ours, self.theirs


@pytest.fixture(params=range(TRACES))
def pair(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """An empty database on either side."""
    random = Random(f"trace {request.param}")  # noqa: S311 - as above
    now = datetime(2026, 11, 16, 12, tzinfo=UTC)
    server = Firestore(lambda: now + timedelta(milliseconds=server.commits), random, serves=lambda _: True)
    rpc = Rpc(HOST, settings.firestore_endpoint, metadata=resource_headers(settings, settings.database))
    yield Pair(settings, random, Side(server.answer), Side(lambda method, asked: rpc.send(method, asked, 10.0)), server)
    rpc.close()


def test_random_requests_are_answered_alike(pair: Pair) -> None:
    """Commits, reads, queries, counts and locks, one after the other."""
    for _ in range(OPERATIONS):
        pair.random.choice((_commit, _commit, _commit, _read, _query, _query, _count, _locked))(pair)
    for ref in REFS:
        _compare(pair, [ref])


# --- commits -----------------------------------------------------------------------------


def _commit(pair: Pair, transaction: tuple[bytes, bytes] = (b"", b"")) -> None:
    refs = pair.random.sample(REFS, pair.random.randint(1, 4))
    planned = [(_write(pair, ref), pair.random.random()) for ref in refs]
    statuses = []
    failing: list[Any] = []
    for side, name in zip(pair.sides, transaction, strict=True):
        request = methods.COMMIT.request(database=pair.database, transaction=name)
        for write, chance in planned:
            put_write(request.writes.add(), pair.root, write, _version(side, write, chance))
        if side is pair.ours:
            failing = [status for one in request.writes if (status := pair.server._failing(one))]
        answer = side.ask(methods.COMMIT, request)
        statuses.append(answer if isinstance(answer, grpc.StatusCode) else None)
        if statuses[-1] is None:
            side.instants.append(answer.commit_time)
    assert (statuses[0] is None) == (statuses[1] is None), (planned, statuses)
    assert statuses[1] is None or statuses[1] in failing, (planned, statuses, failing)
    _compare(pair, refs)


def _version(side: Side, write: Write, chance: float) -> str | None:
    """The newest version that this side knows, or an older one, for writes that demand one."""
    known = side.versions.get(write.ref)
    if not isinstance(write, Update | Check | Delete) or not known or write.ref.key == "ü":
        return None
    return known[-1] if chance < 0.8 else known[0]


def _write(pair: Pair, ref: Ref) -> Write:
    random = pair.random
    fields = {name: _value(random, name) for name in random.sample(FIELDS, random.randint(0, 4))}
    amounts = {
        path: random.randint(-5, 5)
        for path in random.sample([("number",), ("any", "inner", "x"), ("we`ird name", "06")], random.randint(1, 2))
    }
    makes: tuple[Callable[[], Write], ...] = (
        lambda: Create(ref, fields),
        lambda: Create(ref, fields),
        lambda: Update(ref, fields, ""),
        lambda: Put(ref, fields),
        lambda: Increment(ref, amounts, must_exist=True),
        lambda: Increment(ref, amounts, must_exist=False, fields=fields),
        lambda: Check(ref),
        lambda: Absent(ref),
        lambda: Delete(ref),
    )
    return random.choice(makes)()


def _value(random: Random, name: str) -> Value:
    if name == "number":
        return random.choice((1, 2, 3, -4, None))
    if name == "list":
        return random.sample((1, 2, "a", "b"), random.randint(0, 3))
    return random.choice(VALUES)


# --- reads -------------------------------------------------------------------------------


def _read(pair: Pair) -> None:
    refs = pair.random.sample(REFS, pair.random.randint(1, 5))
    back = pair.random.randrange(5)
    _compare(pair, refs, back if back and len(pair.ours.instants) >= back else 0)


def _compare(pair: Pair, refs: Iterable[Ref], back: int = 0) -> None:
    """Both say the same of these documents, now or as of some commits ago."""
    seen = []
    for side in pair.sides:
        request = methods.BATCH_GET.request(database=pair.database)
        request.documents.extend(pair.root + ref.path for ref in refs)
        if back:
            request.read_time.CopyFrom(side.instants[-back])
        found = {}
        for answer in side.ask(methods.BATCH_GET, request):
            if answer.HasField("found"):
                document = read_document(answer.found, len(pair.root))
                found[document.ref] = document.fields
                if not back and side.versions.get(document.ref, [""])[-1] != document.version:
                    side.versions.setdefault(document.ref, []).append(document.version)
        seen.append(found)
    assert seen[0] == seen[1]
    changed = [{ref: len(side.versions.get(ref, [])) for ref in refs} for side in pair.sides]
    assert changed[0] == changed[1], "an update time moved on one side only"


def _query(pair: Pair) -> None:
    query = _a_query(pair.random)
    answers = []
    for side in pair.sides:
        first = _asked(pair, side, query)
        rest = []
        if first:
            cursor = cursor_after(query, first[len(first) // 2]) if _has_order(query, first[len(first) // 2]) else None
            rest = _asked(pair, side, Query(**{**_parts(query), "after": cursor})) if cursor else []
        answers.append(([(one.ref, one.fields) for one in first], [(one.ref, one.fields) for one in rest]))
    assert answers[0] == answers[1], query


def _asked(pair: Pair, side: Side, query: Query) -> list[Any]:
    path = parent_path(query)
    request = methods.RUN_QUERY.request(parent=pair.root + path if path else pair.root[:-1])
    put_query(request.structured_query, query, root=pair.root, limit=query.limit)
    answers = side.ask(methods.RUN_QUERY, request)
    assert not isinstance(answers, grpc.StatusCode), (query, answers)
    return [read_document(one.document, len(pair.root)) for one in answers if one.HasField("document")]


def _a_query(random: Random) -> Query:
    group = random.random() < 0.3
    wheres = random.sample(
        (
            Where("number", random.choice(("==", "<", ">=", ">")), random.choice((1, 2, -4))),
            Where("text", "==", random.choice(VALUES)),
            Where("list", "array_contains", random.choice((1, "a"))),
            Where("number", "in", [1, 3, None]),
            Where("any", random.choice(("<", ">=")), random.choice(("", "text", 0, b"\x00"))),
        ),
        random.choice((0, 0, 1, 1)),
    )
    order = random.choice(((), ("number",), ("-number",), ("number", "-text"), ("text",), ("-any",)))
    if any(where.operator in {"<", ">=", ">"} for where in wheres):
        order = (random.choice(("", "-")) + wheres[0].field,)
    tenant: Any = None if group else random.choice((None, "acme"))
    return Query("things", tenant, tuple(wheres), order, limit=random.choice((1, 2, 10)), group=group)


def _has_order(query: Query, document: Any) -> bool:
    """Whether a cursor can name the document's place: cursors hold texts, numbers and instants."""
    values = [document.fields.get(name.removeprefix("-"), ()) for name in query.order]
    return all(value is None or isinstance(value, str | int | datetime) for value in values)


def _parts(query: Query) -> dict[str, Any]:
    return {name: getattr(query, name) for name in ("collection", "tenant", "where", "order", "limit", "group")}


def _count(pair: Pair) -> None:
    query = _a_query(pair.random)
    answers = []
    for side in pair.sides:
        path = parent_path(query)
        request = methods.RUN_AGGREGATION.request(parent=pair.root + path if path else pair.root[:-1])
        put_conditions(request.structured_aggregation_query.structured_query, query)
        put_aggregations(request.structured_aggregation_query, ("number",), up_to=query.limit)
        (answer,) = side.ask(methods.RUN_AGGREGATION, request)
        answers.append(read_fields(answer.result.aggregate_fields))
    assert answers[0] == answers[1], query


# --- transactions ------------------------------------------------------------------------


def _locked(pair: Pair) -> None:
    """Begin, read with locks, then commit or roll back; afterwards the transaction is over."""
    names = []
    refs = pair.random.sample(REFS, 2)
    for side in pair.sides:
        begin = methods.BEGIN.request(database=pair.database)
        begin.options.read_write.SetInParent()
        name = side.ask(methods.BEGIN, begin).transaction
        request = methods.BATCH_GET.request(database=pair.database, transaction=name)
        request.documents.extend(pair.root + ref.path for ref in refs)
        side.ask(methods.BATCH_GET, request)
        names.append(name)
    if pair.random.random() < 0.5:
        _commit(pair, (names[0], names[1]))
    for side, name in zip(pair.sides, names, strict=True):
        side.ask(methods.ROLLBACK, methods.ROLLBACK.request(database=pair.database, transaction=name))
