"""The real doors in a local cloud, and two tenants with keys for every role."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from emulators import provision
from emulators.catalogue import load_catalogue
from emulators.cloud import LocalCloud
from shared.gcp import firestore_methods as methods
from shared.gcp.firestore import resource_headers
from shared.gcp.rpc import Rpc
from shared.identity import SystemIds
from shared.settings import Settings

ROLES = ("accountant", "payroll_preparer", "payroll_approver", "auditor")
SECONDS = 30


def a_key() -> str:
    """A fresh Idempotency-Key."""
    return SystemIds().token(10)


@dataclass
class Client:
    """Speaks to the doors as one holder of a key."""

    url: str
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    def post(self, path: str, body: object, *, key: str | None = None) -> requests.Response:
        """POST JSON under an Idempotency-Key."""
        return self.send("POST", path, json.dumps(body).encode(), {"Idempotency-Key": key or a_key()})

    def get(self, path: str) -> requests.Response:
        """GET."""
        return self.send("GET", path, b"", {})

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> requests.Response:
        """Send anything; headers with an empty value are left out."""
        usual = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        merged = {name: value for name, value in (usual | self.headers | headers).items() if value}
        return requests.request(method, self.url + path, data=body or None, headers=merged, timeout=SECONDS)


@dataclass
class Tenant:
    """A tenant and a client for each role."""

    name: str
    owner: Client
    clients: dict[str, Client]

    def __getattr__(self, role: str) -> Client:
        """The client of a role."""
        return self.clients[role]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud that serves every door of the catalogue, and whose schedules do nothing by themselves."""
    with LocalCloud(tmp_path_factory.mktemp("cloud")) as cloud:
        pause_jobs(cloud)
        yield cloud


def pause_jobs(cloud: LocalCloud) -> None:
    """An hour's turn must not write between two looks at the databases; firing a job still runs it."""
    settings = cloud.settings()
    with provision.scheduler_client(settings.tasks_endpoint) as client:
        for job in load_catalogue().jobs:
            client.pause_job(name=provision.job_name(settings, job.name), timeout=20)


def a_tenant(cloud: LocalCloud, name: str) -> Tenant:
    """Make a tenant with keys for every role."""
    platform = Client(cloud.doors_url, cloud.platform_key)
    body = {
        "tenant": name,
        "legal_name": "Example Limited",
        "country": "GB",
        "currency": "GBP",
        "vat_id": "GB980780684",
        "tax_registrations": [{"country": "DE", "vat_id": "DE136695976"}],
        "owner": "user:owner",
    }
    owner = Client(cloud.doors_url, platform.post("/v1/tenants", body).json()["owner_key"])
    clients = {
        role: Client(
            cloud.doors_url,
            owner.post("/v1/api_keys", {"principal": f"user:{role}", "role": role}).json()["key"],
        )
        for role in ROLES
    }
    cloud.make_webhook_secret(name)
    return Tenant(name, owner, {**clients, "owner": owner, "platform": platform})


@pytest.fixture(scope="session")
def acme(cloud: LocalCloud) -> Tenant:
    """A tenant."""
    return a_tenant(cloud, "acme")


@pytest.fixture(scope="session")
def rival(cloud: LocalCloud) -> Tenant:
    """Another tenant."""
    return a_tenant(cloud, "rival")


def every_document(settings: Settings, database: str) -> dict[str, Any]:
    """All documents of a database, raw, by name."""
    headers = resource_headers(settings, database)
    rpc = Rpc("", settings.firestore_endpoint, metadata=headers)
    root = f"projects/{settings.project}/databases/{database}/documents"
    request = methods.RUN_QUERY.request(parent=root)
    request.structured_query.from_.add().all_descendants = True
    answers = rpc.ask(methods.RUN_QUERY, request)
    rpc.close()
    return {answer.document.name: answer.document for answer in answers if answer.HasField("document")}


def everything(cloud: LocalCloud) -> dict[str, Any]:
    """All documents of both databases."""
    settings = cloud.settings()
    return every_document(settings, settings.database) | every_document(settings, settings.keysets_database)


def log_line(cloud: LocalCloud, request_id: str) -> dict[str, Any]:
    """The one log line of a request."""
    lines = cloud.home.log("doors").read_text(encoding="utf-8").splitlines()
    matching = [json.loads(line) for line in lines if request_id in line and '"request"' in line]
    assert len(matching) == 1
    line: dict[str, Any] = matching[0]
    return line
