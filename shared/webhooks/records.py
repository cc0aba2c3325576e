"""Endpoints, messages, deliveries, attempts and resends as documents.

What was told expires: the store removes messages, deliveries, attempts and resends some time after their `expires_at`.
`webhook_routes/enabled` lists the filters of all enabled endpoints, so that one read tells who wants a message.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from shared.identity import StoredId, TenantId, stored_id
from shared.limits import WEBHOOK_KEPT_DAYS
from shared.ports import Document, Fields, Ref, Value, tenant_ref
from shared.privacy import Place, Sealed
from shared.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryState,
    DisabledBecause,
    Endpoint,
    EndpointState,
    Message,
    Range,
    Resend,
    ResendState,
    SigningSecret,
    Trouble,
)

ENDPOINTS: Final = "webhook_endpoints"
MESSAGES: Final = "webhook_messages"
DELIVERIES: Final = "webhook_deliveries"

KEPT: Final = timedelta(days=WEBHOOK_KEPT_DAYS)

Routes = Mapping[str, tuple[str, ...]]
"""The filters of each enabled endpoint."""


def endpoint_ref(tenant: TenantId, endpoint: str) -> Ref:
    """An endpoint."""
    return tenant_ref(tenant, ENDPOINTS, endpoint)


def routes_ref(tenant: TenantId) -> Ref:
    """Who wants what."""
    return tenant_ref(tenant, "webhook_routes", "enabled")


def message_ref(tenant: TenantId, announcement: str) -> Ref:
    """An announcement as it is told."""
    return tenant_ref(tenant, MESSAGES, announcement)


def delivery_id(announcement: str, endpoint: str) -> StoredId:
    """The same announcement to the same endpoint is always the same delivery."""
    return stored_id("webhook_delivery", announcement, endpoint)


def delivery_ref(tenant: TenantId, delivery: str) -> Ref:
    """A message on its way to one endpoint."""
    return tenant_ref(tenant, DELIVERIES, delivery)


def attempt_ref(tenant: TenantId, delivery: str, number: int) -> Ref:
    """One attempt of a delivery."""
    return tenant_ref(tenant, "webhook_attempts", f"{delivery}.{number}")


def resend_ref(tenant: TenantId, resend: str) -> Ref:
    """A range that is sent again."""
    return tenant_ref(tenant, "webhook_resends", resend)


def secret_place(tenant: TenantId, endpoint: str) -> Place:
    """What an endpoint's sealed secrets are bound to; the endpoint is its own data subject."""
    return Place(tenant, ENDPOINTS, endpoint)


# --- endpoints ---------------------------------------------------------------------------


def write_endpoint(endpoint: Endpoint) -> dict[str, Value]:
    """An endpoint's fields; its secrets are only there sealed."""
    return {
        "schema": 1,
        "url": endpoint.url,
        "filters": list(endpoint.filters),
        "description": endpoint.description,
        "secrets": [
            {"id": secret.id, "sealed": secret.sealed.stored, "ends_at": secret.ends_at} for secret in endpoint.secrets
        ],
        "state": endpoint.state.value,
        "disabled_because": endpoint.disabled_because.value if endpoint.disabled_because else None,
        "disabled_at": endpoint.disabled_at,
        "failing_since": endpoint.failing_since,
        "slow_since": endpoint.slow_since,
        "version": endpoint.version,
        "created_at": endpoint.created_at,
    }


def read_endpoint(document: Document) -> Endpoint:
    """The endpoint that a document keeps."""
    fields = document.fields
    because = cast("str | None", fields["disabled_because"])
    return Endpoint(
        document.ref.key,
        url=cast("str", fields["url"]),
        filters=tuple(cast("Sequence[str]", fields["filters"])),
        description=cast("str", fields["description"]),
        secrets=tuple(map(_secret, cast("Sequence[Fields]", fields["secrets"]))),
        created_at=cast("datetime", fields["created_at"]),
        state=EndpointState(fields["state"]),
        disabled_because=DisabledBecause(because) if because else None,
        disabled_at=cast("datetime | None", fields["disabled_at"]),
        failing_since=cast("datetime | None", fields["failing_since"]),
        slow_since=cast("datetime | None", fields.get("slow_since")),
        version=cast("int", fields["version"]),
    )


def _secret(fields: Fields) -> SigningSecret:
    ends_at = cast("datetime | None", fields["ends_at"])
    return SigningSecret(cast("str", fields["id"]), Sealed(cast("bytes", fields["sealed"])), ends_at)


def write_routes(routes: Routes) -> dict[str, Value]:
    """Who wants what, as fields."""
    return {"schema": 1, "endpoints": {endpoint: list(filters) for endpoint, filters in routes.items()}}


def read_routes(document: Document | None) -> Routes:
    """Who wants what; nobody where nothing was ever written."""
    if document is None:
        return {}
    kept = cast("Mapping[str, Sequence[str]]", document["endpoints"])
    return {endpoint: tuple(filters) for endpoint, filters in kept.items()}


