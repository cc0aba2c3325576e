"""What is sent and how it is signed: Standard Webhooks 1.0.0, symmetric scheme (HMAC-SHA256, `v1`)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from shared.events import Announcement, Json
from shared.identity import Ids

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
"""Random bits of a secret, in bytes; the specification asks for 24 to 64."""

USER_AGENT: Final = "Daybook-Webhooks/1"


def new_secret(ids: Ids) -> str:
    """A secret as its receiver is shown it: `whsec_` and base64 of a fresh token, whose characters are the key."""
    return PREFIX + base64.b64encode(ids.token(SECRET_BYTES).encode()).decode()


def payload(told: Announcement) -> str:
    """The text that is signed and sent: type, the instant of the event, its data with the subject's id and version.

    `id` and `version` are the subject's whatever the data holds; announcements hold ids and figures only (law 8).
    """
    data: dict[str, Json] = {**told.data, "id": told.subject, "version": told.subject_version}
    parts = {"type": told.type, "timestamp": instant(told.occurred_at), "data": data}
    return json.dumps(parts, separators=(",", ":"))


def instant(at: datetime) -> str:
    """An instant as ISO 8601 in UTC, with `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def message_name(announcement_id: str) -> str:
    """What `webhook-id` says: the same for every attempt and every endpoint, so that an event counts once."""
    return f"msg_{announcement_id}"


def headers(secrets: Sequence[str], message: str, at: datetime, body: str) -> Mapping[str, str]:
    """The headers of one attempt, signed with every live secret, newest first."""
    name, timestamp = message_name(message), f"{int(at.timestamp())}"
    signed = f"{name}.{timestamp}.{body}".encode()
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": name,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
