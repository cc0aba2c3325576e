"""One trace through every door: the caller's W3C `traceparent` is continued, or a new one begun.

Format: Trace Context, W3C Recommendation of 23 November 2021, section 3.2.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from shared.identity import Ids

_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SAMPLED: Final = "01"


@dataclass(frozen=True, slots=True)
class Trace:
    """Where this request stands: trace id (32 hex digits), its own span id (16), and whether it is sampled."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def traceparent(self) -> str:
        """What the messages of this request carry on."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def continued(header: str | None, ids: Ids) -> Trace:
    """The trace of a request: the caller's with a new span, or a new one where there is none that can be read."""
    span_id = _hex(ids, 16)
    match = _PARENT.fullmatch(header.strip()) if header and len(header) <= 256 else None  # noqa: PLR2004 - far above 55
    if match is None:
        return Trace(_hex(ids, 32), span_id, _SAMPLED)
    version, trace_id, parent_id, flags, more = match.groups()
    readable = version != "ff" and set(trace_id) != {"0"} and set(parent_id) != {"0"}
    if not readable or (version == "00" and more):
        return Trace(_hex(ids, 32), span_id, _SAMPLED)
    return Trace(trace_id, span_id, flags)


def request_id(header: str | None, ids: Ids) -> str:
    """The caller's own request id when it is safe to print, or a fresh one."""
    return header if header and _REQUEST_ID.fullmatch(header) else ids.token(10)


def _hex(ids: Ids, digits: int) -> str:
    return hashlib.sha256(ids.token(16).encode("ascii")).hexdigest()[:digits]
