"""A local cloud of its own with a tenant that has one of everything; its queues stand still, so nothing follows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.cloud import LocalCloud
from emulators.provision import channel
from emulators.state import write_private
from shared.http.access import ROLES, ROUTES
from tests.emulator.doors.bodies import GOOD
from tests.emulator.doors.conftest import Client, Tenant, a_tenant, pause_jobs
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import standard

ONE_OF_EACH: Final = (
    "/v1/customers",
    "/v1/employees",
    "/v1/payroll_runs",
    "/v1/ledger/entries",
    "/v1/ledger/holds",
    "/v1/ledger/monitors",
    "/v1/ledger/reports/proofs",
    "/v1/webhook_endpoints",
)
NAMES: Final = {"code": "assets:bank", "period": "2026-10", "year": "2025", "number": "1"}
"""Things of the tenant that have names instead of ids."""


@dataclass(frozen=True)
class Office:
    """The tenant's keys, and the ids of what it has by the path under which it is listed."""

    clients: Mapping[str, Client]
    ids: Mapping[str, str]

    def client(self, method: str, rule: str) -> Client:
        """Who may take a route; the scope decides."""
        scope = ROUTES[method.upper(), rule]
        return next(self.clients[role] for role in ("owner", *ROLES) if scope in ROLES[role])

    def named(self, rule: str, parameter: str) -> str:
        """What a parameter of a path may stand for, so that something is there."""
        listed = rule.partition("/{")[0]
        return NAMES.get(parameter) or self.ids.get(listed, "a" * 52)


@pytest.fixture(scope="session")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Office]]:
    """Two tenants, everything at rest: what is asked changes nothing but what is answered to the same tenant."""
    with LocalCloud(tmp_path_factory.mktemp("fuzzed")) as cloud:
        pause_jobs(cloud)
        made = {name: _office(cloud, a_tenant(cloud, name)) for name in ("fuzzed", "orderly")}
        cloud.wait_until_idle()
        _pause_queues(cloud)
        yield made


@pytest.fixture(scope="session")
def office(offices: Mapping[str, Office]) -> Office:
    """The tenant to which anything at all may happen."""
    return offices["fuzzed"]


@pytest.fixture(scope="session")
def orderly(offices: Mapping[str, Office]) -> Office:
    """The tenant of whom only good things are asked, once."""
    return offices["orderly"]


def _office(cloud: LocalCloud, tenant: Tenant) -> Office:
    return Office(tenant.clients, _furnish(tenant) | _payment(cloud, tenant))


def _furnish(tenant: Tenant) -> dict[str, str]:
    ids = {path: tenant.owner.post(path, GOOD[path]).json()["id"] for path in ONE_OF_EACH}
    invoice = {**GOOD["/v1/invoices"], "customer_id": ids["/v1/customers"]}
    ids["/v1/invoices"] = tenant.owner.post("/v1/invoices", invoice).json()["id"]
    tenant.owner.post(f"/v1/invoices/{ids['/v1/invoices']}/issue", {})
    ids["/v1/api_keys"] = tenant.owner.post("/v1/api_keys", GOOD["/v1/api_keys"]).json()["id"]
    return ids


def _payment(cloud: LocalCloud, tenant: Tenant) -> dict[str, str]:
    """One that came, and one that nobody can read."""
    write_private(cloud.home.secrets / f"webhook-{tenant.name}-standard", secret_of("standard").value.decode())
    for event in (standard(), {"id": "evt_2"}):
        body, headers = delivery("standard", event, at=cloud.clock.now())
        path = f"/v1/webhooks/{tenant.name}/standard"
        assert tenant.owner.send("POST", path, body, headers).status_code == 200
    cloud.wait_until_idle()
    (payment,) = tenant.auditor.get("/v1/payments").json()["items"]
    (event,) = tenant.auditor.get("/v1/payments/events?state=quarantined").json()["items"]
    return {"/v1/payments": payment["id"], "/v1/payments/events": event["id"]}


def _pause_queues(cloud: LocalCloud) -> None:
    settings = cloud.settings()
    location = f"projects/{settings.project}/locations/{settings.region}"
    transport = CloudTasksGrpcTransport(channel=channel(settings.tasks_endpoint))
    with tasks_v2.CloudTasksClient(transport=transport) as client:
        for queue in cloud.catalogue.queues:
            client.pause_queue(name=f"{location}/queues/{queue.name}", timeout=20)
