"""A round: one task for each tenant, asked for by a schedule, once a period however often the schedule fires."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.events import Command
from shared.identity import Cause, TenantId, message_id
from shared.ports import Queue


@dataclass(frozen=True, slots=True)
class Round:
    """The scheduled door `asker` sends each tenant's task to `door` by `queue`; `period` is its field in the body."""

    asker: str
    door: str
    queue: str
    period: str

    def ask(self, queue: Queue, tenants: Iterable[TenantId], period: str, traceparent: str) -> None:
        """Ask for each tenant's task of a period (a day, an hour); asked again, the queue knows it.

        Raises:
            Retryable: it is not certain that the queue has them all.
        """
        for tenant in tenants:
            identity = message_id(tenant, Cause("system", self.asker, period), self.door, period)
            queue.enqueue(Command(identity, tenant, self.door, self.queue, {self.period: period}, traceparent))
