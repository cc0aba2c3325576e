"""Endpoints, messages, their deliveries and attempts, and the port that carries one attempt to its receiver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from shared.privacy import Sealed


class EndpointState(Enum):
    """Whether an endpoint is told anything."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledBecause(Enum):
    """Why an endpoint is told nothing any more."""

    ASKED = "asked"
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """Every attempt failed for days."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret as it is kept: sealed, named by what made it, and live until a rotation ended it."""

    id: str
    sealed: Sealed[str]
    ends_at: datetime | None = None

    def live(self, at: datetime) -> bool:
        """Whether messages are signed with it at an instant."""
        return self.ends_at is None or at < self.ends_at


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a tenant wants to be told, and of what: `filters` are event types, or groups of them such as `payment.*`.

    `url` and `description` are readable, so neither may hold personal data. `version` grows with each change that a
    person or the disabling makes. `failing_since` is the first of the attempts that failed since one succeeded.
    `slow_since` is the attempt by which it came to the queue of slow endpoints; None while it is quick.
    """

    id: str
    url: str = field(repr=False)
    filters: tuple[str, ...]
    description: str
    secrets: tuple[SigningSecret, ...]
    created_at: datetime
    state: EndpointState = EndpointState.ENABLED
    disabled_because: DisabledBecause | None = None
    disabled_at: datetime | None = None
    failing_since: datetime | None = None
    slow_since: datetime | None = None
    version: int = 1

    @property
    def enabled(self) -> bool:
        """Whether it is told anything."""
        return self.state is EndpointState.ENABLED


@dataclass(frozen=True, slots=True)
class Message:
    """An announcement as it is told to every endpoint that wants it: the very text that is signed and sent."""

    id: str
    type: str
    subject: str
    subject_version: int
    occurred_at: datetime
    body: str
    deliveries: tuple[str, ...]


class Trouble(Enum):
    """Why an attempt failed; an answer that is not 2xx is told by its status."""

    STATUS = "status"
    TIMEOUT = "timeout"
    NAME_NOT_RESOLVED = "name_not_resolved"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    URL_NOT_ALLOWED = "url_not_allowed"
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"
    NOT_HTTP = "not_http"
    ENDPOINT_DISABLED = "endpoint_disabled"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a code
    PAYLOAD_TOO_LARGE = "payload_too_large"

    @property
    def by_receiver(self) -> bool:
        """Whether the endpoint is to blame, rather than we or its being disabled."""
        return self not in {Trouble.ENDPOINT_DISABLED, Trouble.SECRET_UNREADABLE, Trouble.PAYLOAD_TOO_LARGE}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as it stands in the log: of what was answered the status alone."""

    number: int
    at: datetime
    status: int | None
    duration_ms: int
    trouble: Trouble | None


class DeliveryState(Enum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to one endpoint.

    `attempts` counts those recorded, of all rounds; a resend begins a new round at the first delay, after `round_start`
    attempts. The attempt that is waited for has the number `attempts + 1`; a task for any other number is too late.
    """

    id: str
    endpoint: str
    message: str
    type: str
    subject: str
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    round_start: int = 0
    last_status: int | None = None
    trouble: Trouble | None = None
    next_attempt_at: datetime | None = None

    def awaits(self, number: int) -> bool:
        """Whether the attempt of this number is still to be made."""
        return self.state is DeliveryState.PENDING and number == self.attempts + 1


class ResendState(Enum):
    """Where the resending of a range stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """The endpoint was disabled before the range was through."""


@dataclass(frozen=True, slots=True)
class Range:
    """Deliveries of one endpoint that were made from one instant on and before another, in one state or any."""

    endpoint: str
    since: datetime
    until: datetime
    state: DeliveryState | None


@dataclass(frozen=True, slots=True)
class Resend:
    """A range that is sent again, a page a task; `cursor` is where the next page starts."""

    id: str
    range: Range
    state: ResendState = ResendState.RUNNING
    pages: int = 0
    resent: int = 0
    left_out: int = 0
    """Deliveries that could not be sent again: without a payload, too old, or tried too often."""
    cursor: str | None = None


# --- the port ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Posting:
    """What one attempt sends; neither address, headers nor body are ever printed."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt; `retry_after` is the header's text."""

    status: int | None = None
    trouble: Trouble | None = None
    duration: timedelta = timedelta()
    retry_after: str = ""


class Deliverer(Protocol):
    """Carries one attempt to its receiver, whoever that is."""

    def deliver(self, posting: Posting) -> Answer:
        """Send once and say what came of it; what goes wrong on the way or over there is an answer, never raised.

        Nothing but a public address is ever reached, no redirect is followed, and it takes less time than a task has.
        """
        ...
