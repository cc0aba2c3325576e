"""Google's Firestore emulator, started once a run; every test has a project, so a world, to itself."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from emulators.addresses import LOOPBACK, Leases
from emulators.google import find_installation, start_firestore, start_pubsub, wait_for, warm_firestore
from shared.gcp.firestore import FirestoreStore
from shared.settings import Settings, read_settings
from tests.emulator.instances import Fate, Instance, More, Post, an_instance
from tests.local_keys import LocalKeys

_projects = count(1)


@pytest.fixture(scope="session")
def firestore_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a Firestore emulator that lives as long as the run."""
    home: Path = tmp_path_factory.mktemp("firestore")
    leases = Leases(home)
    port = leases.lease()
    child = start_firestore(find_installation(), port, home / "firestore.log")
    try:
        wait_for(child, port)
        warm_firestore(f"{LOOPBACK}:{port}")
        yield f"{LOOPBACK}:{port}"
    finally:
        child.stop()
        leases.close()


@pytest.fixture(scope="session")
def pubsub_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a Pub/Sub emulator that lives as long as the run."""
    home: Path = tmp_path_factory.mktemp("pubsub")
    leases = Leases(home)
    port = leases.lease()
    child = start_pubsub(find_installation(), port, home / "pubsub.log")
    try:
        wait_for(child, port)
        yield f"{LOOPBACK}:{port}"
    finally:
        child.stop()
        leases.close()


@pytest.fixture
def settings(firestore_endpoint: str, tmp_path: Path) -> Settings:
    """Settings of a project that nobody has used, with every endpoint on this machine."""
    project = f"test-{os.getpid()}-{next(_projects)}"
    return read_settings(
        {
            "DAYBOOK_PROJECT": project,
            "DAYBOOK_REGION": "europe-west2",
            "DAYBOOK_KMS_KEY": f"projects/{project}/locations/europe-west2/keyRings/daybook/cryptoKeys/personal-data",
            "DAYBOOK_DOORS_URL": "http://127.0.0.1:1",
            "DAYBOOK_OIDC_ISSUER": "http://127.0.0.1:1",
            "DAYBOOK_OIDC_JWKS_URL": "http://127.0.0.1:1/jwks",
            "DAYBOOK_FIRESTORE_ENDPOINT": firestore_endpoint,
            "DAYBOOK_TASKS_ENDPOINT": "127.0.0.1:1",
            "DAYBOOK_PUBSUB_ENDPOINT": "127.0.0.1:1",
            "DAYBOOK_KMS_ENDPOINT": "127.0.0.1:1",
            "DAYBOOK_SECRETS_PATH": str(tmp_path),
        }
    )


@pytest.fixture
def store(settings: Settings) -> FirestoreStore:
    """An empty database on the emulator."""
    return FirestoreStore(settings, settings.database)


@pytest.fixture
def keys() -> LocalKeys:
    """The platform's key."""
    return LocalKeys()


@pytest.fixture
def house(settings: Settings, keys: LocalKeys) -> Iterator[Instance]:
    """An instance, for a tenant whose books are open."""
    instance = an_instance(settings, keys)
    instance.open_books()
    yield instance
    instance.line.close()


@pytest.fixture
def another(settings: Settings, keys: LocalKeys, house: Instance) -> Iterator[More]:
    """Makes further instances over the same databases; they share the queue unless they bring a fate of their own."""
    made: list[Instance] = []

    def make(fate: Fate | None = None, post: Post | None = None) -> Instance:
        made.append(an_instance(settings, keys, fate, post or (house.post if fate is None else None)))
        return made[-1]

    yield make
    for instance in made:
        instance.line.close()
