"""Webhooks over the internet, to public addresses only: whoever names the URL cannot make us speak to our own network.

A name is resolved once, every address of it must be public, and the connection goes to an address that was looked at:
what the name resolves to a moment later does not matter. TLS still asks for, and checks, the name. No redirect is
followed, nothing is reused, and of the answer only the status and Retry-After are kept.
"""

import http.client
import ssl
from datetime import timedelta
from typing import Any, Final, cast

from shared.internet.addresses import NotAllowed, Unresolved, address_of
from shared.internet.lines import Hurried, Lines, Overdue
from shared.webhooks.model import Answer, Posting, Trouble
from shared.webhooks.refusals import UrlNotAllowed
from shared.webhooks.rules.urls import Reach, Target, read_url

TOTAL_SECONDS: Final = 20.0
"""One attempt in all, after the name is resolved: with it still half of the door's timeout."""

ANSWER_BYTES: Final = 16_384
"""Of an answer's body so much is taken, and thrown away, so that its sender can finish."""

RETRY_AFTER_CHARACTERS: Final = 100


class InternetDeliverer:
    """The internet as the port `Deliverer`."""

    def __init__(self, reach: Reach, lines: Lines | None = None) -> None:
        """Go as far as `reach` says, by `lines` where a test brings its own."""
        self._reach, self._lines = reach, lines or Lines()

    def deliver(self, posting: Posting) -> Answer:
        """Send once and say what came of it; see the port."""
        started = self._lines.monotonic()
        status, retry_after, trouble = None, "", None
        try:
            status, retry_after = self._send(read_url(posting.url, self._reach), posting)
        except (OSError, http.client.HTTPException, UrlNotAllowed, NotAllowed, Unresolved) as error:
            trouble = _trouble(error)
        seconds = self._lines.monotonic() - started
        return Answer(status, trouble, timedelta(seconds=seconds), retry_after)

    def _send(self, target: Target, posting: Posting) -> tuple[int, str]:
        address = address_of(target, self._reach, self._lines)
        ends_at = self._lines.monotonic() + TOTAL_SECONDS
        line = self._lines.dial(address, target.port)
        try:
            if target.secure:
                line.settimeout(max(ends_at - self._lines.monotonic(), 0.001))
                line = self._lines.trust().wrap_socket(line, server_hostname=target.host)
            return _exchange(Hurried(line, ends_at, self._lines.monotonic), target, posting)
        finally:
            line.close()


def _exchange(line: Hurried, target: Target, posting: Posting) -> tuple[int, str]:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = cast("Any", line)  # what http.client asks of a socket, it has
    connection.putrequest("POST", target.target, skip_host=True, skip_accept_encoding=True)
    for name, value in {"host": target.authority, **posting.headers, "connection": "close"}.items():
        connection.putheader(name, value)
    connection.putheader("content-length", str(len(posting.body)))
    connection.endheaders(posting.body)
    response = connection.getresponse()
    status, retry_after = response.status, response.headers.get("retry-after", "")
    _drain(response)
    return status, retry_after[:RETRY_AFTER_CHARACTERS]


def _drain(response: http.client.HTTPResponse) -> None:
    """Let the sender finish, within bounds; the status is known, so nothing that goes wrong here matters."""
    try:
        response.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        return


def _trouble(error: Exception) -> Trouble:  # noqa: PLR0911 - one line a trouble
    match error:
        case UrlNotAllowed():
            return Trouble.URL_NOT_ALLOWED
        case NotAllowed():
            return Trouble.ADDRESS_NOT_ALLOWED
        case Unresolved():
            return Trouble.NAME_NOT_RESOLVED
        case TimeoutError() | Overdue():
            return Trouble.TIMEOUT
        case ssl.SSLError():
            return Trouble.TLS_FAILED
        case http.client.HTTPException() if not isinstance(error, OSError):
            return Trouble.NOT_HTTP
        case _:
            return Trouble.CONNECTION_FAILED
