"""Processes and threads that do one kind of work for a while, and how often they got it done.

The same processes do every kind in turn, with the same house and so the same client and channel:
that is what makes a ratio of two kinds one of like with like.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import count
from multiprocessing.connection import Connection
from typing import TypeAlias

from shared import counters
from shared.settings import Settings
from shared.wiring import House

Work: TypeAlias = Callable[[House, str], Callable[[int], object]]
"""Given a house and a name that is only this thread's, what to do the n-th time."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was done in a round: times a second, and operations each time."""

    per_second: float
    done: int
    operations: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker process is to do: which work, with how many threads, from when, for how long."""

    work: Work
    threads: int
    starts: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Crew:
    """So many processes, each with so many threads."""

    pipes: Sequence[Connection]
    threads: int

    @property
    def shape(self) -> str:
        """How it is made up, for a row's `how`."""
        return f"{len(self.pipes)} process{'es' if len(self.pipes) > 1 else ''} x {self.threads} threads"

    def round(self, work: Work, seconds: float) -> Tally:
        """Let everybody work for `seconds`."""
        starts = time.monotonic() + 0.05
        for pipe in self.pipes:
            pipe.send(Order(work, self.threads, starts, seconds))
        tallies: list[Tally] = [pipe.recv() for pipe in self.pipes]
        done = sum(tally.done for tally in tallies)
        sums = {
            name: sum(tally.operations[name] * tally.done for tally in tallies) / max(1, done)
            for name in tallies[0].operations
        }
        return Tally(sum(tally.per_second for tally in tallies), done, sums)

    def alternating(self, works: Sequence[Work], seconds: float, rounds: int = 3) -> dict[Work, Tally]:
        """The best of several rounds of each kind of work, after one that only warms up."""
        for work in works:
            self.round(work, seconds)
        tallies = [(work, self.round(work, seconds)) for _ in range(rounds) for work in works]
        return {
            work: max((tally for kind, tally in tallies if kind is work), key=lambda tally: tally.per_second)
            for work in works
        }


@contextmanager
def crew(settings: Settings, processes: int, threads: int) -> Iterator[Crew]:
    """A crew, at work on the cloud of these settings while the context is open."""
    spawning = multiprocessing.get_context("spawn")
    pairs = [spawning.Pipe() for _ in range(processes)]
    workers = [spawning.Process(target=_serve, args=(theirs, settings), daemon=True) for _, theirs in pairs]
    for worker, (_, theirs) in zip(workers, pairs, strict=True):
        worker.start()
        theirs.close()  # or nobody would hear of a worker's death
    try:
        yield Crew([ours for ours, _ in pairs], threads)
    finally:
        for ours, _ in pairs:
            ours.send(None)
        for worker in workers:
            worker.join()


def _serve(pipe: Connection, settings: Settings) -> None:
    """A worker process: rounds as they are ordered, until there is no more."""
    house = House(settings)
    while order := pipe.recv():
        pipe.send(_round(house, order))


def _round(house: House, order: Order) -> Tally:
    with ThreadPoolExecutor(order.threads) as pool:
        parts = list(pool.map(partial(_work, house, order), range(order.threads)))
    done = sum(count for count, _, _ in parts)
    cost = [asdict(operations) for _, operations, _ in parts]
    each = {name: sum(one[name] for one in cost) / max(1, done) for name in cost[0]}
    return Tally(sum(count / took for count, _, took in parts), done, each)


def _work(house: House, order: Order, thread: int) -> tuple[int, counters.Operations, float]:
    """One thread's part of a round: how often, at what cost, in how many seconds."""
    do, numbers = _hand(house, order.work, thread)
    operations, done = counters.begin(), 0
    time.sleep(max(0.0, order.starts - time.monotonic()))
    begun = time.monotonic()
    while time.monotonic() < begun + order.seconds:
        do(next(numbers))
        done += 1
    return done, operations, time.monotonic() - begun


@cache
def _hand(house: House, work: Work, thread: int) -> tuple[Callable[[int], object], Iterator[int]]:
    """One thread's way of doing a kind of work; its numbers go on from round to round, so nothing is done twice."""
    return work(house, f"{os.getpid()}-{thread}"), count()
