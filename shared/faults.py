"""Two faults: what must never be tried again, and what must.

`Refused` is an answer: the same question gets the same one. `Retryable` is a request to
ask again later. Anything else that is raised is a bug. Faults know no HTTP.
"""

from collections.abc import Mapping
from enum import Enum

Detail = Mapping[str, str | int | None]


class Kind(Enum):
    """What sort of no a refusal is; the door frame maps each to a status."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    NOT_SUPPORTED = "not_supported"


class Fault(Exception):
    """A failure with a stable code; `detail` holds ids and figures, never personal data."""

    code: str = "fault"

    def __init__(self, message: str, *, field: str | None = None, detail: Detail | None = None) -> None:
        """Say what happened; `field` names the input at fault, as a dotted path."""
        super().__init__(message)
        self.message = message
        self.field = field
        self.detail: Detail = detail or {}


class Refused(Fault):
    """Never retry: the request as it stands will not be done."""

    code = "refused"
    kind: Kind = Kind.INVALID


class Retryable(Fault):
    """Nothing is decided; the same request may succeed later."""

    code = "retry_later"


class Malformed(Refused):
    """The bytes are not what the door reads."""

    code = "malformed"
    kind = Kind.MALFORMED


class Invalid(Refused):
    """A field breaks a rule that its own value decides."""

    code = "invalid"


class Unauthenticated(Refused):
    """The credential is missing, unknown, revoked, expired or forged."""

    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class Forbidden(Refused):
    """The principal is known and may not do this."""

    code = "forbidden"
    kind = Kind.FORBIDDEN


class NotFound(Refused):
    """No such object under this tenant."""

    code = "not_found"
    kind = Kind.NOT_FOUND


class Conflict(Refused):
    """The object's state does not allow this."""

    code = "conflict"
    kind = Kind.CONFLICT


class TooLarge(Refused):
    """A limit of `shared.limits` is passed."""

    code = "too_large"
    kind = Kind.TOO_LARGE


class NotSupported(Refused):
    """No dated source backs an answer, so there is none."""

    code = "not_supported"
    kind = Kind.NOT_SUPPORTED


class IdempotencyKeyReused(Refused):
    """The Idempotency-Key was already used with another request."""

    code = "idempotency_key_reused"
