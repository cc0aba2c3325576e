"""HTTP calls from the cloud to a door: one attempt, one deadline, always an answer.

A call that is not answered in time counts as 504, a door that cannot be reached (or a request that
cannot be made) as 503; redirects are answers like any other. How often and when to try again is
the caller's business.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import aiohttp

from shared.clock import Clock

IDLE_SECONDS = 1.0
"""Below the two seconds after which the doors' host closes an idle connection."""

CALLS_KEPT = 20_000
"""Latest calls that can be looked at afterwards."""

HOP_HEADERS = frozenset({"host", "content-length", "user-agent", "transfer-encoding", "connection"})
RESERVED_PREFIXES = ("x-cloudtasks-", "x-cloudscheduler", "x-google-", "x-appengine-")


@dataclass(frozen=True, slots=True)
class Outcall:
    """One request to be made. `deadline` is measured by the machine, not by the settable clock."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    deadline: timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `status` is HTTP's; `retry_after` is how long the door asks to be left alone."""

    status: int
    retry_after: timedelta = timedelta()

    @property
    def is_success(self) -> bool:
        """Any 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_server_error(self) -> bool:
        """Any 5xx: the door itself may never have run."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


class Outcalls:
    """A pool of connections to the doors."""

    def __init__(self, clock: Clock) -> None:
        """Dates in Retry-After are read by `clock`."""
        self._clock = clock
        self.kept: deque[Outcall] = deque(maxlen=CALLS_KEPT)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def send(self, call: Outcall) -> Answer:
        """Make one attempt."""
        self.kept.append(call)
        try:
            async with asyncio.timeout(call.deadline.total_seconds()):
                return await self._send(call)
        except TimeoutError:
            return Answer(HTTPStatus.GATEWAY_TIMEOUT)
        except (aiohttp.ClientError, OSError, ValueError):
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE)

    async def _send(self, call: Outcall) -> Answer:
        async with self._session.request(
            call.method,
            call.url,
            headers=call.headers,
            data=call.body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as response:
            await response.read()
            return Answer(response.status, read_retry_after(response.headers.get("Retry-After"), self._clock.now()))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def read_retry_after(text: str | None, now: datetime) -> timedelta:
    """How long Retry-After (RFC 9110, section 10.2.3: seconds or a date) asks to wait; zero when it says nothing."""
    if not text:
        return timedelta()
    if text.strip().isdecimal():
        return timedelta(seconds=int(text))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()
    return max(until.replace(tzinfo=until.tzinfo or UTC) - now, timedelta())


def passed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The caller's own headers, without those that the cloud or HTTP itself sets."""
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in HOP_HEADERS and not name.lower().startswith(RESERVED_PREFIXES)
    }
