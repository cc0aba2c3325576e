"""The secrets of a partner's webhook endpoint: several live at once while one takes over from another."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog

from shared.identity import stored_id
from shared.payments.partners.adapter import Secret

_FINGERPRINT: Final = 8
_log = structlog.get_logger(__name__)


def live_secrets(values: Sequence[bytes], at: datetime) -> tuple[Secret, ...]:
    """The secrets in force at an instant, in the order of `values`.

    A value is the secret as it is, or a JSON object that says more of it: `secret`, and perhaps `key_id`, `ends_at`
    (an instant with an offset) and `url` (the endpoint's address, where the partner signs that). One that cannot be
    read is logged and passed over, for the others are still good.
    """
    return tuple(secret for value in values for secret in _read(value, at))


def _read(value: bytes, at: datetime) -> Iterator[Secret]:
    if not value.startswith(b"{"):
        yield Secret(_fingerprint(value), value)
        return
    try:
        said: Mapping[str, Any] = json.loads(value)
        ends_at = datetime.fromisoformat(said["ends_at"]) if said.get("ends_at") else None
        live = ends_at is None or at < ends_at
        secret = str(said["secret"]).encode()
        found = Secret(str(said.get("key_id") or _fingerprint(secret)), secret, str(said.get("url", "")))
    except (ValueError, KeyError, TypeError) as error:
        _log.error("webhook_secret_unreadable", exception=type(error).__name__)
        return
    if live:
        yield found


def _fingerprint(secret: bytes) -> str:
    """A name for a secret that has none: it tells two apart, and nothing of either."""
    return stored_id("webhook key", secret.hex())[:_FINGERPRINT]
