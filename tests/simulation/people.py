"""Clients: they follow a script, and ask until they are answered, as a client system does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from greenlet import greenlet

from shared.calls import Call
from shared.faults import Refused, Retryable
from shared.identity import Cause, TenantId, stored_id
from shared.wiring import House
from tests.simulation.cloud import Cloud, Instance
from tests.simulation.doors import TRACE
from tests.simulation.faults import Fault

T = TypeVar("T")

Ask = Callable[[House, Call], T]


@dataclass
class Person:
    """One client of one tenant, who does one thing after the other."""

    cloud: Cloud
    tenant: TenantId
    name: str
    done: bool = False
    _fiber: greenlet | None = None
    _asked: int = 0

    def follow(self, script: Callable[["Person"], object], *, after: float | None = None) -> None:
        """Begin a script in so many seconds, or some time from now."""

        def run() -> None:
            try:
                script(self)
            except (AttributeError, AssertionError, TypeError) as error:  # an answer that no client can work with
                self.cloud.world.violated(f"{self.name} cannot go on: {error}")
            self.done = True

        self._fiber = self.cloud.world.fiber(run)
        wait = self.cloud.world.random.expovariate(1 / 600) if after is None else after
        self.cloud.world.after(wait, self._go_on)

    def think(self, minutes: float) -> None:
        """Do something else for a while, about so long."""
        self.cloud.world.after(self.cloud.world.random.expovariate(1 / (minutes * 60)), self._go_on)
        self.cloud.world.pause()

    def until(self, happened: Callable[[], bool], minutes: float = 5) -> None:
        """Look now and then until something is so."""
        while not happened():
            self.think(minutes)

    def ask(self, door: str, act: Ask[T], *, once: bool = True, key: str = "") -> T | Refused:
        """Ask a door under one Idempotency-Key until there is an answer; every answer of it must be the same."""
        world = self.cloud.world
        self._asked += 1
        key = key or f"{self.name}-{self._asked}"
        answers: list[Any] = []

        def attempt(number: int) -> None:
            def serve(instance: Instance) -> T:
                return act(instance.house, self._call(door, key, instance.clock.now(), once=once))

            def ended(answer: Any) -> None:
                if not _final(answer):
                    world.after(
                        min(60.0, 2.0 ** min(number, 6)) * world.random.uniform(0.5, 1.5), lambda: attempt(number + 1)
                    )
                    return
                if answers and _differ(door, answers[0], answer):
                    world.violated(f"{door} answered {_gist(answers[0])}, then {_gist(answer)} under {key}")
                answers.append(answer)
                if len(answers) == 1:
                    self.cloud.answered.append((self._call(door, key, world.now, once=once), answer))
                    self._go_on()

            self.cloud.serve(door, serve, ended)

        world.after(0.0, lambda: attempt(0))
        if world.faults.strike(door, Fault.REQUEST_TWICE):
            world.after(world.random.choice((0.0, 0.01, 2.0, 600.0)), lambda: attempt(0))
        self.cloud.world.pause()
        answered: T | Refused = answers[0]
        return answered

    def _call(self, door: str, key: str, at: Any, *, once: bool) -> Call:
        asked = stored_id("request", self.name, door, key)
        cause = Cause("api", door, f"{self.tenant}:{key}")
        return Call(self.tenant, f"user:{self.name}", cause, "simulated", asked, TRACE, at, once=once)

    def _go_on(self) -> None:
        if self._fiber is not None:
            self._fiber.switch()


MAY_YET_BE_DONE: Final = frozenset(
    {
        "POST /v1/payroll_runs",
        "POST /v1/webhook_endpoints/rotate_secret",
        "POST /v1/webhook_endpoints/deliveries/resend",
        "POST /v1/webhook_endpoints/resends",
    }
)
"""Doors whose refusal leaves no record: nothing of money hangs on it, and the same request may be done later."""


def _differ(door: str, first: Any, second: Any) -> bool:
    """Whether two answers to one request are not the same."""
    unrecorded = isinstance(first, Refused) or isinstance(second, Refused)
    return _gist(first) != _gist(second) and not (unrecorded and door in MAY_YET_BE_DONE)


def _final(answer: Any) -> bool:
    """Whether a client has what it asked for: no fault but a refusal, and no entry of a batch that is to come again."""
    if isinstance(answer, BaseException):
        return isinstance(answer, Refused)
    results = getattr(getattr(answer, "answer", None), "results", ())
    return not any(isinstance(getattr(result, "outcome", result), Retryable) for result in results)


def _gist(answer: Any) -> str:
    """What must be the same of every answer to one request: a refusal's code, an answer's id, each place of a batch."""
    results = getattr(getattr(answer, "answer", None), "results", None)
    if results is not None:
        outcomes = (getattr(result, "outcome", result) for result in results)
        return " ".join(str(getattr(outcome, "code", "posted")) for outcome in outcomes)
    if isinstance(answer, Refused):
        return f"refused {answer.code}"
    said = getattr(answer, "answer", answer)
    return str(getattr(said, "id", None) or getattr(getattr(said, "entry", None), "id", None) or "done")
