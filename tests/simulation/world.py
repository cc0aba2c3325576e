"""One seed is one day: virtual time, handlers that take turns at their calls, and a record of what happened.

There is one thread. A handler is a greenlet; whenever it calls a service it gives way, and what happens meanwhile is
the next event of the calendar: another handler's call, a delivery, a schedule, an outage. Chance comes from the seed
alone, so the same seed is the same day.
"""

import contextlib
import hashlib
import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - the seed is all the chance there is
from typing import Any, Final, TypeVar

from greenlet import getcurrent, greenlet

from shared.faults import Refused, Retryable
from shared.gcp.rpc import RpcFailed
from shared.keys import KeyDestroyed
from tests.simulation.faults import Fault, Menu, a_menu

T = TypeVar("T")

BEGINS: Final = tuple(
    datetime(2026, month, day, hour, tzinfo=UTC)
    for month, day, hour in ((10, 24, 22), (10, 31, 21), (11, 16, 9), (11, 30, 20), (12, 31, 20))
)
"""Before European clocks go back, before a month and a year end, and on a Monday: each seed begins at one of them."""

CANARY: Final = "Canary-Hopper"
"""A person's name: nowhere but under seal."""

TELLING, PATIENT = 0.35, 0.15
"""How many worlds tell webhooks, and how many of those are seen to the end of their last attempt."""

APPLYING: Final = 0.35
"""How many worlds apply cash by orders."""

CALL_SECONDS: Final = 5.0
LONGEST_RUN: Final = 400_000
"""Events after which a world does not come to rest: a bug of its own."""


class Killed(BaseException):
    """The handler's process dies here; nothing of ours runs for it."""


@dataclass(order=True, slots=True)
class _Event:
    at: datetime
    number: int
    act: Callable[[], object] = field(compare=False)


@dataclass
class Handler:
    """One run of a door, in one instance."""

    name: str
    fiber: greenlet
    begun: datetime
    dead: bool = False
    """Killed: whatever its code still does on its way out reaches nobody."""


