"""What leaves in the wake of a fact: commands to one door, announcements to whoever listens.

Both are rows of the outbox, written in the fact's own transaction, before they are messages.
They carry ids and figures, never personal data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from shared.identity import StoredId, TenantId

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
"""What a message holds: JSON without fractions."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing for one task door to do (imperative name)."""

    id: StoredId
    tenant: TenantId
    door: str
    queue: str
    body: Mapping[str, Json]
    traceparent: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing that happened (`payment.applied`), for any number of listeners.

    `subject` is the object it is about and `subject_version` grows with each change of it:
    a listener drops what is older than it has seen.
    """

    id: StoredId
    tenant: TenantId
    topic: str
    type: str
    subject: str
    subject_version: int
    occurred_at: datetime
    data: Mapping[str, Json]
    traceparent: str


Message: TypeAlias = Command | Announcement
