"""Loopback addresses: ports that no other local cloud gets, leased by a file lock for as long as the holder lives.

Searched below the range that the system hands to outgoing connections, so that nothing takes the
port of a functions host while it is being restarted.
"""

import fcntl
import os
import socket
import tempfile
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Final

from emulators.processes import CloudFault

LOOPBACK: Final = "127.0.0.1"
_FIRST: Final = 15_000
_LAST: Final = 32_000


@dataclass(slots=True)
class Leases:
    """Ports held for one home. `attempt` moves the search on after a lost race."""

    home: Path
    attempt: int = 0
    _held: list[int] = field(default_factory=list)

    def lease(self) -> int:
        """A loopback port that is free and stays ours until `close`.

        Raises:
            CloudFault: every port is taken.
        """
        for port in self._candidates():
            lock = _lock(port)
            if lock is None:
                continue
            if _is_free(port):
                self._held.append(lock)
                return port
            os.close(lock)
        message = f"no free port on {LOOPBACK} between {_FIRST} and {_LAST}"
        raise CloudFault(message)

    def close(self) -> None:
        """Give all ports back."""
        while self._held:
            os.close(self._held.pop())

    def _candidates(self) -> Iterator[int]:
        span = _LAST - _FIRST
        start = zlib.crc32(f"{self.home.resolve()}#{self.attempt}".encode())
        return (_FIRST + (start + step) % span for step in range(span))


def _lock(port: int) -> int | None:
    folder = Path(tempfile.gettempdir()) / f"daybook-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(url: str) -> bool:
    """Whether a GET of a loopback address is answered with 200."""
    return fetch(url) is not None


def fetch(url: str) -> bytes | None:
    """The body of a GET of a loopback address; None unless it is answered with 200 within two seconds."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            body: bytes = response.read()
            return body if response.status == HTTPStatus.OK else None
    except (OSError, HTTPException):
        return None