@dataclass
class World:
    """The calendar, the clock, chance, and who is running."""

    seed: int
    now: datetime = BEGINS[0]
    begins: datetime = BEGINS[0]
    random: Random = field(init=False)
    faults: Menu = field(init=False)
    handler: Handler | None = None
    steps: int = 0
    """Times that a handler ran from one call to the next."""
    handled: int = 0
    out: dict[str, datetime] = field(default_factory=dict)
    """Services that do not answer, and until when."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    _events: list[_Event] = field(default_factory=list)
    _number: int = 0
    _trace: Any = field(default_factory=hashlib.sha256)
    log: list[str] | None = None
    telling: bool = field(init=False)
    """Whether tenants have webhook endpoints: in some worlds, for each announcement is then told to each."""
    applying: bool = field(init=False)
    """Whether cash is applied by orders, some of it exchanged: in some worlds, for it makes days longer."""
    patient: bool = field(init=False)
    """Whether it rests only when the last webhook was tried for the last time, which takes days."""

    def __post_init__(self) -> None:
        self._hub = getcurrent()
        self.random = Random(f"day {self.seed}")  # noqa: S311 - as above
        self.now = self.begins = self.random.choice(BEGINS)
        apart = Random(f"telling {self.seed}")  # noqa: S311 - as above
        self.telling, self.patient = apart.random() < TELLING, apart.random() < PATIENT
        self.applying = Random(f"applying {self.seed}").random() < APPLYING  # noqa: S311 - as above
        self.faults = a_menu(Random(f"menu {self.seed}"))  # noqa: S311 - as above

    # --- the record

    def note(self, text: str) -> None:
        """Write down what happens; the trace of a seed is the hash of all of it."""
        line = f"{self.now:%d %H:%M:%S.%f} {text}"
        self._trace.update(line.encode() + b"\n")
        if self.log is not None:
            self.log.append(line)

    def violated(self, text: str) -> None:
        """An invariant does not hold."""
        self.note(f"VIOLATION {text}")
        self.violations.append(text)

    @property
    def trace(self) -> str:
        """The hash of all that happened."""
        return str(self._trace.hexdigest())

    # --- the calendar

    def at(self, when: datetime, act: Callable[[], object]) -> None:
        """Do something at an instant; what is due at the same one goes in the order it was asked for."""
        self._number += 1
        heapq.heappush(self._events, _Event(max(when, self.now), self._number, act))

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something in a while."""
        self.at(self.now + timedelta(seconds=seconds), act)

    def fiber(self, act: Callable[[], object]) -> greenlet:
        """What follows a script and gives way by `pause`; the calendar goes on meanwhile."""
        return greenlet(act, parent=self._hub)

    def pause(self) -> None:
        """Let a script's fiber wait until somebody switches to it."""
        self._hub.switch()

    def run(self, until: Callable[[], bool]) -> None:
        """Let the calendar go on until this is so, or nothing is left to happen."""
        for _ in range(LONGEST_RUN):
            if until() or not self._events or self.violations:
                return
            event = heapq.heappop(self._events)
            self.now = event.at
            event.act()
        self.violated("the world does not come to rest")

    def monotonic(self) -> float:
        """Virtual seconds."""
        return (self.now - self.begins).total_seconds()

    # --- handlers

    def start(self, name: str, act: Callable[[], T], ended: Callable[[T | BaseException], None]) -> None:
        """Run a handler from now on; `ended` is told its answer, or what it raised."""

        def run() -> None:
            try:
                ended(act())
            except (Exception, Killed) as error:  # noqa: BLE001 - a handler may raise anything; whoever sent it decides
                ended(error)

        handler = Handler(name, greenlet(run, parent=self._hub), self.now)
        self.handled += 1
        self.note(f"{name} begins")
        self.after(0.0, lambda: self._resume(handler))

    def wait(self, seconds: float) -> None:
        """Let the running handler wait, and others go on."""
        handler = self.handler
        if handler is None:
            return
        self.after(seconds, lambda: self._resume(handler))
        self.handler = None
        self._hub.switch()

    def _resume(self, handler: Handler) -> None:
        self.handler = handler
        self.steps += 1
        handler.fiber.switch()
        self.handler = None

    # --- calls

    def call(self, service: str, verb: str, act: Callable[[], T], lost: Callable[[], Exception]) -> T:
        """A call of the running handler to a service, with whatever goes wrong on the way.

        `lost` is what the caller sees of a call without an answer. Outside of handlers nothing goes wrong.
        """
        if self.handler is None:
            return act()
        handler = self.handler
        if handler.dead:
            raise Killed
        where = handler.name
        self.calls[where, verb] += 1
        fault = self.faults.of_call(where, verb)
        self.note(f"{where} {verb}{f' ({fault.value})' if fault else ''}")
        self.wait(self._travel(slow=fault is Fault.SLOW))
        if fault is Fault.KILLED:
            handler.dead = True
            raise Killed
        if self.out.get(service, self.now) > self.now:
            self.faults.happened[where, Fault.OUTAGE] += 1
            self.wait(self.random.uniform(0.01, CALL_SECONDS))
            raise lost()
        if fault is Fault.LATE:
            self.after(self.random.choice((0.02, 1.0, CALL_SECONDS, 30.0)), lambda: _land(act))
        if fault in {Fault.LATE, Fault.REQUEST_LOST}:
            self.wait(self.random.uniform(0.01, CALL_SECONDS))
            raise lost()
        answer = act()
        if fault is Fault.TWICE:
            self.wait(self._travel())
            answer = act()
        self.wait(self._travel())
        if fault is Fault.KILLED_AFTER:
            handler.dead = True
            raise Killed
        if fault is Fault.ANSWER_LOST:
            self.wait(self.random.uniform(0.01, CALL_SECONDS))
            raise lost()
        return answer

    def _travel(self, *, slow: bool = False) -> float:
        return self.random.uniform(1.0, CALL_SECONDS) if slow else self.random.expovariate(1 / 0.004)


def _land(act: Callable[[], object]) -> None:
    """A request arrives after its caller gave it up; nobody hears the answer."""
    with contextlib.suppress(RpcFailed, Refused, Retryable, KeyDestroyed):
        act()
