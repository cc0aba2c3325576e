"""What applying a partner's event costs, counted: one BatchGet and one commit, whatever the event is of.

Counted once everything is warm: accounts known to the process, totals of the month there, outbox just emptied.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

from shared import counters
from shared.counters import Operations
from shared.customers.model import Customer, CustomerKind, NewCustomer, PersonalField
from shared.events import Command
from shared.invoicing.model import Invoice
from shared.payments.partners.adapter import Secret
from shared.payments.use_cases.inbox import RawEvent
from shared.payments.wire import ApplyTask
from shared.wiring import House
from tests.bench.rows import Row
from tests.bench.world import TENANT, World, a_call
from tests.unit.invoicing.drafts import a_draft, a_line
from tests.unit.payments.partner_events import delivery
from tests.unit.payments.partner_samples import standard

WARMING: Final = 60
"""Events of each kind after which every shard of the totals that they move is there."""

HUGE: Final = 1_000_000
"""Pence of an invoice that many small payments settle in part."""

_numbers: Final = count(1)


@dataclass(frozen=True, slots=True)
class Kind:
    """An event to be counted: what it says (of our invoice where it has a place for it), and what applying it costs."""

    name: str
    type: str
    said: dict[str, Any]
    reads: int
    writes: int


KINDS: Final = (
    # event, payment and invoice; with them two totals, entry, audit record, outbox row
    Kind("payment that settles an invoice", "payment.succeeded", {"amount": 100, "invoice_id": ""}, 3, 8),
    # and the refund itself, and what is under way of our own
    Kind("refund", "refund.succeeded", {"amount": 1, "payment": "counted", "invoice_id": ""}, 5, 9),
    # event, payment, dispute; the payment is checked in the commit and stays as it is
    Kind("dispute opened", "dispute.opened", {"amount": 1, "payment": "counted"}, 3, 8),
    # event and payout
    Kind("payout", "payout.paid", {"amount": 1}, 2, 7),
)


def rows(world: World) -> Iterator[Row]:
    """Reads, remote calls and writes of applying an event of each kind."""
    teller = Teller(world.house, world.cloud.signing_secret(TENANT, "standard"))
    invoice = {"invoice_id": _invoice(world.house)}
    teller.apply("payment.succeeded", {"amount": 50_000, "payment": "counted"} | invoice)
    for kind in KINDS:
        said = kind.said | (invoice if "invoice_id" in kind.said else {})
        for _ in range(WARMING):
            teller.apply(kind.type, said)
        spent = teller.apply(kind.type, said)
        how = f"`{kind.type}` applied after {WARMING} others; then its announcement"
        calls = spent.rpcs - spent.publishes
        yield Row(f"applying, {kind.name}: reads", spent.reads, "documents", f"one BatchGet; {how}").exactly(kind.reads)
        yield Row(f"applying, {kind.name}: remote calls", calls, "RPCs", f"BatchGet, Commit; {how}").exactly(2)
        yield Row(f"applying, {kind.name}: writes", spent.writes, "documents", f"one commit; {how}").exactly(
            kind.writes
        )


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells events in our own words, and brings their tasks."""

    house: House
    secret: Secret

    def apply(self, name: str, said: dict[str, Any]) -> Operations:
        """Tell an event that nobody has seen; what applying it costs."""
        number, now = next(_numbers), self.house.clock.now()
        own = {"payment": f"p-{number}", "object": f"o-{number}", **said}
        event = standard(name, event=f"evt_applied_{number}", **own) | {"timestamp": now.isoformat()}
        body, headers = delivery("standard", event, at=now, secret=self.secret)
        (task,) = self.house.inbox.receive(a_call(self.house, ""), RawEvent("standard", body, headers)).messages
        assert isinstance(task, Command)
        self.house.outbox.remove_sent()
        asked = ApplyTask.model_validate(task.body)
        call = a_call(self.house, task.id)
        operations = counters.begin()
        self.house.payments.apply(call, asked.event, asked.along(TENANT))
        return operations


def _invoice(house: House) -> str:
    """The id of an issued invoice of ten thousand pounds and tax."""
    customer = Customer("", "C-applying", "GB", CustomerKind.BUSINESS, "GBP")
    new = NewCustomer(customer, {PersonalField.NAME: "Ada Lovelace Ltd"})
    owner = house.customers.add(_once(house, "applying-customer"), new).answer.id
    draft = replace(a_draft(a_line(HUGE)), id="", customer_id=owner)
    drafted = house.invoicing.draft(_once(house, "applying-draft"), draft).answer.id
    issued = house.invoicing.issue(_once(house, "applying-issue"), drafted).answer
    assert isinstance(issued, Invoice)
    return issued.id


def _once(house: House, key: str) -> Any:
    return replace(a_call(house, key), once=True)
