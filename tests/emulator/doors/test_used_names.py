"""A task's name is taken for a day after its task is gone: what must run again does not depend on that name."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.cloud import LocalCloud
from emulators.provision import channel
from emulators.state import write_private
from shared.payments.use_cases.inbox import QUEUE
from tests.emulator.doors.conftest import Client, Tenant, a_tenant
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import standard

EVENTS = "/v1/payments/events"


@pytest.fixture(scope="module")
def used(cloud: LocalCloud) -> Tenant:
    """A tenant whose own systems tell of payments."""
    used = a_tenant(cloud, "used")
    write_private(cloud.home.secrets / f"webhook-{used.name}-standard", secret_of("standard").value.decode())
    return used


@contextlib.contextmanager
def paused(cloud: LocalCloud) -> Iterator[tuple[Any, str]]:
    """Google's client of Cloud Tasks and the queue's name, while the queue sends nothing."""
    settings = cloud.settings()
    name = f"projects/{settings.project}/locations/{settings.region}/queues/{QUEUE}"
    transport = CloudTasksGrpcTransport(channel=channel(settings.tasks_endpoint))
    with tasks_v2.CloudTasksClient(transport=transport) as client:
        client.pause_queue(name=name, timeout=20)
        try:
            yield client, name
        finally:
            client.resume_queue(name=name, timeout=20)


def tell(cloud: LocalCloud, event: dict[str, Any]) -> int:
    """The tenant's system tells an event; the status that it is answered with."""
    body, headers = delivery("standard", event, at=cloud.clock.now())
    path = "/v1/webhooks/used/standard"
    return Client(cloud.doors_url, "").send("POST", path, body, {"Authorization": "", **headers}).status_code


def waiting(client: Any, queue: str) -> list[str]:
    """The names of the tasks that are in the queue."""
    return [task.name for task in client.list_tasks(parent=queue, timeout=20)]


def test_a_named_task_does_not_block_its_retry(cloud: LocalCloud, used: Tenant) -> None:
    """Its task is gone undone and its name used up, so telling again makes no task; a replay's has another name."""
    event = standard(event="evt_used", payment="p-used")
    with paused(cloud) as (client, queue):
        assert tell(cloud, event) == 200
        (name,) = waiting(client, queue)
        client.delete_task(name=name, timeout=20)
        assert tell(cloud, event) == 200
        assert waiting(client, queue) == [], "the name is used up"
        (stored,) = used.auditor.get(EVENTS).json()["items"]
        assert stored["state"] == "received"
        for _ in range(2):
            assert used.accountant.post(f"{EVENTS}/{stored['id']}/replay", {}).status_code == 200
        names = waiting(client, queue)
        assert len(names) == 2
        assert name not in names
    cloud.wait_until_idle()
    (stored,) = used.auditor.get(EVENTS).json()["items"]
    assert stored["state"] == "applied"
    (payment,) = used.auditor.get("/v1/payments").json()["items"]
    assert payment["received"] == {"amount": 12_000, "currency": "GBP"}
