"""Announcements on Pub/Sub: what happened as JSON, who it concerns as attributes to filter on."""

from typing import Final

from shared import counters
from shared.events import Announcement, Json
from shared.gcp.json_text import to_json
from shared.gcp.messages import Messages
from shared.gcp.rpc import Method, Rpc
from shared.settings import Settings

HOST: Final = "pubsub.googleapis.com"

_types: Final = Messages("google.pubsub_v1", "pubsub")
_PUBLISH: Final = Method(
    "/google.pubsub.v1.Publisher/Publish", _types.PublishRequest, _types.PublishResponse, route="topic"
)


class PubSubBus:
    """The topics of one project as the port `Bus`."""

    def __init__(self, settings: Settings, *, rpc: Rpc | None = None) -> None:
        """Publish in the settings' project, through `rpc` where a test brings its own."""
        self._project = f"projects/{settings.project}"
        self._rpc = rpc or Rpc(HOST, settings.pubsub_endpoint)

    def publish(self, announcement: Announcement) -> None:
        """Hand over one announcement; see the port.

        Data: `{"id", "type", "tenant", "subject", "subject_version", "occurred_at", "data"}`.
        Attributes: `event_id`, `type`, `tenant`, `traceparent`.
        """
        request = _types.PublishRequest(topic=f"{self._project}/topics/{announcement.topic}")
        message = request.messages.add()
        message.data = data_of(announcement)
        message.attributes.update(
            {
                "event_id": announcement.id,
                "type": announcement.type,
                "tenant": announcement.tenant,
                "traceparent": announcement.traceparent,
            }
        )
        self._rpc.ask(_PUBLISH, request)
        counters.current().publishes += 1


def data_of(announcement: Announcement) -> bytes:
    """What listeners receive, as JSON."""
    parts: dict[str, Json] = {
        "id": announcement.id,
        "type": announcement.type,
        "tenant": announcement.tenant,
        "subject": announcement.subject,
        "subject_version": announcement.subject_version,
        "occurred_at": announcement.occurred_at.isoformat(),
        "data": announcement.data,
    }
    return to_json(parts)
