"""Each kind of write, and what it demands."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.faults import Retryable
from shared.gcp.firestore import FirestoreStore
from shared.identity import TenantId
from shared.ports import (
    Absent,
    Check,
    Create,
    Decision,
    Delete,
    Document,
    Fields,
    Increment,
    Put,
    Ref,
    Update,
    View,
    Write,
    tenant_ref,
)

ACME = TenantId("acme")
THING = tenant_ref(ACME, "things", "one")
OTHER = tenant_ref(ACME, "things", "other")


def write(store: FirestoreStore, *writes: Write) -> None:
    """Commit writes that rest on nothing read, once."""
    store.transact((), lambda _: Decision(None, writes), attempts=1)


def read(store: FirestoreStore, ref: Ref = THING) -> Document:
    """A document that must be there."""
    document = store.get([ref])[ref]
    assert document is not None
    return document


def fails(store: FirestoreStore, *writes: Write) -> bool:
    """Whether a commit is refused as a whole."""
    try:
        write(store, *writes)
    except Retryable:
        return True
    return False


def test_every_kind_of_value_comes_back_as_it_was(store: FirestoreStore) -> None:
    """Text, integers to the ends of 64 bits, truth, nothing, bytes, instants, lists and maps survive."""
    fields: Fields = {
        "text": "Zoë",
        "most": 2**63 - 1,
        "least": -(2**63),
        "yes": True,
        "nothing": None,
        "bytes": b"\x00\xff",
        "at": datetime(2026, 11, 16, 12, 0, 0, 123456, tzinfo=UTC),
        "list": [1, "two", {"three": 3}],
        "map": {"a b": {"c`d": 1}, "empty": {}},
        "odd name.": "x",
    }
    write(store, Create(THING, fields))
    assert read(store).fields == fields


def test_a_float_is_refused(store: FirestoreStore) -> None:
    """The books hold no float, at any depth."""
    with pytest.raises(TypeError):
        write(store, Create(THING, {"deep": [{"rate": 0.1}]}))  # type: ignore[dict-item] # the law is about this very mistake


def test_an_integer_beyond_64_bits_is_refused(store: FirestoreStore) -> None:
    """What Firestore cannot hold exactly never leaves."""
    with pytest.raises(OverflowError):
        write(store, Increment(THING, {("n",): 2**63}, must_exist=False))


def test_an_instant_without_a_zone_is_refused(store: FirestoreStore) -> None:
    """A time that could mean two instants is not stored."""
    with pytest.raises(ValueError, match="zone"):
        write(store, Create(THING, {"at": datetime(2026, 1, 1)}))  # noqa: DTZ001 - the law is about this very mistake


def test_create_demands_that_nothing_is_there(store: FirestoreStore) -> None:
    """A second creation fails and changes nothing."""
    write(store, Create(THING, {"n": 1}))
    assert fails(store, Create(THING, {"n": 2}))
    assert read(store)["n"] == 1


def test_create_stamps_the_stores_own_time(store: FirestoreStore) -> None:
    """A stamped field is filled by the store, close to the time of creation."""
    write(store, Create(THING, {"n": 1}, stamped=("recorded_at",)))
    document = read(store)
    recorded = document["recorded_at"]
    assert isinstance(recorded, datetime)
    assert abs(recorded - document.created_at) < timedelta(seconds=1)


def test_update_replaces_only_the_named_fields(store: FirestoreStore) -> None:
    """Other fields stay; a named map is replaced whole."""
    write(store, Create(THING, {"a": 1, "b": {"x": 1, "y": 2}, "odd name": 1}))
    write(store, Update(THING, {"b": {"x": 3}, "odd name": 2}, read(store).version))
    assert read(store).fields == {"a": 1, "b": {"x": 3}, "odd name": 2}


def test_update_demands_the_version_that_was_read(store: FirestoreStore) -> None:
    """A stale version fails the whole commit."""
    write(store, Create(THING, {"n": 1}))
    stale = read(store).version
    write(store, Update(THING, {"n": 2}, stale))
    assert fails(store, Update(THING, {"n": 3}, stale), Create(OTHER, {}))
    assert read(store)["n"] == 2
    assert store.get([OTHER])[OTHER] is None


def test_put_writes_the_whole_document(store: FirestoreStore) -> None:
    """What was there is gone, whatever it was."""
    write(store, Put(THING, {"a": 1}))
    write(store, Put(THING, {"b": 2}))
    assert read(store).fields == {"b": 2}


def test_increments_add_up(store: FirestoreStore) -> None:
    """Amounts are added by path, in one commit as over several, and other fields stay."""
    write(store, Create(THING, {"name": "n", "debits": 5, "d": {"06": 1}}))
    write(
        store,
        Increment(THING, {("debits",): 10, ("d", "06"): 10}, must_exist=True),
        Increment(THING, {("debits",): -3, ("d", "07"): 7}, must_exist=True),
    )
    assert read(store).fields == {"name": "n", "debits": 12, "d": {"06": 11, "07": 7}}


def test_an_increment_that_demands_existence_writes_nothing_where_nothing_is(store: FirestoreStore) -> None:
    """A missing document fails the commit, and none is made."""
    assert fails(store, Create(OTHER, {}), Increment(THING, {("n",): 1}, must_exist=True))
    assert store.get([THING, OTHER]) == {THING: None, OTHER: None}


def test_an_increment_that_demands_existence_leaves_the_fields_alone(store: FirestoreStore) -> None:
    """The fields that say what a document is about are only written where it may be created."""
    write(store, Create(THING, {"name": "mine"}))
    write(store, Increment(THING, {("n",): 1}, must_exist=True, fields={"name": "yours"}))
    assert read(store).fields == {"name": "mine", "n": 1}


def test_an_increment_may_create(store: FirestoreStore) -> None:
    """Without the demand the document begins with the fields and the amounts."""
    write(store, Increment(THING, {("n",): 4, ("d", "06"): 4}, must_exist=False, fields={"name": "n"}))
    write(store, Increment(THING, {("n",): 1}, must_exist=False, fields={"name": "n"}))
    assert read(store).fields == {"name": "n", "n": 5, "d": {"06": 4}}


def test_a_check_changes_nothing(store: FirestoreStore) -> None:
    """A check leaves fields and version as they were (docs/ledger.md M1)."""
    write(store, Create(THING, {"n": 1}))
    before = read(store)
    write(store, Check(THING), Create(OTHER, {}))
    write(store, Check(THING, before.version), Put(OTHER, {}))
    assert read(store) == before


def test_a_check_demands_existence(store: FirestoreStore) -> None:
    """A check on nothing fails the commit and makes nothing."""
    assert fails(store, Check(THING), Create(OTHER, {}))
    assert store.get([THING, OTHER]) == {THING: None, OTHER: None}


def test_a_check_demands_its_version(store: FirestoreStore) -> None:
    """A check of a version that is past fails the commit."""
    write(store, Create(THING, {"n": 1}))
    stale = read(store).version
    write(store, Update(THING, {"n": 2}, stale))
    assert fails(store, Check(THING, stale), Create(OTHER, {}))


def test_delete_removes_unchanged_documents_only(store: FirestoreStore) -> None:
    """With a version only that version is removed; without one it is gone either way."""
    write(store, Create(THING, {"n": 1}))
    stale = read(store).version
    write(store, Update(THING, {"n": 2}, stale))
    assert fails(store, Delete(THING, stale))
    write(store, Delete(THING, read(store).version))
    write(store, Delete(THING))
    assert store.get([THING])[THING] is None


def test_two_writes_to_one_document_that_contradict_are_a_bug(store: FirestoreStore) -> None:
    """Only increments and checks come to one write; anything else is not guessed at."""
    with pytest.raises(ValueError, match="two writes"):
        write(store, Create(THING, {}), Put(THING, {}))


def test_a_check_joins_the_increment_it_stands_beside(store: FirestoreStore) -> None:
    """A check and an increment of one document demand existence together."""
    assert fails(store, Increment(THING, {("n",): 1}, must_exist=False), Check(THING))
    write(store, Create(THING, {"n": 1}))
    write(store, Check(THING), Increment(THING, {("n",): 1}, must_exist=False))
    assert read(store)["n"] == 2


def test_what_was_read_and_is_not_written_must_be_unchanged(store: FirestoreStore) -> None:
    """A decision on a document that changed meanwhile is made again on what is there now."""
    write(store, Create(THING, {"n": 1}))
    seen = []

    def decide(view: View) -> Decision[int]:
        thing = view[THING]
        assert thing is not None
        seen.append(thing["n"])
        if len(seen) == 1:
            write(store, Put(THING, {"n": 2}))
        return Decision(len(seen), (Create(OTHER, {"saw": thing["n"]}),))

    assert store.transact([THING], decide) == 2
    assert seen == [1, 2]
    assert read(store, OTHER)["saw"] == 2


def test_what_is_loose_may_have_changed(store: FirestoreStore) -> None:
    """A decision names what may be stale, and is not made again for it."""
    write(store, Create(THING, {"n": 1}))

    def decide(view: View) -> Decision[int]:
        assert view[THING] is not None
        write(store, Put(THING, {"n": 2}))
        return Decision(view.failures, (Create(OTHER, {}),), loose=frozenset({THING}))

    assert store.transact([THING], decide) == 0


@pytest.mark.parametrize(
    "second",
    [Put(THING, {"n": 9}), Increment(THING, {("n",): 1}, must_exist=True), Delete(THING)],
    ids=["put", "increment", "delete"],
)
def test_a_write_without_a_version_is_held_to_what_was_read(store: FirestoreStore, second: Write) -> None:
    """A document that was read and is written blindly is still demanded to be unchanged."""
    write(store, Create(THING, {"n": 1}))

    def decide(view: View) -> Decision[int]:
        assert view[THING] is not None
        if not view.failures:
            write(store, Put(THING, {"n": 5}))
        return Decision(view.failures, (second,))

    assert store.transact([THING], decide) == 1


def test_a_demand_of_absence_changes_nothing_and_fails_the_whole_commit(store: FirestoreStore) -> None:
    """What is not there must still not be there; what is there stays, and nothing else is written."""
    write(store, Absent(THING), Create(OTHER, {}))
    assert fails(store, Absent(OTHER), Create(THING, {}))
    assert store.get([THING, OTHER])[THING] is None
    assert read(store, OTHER).fields == {}
