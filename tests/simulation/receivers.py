"""Tenants' own systems, told by webhooks: the port `Deliverer` once more, at the world's mercy.

Each judges what it is sent, and verifies it as a receiver does: by the library of Standard Webhooks, with the one
secret that it has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

from shared.identity import TenantId
from shared.ports import Fields
from shared.webhooks.model import Answer, Posting, Trouble
from tests.simulation.documents import Documents, Micros, Stored
from tests.simulation.faults import Fault
from tests.simulation.world import CANARY, World

HANGS: Final = timedelta(seconds=20)
TOLERANCE: Final = timedelta(minutes=5)
SPELLS: Final = (600.0, 7_200.0, 7_200.0, 86_400.0, 500_000.0)
"""How long, in seconds, a receiver is down: minutes, hours, days; the last outlives every round."""

FEW: Final = 0.3
"""Of the messages at which a receiver could go for long, how many it may go at."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Lost(Exception):
    """Nobody answered."""


@dataclass
class Receiver:
    """One tenant's system behind one address."""

    tenant: TenantId
    url: str
    endpoint: str = ""
    secret: str | None = None
    """With what it verifies, once it was shown one."""
    knows_since: datetime | None = None
    down_until: datetime | None = None
    taken: set[str] = field(default_factory=set)
    """The messages that it has answered with 2xx."""
    answered: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By message: how often it has given which status."""


@dataclass
class Receivers:
    """All of them: what lies behind the internet."""

    world: World
    documents: Documents
    by_url: dict[str, Receiver] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    """What was sent under each `webhook-id`."""

    def new(self, tenant: TenantId) -> Receiver:
        """A system that nobody knows of yet."""
        url = f"https://{tenant}-{len(self.by_url)}.example.com/hooks"
        self.by_url[url] = Receiver(tenant, url)
        return self.by_url[url]

    def deliver(self, posting: Posting) -> Answer:
        """Send once and say what came of it; see the port."""
        world, receiver = self.world, self.by_url[posting.url]
        handler, began = world.handler, world.now
        assert handler is not None
        self._judge_sending(receiver, posting, handler.begun)
        try:
            answer = world.call("internet", "Post", lambda: self._arrive(receiver, posting), _Lost)
        except _Lost:
            answer = Answer(trouble=Trouble.TIMEOUT)
        if answer.trouble is Trouble.TIMEOUT:
            world.wait(max(HANGS - (world.now - began), timedelta()).total_seconds())
        return replace(answer, duration=world.now - began)

    # --- how it answers

    def _arrive(self, receiver: Receiver, posting: Posting) -> Answer:
        world = self.world
        if receiver.down_until and world.now < receiver.down_until:
            return Answer(trouble=Trouble.CONNECTION_FAILED)
        self._judge_signature(receiver, posting)
        answer = self._mood(receiver)
        message = posting.headers["webhook-id"]
        if answer.status is not None:
            receiver.answered[message][answer.status] += 1
        if answer.status in range(200, 300):
            receiver.taken.add(message)
        return answer

    def _mood(self, receiver: Receiver) -> Answer:
        """Take it, or fail in one of the ways that receivers do."""
        world, where = self.world, "receiver" if self.world.handler is None else self.world.handler.name
        strike, random = world.faults.strike, world.random
        if random.random() < FEW and strike(where, Fault.RECEIVER_DOWN):
            receiver.down_until = world.now + timedelta(seconds=random.choice(SPELLS))
            return Answer(trouble=Trouble.CONNECTION_FAILED)
        if strike(where, Fault.RECEIVER_HANGS):
            return Answer(trouble=Trouble.TIMEOUT)
        if strike(where, Fault.RECEIVER_BUSY):
            later = format_datetime(world.now + timedelta(minutes=40), usegmt=True)
            return Answer(random.choice((429, 503)), retry_after=random.choice(("30", "7200", later, "soon")))
        if strike(where, Fault.RECEIVER_FAILS):
            return Answer(random.choice((301, 400, 500, 502)))
        if random.random() < FEW and strike(where, Fault.RECEIVER_GONE):
            return Answer(410)
        return Answer(random.choice((200, 204)))

    # --- how it judges

    def _judge_sending(self, receiver: Receiver, posting: Posting, begun: datetime) -> None:
        """Whatever is sent, whoever hears it: ids and bodies, nobody's name, and to nobody who wants nothing."""
        message, violated = posting.headers["webhook-id"], self.world.violated
        if self.bodies.setdefault(message, posting.body) != posting.body:
            violated(f"{message} was sent with two bodies")
        if CANARY in f"{posting.url} {dict(posting.headers)} {posting.body!r}":
            violated("plaintext of a person on its way to a receiver")
        if not any(
            name.endswith(f"/{message.removeprefix('msg_')}") for name in self.documents.by_collection["outbox"]
        ):
            violated(f"{message} is the id of nothing that was announced")
        states = [one["state"] for one in self.between(receiver, (begun - _EPOCH) // timedelta(microseconds=1), None)]
        if "enabled" not in states:
            violated(f"sent to an endpoint that was {states} ever since the attempt began")

    def between(self, receiver: Receiver, since: Micros, until: Micros | None) -> list[Fields]:
        """What a receiver's endpoint was from one instant to another (0 and None: ever); nothing if it is younger."""
        past = next(self._pasts(receiver), [])
        ends = [start for start, _ in past[1:]]
        if not past or past[0][0] > since > 0:
            return []
        return [
            state.fields
            for (start, state), end in zip(past, [*ends, None], strict=True)
            if state and (end is None or end > since) and (until is None or start <= until)
        ]

    def _pasts(self, receiver: Receiver) -> Iterator[list[tuple[Micros, Stored | None]]]:
        for name in self.documents.by_collection.get("webhook_endpoints", ()):
            past = self.documents.past[name]
            if past[0][1] and past[0][1].fields["url"] == receiver.url:
                yield past

    def _judge_signature(self, receiver: Receiver, posting: Posting) -> None:
        """Under the secret that the receiver has; it took a new one only when messages bore its signature."""
        if receiver.secret is None:
            return
        sent = posting.headers
        at = datetime.fromtimestamp(int(sent["webhook-timestamp"]), UTC)
        if abs(self.world.now - at) > TOLERANCE:
            self.world.violated(f"a webhook's timestamp is {at}")
        if receiver.knows_since and at < receiver.knows_since:
            return
        signature = Webhook(receiver.secret).sign(sent["webhook-id"], at, posting.body.decode())
        if signature not in sent["webhook-signature"].split(" "):
            self.world.violated("a webhook does not verify under the secret that its receiver was shown")