# --- messages and deliveries -------------------------------------------------------------


def write_message(message: Message, outbox: Sequence[str], at: datetime) -> dict[str, Value]:
    """A message's fields, with the rows that set its deliveries going, all of them made at an instant."""
    return {
        "schema": 1,
        "type": message.type,
        "subject": message.subject,
        "subject_version": message.subject_version,
        "occurred_at": message.occurred_at,
        "body": message.body,
        "deliveries": list(message.deliveries),
        "expires_at": at + KEPT,
        "outbox": list(outbox),
    }


def read_message(document: Document) -> Message:
    """The message that a document keeps."""
    fields = document.fields
    return Message(
        document.ref.key,
        type=cast("str", fields["type"]),
        subject=cast("str", fields["subject"]),
        subject_version=cast("int", fields["subject_version"]),
        occurred_at=cast("datetime", fields["occurred_at"]),
        body=cast("str", fields["body"]),
        deliveries=tuple(cast("Sequence[str]", fields["deliveries"])),
    )


def write_delivery(delivery: Delivery) -> dict[str, Value]:
    """A new delivery's fields."""
    return {
        "schema": 1,
        "endpoint": delivery.endpoint,
        "message": delivery.message,
        "type": delivery.type,
        "subject": delivery.subject,
        "created_at": delivery.created_at,
        "expires_at": delivery.created_at + KEPT,
        **write_progress(delivery, ()),
    }


def write_progress(delivery: Delivery, outbox: Sequence[str]) -> dict[str, Value]:
    """What changes of a delivery, and the rows that were written with the change."""
    return {
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "round_start": delivery.round_start,
        "last_status": delivery.last_status,
        "trouble": delivery.trouble.value if delivery.trouble else None,
        "next_attempt_at": delivery.next_attempt_at,
        "outbox": list(outbox),
    }


def read_delivery(document: Document) -> Delivery:
    """The delivery that a document keeps."""
    fields = document.fields
    endpoint, message, kind, subject = (
        cast("str", fields[name]) for name in ("endpoint", "message", "type", "subject")
    )
    return Delivery(
        document.ref.key,
        endpoint=endpoint,
        message=message,
        type=kind,
        subject=subject,
        created_at=cast("datetime", fields["created_at"]),
        state=DeliveryState(fields["state"]),
        attempts=cast("int", fields["attempts"]),
        round_start=cast("int", fields["round_start"]),
        last_status=cast("int | None", fields["last_status"]),
        trouble=_trouble(fields),
        next_attempt_at=cast("datetime | None", fields["next_attempt_at"]),
    )


def write_attempt(delivery: Delivery, attempt: Attempt) -> dict[str, Value]:
    """An attempt's fields; nothing of what the receiver said but its status."""
    return {
        "schema": 1,
        "delivery": delivery.id,
        "number": attempt.number,
        "at": attempt.at,
        "status": attempt.status,
        "duration_ms": attempt.duration_ms,
        "trouble": attempt.trouble.value if attempt.trouble else None,
        "expires_at": delivery.created_at + KEPT,
    }


def read_attempt(document: Document) -> Attempt:
    """The attempt that a document keeps."""
    fields = document.fields
    number, duration_ms = (cast("int", fields[name]) for name in ("number", "duration_ms"))
    status = cast("int | None", fields["status"])
    return Attempt(number, cast("datetime", fields["at"]), status, duration_ms, _trouble(fields))


def _trouble(fields: Fields) -> Trouble | None:
    trouble = fields["trouble"]
    return Trouble(trouble) if trouble else None


# --- resends -----------------------------------------------------------------------------


def write_resend(resend: Resend, at: datetime) -> dict[str, Value]:
    """The fields of a resend that was asked for at an instant."""
    wanted = resend.range
    return {
        "schema": 1,
        "endpoint": wanted.endpoint,
        "since": wanted.since,
        "until": wanted.until,
        "of_state": wanted.state.value if wanted.state else None,
        "expires_at": at + KEPT,
        **write_pages(resend, ()),
    }


def write_pages(resend: Resend, outbox: Sequence[str]) -> dict[str, Value]:
    """How far a resend has come, and the rows that were written with its last page."""
    return {
        "state": resend.state.value,
        "pages": resend.pages,
        "resent": resend.resent,
        "left_out": resend.left_out,
        "cursor": resend.cursor,
        "outbox": list(outbox),
    }


def read_resend(document: Document) -> Resend:
    """The resend that a document keeps."""
    fields = document.fields
    of_state = cast("str | None", fields["of_state"])
    pages, resent, left_out = (cast("int", fields[name]) for name in ("pages", "resent", "left_out"))
    return Resend(
        document.ref.key,
        Range(
            cast("str", fields["endpoint"]),
            cast("datetime", fields["since"]),
            cast("datetime", fields["until"]),
            DeliveryState(of_state) if of_state else None,
        ),
        ResendState(fields["state"]),
        pages,
        resent,
        left_out,
        cast("str | None", fields["cursor"]),
    )
