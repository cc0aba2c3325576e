"""All that can be told of a payment, in any order and however often: the books depend on the set, not on the order."""

from collections import Counter, deque
from collections.abc import Sequence
from itertools import permutations
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Retryable
from shared.invoicing.records import invoice_ref, write_invoice, write_settlement
from shared.ledger.model import Side
from shared.money import Money
from shared.payments.model import EventKind, EventState, PartnerEvent, StoredEvent
from shared.payments.records import (
    payment_of,
    payment_ref,
    read_payment,
    tracked_ref,
    write_payment,
    write_tracked,
)
from shared.payments.refusals import RefundTooLarge
from shared.payments.rules.settlement import Settlement
from shared.payments.rules.settling import patience, settle
from shared.ports import Document, Ref, Unread, Value, View
from tests.builders import ACME, NOON, a_call
from tests.unit.invoicing.drafts import an_invoice

RECEIVED: Final = 10_000
INVOICE: Final = an_invoice()


class House:
    """Documents in a dictionary, and what was posted on each account."""

    def __init__(self) -> None:
        self.fields: dict[Ref, dict[str, Value]] = {invoice_ref(ACME, INVOICE.id): write_invoice(INVOICE)}
        self.accounts: Counter[str] = Counter()

    def hears(self, events: Sequence[PartnerEvent]) -> None:
        """They are told in this order; what waits is brought again, and once more when its time is over."""
        waiting = deque(events)
        for _ in range(len(events) ** 2):
            if waiting and not self._apply(event := waiting.popleft()):
                waiting.append(event)
        for event in waiting:
            self._apply(event, late=True)

    def _apply(self, event: PartnerEvent, *, late: bool = False) -> bool:
        stored = StoredEvent(event.id, event, EventState.RECEIVED, NOON, "key", NOON)
        try:
            settlement = self._settle(stored, late=late)
        except Retryable:
            return False
        except RefundTooLarge:
            return True
        if settlement:
            self._write(settlement)
        return True

    def _settle(self, stored: StoredEvent, *, late: bool) -> Settlement | None:
        asked: frozenset[Ref] = frozenset()
        call = a_call(at=patience(stored)) if late else a_call()
        while True:
            view = View({ref: self.document(ref) for ref in asked})
            try:
                return settle(call, stored, view)
            except Unread as unread:
                asked |= unread.refs

    def document(self, ref: Ref) -> Document | None:
        """As it stands."""
        return Document(ref, self.fields[ref], "1", NOON) if ref in self.fields else None

    def _write(self, settlement: Settlement) -> None:
        if payment := settlement.payment:
            self.fields[payment_ref(ACME, payment.id)] = write_payment(payment)
        if tracked := settlement.tracked:
            self.fields[tracked_ref(ACME, tracked.thing, tracked.id)] = write_tracked(tracked)
        if invoice := settlement.invoice:
            self.fields[invoice_ref(ACME, invoice.id)] |= write_settlement(invoice)
        assert sum(_signed(line.side, line.money) for line in settlement.lines) == 0
        for line in settlement.lines:
            self.accounts[line.account] += _signed(line.side, line.money)

    def stands(self) -> Any:
        """Every document without its version, and every account that is not at zero."""
        told = {ref: {**fields, "version": 0} for ref, fields in self.fields.items()}
        return told, {account: amount for account, amount in self.accounts.items() if amount}


def _signed(side: Side, money: Money) -> int:
    return money.amount if side is Side.DEBIT else -money.amount


def said(kind: EventKind, amount: int, own: str = "", **more: Any) -> PartnerEvent:
    """An event of the payment."""
    values: dict[str, Any] = {"payment": "p-1", "object": own, "money": Money(amount, INVOICE.currency)}
    event = PartnerEvent("standard", f"{kind.value} {own} {amount} {more}", "t", kind, NOON)
    return PartnerEvent(
        event.partner, event.id, event.type, event.kind, event.occurred_at, invoice_id=INVOICE.id, **values, **more
    )


def a_fee() -> Any:
    """What the partner keeps, if anything."""
    return st.none() | st.integers(1, 300).map(lambda amount: Money(amount, INVOICE.currency))


@st.composite
def lives(draw: st.DrawFn) -> list[PartnerEvent]:
    """A payment; refunds of no more than it, net of those that fail; reversals of any amount; a dispute; a payout."""
    received = draw(st.integers(1, 2 * INVOICE.gross.amount))
    amount = st.integers(1, 2 * received)
    life = [said(EventKind.PAYMENT_PENDING, received), said(EventKind.PAYMENT_SUCCEEDED, received, fee=draw(a_fee()))]
    left = received
    for number in range(draw(st.integers(0, 4))):
        part = draw(st.integers(1, max(left, 1)))
        fails = draw(st.booleans())
        if part <= left:
            life.append(said(EventKind.REFUND_SUCCEEDED, part, f"r-{number}", fee=draw(a_fee())))
            life += [said(EventKind.REFUND_FAILED, part, f"r-{number}", fee=draw(a_fee()))] if fails else []
            left -= 0 if fails else part
    life += [said(EventKind.REFUND_FAILED, draw(amount), "r-never")] if draw(st.booleans()) else []
    life += [said(EventKind.PAYMENT_REVERSED, draw(amount)) for _ in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        disputed = draw(amount)
        life.append(said(EventKind.DISPUTE_OPENED, disputed, "d-1", fee=draw(a_fee())))
        ends = st.tuples(st.sampled_from([EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST]), st.integers(0, 3))
        life += [said(kind, disputed, "d-1", round=place) for kind, place in draw(st.lists(ends, max_size=3))]
    if draw(st.booleans()):
        paid = draw(amount)
        life += [
            said(EventKind.PAYOUT_PAID, paid, "po-1", fee=draw(a_fee())),
            said(EventKind.PAYOUT_FAILED, paid, "po-1"),
        ]
    return life


@given(lives(), st.data())
def test_any_order_with_any_duplicates_ends_in_the_same_books(life: list[PartnerEvent], data: st.DataObject) -> None:
    """Whatever is told: payment, refunds, dispute, payout, invoice, and the sum of each account."""
    again = data.draw(st.lists(st.sampled_from(life), max_size=4))
    orders = [life, *(data.draw(st.permutations([*life, *again])) for _ in range(3))]
    ends = []
    for order in orders:
        house = House()
        house.hears(order)
        ends.append(house.stands())
    assert all(end == ends[0] for end in ends)


def test_every_order_of_refunds_a_failure_and_a_reversal_ends_the_same() -> None:
    """All 120: a reversal takes what it names of what refunds leave, whichever of them is told first."""
    life = [
        said(EventKind.PAYMENT_SUCCEEDED, RECEIVED),
        said(EventKind.PAYMENT_REVERSED, 9_000),
        said(EventKind.REFUND_SUCCEEDED, RECEIVED, "r-1"),
        said(EventKind.REFUND_FAILED, RECEIVED, "r-1"),
        said(EventKind.REFUND_SUCCEEDED, 4_000, "r-2"),
    ]
    for order in permutations(life):
        house = House()
        house.hears(order)
        document = house.document(payment_ref(ACME, payment_of(life[0])))
        assert document is not None
        payment = read_payment(document)
        assert (payment.refunded, payment.reversed, payment.matched + payment.unapplied) == (4_000, 6_000, 0), order
        assert house.stands()[1] == {}
