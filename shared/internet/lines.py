"""What a request leaves by: the resolver, the way to an address, trust and time, as fields that a test decides."""

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

RESOLVE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 5.0


def resolve(
    host: str, *, look_up: Callable[..., Any] = socket.getaddrinfo, seconds: float = RESOLVE_SECONDS
) -> Sequence[str]:
    """Every address of a name, or none when nobody said in time: the system's resolver, which knows no deadline.

    Raises:
        OSError: the name has none, or is no name.
    """
    found: list[tuple[str, ...]] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            infos = look_up(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            failed.append(error)
        except UnicodeError as error:
            failed.append(OSError(str(error)))
        else:
            found.append(tuple(dict.fromkeys(str(info[4][0]) for info in infos)))

    asking = threading.Thread(target=ask, daemon=True, name="resolve")
    asking.start()
    asking.join(seconds)
    if failed:
        raise failed[0]
    return found[0] if found else ()


def dial(address: str, port: int) -> socket.socket:
    """A connection to an address, never to a name.

    Raises:
        OSError: nobody answers there, or not within `CONNECT_SECONDS`.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM)
    try:
        line.settimeout(CONNECT_SECONDS)
        line.connect((address, port))
    except BaseException:
        line.close()
        raise
    return line


@cache
def public_trust() -> ssl.SSLContext:
    """TLS 1.2 or newer, with the system's certificate authorities and the host's name checked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@dataclass(frozen=True, slots=True)
class Lines:
    """How the internet is reached."""

    resolve: Callable[[str], Sequence[str]] = resolve
    dial: Callable[[str, int], socket.socket] = dial
    trust: Callable[[], ssl.SSLContext] = public_trust
    monotonic: Callable[[], float] = field(default=time.monotonic)


class Overdue(OSError):
    """The time that a whole request has is over, whatever each part of it took."""


class Hurried:
    """A connection as `http.client` uses one, on which every wait ends when the time of the whole request does.

    A receiver that sends a byte now and then gets no more time by it.
    """

    def __init__(self, line: socket.socket, ends_at: float, monotonic: Callable[[], float]) -> None:
        """Use `line` until `ends_at`."""
        self._line, self._ends_at, self._monotonic = line, ends_at, monotonic

    def sendall(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError: the connection broke, or the time is over.
        """
        rest = memoryview(data)
        while rest:
            self._hurry()
            rest = rest[self._line.send(rest) :]

    def makefile(self, *_arguments: Any) -> io.BufferedReader:
        """What the receiver says, to be read."""
        return io.BufferedReader(_Reader(self))

    def receive(self, into: memoryview) -> int:
        """Read what is there, at least a byte, 0 at the end.

        Raises:
            OSError: the connection broke, or the time is over.
        """
        self._hurry()
        return self._line.recv_into(into)

    def close(self) -> None:
        """`http.client` is done with it, but not with what it reads; whoever dialled hangs up."""

    def _hurry(self) -> None:
        left = self._ends_at - self._monotonic()
        if left <= 0:
            message = "the request took too long"
            raise Overdue(message)
        self._line.settimeout(left)


class _Reader(io.RawIOBase):
    def __init__(self, line: Hurried) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        return self._line.receive(into)
