"""A tenant that gives money back: people who ask and approve, and a partner with a memory that can fall silent."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, Final

from shared.calls import Done
from shared.events import Command
from shared.faults import Refused, Retryable
from shared.invoicing.model import Invoice
from shared.money import Money
from shared.payments.model import Payment, Stage, StoredEvent
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.records import payment_id
from shared.payments.refunds.model import Refund, RefundKind, RefundReason
from shared.payments.rules.accounts import REFUNDS_PAYABLE, UNAPPLIED_CASH
from shared.payments.use_cases.money_out import MoneyOut
from shared.payments.use_cases.refunds import DOOR, Refunds
from shared.payments.use_cases.refunds import RefundOrder as Order
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance
from tests.emulator.payments.accounts import CREDIT, RECEIVABLE, invoice_now
from tests.emulator.payments.conftest import apply, task_call, told_by
from tests.simulation.refunder import Refunder
from tests.unit.payments.partner_samples import standard

SALES, VAT, CLEARING = "revenue:sales", "liabilities:vat:gb", "assets:clearing:standard"
SOLD: Final = {SALES: 10_000, VAT: 2_000}
"""An invoice of 120.00."""

_numbers = count()


@dataclass
class MortalPartner:
    """The partner, seen from an instance that may die before and after it is asked."""

    partner: Refunder
    fate: Fate

    def refund(self, order: RefundOrder) -> Accepted:
        """See the port."""
        self.fate.moment()
        accepted = self.partner.refund(order)
        self.fate.moment()
        return accepted

    def payout_items(self, payout: Named, cursor: str) -> PayoutItems:
        """See the port."""
        return self.partner.payout_items(payout, cursor)

    def truth(self, named: Named) -> Truth:
        """See the port."""
        self.fate.moment()
        truth = self.partner.truth(named)
        self.fate.moment()
        return truth


@dataclass
class Office:
    """Refunds on one instance."""

    house: Instance
    partner: Refunder = field(default_factory=lambda: Refunder(lambda: NOON))
    fate: Fate = field(default_factory=Fate)
    refunds: Refunds = field(init=False)
    money_out: MoneyOut = field(init=False)

    def __post_init__(self) -> None:
        self.refunds = Refunds(self.house.desk, self.house.books)
        mortal = MortalPartner(self.partner, self.fate)
        self.money_out = MoneyOut(self.house.desk, self.house.books, lambda: mortal)

    def elsewhere(self, house: Instance, fate: Fate | None = None) -> "Office":
        """The same tenant and partner on another instance."""
        return Office(house, self.partner, fate or Fate())

    # --- money in

    def paid(self, amount: int = 12_000, payment: str = "p-1", invoice: Invoice | None = None) -> Payment:
        """A payment came."""
        said: dict[str, Any] = {"invoice_id": invoice.id} if invoice else {}
        self.told("payment.succeeded", payment=payment, amount=amount, **said)
        return self.payment(payment)

    def payment(self, payment: str = "p-1") -> Payment:
        """A payment as it stands."""
        return self.house.payments.payment(ACME, payment_id("standard", payment))

    def told(self, name: str, at: datetime = NOON, **said: Any) -> StoredEvent:
        """The partner tells something, and the queue brings it until it is done."""
        (task,) = self.tell(name, at, **said)
        stored: StoredEvent = self.house.again(lambda: apply(self.house, task, at)).answer
        return stored

    def tell(self, name: str, at: datetime = NOON, **said: Any) -> Sequence[Command]:
        """The partner tells something; the commands that apply it."""
        event = standard(name, event=f"evt_{next(_numbers)}", **said)
        return told_by(self.house, "standard", event, at=at).messages  # type: ignore[return-value]

    # --- money out

    def ask(
        self, amount: int = 6_000, kind: str = "invoice", *, key: str = "ask", payment: str = "p-1"
    ) -> Done[Refund]:
        """Ann asks for a refund."""
        order = Order(
            payment_id("standard", payment), RefundKind(kind), RefundReason.REQUESTED_BY_CUSTOMER, Money(amount, "GBP")
        )
        return self.refunds.request(a_call(key, once=True), order)

    def approve(self, refund: Refund, by: str = "user:bob", key: str = "approve") -> Refund:
        """Somebody else approves it."""
        return self.refunds.approve(a_call(f"{key}-{refund.id}", once=True, principal=by), refund.id).answer

    def approved(self, amount: int = 6_000, kind: str = "invoice", key: str = "ask") -> Refund:
        """A refund that Ann asked for and Bob approved."""
        return self.approve(self.ask(amount, kind, key=key).answer)

    def task(self, refund: Refund) -> Command:
        """The command that sends a refund."""
        return next(one for one in self.house.post.take(DOOR) if one.body == {"refund": refund.id})

    def send(self, refund: Refund, at: datetime = NOON) -> Refund:
        """The queue brings the command to send it, once."""
        self.money_out.send(task_call(self.task(refund), at), refund.id)
        return self.now(refund)

    def sent(self, refund: Refund, at: datetime = NOON) -> Refund:
        """The queue brings it until it is done."""
        self.house.again(lambda: self.send(refund, at))
        return self.now(refund)

    def sweep(self, at: datetime) -> int:
        """The schedule fires, and the queue brings what it sent; how many commands that were."""
        before = set(self.house.post.tasks)
        self.money_out.sweep(at, "request", "")
        fresh = [task for task in self.house.post.take(DOOR) if task.id not in before]
        for task in fresh:
            send = partial(self.money_out.send, task_call(task, at), str(task.body["refund"]))
            try:
                self.house.again(send)
            except Refused:
                continue
        return len(fresh)

    def confirm(self, refund: Refund, name: str = "refund.succeeded", at: datetime = NOON, **said: Any) -> StoredEvent:
        """The partner tells what became of a refund that it has made."""
        return self.told(name, at, **self.about(refund), **said)

    def about(self, refund: Refund) -> dict[str, Any]:
        """What the partner says of a refund."""
        made = self.partner.by_key[refund.id]
        return {"payment": made.order.payment.reference, "object": made.reference, "amount": made.order.money.amount}

    def now(self, refund: Refund) -> Refund:
        """A refund as it stands."""
        return self.refunds.refund(ACME, refund.id)

    def sale(self) -> dict[str, int]:
        """What stands of the sale and of what is owed to payers and by customers, but for zeros."""
        accounts = (SALES, VAT, CLEARING, RECEIVABLE, CREDIT, UNAPPLIED_CASH, REFUNDS_PAYABLE)
        return {account: amount for account in accounts if (amount := self.house.balance(account))}

    def announced(self, refund: Refund) -> list[str]:
        """What was told of a refund, in the order of its versions."""
        told = [one for one in self.house.post.told.values() if one.subject == refund.id]
        return [one.type for one in sorted(told, key=lambda one: one.subject_version)]

    def invoice(self, invoice: Invoice) -> Invoice:
        """An invoice as it stands."""
        return invoice_now(self.house, invoice)


def settle_all(office: Office, tasks: Sequence[Command]) -> None:
    """The queue brings commands in this order; what is to be retried comes again after the others."""
    waiting = list(tasks)
    for _ in range(len(tasks) + 2):
        left = []
        for task in waiting:
            try:
                if task.door == DOOR:
                    office.money_out.send(task_call(task), str(task.body["refund"]))
                else:
                    apply(office.house, task)
            except Retryable:
                left.append(task)
        waiting = left
    assert waiting == []


def begun_as(office: Office, stage: Stage) -> Office:
    """The office whose partner says at once how a refund stands."""
    office.partner = replace(office.partner, begins_as=lambda: stage)
    return Office(office.house, office.partner, office.fate)
