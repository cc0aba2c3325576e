"""Partners' events are applied once: to the payment, the invoice and the books together."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared import counters
from shared.faults import Kind, Refused, Retryable
from shared.invoicing.model import InvoiceState
from shared.ledger.records import account_ref
from shared.ledger.refusals import UnknownAccount
from shared.payments.model import EventState, PaymentState
from shared.payments.refusals import PaymentNeverCame, RefundTooLarge
from shared.payments.rules.accounts import UNAPPLIED_CASH
from shared.ports import Create, Decision, Delete, Query
from shared.settings import Settings
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance, More, an_instance
from tests.emulator.payments.accounts import (
    CLEARING,
    CREDIT,
    RECEIVABLE,
    WAITED,
    balances,
    entries,
    invoice_now,
    payment,
)
from tests.emulator.payments.conftest import apply, settle, task_of, told
from tests.local_keys import LocalKeys
from tests.unit.payments.stripe_events import paid, refunded

# --- the plain line ----------------------------------------------------------------------


def test_a_payment_settles_its_invoice(house: Instance) -> None:
    """Payment, invoice and books move together, and the announcement goes out."""
    invoice = house.an_invoice()
    event = paid(invoice=invoice.id)
    stored = settle(house, event)
    assert stored.state is EventState.APPLIED
    assert (payment(house).matched, payment(house).state) == (12_000, PaymentState.SUCCEEDED)
    assert invoice_now(house, invoice).state is InvoiceState.PAID
    assert balances(house) == {CLEARING: 12_000, RECEIVABLE: 0, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert house.books.entry(ACME, stored.entry_id).entry.reference == invoice.number  # type: ignore[arg-type]
    assert [one.subject for one in house.post.told.values() if one.type == "payment.applied"] == [payment(house).id]
    assert house.proven()


def test_a_refund_reopens_what_the_payment_settled(house: Instance) -> None:
    """Money that goes back is owed again."""
    invoice = house.an_invoice()
    settle(house, paid(invoice=invoice.id))
    settle(house, refunded(amount=5_000))
    assert invoice_now(house, invoice).open.amount == 5_000
    assert balances(house) == {CLEARING: 7_000, RECEIVABLE: 5_000, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert (payment(house).state, house.proven()) == (PaymentState.PARTLY_REFUNDED, True)


def test_a_refund_before_its_payment_waits_for_it(house: Instance) -> None:
    """Out of order: retried until the payment is there, then applied."""
    invoice = house.an_invoice()
    refund = task_of(house, refunded(amount=12_000))
    for _ in range(2):
        with pytest.raises(Retryable):
            apply(house, refund)
    settle(house, paid(invoice=invoice.id))
    assert apply(house, refund).answer.state is EventState.APPLIED
    assert balances(house) == {CLEARING: 0, RECEIVABLE: 12_000, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert (payment(house).state, house.proven()) == (PaymentState.REFUNDED, True)


def test_a_refund_whose_payment_never_came_is_refused_when_its_time_is_over(house: Instance) -> None:
    """Waiting ends in a refusal that an operator sees, and that is given again."""
    refund = task_of(house, refunded())
    with pytest.raises(Retryable):
        apply(house, refund, WAITED - timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            apply(house, refund, WAITED)
        assert (refusal.value.code, refusal.value.kind) == (PaymentNeverCame.code, Kind.NOT_FOUND)
    stored = told(house, refunded()).answer
    assert (stored.state, stored.refused) == (EventState.REFUSED, PaymentNeverCame.code)
    assert entries(house) == 0


def test_an_event_applied_twice_moves_money_once(house: Instance, another: More) -> None:
    """On this instance, on another, and long after."""
    invoice = house.an_invoice()
    task = task_of(house, paid(invoice=invoice.id))
    done = apply(house, task)
    for again in (apply(house, task), apply(another(), task), apply(house, task, WAITED)):
        assert (again.replayed, again.answer) == (True, done.answer)
    assert (entries(house), house.balance(CLEARING)) == (1, 12_000)


def test_eight_deliveries_at_once_move_money_once(house: Instance, another: More) -> None:
    """The queue may hand one task to several instances at the same time."""
    invoice = house.an_invoice()
    task = task_of(house, paid(invoice=invoice.id))
    instances = [another() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: house.again(lambda: apply(instances[n % 4], task)), range(8)))
    assert [answer.replayed for answer in answers].count(False) == 1
    assert {answer.answer.state for answer in answers} == {EventState.APPLIED}
    assert (entries(house), house.balance(CLEARING), house.proven()) == (1, 12_000, True)


def test_applying_warm_costs_one_reading_and_one_commit(house: Instance) -> None:
    """Counted: event, payment and invoice in one BatchGet; facts, totals and outbox row in one commit."""
    invoice = house.an_invoice()
    for number in range(200):
        settle(house, paid(f"pi_warm_{number}", 1))
        if number < 40:
            settle(house, paid(f"pi_part_{number}", 1, invoice=invoice.id))
    task = task_of(house, paid(amount=100, invoice=invoice.id))
    house.outbox.remove_sent()
    spent = counters.begin()
    apply(house, task)
    assert (spent.reads, spent.rpcs, spent.writes, spent.deletes) == (3, 2, 8, 0)


# --- old news ----------------------------------------------------------------------------


def test_a_refund_told_by_several_events_goes_back_once(house: Instance) -> None:
    """Made, updated, and updated again under the name that older accounts know."""
    invoice = house.an_invoice()
    settle(house, paid(invoice=invoice.id))
    assert settle(house, refunded(amount=9_000)).state is EventState.APPLIED
    for kind in ("refund.updated", "charge.refund.updated"):
        assert settle(house, refunded(amount=9_000, kind=kind)).state is EventState.STALE
    assert (payment(house).refunded, entries(house), house.balance(CLEARING)) == (9_000, 2, 3_000)
    again = refunded(amount=9_000, kind="refund.updated")
    assert apply(house, task_of_again(house, again)).answer.state is EventState.STALE


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_refund_that_failed_and_was_made_again_goes_back_once(house: Instance, order: tuple[int, ...]) -> None:
    """A regression: the total was the same, and the second one not seen. Now it waits for the failure of the first."""
    settle(house, paid(invoice=house.an_invoice().id))
    events = [
        refunded(refund="re_1"),
        refunded(refund="re_1", kind="refund.failed", status="failed"),
        refunded(refund="re_2"),
    ]
    tasks = deque(task_of(house, events[place]) for place in order)
    for _ in range(9):
        if tasks:
            try:
                apply(house, task := tasks.popleft())
            except Retryable:
                tasks.append(task)
    assert (len(tasks), payment(house).refunded, house.balance(CLEARING)) == (0, 12_000, 0)
    assert house.proven()


def test_a_refund_that_never_went_and_failed_moves_nothing(house: Instance) -> None:
    """A regression: it waited three days for a success that was never to come, and was refused then."""
    settle(house, paid(invoice=house.an_invoice().id))
    assert told(house, refunded(status="pending")).answer.state is EventState.KEPT
    assert settle(house, refunded(kind="refund.updated", status="canceled")).state is EventState.APPLIED
    assert (payment(house).refunded, entries(house), house.balance(CLEARING)) == (0, 1, 12_000)


def task_of_again(house: Instance, event: dict[str, Any]) -> Any:
    """The command of an event that was taken in before, as the queue still may have it."""
    key = told(house, event).answer.key
    return next(task for task in house.post.take("apply_payment_event") if task.body["event"] == key)


def test_two_refunds_in_any_order_give_back_their_sum_once(house: Instance) -> None:
    """All together, at the same time."""
    invoice = house.an_invoice()
    settle(house, paid(invoice=invoice.id))
    tasks = [task_of(house, refunded(amount=amount, refund=f"re_{amount}")) for amount in (2_000, 3_000, 7_000)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda task: house.again(lambda: apply(house, task)), tasks))
    assert (payment(house).refunded, house.balance(CLEARING), house.proven()) == (12_000, 0, True)
    assert invoice_now(house, invoice).open.amount == 12_000


def test_a_second_event_of_the_same_payment_is_stale(house: Instance) -> None:
    """Two events, one payment: its money came once."""
    invoice = house.an_invoice()
    assert settle(house, paid(invoice=invoice.id)).state is EventState.APPLIED
    assert settle(house, paid(invoice=invoice.id, event="evt_again")).state is EventState.STALE
    assert (entries(house), house.balance(CLEARING)) == (1, 12_000)


def test_a_refund_of_more_than_was_received_is_refused_and_on_record(house: Instance) -> None:
    """Nothing moves; when no failure of another refund made room, the event says why, and again when redelivered."""
    invoice = house.an_invoice()
    settle(house, paid(invoice=invoice.id))
    event = refunded(amount=12_001)
    task = task_of(house, event)
    with pytest.raises(Retryable):
        apply(house, task, WAITED - timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            apply(house, task, WAITED)
        assert refusal.value.code == RefundTooLarge.code
    assert told(house, event).answer.refused == RefundTooLarge.code
    assert (house.balance(CLEARING), payment(house).refunded) == (12_000, 0)


# --- more, less, elsewhere ---------------------------------------------------------------


def test_what_is_paid_too_much_is_the_customers_credit(house: Instance) -> None:
    """And goes back first when money goes back."""
    invoice = house.an_invoice()
    settle(house, paid(amount=15_000, invoice=invoice.id))
    assert balances(house) == {CLEARING: 15_000, RECEIVABLE: 0, CREDIT: 3_000, UNAPPLIED_CASH: 0}
    settle(house, refunded(amount=2_000))
    assert balances(house) == {CLEARING: 13_000, RECEIVABLE: 0, CREDIT: 1_000, UNAPPLIED_CASH: 0}
    settle(house, refunded(amount=4_000, refund="re_2"))
    assert balances(house) == {CLEARING: 9_000, RECEIVABLE: 3_000, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert (invoice_now(house, invoice).state, house.proven()) == (InvoiceState.PARTLY_PAID, True)


def test_payments_of_one_invoice_at_once_add_up(house: Instance, another: More) -> None:
    """Twelve part payments from four instances: to the penny, and what is too much is credit."""
    invoice = house.an_invoice()
    tasks = [task_of(house, paid(f"pi_{n}", 1_100, invoice=invoice.id)) for n in range(12)]
    instances = [another() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        jobs = [(instances[n % 4], task) for n, task in enumerate(tasks * 2)]
        list(pool.map(lambda job: house.again(lambda: apply(*job)), jobs))
    now = invoice_now(house, invoice)
    assert (now.paid, now.credited, now.state, now.version) == (12_000, 1_200, InvoiceState.PAID, 14)
    assert balances(house) == {CLEARING: 13_200, RECEIVABLE: 0, CREDIT: 1_200, UNAPPLIED_CASH: 0}
    assert (entries(house), house.proven()) == (12, True)


def test_a_payment_of_a_draft_waits_until_it_is_issued(house: Instance) -> None:
    """A draft asks for nothing yet; its payment is retried."""
    draft = house.a_draft("early", house.a_customer())
    task = task_of(house, paid(invoice=draft))
    with pytest.raises(Retryable):
        apply(house, task)
    house.issued(a_call("issue", once=True), draft)
    apply(house, task)
    assert balances(house) == {CLEARING: 12_000, RECEIVABLE: 0, CREDIT: 0, UNAPPLIED_CASH: 0}


@pytest.mark.parametrize("known", [True, False], ids=["draft", "unknown"])
def test_money_whose_invoice_never_comes_stays_unapplied(house: Instance, *, known: bool) -> None:
    """Money that was received is never refused: when the wait is over it is cash without an invoice."""
    invoice = house.a_draft("never", house.a_customer()) if known else "b" * 52
    task = task_of(house, paid(invoice=invoice))
    with pytest.raises(Retryable):
        apply(house, task, WAITED - timedelta(seconds=1))
    apply(house, task, WAITED)
    assert balances(house) == {CLEARING: 12_000, RECEIVABLE: 0, CREDIT: 0, UNAPPLIED_CASH: 12_000}
    settle(house, refunded(amount=12_000))
    assert balances(house) == {CLEARING: 0, RECEIVABLE: 0, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert house.proven()


@pytest.mark.parametrize("invoice", [None, "INV-2026-000001", "."])
def test_money_for_no_invoice_of_ours_is_unapplied_at_once(house: Instance, invoice: str | None) -> None:
    """There is nothing to wait for."""
    settle(house, paid(invoice=invoice))
    assert (payment(house).unapplied, house.balance(UNAPPLIED_CASH)) == (12_000, 12_000)


def test_money_in_another_currency_than_the_invoices_is_unapplied(house: Instance) -> None:
    """Euros settle no invoice in pounds; they are kept, in euros."""
    invoice = house.an_invoice()
    settle(house, paid(invoice=invoice.id, currency="eur"))
    assert (payment(house).unapplied, payment(house).invoice_id) == (12_000, "")
    assert invoice_now(house, invoice).paid == 0
    assert house.reports.balance_sheet(ACME, "2026-11").difference == {"EUR": 0, "GBP": 0}


def test_a_payment_ahead_of_its_account_waits_for_it(house: Instance, keys: LocalKeys, settings: Settings) -> None:
    """A queued cause may be ahead of the chart: retried until its time is over, only then refused."""
    bare = an_instance(settings, keys)
    clearing = account_ref(ACME, CLEARING)
    document = house.store.get([clearing])[clearing]
    assert document is not None
    house.store.transact((), lambda _: Decision(None, (Delete(clearing),)))
    early, late = task_of(bare, paid("pi_early")), task_of(bare, paid("pi_late"))
    with pytest.raises(Retryable):
        apply(bare, early, WAITED - timedelta(seconds=1))
    with pytest.raises(UnknownAccount):
        apply(bare, late, WAITED)
    house.store.transact((), lambda _: Decision(None, (Create(clearing, document.fields),)))
    assert apply(bare, early, WAITED).answer.state is EventState.APPLIED
    assert (bare.balance(CLEARING), bare.proven()) == (12_000, True)


# --- receipts ----------------------------------------------------------------------------


def test_a_payments_receipt_is_issued_once(house: Instance) -> None:
    """The announcement may be heard twice; a payment has one receipt."""
    settle(house, paid())
    key = payment(house).id
    done = [house.payments.issue_receipt(a_call(f"heard-{number}"), key) for number in range(2)]
    assert (done[0].replayed, done[1].replayed) == (False, True)
    assert done[0].answer == done[1].answer
    assert len(house.store.query(Query("receipts", ACME)).documents) == 1


def test_a_receipt_heard_of_before_its_payment_waits(house: Instance) -> None:
    """Announcements come in any order."""
    with pytest.raises(Retryable):
        house.payments.issue_receipt(a_call("early"), "c" * 52)
