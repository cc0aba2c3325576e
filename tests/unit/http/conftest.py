import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from tests.unit.http.issuer import Issuer
from tests.unit.http.rooms import ACCOUNTANT, Counter, Rooms, a_calculator, a_door, an_invoice_door

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
