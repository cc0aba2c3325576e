"""The cloud of one seed: databases, services, instances that come and go, and how a message becomes a handler."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from shared.calls import Call
from shared.faults import Refused, Retryable
from shared.gcp.firestore import FirestoreStore
from shared.gcp.pubsub import PubSubBus
from shared.gcp.rpc import Method
from shared.gcp.secrets import SecretManagerSecrets
from shared.gcp.tasks import TasksQueue
from shared.http.private import Tick
from shared.identity import TenantId
from shared.settings import Settings, read_settings
from shared.webhooks.use_cases.rooms import Webhooks
from shared.wiring import House
from tests.simulation import doors
from tests.simulation.faults import Fault
from tests.simulation.firestore import Firestore
from tests.simulation.line import SimulatedLine
from tests.simulation.rates import exchanging
from tests.simulation.receivers import Receivers
from tests.simulation.refunder import AskedOverTheWire, Refunder
from tests.simulation.services import (
    DrawnIds,
    InstanceClock,
    KeyService,
    Post,
    SecretService,
    ServiceLine,
    Tasks,
    Topics,
)
from tests.simulation.world import Killed, World

T = TypeVar("T")

SETTINGS: Final = read_settings(
    {
        "DAYBOOK_PROJECT": "simulated",
        "DAYBOOK_REGION": "europe-west2",
        "DAYBOOK_KMS_KEY": "projects/simulated/locations/europe-west2/keyRings/daybook/cryptoKeys/personal-data",
        "DAYBOOK_DOORS_URL": "https://doors.invalid",
        "DAYBOOK_OIDC_ISSUER": "https://issuer.invalid",
        "DAYBOOK_OIDC_JWKS_URL": "https://issuer.invalid/jwks",
    }
)
_FAN_OUTS: Final = frozenset(f"fan_out_{topic}" for topic in doors.FANNED_OUT)
SKEWS: Final = (-5.0, -0.3, 0.3, 5.0)
SELDOM: Final = 6
"""How much seldomer schedules fire in a healed world, which may wait days for an event's time to be over."""


@dataclass
class Instance:
    """One process: its house remembers what it saw, until it is replaced. It serves one request at a time."""

    house: House
    clock: InstanceClock
    next_version: bool = False
    """Whether it runs the next version of the code: it writes and sends a field more, and reads it."""
    busy: bool = False
    dead: bool = False


