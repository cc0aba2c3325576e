"""Ids come from their cause, so that a retry finds its own trace.

Only what no retry repeats (request ids, new secrets) takes chance, and that is an argument too.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final, NewType, Protocol

from shared.faults import Invalid

TenantId = NewType("TenantId", str)
StoredId = NewType("StoredId", str)

_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = tuple(first + second for first in _DIGITS for second in _DIGITS)
_TENANT: Final = re.compile(r"[a-z][a-z0-9]{1,30}")


class Ids(Protocol):
    """Draws what chance must decide."""

    def token(self, size_bytes: int) -> str:
        """A fresh unguessable token of so many random bytes, lower-case base32."""
        ...


class SystemIds:
    """The operating system's randomness."""

    def token(self, size_bytes: int) -> str:
        """A fresh token from the system's secure source."""
        return _base32(secrets.token_bytes(size_bytes))


@dataclass(frozen=True, slots=True)
class Cause:
    """What made something happen; equal causes are the same happening.

    `namespace` is fixed by the door (`api`, `webhook:stripe`, `system`), so that a client can
    never name an id that belongs to a webhook or to the system.
    """

    namespace: str
    endpoint: str
    key: str

    def stored_id(self, purpose: str = "") -> StoredId:
        """The id of what this cause creates, one for each purpose."""
        return stored_id(self.namespace, self.endpoint, self.key, purpose)

    def __str__(self) -> str:
        """The cause as one readable line, for records."""
        return f"{self.namespace}/{self.endpoint}/{self.key}"


def stored_id(*parts: str) -> StoredId:
    """base32(sha256(parts)): 52 characters that no part can imitate, whatever it contains."""
    encoded = [part.encode() for part in parts]
    framed = b"".join([len(data).to_bytes(8, "big") + data for data in encoded])
    return StoredId(_base32(hashlib.sha256(framed).digest()))


def message_id(tenant: TenantId, cause: Cause, kind: str, subject: str) -> StoredId:
    """The same cause always sends the same messages, so their ids repeat with it; a queue serves all tenants."""
    return stored_id("message", tenant, cause.namespace, cause.endpoint, cause.key, kind, subject)


def keyed_hash(key: bytes, data: bytes) -> str:
    """HMAC-SHA256 in hex: equal inputs compare equal, and without the key nobody can guess them."""
    return hmac.new(key, data, hashlib.sha256).hexdigest()


def tenant_id(text: str) -> TenantId:
    """Check and brand a tenant id: a lower-case letter, then 1 to 30 letters or digits.

    Raises:
        Invalid: the text is no tenant id.
    """
    if not _TENANT.fullmatch(text):
        message = "a tenant id is a lower-case letter followed by 1 to 30 lower-case letters or digits"
        raise Invalid(message, field="tenant")
    return TenantId(text)


def _base32(data: bytes) -> str:
    """RFC 4648's base32 in lower case without padding, two digits at a time: half the cost of `base64`'s."""
    pairs = -(-len(data) * 8 // 10)
    number = int.from_bytes(data, "big") << (pairs * 10 - len(data) * 8)
    text = "".join([_PAIRS[number >> shift & 1023] for shift in range(pairs * 10 - 10, -1, -10)])
    return text[: -(-len(data) * 8 // 5)]
