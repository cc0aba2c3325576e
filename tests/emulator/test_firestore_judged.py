"""Judged from outside: Google's own client, and a process that forked."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from shared.gcp.firestore import FirestoreStore
from shared.identity import TenantId
from shared.ports import Create, Decision, Fields, Increment, platform_ref, tenant_ref
from shared.settings import Settings

THING = tenant_ref(TenantId("acme"), "things", "one")
FIELDS: Fields = {
    "text": "Zoë",
    "amount": -(2**63),
    "yes": True,
    "nothing": None,
    "bytes": b"\x00\xff",
    "at": datetime(2026, 11, 16, 12, 0, 0, 123456, tzinfo=UTC),
    "before_1970": datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
    "list": [1, "two", {"three": 3}, None],
    "map": {"a b": {"c`d\\": 1, "06": 2}, "empty": {}},
}

FORKING = """
import os, sys
from shared.gcp.firestore import FirestoreStore
from shared.ports import Create, Decision, Ref
from shared.settings import read_settings
settings = read_settings({f"DAYBOOK_{name}": "x" for name in ("REGION", "KMS_KEY", "DOORS_URL")} | {
    "DAYBOOK_PROJECT": sys.argv[1], "DAYBOOK_FIRESTORE_ENDPOINT": sys.argv[2]})
store = FirestoreStore(settings, settings.database)
child = os.fork()
store.transact((), lambda _: Decision(None, (Create(Ref(f"forks/{'parent' if child else 'child'}"), {}),)))
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def client(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> firestore.Client:
    """Google's own client of the same database."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", settings.firestore_endpoint)
    nobody: Callable[[], Any] = AnonymousCredentials
    return firestore.Client(project=settings.project, credentials=nobody())


def test_googles_client_reads_what_we_write(store: FirestoreStore, client: firestore.Client) -> None:
    """Every kind of value means the same to it."""
    store.transact((), lambda _: Decision(None, (Create(THING, FIELDS),)))
    store.transact((), lambda _: Decision(None, (Increment(THING, {("map", "a b", "c`d\\"): 5}, must_exist=True),)))
    document = client.document(THING.path).get().to_dict()
    assert document == {**FIELDS, "map": {"a b": {"c`d\\": 6, "06": 2}, "empty": {}}}


def test_we_read_what_googles_client_writes(store: FirestoreStore, client: firestore.Client) -> None:
    """And the other way round."""
    client.document(THING.path).set(dict(FIELDS))
    document = store.get([THING])[THING]
    assert document is not None
    assert document.fields == FIELDS


def test_a_float_of_somebody_elses_is_not_read(store: FirestoreStore, client: firestore.Client) -> None:
    """A document with a double in it is none of ours."""
    client.document(THING.path).set({"rate": 0.5})
    with pytest.raises(TypeError):
        store.get([THING])


def test_a_store_made_before_a_fork_serves_both_sides(settings: Settings, store: FirestoreStore) -> None:
    """The host loads doors before it forks; each process opens its own channel."""
    command = (sys.executable, "-c", FORKING, settings.project, settings.firestore_endpoint)
    subprocess.run(command, check=True, timeout=60)  # noqa: S603 - our own words
    assert None not in store.get([platform_ref("forks", "parent"), platform_ref("forks", "child")]).values()
