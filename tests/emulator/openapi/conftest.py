"""A local cloud of its own with a tenant that has one of everything; its queues stand still, so nothing follows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.cloud import LocalCloud
from emulators.provision import channel
from emulators.state import write_private
from shared.http.access import ROLES, ROUTES
from tests.emulator.doors.bodies import GOOD, NOBODY
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
    bodies: Mapping[str, Mapping[str, Any]]
    """What of an operation's good body names what this tenant has."""

    def client(self, method: str, rule: str) -> Client:
        """Who may take a route; the scope decides."""
        scope = ROUTES[method.upper(), rule]
        return next(self.clients[role] for role in ("owner", *ROLES) if scope in ROLES[role])

    def named(self, rule: str, parameter: str) -> str:
        """What a parameter of a path may stand for, so that something is there: for that path, or for any."""
        listed = rule.partition("/{")[0]
        return self.ids.get(f"{rule} {parameter}") or NAMES.get(parameter) or self.ids.get(listed, NOBODY)


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
    ids = _furnish(tenant) | _told(cloud, tenant)
    customer, payment = ids["/v1/customers"], ids["/v1/payments"]
    ids |= _applied(tenant, payment, ids["/v1/invoices"], customer) | _asked_back(tenant, payment)
    bodies: dict[str, Mapping[str, Any]] = {
        rule: {"customer_id": customer} for rule in ("/v1/invoices", "/v1/payments/virtual_accounts")
    }
    bodies["/v1/customers"] = {"reference": "C-10"}
    bodies["/v1/employees"] = {"reference": "E-10"}
    bodies["/v1/payroll_runs"] = {"period": "2026-12", "pay_date": "2026-12-18"}
    bodies["/v1/payments/{id}/allocations"] = {"lines": [_slice(ids["/v1/invoices"])]}
    bodies["/v1/refunds"] = _refund(payment)
    return Office(tenant.clients, ids, bodies)


def _furnish(tenant: Tenant) -> dict[str, str]:
    ids = {path: tenant.owner.post(path, GOOD[path]).json()["id"] for path in ONE_OF_EACH}
    ids["/v1/ledger/holds/{id}/void id"] = tenant.owner.post("/v1/ledger/holds", GOOD["/v1/ledger/holds"]).json()["id"]
    invoice = {**GOOD["/v1/invoices"], "customer_id": ids["/v1/customers"]}
    for place in ("/v1/invoices", "/v1/invoices/{id}/issue id"):
        ids[place] = tenant.owner.post("/v1/invoices", invoice).json()["id"]
    tenant.owner.post(f"/v1/invoices/{ids['/v1/invoices']}/issue", {})
    ids["/v1/api_keys"] = tenant.owner.post("/v1/api_keys", GOOD["/v1/api_keys"]).json()["id"]
    return ids


def _told(cloud: LocalCloud, tenant: Tenant) -> dict[str, str]:
    """A payment of 120.00 euros and two payouts that came, and an event that nobody can read."""
    write_private(cloud.home.secrets / f"webhook-{tenant.name}-standard", secret_of("standard").value.decode())
    payouts = [standard("payout.paid", event=f"evt_{name}", object=name) for name in ("po-1", "po-2")]
    for event in (standard(currency="EUR"), *payouts, {"id": "evt_2"}):
        body, headers = delivery("standard", event, at=cloud.clock.now())
        path = f"/v1/webhooks/{tenant.name}/standard"
        assert tenant.owner.send("POST", path, body, headers).status_code == 200
    cloud.wait_until_idle()
    (payment,) = tenant.auditor.get("/v1/payments").json()["items"]
    (event,) = tenant.auditor.get("/v1/payments/events?state=quarantined").json()["items"]
    with_lines, without = (one["id"] for one in tenant.auditor.get("/v1/payouts").json()["items"])
    pages = "/v1/payouts/{id}/pages"
    told = tenant.accountant.post(pages.format(id=with_lines), GOOD[pages.format(id=NOBODY)])
    assert told.status_code == 201, told.text
    return {
        "/v1/payments": payment["id"],
        "/v1/payments/events": event["id"],
        "/v1/payouts": with_lines,
        f"{pages} id": without,
    }


def _applied(tenant: Tenant, payment: str, invoice: str, customer: str) -> dict[str, str]:
    """A part of a payment that settles an invoice, and an account whose money is one customer's."""
    allocations, accounts = f"/v1/payments/{payment}/allocations", "/v1/payments/virtual_accounts"
    made = tenant.accountant.post(allocations, {"lines": [_slice(invoice)]})
    opened = tenant.accountant.post(accounts, {"number": "DE89370400440532013000", "customer_id": customer})
    return {
        "/v1/payments/{id}/allocations/{allocation}/undo allocation": made.json()["id"],
        "/v1/payments/virtual_accounts/{id}/release id": opened.json()["id"],
    }


def _asked_back(tenant: Tenant, payment: str) -> dict[str, str]:
    """A refund for each of the things that may become of one; the accountant asks, and others decide."""
    asked = {step: tenant.accountant.post("/v1/refunds", _refund(payment)) for step in ("approve", "reject", "cancel")}
    ids = {f"/v1/refunds/{{id}}/{step} id": answer.json()["id"] for step, answer in asked.items()}
    return ids | {"/v1/refunds": asked["approve"].json()["id"]}


def _slice(invoice: str) -> dict[str, Any]:
    return {"invoice_id": invoice, "amount": {"amount": 10, "currency": "EUR"}, "write_off": False}


def _refund(payment: str) -> dict[str, Any]:
    return {**GOOD["/v1/refunds"], "payment_id": payment, "kind": "credit", "amount": {"amount": 1, "currency": "EUR"}}


def _pause_queues(cloud: LocalCloud) -> None:
    settings = cloud.settings()
    location = f"projects/{settings.project}/locations/{settings.region}"
    transport = CloudTasksGrpcTransport(channel=channel(settings.tasks_endpoint))
    with tasks_v2.CloudTasksClient(transport=transport) as client:
        for queue in cloud.catalogue.queues:
            client.pause_queue(name=f"{location}/queues/{queue.name}", timeout=20)
