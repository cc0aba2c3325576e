"""The public API as a client system uses it: a key, an Idempotency-Key, and the same request again when told to."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from emulators.processes import CloudFault
from shared.limits import PAGE_SIZE

ATTEMPT_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 90.0
"""How long one request is tried again, on the machine's clock."""
FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 1.0


class Refusal(CloudFault):
    """A door refused, or never answered; the message names the request, the code and the field."""


@dataclass(slots=True)
class Tally:
    """What went over the lines; shared by all threads."""

    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, what: str) -> None:
        """Count one."""
        with self._lock:
            self.counts[what] += 1


class Line:
    """HTTP connections to the doors, kept open."""

    def __init__(self, doors_url: str, tally: Tally, connections: int) -> None:
        """So many connections at once."""
        self.doors_url, self.tally = doors_url, tally
        self._session = requests.Session()
        self._session.trust_env = False  # loopback goes through no proxy
        self._session.mount("http://", HTTPAdapter(pool_maxsize=connections, pool_block=True))

    def send(self, method: str, path: str, **rest: Any) -> requests.Response | None:
        """One attempt; None when the connection failed or nothing came back in time."""
        try:
            return self._session.request(method, self.doors_url + path, timeout=ATTEMPT_SECONDS, **rest)
        except requests.RequestException:
            return None

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()


class Client:
    """A holder of one API key."""

    def __init__(self, line: Line, key: str) -> None:
        """Call over `line` with `key`."""
        self._line, self._key = line, key

    def post(self, path: str, body: Any, key: str) -> Any:
        """The JSON answer; `key` is the Idempotency-Key, the same for every attempt.

        Raises:
            Refusal: refused, or not answered in time.
        """
        return self._until_answered("POST", path, json=body, headers={"Idempotency-Key": key})

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer.

        Raises:
            Refusal: refused, or not answered in time.
        """
        return self._until_answered("GET", path, params=query, headers={})

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every item of a list."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, limit=PAGE_SIZE, **query, **cursor)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def _until_answered(self, method: str, path: str, *, headers: dict[str, str], **rest: Any) -> Any:
        carried = headers | {"Authorization": f"Bearer {self._key}"}
        for wait in waits():
            response = self._line.send(method, path, headers=carried, **rest)
            if response is not None and response.ok:
                return response.json()
            if response is not None and response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                message = f"{method} {path}: {_problem(response)}"
                raise Refusal(message)
            self._line.tally.add("unanswered" if response is None else "asked_to_retry")
            time.sleep(wait)
        message = f"{method} {path}: not answered in {PATIENCE_SECONDS:.0f} s"
        raise Refusal(message)


def waits() -> Iterator[float]:
    """Seconds to wait after each failed attempt, until patience ends.

    Shorter than the Retry-After of the doors: here one machine waits for itself.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    for attempt in itertools.count():
        if time.monotonic() > deadline:
            return
        yield min(FIRST_WAIT_SECONDS * 2 ** min(attempt, 10), LONGEST_WAIT_SECONDS)


def _problem(response: requests.Response) -> str:
    """A problem document in one line: ids and codes only."""
    try:
        problem = response.json()
        return f"{response.status_code} {problem['code']} ({problem['field']}): {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return str(response.status_code)
