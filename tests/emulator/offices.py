"""The platform's and a tenant's doors over the real Firestore emulator: what a client system would talk to."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from functions.invoicing.customers import customers
from functions.ledger.accounts import accounts
from functions.ledger.periods import periods
from functions.platform.api_keys import api_keys
from functions.platform.tenants import tenants
from functions.webhooks.webhook_endpoints import webhook_endpoints
from shared.events import Announcement, Command
from shared.ports import Decision, Delete, Query, Value
from shared.settings import Settings
from shared.wiring import House, house
from tests.builders import NOON
from tests.local_keys import LocalKeys

PLATFORM_KEY: Final = "db_platform_aaaa_bbbb"
_DOORS: Final[Mapping[str, Any]] = {  # functions_framework loses their types
    "/v1/tenants": tenants,
    "/v1/api_keys": api_keys,
    "/v1/customers": customers,
    "/v1/ledger/accounts": accounts,
    "/v1/ledger/periods": periods,
    "/v1/webhook_endpoints": webhook_endpoints,
}


@dataclass(frozen=True)
class Answer:
    """What a door answered."""

    status_code: int
    headers: Headers
    text: str

    @property
    def json(self) -> Any:
        """Its JSON."""
        return json.loads(self.text)


class SteppedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        """The instant it was moved to."""
        return self.at

    def advance(self, seconds: int) -> None:
        """Move it."""
        self.at += timedelta(seconds=seconds)


class Nowhere:
    """Queue and bus of doors that send nothing."""

    def enqueue(self, command: Command) -> None:
        """No command is expected."""
        raise AssertionError(command.door)

    def publish(self, announcement: Announcement) -> None:
        """No announcement is expected."""
        raise AssertionError(announcement.type)


@dataclass
class Office:
    """The doors of one house, with its clock and its platform's key in the test's hand."""

    house: House
    clock: SteppedClock
    keys: LocalKeys
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def post(self, path: str, body: object, key: str = PLATFORM_KEY, *, once: str = "") -> Answer:
        """Send a body; `once` is the Idempotency-Key, a new one unless it is given."""
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": once or f"test-{next(self._numbers)}"}
        return _answer(self._door(path).post(path, json=body, headers=headers))

    def get(self, path: str, key: str = PLATFORM_KEY) -> Answer:
        """Ask for something."""
        return _answer(self._door(path).get(path, headers={"Authorization": f"Bearer {key}"}))

    def create_tenant(self, tenant: str = "acme", **changes: object) -> str:
        """Make a tenant and return its owner's key."""
        answer = self.post("/v1/tenants", a_tenant(tenant) | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json["owner_key"])

    def documents(self, collection: str, tenant: Any = None) -> list[Mapping[str, Value]]:
        """Everything in a collection."""
        return [document.fields for document in self.house.store.query(Query(collection, tenant)).documents]

    def forget(self, collection: str, tenant: Any) -> None:
        """Delete everything in a collection, as Firestore does with what is past its time."""
        found = self.house.store.query(Query(collection, tenant)).documents
        gone: Decision[None] = Decision(None, tuple(Delete(document.ref) for document in found))
        self.house.store.transact((), lambda _: gone)

    def _door(self, path: str) -> Client:
        serve = next(serve for prefix, serve in _DOORS.items() if path.startswith(prefix))
        return Client(Request.application(serve))


def _answer(response: TestResponse) -> Answer:
    return Answer(response.status_code, response.headers, response.text)


def a_tenant(tenant: str = "acme") -> dict[str, object]:
    """A body that makes a tenant."""
    return {
        "tenant": tenant,
        "legal_name": "Acme Ltd",
        "country": "GB",
        "currency": "GBP",
        "vat_id": "gb980780684",
        "tax_registrations": [{"country": "DE", "vat_id": "DE136695976"}],
        "owner": "user:ann",
    }


def open_office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Furnish a house over an empty database, and let every door find it."""
    folder = settings.secrets_path
    assert folder is not None
    (folder / "platform-key").write_text(PLATFORM_KEY, encoding="ascii")
    (folder / "request-hash").write_text("a secret of the house", encoding="ascii")
    monkeypatch.setattr("shared.wiring.read_settings", lambda: settings)
    house.cache_clear()
    rooms, clock, keys, nowhere = house(), SteppedClock(), LocalKeys(), Nowhere()
    rooms.__dict__.update(clock=clock, keys=keys, queue=nowhere, bus=nowhere)
    return Office(rooms, clock, keys)
