"""Webhook endpoints and their delivery log on the wire."""

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from shared.limits import WEBHOOK_ATTEMPTS_IN_ALL, WEBHOOK_FILTERS, WEBHOOK_URL_CHARACTERS
from shared.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryState,
    DisabledBecause,
    Endpoint,
    EndpointState,
    Range,
    Resend,
    ResendState,
    Trouble,
)
from shared.webhooks.rules.filters import event_filter
from shared.webhooks.use_cases.endpoints import Changes, NewEndpoint, Shown
from shared.webhooks.use_cases.log import Logged
from shared.wire import PageQuery, ShortText, Wire, by_rule

ObjectId = Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]
Url = Annotated[str, Field(min_length=1, max_length=WEBHOOK_URL_CHARACTERS, examples=["https://erp.example.com/hooks"])]
Filter = Annotated[str, by_rule(event_filter)]
Filters = Annotated[
    tuple[Filter, ...],
    Field(min_length=1, max_length=WEBHOOK_FILTERS, examples=[["invoice.issued", "payment.*"]]),
]
"""Event types, or groups of them: `payment.*` is every type below, `*` every type."""


class NewWebhookEndpoint(Wire):
    """Where to tell what happens, over https; neither URL nor description may hold personal data."""

    url: Url
    filters: Filters = ("*",)
    description: ShortText | None = None

    def new_endpoint(self) -> NewEndpoint:
        """The endpoint asked for."""
        return NewEndpoint(self.url, tuple(dict.fromkeys(self.filters)), self.description or "")


class WebhookEndpointChanges(Wire):
    """What to change of an endpoint; what is left out stays."""

    url: Url | None = None
    filters: Filters | None = None
    description: ShortText | None = None

    def changes(self) -> Changes:
        """The changes asked for."""
        filters = None if self.filters is None else tuple(dict.fromkeys(self.filters))
        return Changes(self.url, filters, self.description)


class WebhookEndpointAnswer(Wire):
    """An endpoint, without its secrets."""

    id: str
    url: str
    filters: tuple[str, ...]
    description: str
    state: EndpointState
    disabled_because: DisabledBecause | None
    disabled_at: datetime | None
    failing_since: datetime | None
    slow_since: datetime | None
    version: int
    created_at: datetime

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """The endpoint on the wire."""
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            filters=endpoint.filters,
            description=endpoint.description,
            state=endpoint.state,
            disabled_because=endpoint.disabled_because,
            disabled_at=endpoint.disabled_at,
            failing_since=endpoint.failing_since,
            slow_since=endpoint.slow_since,
            version=endpoint.version,
            created_at=endpoint.created_at,
        )


class WebhookEndpointSecret(WebhookEndpointAnswer):
    """An endpoint with a new secret. `secret` is shown once: an answer that is given again has null."""

    secret: str | None = None

    @classmethod
    def of(cls, shown: Shown) -> Self:  # type: ignore[override]  # made from the endpoint and its secret
        """The endpoint and what signs its messages on the wire."""
        return cls(**dict(WebhookEndpointAnswer.of(shown.endpoint)), secret=shown.secret)


class WebhookEndpointPath(Wire):
    """The endpoint in the path."""

    id: ObjectId


class WebhookDeliveryPath(Wire):
    """The endpoint and one of its deliveries in the path."""

    id: ObjectId
    delivery: ObjectId


class WebhookResendPath(Wire):
    """The endpoint and one of its resends in the path."""

    id: ObjectId
    resend: ObjectId


class WebhookDeliveryQuery(PageQuery):
    """Deliveries of one state, or all."""

    state: DeliveryState | None = None


class WebhookDeliveryAnswer(Wire):
    """A message on its way to an endpoint. `message` is what its `webhook-id` says after `msg_`."""

    id: str
    endpoint: str
    message: str
    type: str
    subject: str
    state: DeliveryState
    attempts: int
    last_status: int | None
    trouble: Trouble | None
    next_attempt_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """The delivery on the wire."""
        return cls(
            id=delivery.id,
            endpoint=delivery.endpoint,
            message=delivery.message,
            type=delivery.type,
            subject=delivery.subject,
            state=delivery.state,
            attempts=delivery.attempts,
            last_status=delivery.last_status,
            trouble=delivery.trouble,
            next_attempt_at=delivery.next_attempt_at,
            created_at=delivery.created_at,
        )


class WebhookAttemptAnswer(Wire):
    """One attempt: of what was answered the status alone."""

    number: int
    at: datetime
    status: int | None
    duration_ms: int
    trouble: Trouble | None

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """The attempt on the wire."""
        return cls(
            number=attempt.number,
            at=attempt.at,
            status=attempt.status,
            duration_ms=attempt.duration_ms,
            trouble=attempt.trouble,
        )


class LoggedWebhookDelivery(WebhookDeliveryAnswer):
    """A delivery with its attempts, the first one first."""

    log: tuple[WebhookAttemptAnswer, ...] = ()

    @classmethod
    def of(cls, logged: Logged) -> Self:  # type: ignore[override]  # made from the delivery and its attempts
        """The delivery and its attempts on the wire."""
        log = tuple(map(WebhookAttemptAnswer.of, logged.attempts))
        return cls(**dict(WebhookDeliveryAnswer.of(logged.delivery)), log=log)


class NewWebhookResend(Wire):
    """Deliveries to send again: made from `since` on and before `until`; the failed ones, unless `state` says another.

    With a `state` of null all of them.
    """

    since: AwareDatetime
    until: AwareDatetime
    state: DeliveryState | None = DeliveryState.FAILED

    def range_of(self, endpoint: str) -> Range:
        """The range asked for."""
        return Range(endpoint, self.since.astimezone(UTC), self.until.astimezone(UTC), self.state)


class WebhookResendAnswer(Wire):
    """A range that is sent again: how many deliveries were, and how many could not be."""

    id: str
    endpoint: str
    since: datetime
    until: datetime
    of_state: DeliveryState | None
    state: ResendState
    resent: int
    left_out: int

    @classmethod
    def of(cls, resend: Resend) -> Self:
        """The resend on the wire."""
        return cls(
            id=resend.id,
            endpoint=resend.range.endpoint,
            since=resend.range.since,
            until=resend.range.until,
            of_state=resend.range.state,
            state=resend.state,
            resent=resend.resent,
            left_out=resend.left_out,
        )


class DeliverTask(Wire):
    """The attempt to make, and what to read along."""

    delivery: ObjectId
    endpoint: ObjectId
    message: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
    number: Annotated[int, Field(ge=1, le=WEBHOOK_ATTEMPTS_IN_ALL)]


class ResendTask(Wire):
    """The page of a range to send again."""

    resend: ObjectId
    page: Annotated[int, Field(ge=1)]
