"""Where everything is measured: one local cloud, one tenant whose keys, books and webhook secret are ready."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.cloud import LocalCloud
from emulators.provision import channel
from shared.calls import Call
from shared.identity import Cause, TenantId
from shared.ports import Query
from shared.tenants.use_cases.tenants import NewTenant
from shared.wiring import House

TENANT: Final = TenantId("bench")
DOOR: Final = "receive_webhook"
DOORS: Final = (DOOR, "apply_payment_event", "ask_partner")
QUEUES: Final = ("payment-events", "partner-asks", "payroll")


@dataclass(frozen=True, slots=True)
class World:
    """A cloud that serves the webhook's door and the one that applies events, and a house of this process on it.

    The queues are paused: what is measured is the work of a request, not of what follows from it.
    """

    cloud: LocalCloud
    house: House
    webhook_secret: str

    def taken_in(self) -> tuple[int, int]:
        """Partners' events in the inbox, and tasks that wait to apply them."""
        events = self.house.store.aggregate(Query("inbox", TENANT))["count"]
        with _tasks_client(self.house) as client:
            parent = _queue(self.house, "payment-events")
            return events, sum(1 for _ in client.list_tasks(parent=parent, timeout=20))

    def purge(self, queue: str) -> None:
        """Forget the tasks that wait in a queue."""
        with _tasks_client(self.house) as client:
            client.purge_queue(name=_queue(self.house, queue), timeout=20)

    @contextlib.contextmanager
    def running(self, queue: str) -> Iterator[None]:
        """A queue goes while the context is open."""
        with _tasks_client(self.house) as client:
            client.resume_queue(name=_queue(self.house, queue), timeout=20)
            try:
                yield
            finally:
                client.pause_queue(name=_queue(self.house, queue), timeout=20)


def a_call(house: House, key: str, *, endpoint: str = "bench", tenant: TenantId = TENANT) -> Call:
    """A call by the system, now, about a cause that is only its own."""
    return Call(
        tenant=tenant,
        principal="system:bench",
        cause=Cause("bench", endpoint, key),
        request_id="bench",
        request_hash="bench",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        at=house.clock.now(),
    )


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A cloud of its own, up while the context is open."""
    with tempfile.TemporaryDirectory(prefix="daybook-bench-") as home, LocalCloud(Path(home), DOORS) as cloud:
        house = House(cloud.settings())
        with _tasks_client(house) as client:
            for queue in QUEUES:
                client.pause_queue(name=_queue(house, queue), timeout=20)
        seller = NewTenant(TENANT, "Bench Ltd", "GB", "GBP", {"GB": "GB980780684"}, "user:bench")
        house.tenants.create(a_call(house, "tenant"), seller)
        yield World(cloud, house, cloud.make_webhook_secret(TENANT))


def _tasks_client(house: House) -> tasks_v2.CloudTasksClient:
    transport = CloudTasksGrpcTransport(channel=channel(house.settings.tasks_endpoint))
    return tasks_v2.CloudTasksClient(transport=transport)


def _queue(house: House, name: str) -> str:
    return f"projects/{house.settings.project}/locations/{house.settings.region}/queues/{name}"
