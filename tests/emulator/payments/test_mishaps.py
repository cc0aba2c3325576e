"""What has gone wrong with webhooks elsewhere, each under its usual name; more of each kind is in the files beside it.

A parsed body breaks the signature: test_deliveries. A stale signature: test_inbox. A task's name that is used up:
tests/emulator/doors/test_used_names.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.faults import Retryable
from shared.identity import StoredId
from shared.invoicing.model import InvoiceState
from shared.payments.model import EventState, Payment, PaymentState, StoredEvent
from shared.payments.records import payment_id
from shared.payments.rules.accounts import UNAPPLIED_CASH
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance, More
from tests.emulator.lines import first
from tests.emulator.payments.accounts import CLEARING, CREDIT, RECEIVABLE, balances, entries, payment
from tests.emulator.payments.conftest import apply, settle, task_of, told, told_by
from tests.unit.payments.partner_samples import airwallex, square
from tests.unit.payments.stripe_events import of_kind, paid, refunded


def settled(house: Instance, partner: str, event: Any) -> StoredEvent:
    """A partner tells one event and the queue brings it."""
    (task,) = told_by(house, partner, event).messages
    stored: StoredEvent = house.again(lambda: apply(house, task)).answer  # type: ignore[arg-type]
    return stored


def payments_of(house: Instance) -> list[Payment]:
    """All payments."""
    return list(house.payments.page(ACME, 50, None).items)


@pytest.mark.parametrize(
    ("partner", "updated", "created"),
    [
        ("square", square("payment.updated", "COMPLETED"), square("payment.created", "APPROVED")),
        ("airwallex", airwallex("payment_intent.succeeded"), airwallex("payment_intent.pending")),
        ("stripe", paid("x_1", 700), of_kind("payment_intent.processing")),
    ],
    ids=["square", "airwallex", "stripe"],
)
def test_created_after_updated_changes_nothing(
    house: Instance, partner: str, updated: dict[str, Any], created: dict[str, Any]
) -> None:
    """What a thing was when it was made is no news once it is known to be further."""
    assert settled(house, partner, updated).state is EventState.APPLIED
    (before,) = payments_of(house)
    assert settled(house, partner, created).state is EventState.STALE
    assert payments_of(house) == [before]
    assert before.state is PaymentState.SUCCEEDED
    assert (house.balance(f"assets:clearing:{partner}"), house.proven()) == (before.received, True)


def test_a_webhook_before_the_checkout_answers_waits_for_its_invoice(house: Instance) -> None:
    """The payer is faster than our own answer: the event names an invoice that we have still to store and to issue."""
    call = a_call("draft-fast", once=True)
    task = task_of(house, paid(invoice=call.cause.stored_id("invoice")))
    with pytest.raises(Retryable):
        apply(house, task)
    draft = house.a_draft("fast", house.a_customer())
    assert task.body["invoice"] == draft
    with pytest.raises(Retryable):
        apply(house, task)
    assert house.issued(a_call("issue", once=True), draft).state is InvoiceState.ISSUED
    assert apply(house, task).answer.state is EventState.APPLIED
    assert balances(house) == {CLEARING: 12_000, RECEIVABLE: 0, CREDIT: 0, UNAPPLIED_CASH: 0}


def test_a_duplicate_paid_event_moves_money_once(house: Instance, another: More) -> None:
    """The same event, and the same payment under other events' ids: one after the other, and all at once."""
    invoice = house.an_invoice()
    settle(house, paid(invoice=invoice.id))
    same = task_of(house, paid(invoice=invoice.id, event="evt_paid_pi_1_other"))
    others = [task_of(house, paid("pi_2", 1_000, event=f"evt_{number}")) for number in range(4)]
    instances = [another() for _ in range(4)]
    jobs = [(instances[number % 4], task) for number, task in enumerate([same, *others] * 4)]
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda job: house.again(lambda: apply(*job)).answer.state, jobs))
    assert set(states) == {EventState.APPLIED, EventState.STALE}
    assert (len(payments_of(house)), entries(house), house.balance(CLEARING)) == (2, 2, 13_000)
    assert house.proven()


