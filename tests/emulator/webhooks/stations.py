"""One process that tells webhooks, over its own line to the emulator; line, queue and receiver can die under it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from shared.calls import Call, Done
from shared.events import Announcement, Command
from shared.faults import Retryable
from shared.gcp.firestore import FirestoreStore
from shared.identity import Cause, TenantId
from shared.ports import Query, Value
from shared.settings import Settings
from shared.webhooks.model import Answer, Delivery, Message, Posting, Resend
from shared.webhooks.use_cases.endpoints import NewEndpoint
from shared.webhooks.use_cases.rooms import Webhooks
from shared.webhooks.use_cases.sending import Order
from shared.wiring import House
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, MortalLine, Post
from tests.emulator.offices import SteppedClock
from tests.local_keys import LocalKeys

DELIVER, DELIVER_SLOW, RESEND = "deliver_webhook", "deliver_slow_webhook", "resend_webhooks"
DOWN = Answer(500, duration=timedelta(milliseconds=20))
More: TypeAlias = "Callable[..., Station]"


@dataclass
class Receiver:
    """A tenant's system: it keeps what it is sent, and answers what it is told to, else 204."""

    fate: Fate
    answers: list[Answer] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    then: Callable[[], object] = lambda: None
    """What happens while the next answer is on its way."""

    def deliver(self, posting: Posting) -> Answer:
        """Take a message."""
        self.fate.moment()
        self.postings.append(posting)
        then, self.then = self.then, lambda: None
        then()
        self.fate.moment()
        return self.answers.pop(0) if self.answers else Answer(204)


@dataclass
class Station:
    """The rooms of one process, with the world in the test's hand."""

    house: House
    line: MortalLine
    post: Post
    receiver: Receiver

    def an_endpoint(self, key: str = "erp", tenant: TenantId = ACME, **changes: Any) -> tuple[str, str]:
        """The id of an endpoint that wants everything, and its secret."""
        values: dict[str, Any] = {"url": f"https://{key}.example.com/hooks", "filters": ("*",), "description": ""}
        call = a_call(f"endpoint-{key}", tenant=tenant, once=True)
        shown = self.house.webhooks.endpoints.create(call, NewEndpoint(**(values | changes))).answer
        assert shown.secret is not None
        return shown.endpoint.id, shown.secret

    def tell(self, told: Announcement, at: datetime = NOON) -> Done[Message | None]:
        """The bus brings an announcement."""
        cause = Cause("system", "fan_out_payments", told.id)
        call = a_call(tenant=told.tenant, at=at, cause=cause, principal="system:fan_out_payments")
        return self.house.webhooks.fan_out.tell(call, told)

    def attempt(self, task: Command, at: datetime = NOON) -> Delivery:
        """One of the two queues brings the command to make an attempt."""
        body: Any = task.body
        order = Order(body["delivery"], body["endpoint"], body["message"], body["number"])
        patiently = task.door == DELIVER_SLOW
        return self.house.webhooks.sending.attempt(task_call(task, at), order, patiently=patiently).answer

    def resend_page(self, task: Command, at: datetime = NOON) -> Resend:
        """The queue brings the command to send a page again."""
        body: Any = task.body
        return self.house.webhooks.resending.page(task_call(task, at), body["resend"], body["page"]).answer

    def next_task(self, door: str = DELIVER) -> Command:
        """The youngest command for a door."""
        return self.post.take(door)[-1]

    def attempt_next(self) -> Delivery:
        """Make the attempt that was asked for last, at its time."""
        task = self.next_task()
        return self.attempt(task, task.not_before or NOON)

    def documents(self, collection: str, tenant: TenantId = ACME) -> Sequence[Any]:
        """Everything in a collection."""
        return self.house.store.query(Query(collection, tenant)).documents

    def audited(self, action: str) -> list[Value]:
        """The objects of an action's audit records."""
        return [record["object"] for record in self.documents("audit") if record["action"] == action]

    @staticmethod
    def again(ask: Callable[[], Any]) -> Any:
        """Ask as a queue does: again while it is to be retried, a bounded number of times."""
        for _ in range(50):
            try:
                return ask()
            except Retryable:
                continue
        message = "retried fifty times"
        raise AssertionError(message)


def task_call(task: Command, at: datetime) -> Call:
    """The call under which the queue brings a task."""
    cause = Cause("system", task.door, task.id)
    return a_call("", at=at, cause=cause, principal=f"system:{task.door}", request_hash=f"task-{task.id}")


def a_station(settings: Settings, keys: LocalKeys, fate: Fate | None = None, post: Post | None = None) -> Station:
    """Another process over the same databases and the same keys."""
    fate = fate or Fate()
    house, line, post, receiver = House(settings), MortalLine(settings, fate), post or Post(fate), Receiver(fate)
    store = FirestoreStore(settings, settings.database, rpc=line)
    house.__dict__.update(clock=SteppedClock(), keys=keys, queue=post, bus=post, store=store)
    rooms = Webhooks(house.desk, lambda: house.vault, house.ids, lambda _: receiver, to_loopback=False)
    house.__dict__.update(webhooks=rooms)
    return Station(house, line, post, receiver)