@dataclass
class Cloud:
    """Everything that outlives a process."""

    world: World
    settings: Settings = SETTINGS
    store: Firestore = field(init=False)
    keysets: Firestore = field(init=False)
    tasks: Tasks = field(init=False)
    topics: Topics = field(init=False)
    keys: KeyService = field(init=False)
    receivers: Receivers = field(init=False)
    secrets: SecretService = field(default_factory=SecretService)
    instances: list[Instance] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    partners: dict[TenantId, Refunder] = field(default_factory=dict)
    """Each tenant's partner, as it is asked to give money back."""
    answered: list[tuple[Call, Any]] = field(default_factory=list)
    """What clients were answered first, and to which call."""

    def __post_init__(self) -> None:
        world = self.world
        self.store = Firestore(lambda: world.now, world.random)
        self.keysets = Firestore(lambda: world.now, world.random)
        self.keys = KeyService(world)
        self.tasks = Tasks(Post(world, self.serve_task, Fault.TASK_TWICE, Fault.TASK_HOURS_LATE, Fault.EXHAUSTED))
        events = Post(world, self.serve_event, Fault.EVENT_TWICE, Fault.EVENT_LATE, Fault.EVENT_DEAD)
        topics: dict[str, tuple[str, ...]] = {}
        self.receivers = Receivers(world, self.store.documents)
        for door, known in doors.EVENTS.items():
            if door in _FAN_OUTS and not world.telling:
                continue
            topics[known.topic] = (*topics.get(known.topic, ()), door)
        self.topics = Topics(events, topics, doors.push)

    @property
    def posts(self) -> tuple[Post, Post]:
        """What carries tasks, and what carries events."""
        return self.tasks.post, self.topics.post

    # --- instances

    def house(self) -> House:
        """The rooms of a new process."""
        return self._instance().house

    def _instance(self) -> Instance:
        world, clock = self.world, InstanceClock(self.world)
        if world.faults.strike("instance", Fault.CLOCK):
            clock.skew = timedelta(seconds=world.random.choice(SKEWS))
        house = House(self.settings)
        newer = world.faults.strike("instance", Fault.VERSIONS)
        line = SimulatedLine(world, self.store, "store", next_version=newer)
        house.__dict__.update(
            clock=clock,
            ids=DrawnIds(world),
            store=FirestoreStore(self.settings, self.settings.database, rpc=line),
            keysets_store=FirestoreStore(
                self.settings, self.settings.keysets_database, rpc=SimulatedLine(world, self.keysets, "keysets")
            ),
            queue=TasksQueue(self.settings, rpc=ServiceLine(world, "tasks", _sender(self.tasks.answer, newer=newer))),
            bus=PubSubBus(self.settings, rpc=ServiceLine(world, "topics", _sender(self.topics.answer, newer=newer))),
            keys=self.keys,
            signer=self.keys,
            partner_api=AskedOverTheWire(world, self.partners),
            secrets=SecretManagerSecrets(self.settings, clock, rpc=ServiceLine(world, "secrets", self.secrets.answer)),
        )
        house.books.together._monotonic = world.monotonic
        if world.telling:
            rooms = Webhooks(house.desk, lambda: house.vault, house.ids, lambda _: self.receivers, to_loopback=False)
            house.__dict__.update(webhooks=rooms)
        if world.applying:
            house.__dict__.update(allocations=exchanging(house))
        return Instance(house, clock, newer)

    def _idle(self) -> Instance:
        """An instance for the next request: one that waits, or a new one."""
        self.instances = [one for one in self.instances if not one.dead]
        idle = [one for one in self.instances if not one.busy]
        if idle:
            chosen = self.world.random.choice(idle)
            if not self.world.faults.strike("instance", Fault.RESTART):
                return chosen
            self.instances.remove(chosen)
        instance = self._instance()
        self.instances.append(instance)
        return instance

    # --- requests

    def serve(self, name: str, act: Callable[[Instance], T], ended: Callable[[T | BaseException], None]) -> None:
        """Let an instance serve a request; `ended` hears the answer, or what was raised."""
        instance = self._idle()
        instance.busy = True

        def end(answer: T | BaseException) -> None:
            instance.busy, instance.dead = False, isinstance(answer, Killed)
            self._judge(name, answer)
            ended(answer)

        self.world.start(name, lambda: act(instance), end)

    def serve_task(self, door: str, body: bytes, settled: Callable[[bool], None]) -> None:
        """Bring a task to its door."""

        def act(instance: Instance) -> object:
            understood = self._understands(instance)
            return doors.task(instance.house, door, doors.read_by(body, newer=understood), instance.clock.now())

        self.serve(door, act, _done(settled))

    def serve_event(self, door: str, body: bytes, settled: Callable[[bool], None]) -> None:
        """Push an event to a door."""
        self.serve(door, lambda one: doors.event(one.house, door, body, one.clock.now()), _done(settled))

    def _understands(self, instance: Instance) -> bool:
        """Whether an instance reads what the next version sends; once the world is healed it is rolled out."""
        return instance.next_version or self.world.faults.healed

    def fire(self, door: str) -> None:
        """Let a schedule fire, and again when it is due next."""
        schedule = doors.SCHEDULES[door]
        pause = schedule.minutes * 60 * (SELDOM if self.world.faults.healed else 1)
        self.world.after(pause, lambda: self.fire(door))
        if self.world.faults.strike(door, Fault.SWEEP_MISSED):
            return

        def act(instance: Instance) -> object:
            return schedule.handle(instance.house, Tick(instance.clock.now(), "simulated", doors.TRACE))

        self.serve(door, act, lambda _: None)

    def _judge(self, name: str, answer: object) -> None:
        """What a handler may end with: an answer, a refusal, a request to come again, or death."""
        match answer:
            case Refused():
                outcome = f"refused {answer.code}"
            case Retryable():
                outcome = "to be retried"
            case Killed():
                outcome = "killed"
            case BaseException():
                outcome = f"raised {type(answer).__name__}"
                self.world.violated(f"{name} raised {type(answer).__name__}: {answer}")
            case _:
                outcome = "done"
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.world.note(f"{name} {outcome}")


def _sender(answer: Callable[[Method, Any], Any], *, newer: bool) -> Callable[[Method, Any], Any]:
    """How an instance's messages go out: those of the next version with a field more."""

    def send(method: Method, request: Any) -> Any:
        return answer(method, doors.with_a_field_more(request))

    return send if newer else answer


def _done(settled: Callable[[bool], None]) -> Callable[[Any], None]:
    """A door is done with a message unless it is to be brought again."""

    def ended(answer: Any) -> None:
        settled(not isinstance(answer, BaseException) or isinstance(answer, Refused))

    return ended
