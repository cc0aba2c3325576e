"""Queries, pages, sums and snapshots."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared import counters
from shared.faults import Malformed
from shared.gcp.firestore import FirestoreStore
from shared.identity import TenantId
from shared.ports import Create, Decision, Increment, Put, Query, Ref, Where, Write, platform_ref, tenant_ref

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
DAY = datetime(2026, 11, 1, tzinfo=UTC)


def write(store: FirestoreStore, *writes: Write) -> None:
    """Commit writes that rest on nothing read."""
    store.transact((), lambda _: Decision(None, writes))


@pytest.fixture
def things(store: FirestoreStore) -> FirestoreStore:
    """Seven things of acme (n = 0, 0, 1, 1, 2, 2, 3; one a day, two colours) and one of globex."""
    write(
        store,
        *(
            Create(
                tenant_ref(ACME, "things", f"t{number}"),
                {
                    "n": number // 2,
                    "at": DAY + timedelta(days=number),
                    "colour": "red" if number % 2 else "blue",
                    "tags": [f"tag{number}", "all"],
                    "closed": None if number == 6 else False,
                },
            )
            for number in range(7)
        ),
        Create(tenant_ref(GLOBEX, "things", "t9"), {"n": 9, "colour": "red"}),
        Create(platform_ref("things", "p"), {"n": 99}),
    )
    return store


def keys(store: FirestoreStore, query: Query) -> list[str]:
    """The ids of all documents of a query, page after page."""
    found: list[str] = []
    while True:
        page = store.query(query)
        found += [document.ref.key for document in page.documents]
        if page.cursor is None:
            return found
        query = Query(**{name: getattr(query, name) for name in query.__slots__} | {"after": page.cursor})


def test_a_query_sees_one_tenant(things: FirestoreStore) -> None:
    """All of acme's things in the order of their names, none of anybody else's."""
    assert keys(things, Query("things", ACME)) == [f"t{number}" for number in range(7)]


def test_a_query_without_tenant_sees_the_platforms_own(things: FirestoreStore) -> None:
    """The platform's collection of that name, not the tenants'."""
    assert keys(things, Query("things")) == ["p"]


def test_a_group_sees_all_tenants(things: FirestoreStore) -> None:
    """A platform sweep finds every collection of that name."""
    assert keys(things, Query("things", where=(Where("n", ">=", 3),), group=True)) == ["t6", "t9", "p"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Where("n", "==", 1), ["t2", "t3"]),
        (Where("n", "<", 1), ["t0", "t1"]),
        (Where("n", "<=", 0), ["t0", "t1"]),
        (Where("n", ">", 2), ["t6"]),
        (Where("at", ">=", DAY + timedelta(days=5)), ["t5", "t6"]),
        (Where("n", "in", [0, 3]), ["t0", "t1", "t6"]),
        (Where("tags", "array_contains", "tag4"), ["t4"]),
        (Where("closed", "==", None), ["t6"]),
    ],
    ids=str,
)
def test_conditions(things: FirestoreStore, where: Where, expected: list[str]) -> None:
    """Each operator finds what it says."""
    assert keys(things, Query("things", ACME, (where,))) == expected


def test_conditions_hold_together(things: FirestoreStore) -> None:
    """Several conditions are met at once."""
    where = (Where("colour", "==", "red"), Where("n", ">=", 1))
    assert keys(things, Query("things", ACME, where)) == ["t3", "t5"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]),
        (("-n",), ["t6", "t5", "t4", "t3", "t2", "t1", "t0"]),
        (("n",), ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]),
        (("colour", "-n"), ["t6", "t4", "t2", "t0", "t5", "t3", "t1"]),
        (("-at",), ["t6", "t5", "t4", "t3", "t2", "t1", "t0"]),
    ],
    ids=str,
)
def test_pages_miss_and_repeat_nothing(
    things: FirestoreStore, order: tuple[str, ...], expected: list[str], limit: int
) -> None:
    """Whatever the page's size, all pages together are the list, also among equals."""
    assert keys(things, Query("things", ACME, order=order, limit=limit)) == expected


def test_a_page_goes_on_where_an_inequality_orders(things: FirestoreStore) -> None:
    """The field of an inequality is part of the order, so of the cursor."""
    query = Query("things", ACME, (Where("n", ">=", 1),), limit=2)
    assert keys(things, query) == ["t2", "t3", "t4", "t5", "t6"]


