"""The other services: queue, topics and secrets behind their adapters, keys, clock and chance behind their ports."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import google_crc32c
import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.faults import Retryable
from shared.gcp.patience import Patience
from shared.gcp.rpc import Method, Rpc, RpcFailed
from shared.keys import KeyDestroyed
from tests.local_keys import LocalSigner
from tests.simulation.faults import Fault
from tests.simulation.world import CANARY, World

ATTEMPTS: Final = 4
"""Deliveries of one message after which its carrier may give up: the faults decide whether it does."""

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
HOURS: Final = (600.0, 7_200.0, 20_000.0)

Deliver = Callable[[str, bytes, Callable[[bool], None]], None]
"""Bring a message to a door; tell whether the door was done with it."""


class ServiceLine(Rpc):
    """The line to one service other than the store."""

    def __init__(self, world: World, service: str, answer: Callable[[Method, Any], Any]) -> None:
        patience = Patience(sleep=world.wait, jitter=world.random.random, monotonic=world.monotonic)
        super().__init__("", patience=patience)
        self._world, self._service, self._answer = world, service, answer

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Send a request on its way."""
        del timeout_seconds
        verb = method.path.rsplit("/", 1)[-1]
        if CANARY.encode() in request.SerializeToString():
            self._world.violated(f"plaintext of a person on its way to {self._service}")
        lost = RpcFailed(method, grpc.StatusCode.UNAVAILABLE, "no answer")
        return self._world.call(self._service, verb, lambda: self._answer(method, request), lambda: lost)


@dataclass
class Post:
    """What carries messages: at least once, in no order, again after a failure, and it gives up now and then."""

    world: World
    deliver: Deliver
    twice: Fault
    late: Fault
    dead: Fault
    held: dict[int, tuple[str, bytes, datetime]] = field(default_factory=dict)
    """What is on its way: door, body, and when it is due."""
    numbered: int = 0
    dead_letters: list[tuple[str, bytes]] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)

    def send(self, door: str, body: bytes, not_before: datetime) -> None:
        """Deliver a message in a while, until a door is done with it."""
        delay = self.world.random.expovariate(1 / 0.5)
        if self.world.faults.strike(door, self.late):
            delay += self.world.random.choice(HOURS)
        self._attempt(door, body, not_before + timedelta(seconds=delay), 0)
        if self.world.faults.strike(door, self.twice):
            again = self.world.random.choice((0.0, 0.01, 1.0, 60.0, 3_600.0))
            self._attempt(door, body, not_before + timedelta(seconds=delay + again), 0)

    def again(self) -> None:
        """An operator sends the dead letters again, once the alert was looked into."""
        letters, self.dead_letters = self.dead_letters, []
        for door, body in letters:
            self._attempt(door, body, self.world.now, 0)

    def _attempt(self, door: str, body: bytes, when: datetime, attempts: int) -> None:
        self.numbered += 1
        number = self.numbered
        self.held[number] = (door, body, when)

        def settled(done: bool) -> None:  # noqa: FBT001 - what a door answers
            del self.held[number]
            self._settled(door, body, attempts + 1, done)

        self.world.at(when, lambda: self.deliver(door, body, settled))

    def _settled(self, door: str, body: bytes, attempts: int, done: bool) -> None:  # noqa: FBT001 - what a door answers
        if done:
            return
        if attempts >= ATTEMPTS and not self.world.faults.healed and self.world.faults.strike(door, self.dead):
            self.dead_letters.append((door, body))
            self.alerts[door] += 1
            return
        longest = LONGEST_PAUSE * (12 if self.world.faults.healed else 1)
        pause = min(longest, FIRST_PAUSE * 2 ** min(attempts, 10)) * self.world.random.uniform(0.5, 1.5)
        self._attempt(door, body, self.world.now + timedelta(seconds=pause), attempts)


