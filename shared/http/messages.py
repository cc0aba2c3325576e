"""What queues and topics deliver, read back into what was sent: a task's envelope, a push's announcement.

A task is `{"id", "tenant", "body"}`. A push is Pub/Sub's `{"message": {"data", "attributes"}, "subscription"}`
whose `data` is, in base64, `{"id", "tenant", "type", "subject", "subject_version", "occurred_at", "data"}`, and
whose attributes hold `traceparent`. Pub/Sub's part may grow fields; ours may not.
"""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.events import Announcement
from shared.http.bodies import parse
from shared.http.problems import malformed
from shared.identity import StoredId, TenantId
from shared.wire import Tenant, Wire

BodyT = TypeVar("BodyT", bound=BaseModel)
MessageId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]


class Task(Wire, Generic[BodyT]):
    """A command as the queue brings it."""

    id: MessageId
    tenant: Tenant
    body: BodyT


class _Outer(BaseModel):
    """Google's envelope: only what we read of it, under either spelling of its names."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _PushMessage(_Outer):
    data: str = Field(max_length=200_000)
    attributes: dict[str, str] = Field(default_factory=dict)


class _Push(_Outer):
    message: _PushMessage


class AnnouncementWire(Wire):
    """An announcement as it stands in a push's data."""

    id: MessageId
    tenant: Tenant
    type: str
    subject: str
    subject_version: int = Field(ge=0)
    occurred_at: datetime
    data: dict[str, Any]


def read_task(body: bytes, model: type[BodyT]) -> tuple[Task[BodyT], BodyT]:
    """A task's envelope and its body as the door's model.

    Raises:
        Malformed: it is not JSON.
        InvalidFields: envelope or body is not what the door reads.
    """
    task: Task[BodyT] = parse(Task[model], body)  # type: ignore[valid-type]  # the model is a value here
    return task, task.body


def read_announcement(body: bytes) -> Announcement:
    """The announcement in a Pub/Sub push; its `topic` is empty, for a listener knows what it listens to.

    Raises:
        Malformed: the push, or the data in it, is not JSON, or a number in the data has a fraction.
        InvalidFields: the push or the announcement lacks a field, or has a wrong one.
    """
    message = parse(_Push, body).message
    try:
        data = base64.b64decode(message.data, validate=True)
    except binascii.Error:
        text = "the message's data is not base64"
        raise malformed(text, field="message.data") from None
    wire = parse(AnnouncementWire, data, whole_numbers=True)
    return Announcement(
        StoredId(wire.id),
        TenantId(wire.tenant),
        topic="",
        type=wire.type,
        subject=wire.subject,
        subject_version=wire.subject_version,
        occurred_at=wire.occurred_at,
        data=wire.data,
        traceparent=message.attributes.get("traceparent", ""),
    )
