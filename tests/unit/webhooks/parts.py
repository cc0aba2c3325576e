"""Builders of what webhooks are made of: a test names only what its law is about."""

from typing import Any

from shared.events import Announcement
from shared.identity import StoredId, stored_id
from shared.privacy import Sealed
from shared.webhooks.model import Delivery, Endpoint, SigningSecret
from tests.builders import ACME, NOON


def an_announcement(key: str = "event-1", **changes: Any) -> Announcement:
    """A payment that was applied at noon."""
    values: dict[str, Any] = {
        "id": StoredId(stored_id("announcement", key)),
        "tenant": ACME,
        "topic": "payments",
        "type": "payment.applied",
        "subject": "payment-1",
        "subject_version": 1,
        "occurred_at": NOON,
        "data": {"received": 1_050, "currency": "EUR"},
        "traceparent": "",
    }
    return Announcement(**(values | changes))


def an_endpoint(**changes: Any) -> Endpoint:
    """An enabled endpoint that wants everything."""
    values: dict[str, Any] = {
        "id": stored_id("endpoint", "1"),
        "url": "https://erp.example.com/hooks",
        "filters": ("*",),
        "description": "",
        "secrets": (a_secret("first"),),
        "created_at": NOON,
    }
    return Endpoint(**(values | changes))


def a_secret(name: str, **changes: Any) -> SigningSecret:
    """A live secret."""
    return SigningSecret(name, Sealed(name.encode()), **changes)


def a_delivery(**changes: Any) -> Delivery:
    """A delivery that awaits its first attempt."""
    values: dict[str, Any] = {
        "id": stored_id("delivery", "1"),
        "endpoint": stored_id("endpoint", "1"),
        "message": "message-1",
        "type": "payment.applied",
        "subject": "payment-1",
        "created_at": NOON,
        "next_attempt_at": NOON,
    }
    return Delivery(**(values | changes))