@dataclass
class Tasks:
    """Cloud Tasks: a task by its name once, as long as the name is remembered."""

    post: Post
    names: set[str] = field(default_factory=set)
    told: Callable[[str], None] = lambda _: None
    """Hears the id of each task."""

    def answer(self, method: Method, request: Any) -> Any:
        """Take a task."""
        name, target = request.task.name, request.task.http_request
        self.told(name.rsplit("/", 1)[-1])
        door = target.url.rsplit("/", 1)[-1]
        if name in self.names and not self.post.world.faults.strike(door, Fault.NAME_FORGOTTEN):
            raise RpcFailed(method, grpc.StatusCode.ALREADY_EXISTS, "the name is known")
        self.names.add(name)
        due = self.post.world.now
        if request.task.HasField("schedule_time"):
            due = max(due, request.task.schedule_time.ToDatetime(tzinfo=UTC))
        self.post.send(door, bytes(target.body), due)
        return method.response()


@dataclass
class Topics:
    """Pub/Sub: every listener of a topic is pushed every message, in no order."""

    post: Post
    listeners: Mapping[str, tuple[str, ...]]
    push: Callable[[Any], bytes]
    told: Callable[[str], None] = lambda _: None
    """Hears the id of each message."""

    def answer(self, method: Method, request: Any) -> Any:
        """Take messages."""
        topic = request.topic.rsplit("/", 1)[-1]
        for message in request.messages:
            self.told(message.attributes["event_id"])
            for door in self.listeners.get(topic, ()):
                self.post.send(door, self.push(message), self.post.world.now)
        return method.response()


@dataclass
class KeyService:
    """KMS as the ports `Keys` and `Signer`: versions that rotate, and silence."""

    world: World
    signer: LocalSigner = field(default_factory=LocalSigner)
    versions: list[AESGCM] = field(default_factory=lambda: [AESGCM(bytes(32))])

    def rotate(self) -> None:
        """A new primary version; the old ones open what they closed."""
        self.versions.append(AESGCM(len(self.versions).to_bytes(32, "big")))

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Wrap under the primary version."""

        def act() -> bytes:
            number, nonce = len(self.versions) - 1, self.world.random.randbytes(12)
            return bytes([number]) + nonce + self.versions[number].encrypt(nonce, plaintext, associated_data)

        return self.world.call("keys", "Encrypt", act, _silent)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Unwrap with the version that wrapped."""

        def act() -> bytes:
            try:
                return self.versions[ciphertext[0]].decrypt(ciphertext[1:13], ciphertext[13:], associated_data)
            except InvalidTag:
                message = "not for this key and data"
                raise KeyDestroyed(message) from None

        return self.world.call("keys", "Decrypt", act, _silent)

    @property
    def key_version(self) -> str:
        """The version that signs."""
        return self.signer.key_version

    def sign(self, statement: bytes) -> bytes:
        """Sign."""
        return self.world.call("keys", "Sign", lambda: self.signer.sign(statement), _silent)

    def public_key(self) -> str:
        """PEM."""
        return self.world.call("keys", "GetPublicKey", self.signer.public_key, _silent)


def _silent() -> Retryable:
    return Retryable("the key service did not answer")


@dataclass
class SecretService:
    """Secret Manager: values by name, newest first; every instance remembers them for its minute."""

    live: dict[str, tuple[bytes, ...]] = field(default_factory=dict)

    def answer(self, method: Method, request: Any) -> Any:
        """List a secret's versions, or show one."""
        answer = method.response()
        if method.path.endswith("ListSecretVersions"):
            values = self.live.get(request.parent.rsplit("/", 1)[-1])
            if values is None:
                raise RpcFailed(method, grpc.StatusCode.NOT_FOUND, "no such secret")
            for number in range(len(values), 0, -1):
                answer.versions.add(name=f"{request.parent}/versions/{number}")
        else:
            _, name, _, number = request.name.rsplit("/", 3)
            answer.payload.data = self.live[name][-int(number)]
            answer.payload.data_crc32c = google_crc32c.value(answer.payload.data)
        return answer


@dataclass
class InstanceClock:
    """An instance's clock, which may be wrong."""

    world: World
    skew: timedelta = timedelta()

    def now(self) -> datetime:
        """What the instance takes for the time."""
        return self.world.now + self.skew


@dataclass
class DrawnIds:
    """Chance from the seed."""

    world: World

    def token(self, size_bytes: int) -> str:
        """A token."""
        return self.world.random.randbytes(size_bytes).hex()
