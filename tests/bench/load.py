"""Requests sent to a door: as many as it takes, or at a fixed rate whatever it does."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import count
from typing import Final, TypeAlias
from urllib.parse import urlsplit

SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Request:
    """One POST, ready to be sent."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Send: TypeAlias = Callable[[Request], None]


def at_full_load(url: str, requests: Sequence[Request], threads: int) -> float:
    """Send all of them, each thread the next one as soon as it is answered; answers a second."""
    begun = time.perf_counter()
    _each(url, threads, len(requests), lambda send, number: send(requests[number]))
    return len(requests) / (time.perf_counter() - begun)


def at_rate(url: str, requests: Sequence[Request], per_second: float, threads: int) -> list[float]:
    """Send them at a fixed rate; seconds from when each should have gone out to its answer, in order of size.

    A request that finds every connection busy waits, and its waiting counts: a slow door cannot slow the arrivals.
    """
    taken: list[float] = []
    begun = time.perf_counter() + 0.1

    def one(send: Send, number: int) -> None:
        due = begun + number / per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        send(requests[number])
        taken.append(time.perf_counter() - due)

    _each(url, threads, len(requests), one)
    return sorted(taken)


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed (nearest rank)."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _each(url: str, threads: int, total: int, do: Callable[[Send, int], None]) -> None:
    """Do something with every number, by threads with a kept connection each."""
    numbers = count()

    def work(_: int) -> None:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)

        def send(request: Request) -> None:
            connection.request(
                "POST", request.path, request.body, {"Content-Type": "application/json"} | dict(request.headers)
            )
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != HTTPStatus.OK:
                message = f"{request.path} was answered {answer.status}: {text.decode(errors='replace')}"
                raise RuntimeError(message)

        while (number := next(numbers)) < total:
            do(send, number)
        connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
