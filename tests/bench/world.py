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
from shared.tenants.use_cases.tenants import NewTenant
from shared.wiring import House

TENANT: Final = TenantId("bench")
DOOR: Final = "receive_webhook"
QUEUES: Final = ("payment-events", "payroll")


@dataclass(frozen=True, slots=True)
class World:
    """A cloud that serves the webhook's door, and a house of this process on it.

    The queues are paused: what is measured is the work of a request, not of what follows from it.
    """

    cloud: LocalCloud
    house: House
    webhook_secret: str


def a_call(house: House, key: str, *, endpoint: str = "bench") -> Call:
    """A call by the system, now, about a cause that is only its own."""
    return Call(
        tenant=TENANT,
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
    with tempfile.TemporaryDirectory(prefix="daybook-bench-") as home, LocalCloud(Path(home), (DOOR,)) as cloud:
        house = House(cloud.settings())
        _pause(cloud)
        seller = NewTenant(TENANT, "Bench Ltd", "GB", "GBP", {}, "user:bench")
        house.tenants.create(a_call(house, "tenant"), seller)
        yield World(cloud, house, cloud.make_webhook_secret(TENANT))


def _pause(cloud: LocalCloud) -> None:
    settings = cloud.settings()
    transport = CloudTasksGrpcTransport(channel=channel(settings.tasks_endpoint))
    with tasks_v2.CloudTasksClient(transport=transport) as client:
        for queue in QUEUES:
            name = f"projects/{settings.project}/locations/{settings.region}/queues/{queue}"
            client.pause_queue(name=name, timeout=20)