def test_the_last_page_says_so(things: FirestoreStore) -> None:
    """A page that ends with the last document has no cursor, even when it is full."""
    assert things.query(Query("things", ACME, limit=7)).cursor is None
    assert things.query(Query("things", ACME, limit=6)).cursor is not None


def test_only_the_named_fields_come_back(things: FirestoreStore) -> None:
    """The order may need more fields; they are not shown."""
    page = things.query(Query("things", ACME, order=("-n",), only=("colour",), limit=1))
    assert page.documents[0].fields == {"colour": "blue"}
    assert page.cursor is not None


def cursor(*parts: object) -> str:
    """A cursor that somebody made up."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "after",
    [
        "",
        "!",
        "e30",
        cursor(),
        cursor(1),
        cursor("tenants/acme/things/t1"),
        cursor(1, "tenants/globex/things/t9"),
        cursor(1, "tenants/acme/others/t1"),
        cursor(1, "tenants/acme/things/t1/things/t2"),
        cursor(1, 1),
        cursor(1.5, "tenants/acme/things/t1"),
        cursor({}, "tenants/acme/things/t1"),
        cursor(1, "tenants/acme/things/.."),
        cursor(1, "tenants/acme/things/__t1__"),
        cursor(1, f"tenants/acme/things/{'t' * 1_600}"),
        cursor("\ud800", "tenants/acme/things/t1"),
        cursor(["at", "0001-01-01T00:00:00+12:00"], "tenants/acme/things/t1"),
        cursor(["at", "9999-12-31T23:59:59-12:00"], "tenants/acme/things/t1"),
        cursor(["at", "noon"], "tenants/acme/things/t1"),
        cursor(["at", "2026-11-01T00:00:00"], "tenants/acme/things/t1"),
        cursor(2**64, "tenants/acme/things/t1"),
        "9" * 500,
    ],
)
def test_a_foreign_cursor_is_refused(things: FirestoreStore, after: str) -> None:
    """What this list did not hand out is malformed, and never leads to another's documents."""
    with pytest.raises(Malformed):
        things.query(Query("things", ACME, order=("n",), after=after, limit=2))


def test_an_aggregate_counts_and_sums(things: FirestoreStore) -> None:
    """Count and sums of integers, by the field's name."""
    query = Query("things", ACME, (Where("colour", "==", "red"),))
    assert things.aggregate(query, sums=("n",)) == {"count": 3, "n": 3}
    assert things.aggregate(Query("nothing", ACME), sums=("n",)) == {"count": 0, "n": 0}
    assert things.aggregate(Query("things", group=True)) == {"count": 9}


def test_a_snapshot_does_not_move(things: FirestoreStore) -> None:
    """Reads at one instant agree with each other, whatever is written after it."""
    ref = tenant_ref(ACME, "things", "t0")
    at = things.read_time()
    write(things, Increment(ref, {("n",): 100}, must_exist=True), Put(tenant_ref(ACME, "things", "new"), {"n": 5}))
    query = Query("things", ACME)
    document = things.get([ref], at=at)[ref]
    assert document is not None
    assert document["n"] == 0
    assert len(things.query(query, at=at).documents) == 7
    assert things.aggregate(query, sums=("n",), at=at) == {"count": 7, "n": 9}
    assert things.aggregate(query, sums=("n",)) == {"count": 8, "n": 114}


def test_a_snapshot_holds_all_that_was_committed_before_it(store: FirestoreStore) -> None:
    """The store's own time, read after a commit, is never before it (docs/ledger.md M5)."""
    for number in range(20):
        ref = Ref(f"things/{number}")
        write(store, Create(ref, {}))
        at = store.read_time()
        document = store.get([ref], at=at)[ref]
        assert document is not None
        assert document.created_at <= at


def test_what_is_asked_twice_is_read_once(store: FirestoreStore) -> None:
    """The same place named twice is one read; no place is no call."""
    operations = counters.begin()
    ref = Ref("things/one")
    assert store.get([ref, ref]) == {ref: None}
    assert store.get([]) == {}
    assert (operations.rpcs, operations.reads) == (1, 1)


def test_queries_are_counted(things: FirestoreStore) -> None:
    """A page costs its documents and one more to know whether it is the last; nothing found costs one."""
    operations = counters.begin()
    things.query(Query("things", ACME, limit=3))
    assert (operations.rpcs, operations.reads) == (1, 4)
    things.query(Query("nothing", ACME))
    assert (operations.rpcs, operations.reads) == (2, 5)
    things.aggregate(Query("things", ACME))
    assert (operations.rpcs, operations.reads) == (3, 6)
