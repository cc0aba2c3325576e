"""One process of our services for the run; every test has a project, a queue and a door to itself."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest

from tests.emulator.services.doors import Door, Street
from tests.emulator.services.rig import Services, TasksBench

_numbers = count(1)


@pytest.fixture(scope="session")
def street() -> Iterator[Street]:
    """The web server."""
    server = Street()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def services(street: Street, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One process for the run; each test has a project to itself, and the clock only moves forward."""
    running = Services(tmp_path_factory.mktemp("services"), street.url)
    yield running
    assert running.stop() == 0


@pytest.fixture
def location() -> str:
    """A location that nobody has used."""
    return f"projects/test-{next(_numbers)}/locations/europe-west2"


@pytest.fixture
def door(street: Street) -> Iterator[Door]:
    """A door of the test's own."""
    own = street.door(f"door_{next(_numbers)}")
    yield own
    own.open.set()


@pytest.fixture
def bench(services: Services, door: Door, location: str) -> Iterator[TasksBench]:
    """A queue's name, gone with its tasks when the test is over."""
    bench = TasksBench(services.tasks, door, location, f"{location}/queues/q{next(_numbers)}")
    yield bench
    for left in bench.client.list_queues(parent=location):
        bench.client.delete_queue(name=left.name)
