import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from shared.http.oidc import key_ring
from tests.unit.http.issuer import Issuer
from tests.unit.http.private_doors import Worker, a_schedule_door, a_task_door, an_event_door
from tests.unit.http.rooms import ACCOUNTANT, SETTINGS, Counter, Rooms, a_calculator, a_door, an_invoice_door

LogLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def rooms() -> Rooms:
    """A house with nothing in it but what the frame asks for."""
    return Rooms()


@pytest.fixture
def counter() -> Counter:
    """What stands behind every door."""
    return Counter()


def client_of(serve: Callable[[Request], Response]) -> Client:
    """A client of one door, as the functions framework would call it."""
    return Client(Request.application(serve))


@pytest.fixture
def door(rooms: Rooms, counter: Counter) -> Client:
    """A door with a writing, a reading and a listing route."""
    return client_of(a_door(rooms, counter).serve)


@pytest.fixture
def invoice_door(rooms: Rooms, counter: Counter) -> Client:
    """A door whose writing route takes no body."""
    return client_of(an_invoice_door(rooms, counter).serve)


@pytest.fixture
def calculator(rooms: Rooms, counter: Counter) -> Client:
    """A door whose POST writes nothing."""
    return client_of(a_calculator(rooms, counter).serve)


@pytest.fixture
def headers() -> dict[str, str]:
    """An accountant's key and an Idempotency-Key."""
    return {"Authorization": f"Bearer {ACCOUNTANT}", "Idempotency-Key": "key-1"}


@pytest.fixture
def order() -> dict[str, Any]:
    """A body that the writing route takes."""
    price = {"amount": 1050, "currency": "EUR"}
    line = {"description": "tea", "quantity": "1.5", "price": price}
    return {"reference": "order-1", "on": "2026-11-16", "count": 2, "lines": [line]}


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> LogLines:
    """The lines logged since the last look."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """The issuer of the private doors' tokens."""
    with Issuer() as running:
        yield running


@pytest.fixture
def guarded_rooms(issuer: Issuer) -> Rooms:
    """A house that trusts the running issuer."""
    issuer.published = ["one"]
    key_ring.cache_clear()
    return Rooms(settings=replace(SETTINGS, oidc_jwks_url=issuer.jwks_url))


@pytest.fixture
def worker() -> Worker:
    """What stands behind every private door."""
    return Worker()


@pytest.fixture
def task_door(guarded_rooms: Rooms, worker: Worker) -> Client:
    """The door calculate_payslips."""
    return client_of(a_task_door(guarded_rooms, worker))


@pytest.fixture
def event_door(guarded_rooms: Rooms, worker: Worker) -> Client:
    """The door issue_receipt."""
    return client_of(an_event_door(guarded_rooms, worker))


@pytest.fixture
def schedule_door(guarded_rooms: Rooms, worker: Worker) -> Client:
    """The door sweep_outbox."""
    return client_of(a_schedule_door(guarded_rooms, worker))


@pytest.fixture
def tasks_token(issuer: Issuer) -> dict[str, str]:
    """What Cloud Tasks sends to calculate_payslips."""
    return {"Authorization": f"Bearer {issuer.token('calculate_payslips')}"}


@pytest.fixture
def events_token(issuer: Issuer) -> dict[str, str]:
    """What Pub/Sub sends to issue_receipt."""
    email = "daybook-events@daybook-test.iam.gserviceaccount.com"
    return {"Authorization": f"Bearer {issuer.token('issue_receipt', email=email)}"}


@pytest.fixture
def scheduler_token(issuer: Issuer) -> dict[str, str]:
    """What Cloud Scheduler sends to sweep_outbox."""
    email = "daybook-scheduler@daybook-test.iam.gserviceaccount.com"
    return {"Authorization": f"Bearer {issuer.token('sweep_outbox', email=email)}"}