def test_an_entry_that_is_told_before_its_event_is_no_broken_book(house: Instance, another: More) -> None:
    """Two copies at once, and the other's commit is seen in half, its entry without its event: it is read again."""
    task, rival = task_of(house, paid("pi_2", 1_000)), another()
    house.line.torn = [("entries", house.store.read_time())]
    house.line.commits = [first(lambda: apply(rival, task))]
    assert apply(house, task).answer.state is EventState.APPLIED
    assert (house.line.torn, entries(house), house.balance(CLEARING), house.proven()) == ([], 1, 1_000, True)


def test_a_stale_event_takes_nothing_back(house: Instance) -> None:
    """A failure that was overtaken by success, and a sum of refunds that was overtaken by a greater one."""
    invoice = house.an_invoice()
    settle(house, paid("x_1", 12_000, invoice=invoice.id))
    assert settled(house, "stripe", of_kind("payment_intent.payment_failed")).state is EventState.STALE
    settle(house, refunded("x_1", 5_000))
    assert settle(house, refunded("x_1", 3_000)).state is EventState.STALE
    assert (payment(house, "x_1").refunded, payment(house, "x_1").state) == (5_000, PaymentState.PARTLY_REFUNDED)
    assert balances(house) == {CLEARING: 7_000, RECEIVABLE: 5_000, CREDIT: 0, UNAPPLIED_CASH: 0}


def test_the_same_event_id_on_two_partner_accounts_is_two_payments(house: Instance) -> None:
    """Ids are only unique within an account: the second merchant's money is no duplicate of the first one's."""
    for account in ("acct_1", "acct_2"):
        assert settle(house, paid() | {"account": account, "livemode": True}).state is EventState.APPLIED
    assert settle(house, paid()).state is EventState.APPLIED  # the platform's own account is a third one
    assert told(house, paid() | {"account": "acct_1", "livemode": True}).replayed
    ids: set[StoredId] = {payment_id("stripe", "pi_1", account) for account in ("", "acct_1", "acct_2")}
    assert {one.id for one in payments_of(house)} == ids
    assert (entries(house), house.balance(CLEARING), house.proven()) == (3, 36_000, True)


def test_a_wallet_is_not_credited_twice(house: Instance, another: More) -> None:
    """An overpayment told twice, under two ids, by eight workers at once: the customer has the excess once.

    And it is spent once, when all of them hear of the refund as well.
    """
    invoice = house.an_invoice()
    events = [paid(amount=15_000, invoice=invoice.id, event=f"evt_{number}") for number in range(2)]
    at_once(house, another, events)
    assert balances(house) == {CLEARING: 15_000, RECEIVABLE: 0, CREDIT: 3_000, UNAPPLIED_CASH: 0}
    at_once(house, another, [refunded(amount=2_000) | {"id": f"evt_back_{number}"} for number in range(2)])
    assert balances(house) == {CLEARING: 13_000, RECEIVABLE: 0, CREDIT: 1_000, UNAPPLIED_CASH: 0}
    announced = [one.type for one in house.post.told.values()]
    assert (announced.count("payment.applied"), announced.count("payment.refunded")) == (1, 1)
    assert (house.store.aggregate(Query("payments", ACME))["count"], entries(house), house.proven()) == (1, 2, True)


def at_once(house: Instance, another: More, events: list[dict[str, Any]]) -> None:
    """Each event four times, over four instances, by eight workers."""
    tasks = [task_of(house, event) for event in events] * 4
    instances = [another() for _ in range(4)]
    jobs = [(instances[number % 4], task) for number, task in enumerate(tasks)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda job: house.again(lambda: apply(*job)), jobs))
