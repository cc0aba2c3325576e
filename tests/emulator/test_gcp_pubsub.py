"""The house's bus, on Google's Pub/Sub emulator."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import grpc
import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from shared import counters
from shared.events import Announcement
from shared.faults import Retryable
from shared.gcp.patience import Patience
from shared.gcp.pubsub import PubSubBus
from shared.gcp.rpc import Rpc
from shared.identity import StoredId, TenantId
from shared.settings import Settings, read_settings

_projects = count(1)

PAID = Announcement(
    StoredId("message-1"),
    TenantId("acme"),
    topic="payments",
    type="payment.applied",
    subject="pay_1",
    subject_version=3,
    occurred_at=datetime(2026, 11, 16, 12, 0, 0, 500, tzinfo=UTC),
    data={"amount": 1050, "currency": "EUR", "lines": [1, "zwei", None, True]},
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


class Listener:
    """A pull subscription of Google's own client."""

    def __init__(self, endpoint: str, project: str) -> None:
        self.channel = grpc.insecure_channel(endpoint)
        topic = f"projects/{project}/topics/payments"
        PublisherClient(transport=PublisherGrpcTransport(channel=self.channel)).create_topic(name=topic)
        self.client = SubscriberClient(transport=SubscriberGrpcTransport(channel=self.channel))
        self.name = f"projects/{project}/subscriptions/all"
        self.client.create_subscription(name=self.name, topic=topic)

    def hear(self) -> PubsubMessage:
        """The one message that is waiting."""
        answer = self.client.pull(subscription=self.name, max_messages=10)
        assert len(answer.received_messages) == 1
        message: PubsubMessage = answer.received_messages[0].message
        return message


@pytest.fixture
def bus_settings(pubsub_endpoint: str) -> Settings:
    """Settings of a project that nobody has used."""
    return read_settings(
        {
            "DAYBOOK_PROJECT": f"bus-{next(_projects)}",
            "DAYBOOK_REGION": "europe-west2",
            "DAYBOOK_KMS_KEY": "",
            "DAYBOOK_DOORS_URL": "",
            "DAYBOOK_PUBSUB_ENDPOINT": pubsub_endpoint,
        }
    )


@pytest.fixture
def listener(bus_settings: Settings) -> Iterator[Listener]:
    """Somebody who listens to the payments topic."""
    listener = Listener(bus_settings.pubsub_endpoint, bus_settings.project)
    yield listener
    listener.channel.close()


def test_an_announcement_is_heard_as_it_was_made(bus_settings: Settings, listener: Listener) -> None:
    """Data as JSON, and as attributes what a subscription may filter on and a trace needs."""
    PubSubBus(bus_settings).publish(PAID)
    message = listener.hear()
    assert json.loads(message.data) == {
        "id": "message-1",
        "type": "payment.applied",
        "tenant": "acme",
        "subject": "pay_1",
        "subject_version": 3,
        "occurred_at": "2026-11-16T12:00:00.000500+00:00",
        "data": {"amount": 1050, "currency": "EUR", "lines": [1, "zwei", None, True]},
    }
    assert dict(message.attributes) == {
        "event_id": "message-1",
        "type": "payment.applied",
        "tenant": "acme",
        "traceparent": PAID.traceparent,
    }


def test_a_publish_is_counted(bus_settings: Settings, listener: Listener) -> None:
    """One announcement, one call, one message."""
    operations = counters.begin()
    PubSubBus(bus_settings).publish(PAID)
    assert (operations.rpcs, operations.publishes) == (1, 1)
    listener.hear()


def test_an_announcement_holds_no_float(bus_settings: Settings) -> None:
    """A fraction would lose cents on its way."""
    with pytest.raises(TypeError):
        PubSubBus(bus_settings).publish(replace(PAID, data={"rate": 0.5}))  # type: ignore[dict-item] # the law is about this very mistake


def test_a_bus_that_does_not_answer_is_retryable(bus_settings: Settings) -> None:
    """Nobody at the endpoint: the row stays for the sweep."""
    rpc = Rpc("", "127.0.0.1:1", patience=Patience(total_seconds=1, jitter=lambda: 0))
    with pytest.raises(Retryable):
        PubSubBus(bus_settings, rpc=rpc).publish(PAID)
