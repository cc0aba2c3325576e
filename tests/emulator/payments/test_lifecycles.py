"""Payments that fail, are taken back, refunded one by one, disputed and paid out: the same books in any order."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, permutations
from random import Random  # noqa: TID251 - a seeded order
from typing import Any

import pytest

from shared.faults import Refused, Retryable
from shared.invoicing.model import InvoiceState
from shared.payments.model import EventState, PaymentState, StoredEvent
from shared.payments.records import payment_id
from shared.payments.refusals import ObjectNeverCame, RefundTooLarge
from shared.payments.rules.accounts import BANK, CHARGEBACKS, DISPUTED, FEES, UNAPPLIED_CASH
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance
from tests.emulator.payments.accounts import CREDIT, RECEIVABLE, WAITED, invoice_now
from tests.emulator.payments.conftest import apply, told_by
from tests.unit.payments.partner_samples import adyen, standard

CLEARING = "assets:clearing:standard"
ACCOUNTS = (CLEARING, RECEIVABLE, CREDIT, UNAPPLIED_CASH, BANK, DISPUTED, CHARGEBACKS, FEES)
_numbers = count()


def say(name: str, **said: Any) -> dict[str, Any]:
    """An event in our own words, under an id of its own."""
    return standard(name, event=f"evt_{next(_numbers)}", **said)


def settle(house: Instance, event: dict[str, Any]) -> StoredEvent:
    """It is told, and the queue brings it until it is done."""
    (task,) = told_by(house, "standard", event).messages
    stored: StoredEvent = house.again(lambda: apply(house, task)).answer  # type: ignore[arg-type]
    return stored


def settle_all(house: Instance, events: Sequence[dict[str, Any]]) -> None:
    """They are told in this order; what waits is brought again after the others."""
    tasks = [task for event in events for task in told_by(house, "standard", event).messages]
    for _ in range(len(tasks) + 1):
        waiting = []
        for task in tasks:
            try:
                apply(house, task)  # type: ignore[arg-type]
            except Retryable:
                waiting.append(task)
        tasks = waiting
    assert tasks == []


def stands(house: Instance) -> dict[str, int]:
    """What stands on the accounts that payments move, but for zeros."""
    return {account: amount for account in ACCOUNTS if (amount := house.balance(account))}


def state(house: Instance, payment: str = "p-1") -> PaymentState:
    """Where a payment stands."""
    return house.payments.payment(ACME, payment_id("standard", payment)).state


def test_a_payment_that_fails_and_is_tried_again_comes_once(house: Instance) -> None:
    """Pending, failed, pending again, then there: only then there is money."""
    for name, wanted in (("payment.pending", "pending"), ("payment.failed", "failed"), ("payment.pending", "failed")):
        settle(house, say(name))
        assert (state(house).value, stands(house)) == (wanted, {})
    assert settle(house, say("payment.succeeded")).state is EventState.APPLIED
    assert settle(house, say("payment.failed")).state is EventState.STALE
    assert (state(house), stands(house)) == (PaymentState.SUCCEEDED, {CLEARING: 12_000, UNAPPLIED_CASH: 12_000})


def test_what_the_bank_takes_back_is_owed_again(house: Instance) -> None:
    """A direct debit that fails after it was paid: new entries, and the invoice is open."""
    invoice = house.an_invoice()
    settle(house, say("payment.succeeded", invoice_id=invoice.id))
    settle(house, say("payment.reversed"))
    assert (state(house), stands(house)) == (PaymentState.REVERSED, {RECEIVABLE: 12_000})
    assert invoice_now(house, invoice).state is InvoiceState.ISSUED
    assert settle(house, say("payment.reversed")).state is EventState.STALE
    assert house.proven()


def test_a_reversal_takes_back_the_amount_that_it_names(house: Instance) -> None:
    """A regression: it took all that was left. Told of more it takes the difference, of less it is told again."""
    invoice = house.an_invoice()
    settle(house, say("payment.succeeded", invoice_id=invoice.id))
    settle(house, say("payment.reversed", amount=4_000))
    assert stands(house) == {CLEARING: 8_000, RECEIVABLE: 4_000}
    assert settle(house, say("payment.reversed", amount=3_000)).state is EventState.STALE
    settle(house, say("payment.reversed", amount=5_000))
    assert (state(house), stands(house)) == (PaymentState.REVERSED, {CLEARING: 7_000, RECEIVABLE: 5_000})
    with pytest.raises(Refused) as refusal:
        settle(house, say("payment.reversed", amount=6_000, currency="EUR"))
    assert (refusal.value.code, house.proven()) == (RefundTooLarge.code, True)


@pytest.mark.parametrize("reversal_first", [True, False])
def test_a_reversal_that_crosses_refunds_ends_the_same_in_either_order(
    house: Instance, *, reversal_first: bool
) -> None:
    """A regression: a refund behind a reversal was refused. It was the payer's before the bank took what was left."""
    settle(house, say("payment.succeeded"))
    events = [say("payment.reversed", amount=10_000), say("refund.succeeded", object="r-1", amount=5_000)]
    for event in events if reversal_first else reversed(events):
        assert settle(house, event).state is EventState.APPLIED
    known = house.payments.payment(ACME, payment_id("standard", "p-1"))
    assert (known.refunded, known.reversed, stands(house)) == (5_000, 7_000, {})
    settle(house, say("refund.failed", object="r-1", amount=5_000))
    assert (stands(house), house.proven()) == ({CLEARING: 2_000, UNAPPLIED_CASH: 2_000}, True)


def test_refunds_one_by_one_and_one_that_fails(house: Instance) -> None:
    """Two refunds; one does not reach the payer, and its money settles the invoice again."""
    invoice = house.an_invoice()
    settle(house, say("payment.succeeded", invoice_id=invoice.id))
    settle(house, say("refund.succeeded", object="r-1", amount=3_000))
    settle(house, say("refund.succeeded", object="r-2", amount=4_000))
    assert settle(house, say("refund.succeeded", object="r-2", amount=4_000)).state is EventState.STALE
    assert stands(house) == {CLEARING: 5_000, RECEIVABLE: 7_000}
    settle(house, say("refund.failed", object="r-1", amount=3_000))
    assert stands(house) == {CLEARING: 8_000, RECEIVABLE: 4_000}
    assert (state(house), invoice_now(house, invoice).open.amount) == (PaymentState.PARTLY_REFUNDED, 4_000)
    assert house.proven()


def test_a_failure_that_overtakes_its_refund_is_not_taken_for_anothers(house: Instance) -> None:
    """A regression: beside an earlier refund of as much it was taken for a part of a total, and then undone twice."""
    settle(house, say("payment.succeeded"))
    settle(house, say("refund.succeeded", object="r-1", amount=3_000))
    settle_all(
        house, [say("refund.failed", object="r-2", amount=3_000), say("refund.succeeded", object="r-2", amount=3_000)]
    )
    assert stands(house) == {CLEARING: 9_000, UNAPPLIED_CASH: 9_000}
    assert house.proven()


def test_refunds_are_never_more_than_was_received(house: Instance) -> None:
    """The cap is cumulative, also after a reversal took the rest; until its time is over, room may be made."""
    settle(house, say("payment.succeeded"))
    settle(house, say("refund.succeeded", object="r-1", amount=7_000))
    settle(house, say("payment.reversed"))
    (task,) = told_by(house, "standard", say("refund.succeeded", object="r-2", amount=5_001)).messages
    with pytest.raises(Retryable):
        apply(house, task)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refusal:
        apply(house, task, WAITED)  # type: ignore[arg-type]
    assert refusal.value.code == RefundTooLarge.code
    assert (stands(house), house.proven()) == ({}, True)


@pytest.mark.parametrize(
    ("end", "left"),
    [
        ("dispute.won", {CLEARING: 10_500, RECEIVABLE: 0, FEES: 1_500}),
        ("dispute.lost", {CLEARING: -1_500, CHARGEBACKS: 12_000, FEES: 1_500}),
    ],
)
def test_a_dispute_holds_the_money_until_it_is_decided(house: Instance, end: str, left: dict[str, int]) -> None:
    """Opened, its money is set aside and the partner takes its fee; won it is back, lost it is our loss."""
    invoice = house.an_invoice()
    settle(house, say("payment.succeeded", invoice_id=invoice.id))
    settle(house, say("dispute.opened", object="d-1", fee=1_500))
    assert stands(house) == {CLEARING: -1_500, DISPUTED: 12_000, FEES: 1_500}
    settle(house, say(end, object="d-1"))
    assert stands(house) == {account: amount for account, amount in left.items() if amount}
    assert settle(house, say(end, object="d-1")).state is EventState.STALE
    assert invoice_now(house, invoice).state is InvoiceState.PAID
    assert house.proven()


def test_a_payout_moves_what_the_partner_held_to_the_bank_and_back_if_it_fails(house: Instance) -> None:
    """The fee is the partner's."""
    settle(house, say("payment.succeeded", fee=300))
    settle(house, say("payout.paid", object="po-1", amount=11_700))
    assert stands(house) == {UNAPPLIED_CASH: 12_000, BANK: 11_700, FEES: 300}
    settle(house, say("payout.failed", object="po-1", amount=11_700))
    assert stands(house) == {CLEARING: 11_700, UNAPPLIED_CASH: 12_000, FEES: 300}
    assert house.proven()


@pytest.mark.parametrize("paid_first", [True, False])
def test_a_payout_that_fails_leaves_the_money_with_the_partner(house: Instance, *, paid_first: bool) -> None:
    """A regression: most fail without having been paid, and were refused after three days."""
    settle(house, say("payment.succeeded"))
    events = [say("payout.paid", object="po-1", fee=100), say("payout.failed", object="po-1")]
    for event in events if paid_first else reversed(events):
        assert settle(house, event).state is EventState.APPLIED
    assert settle(house, say("payout.failed", object="po-2")).state is EventState.APPLIED
    assert stands(house) == {CLEARING: 11_900, UNAPPLIED_CASH: 12_000, FEES: 100}
    assert house.proven()


@pytest.mark.parametrize("ends", ["dispute.won", "dispute.lost"])
def test_what_ends_without_having_begun_waits_is_refused_and_can_be_replayed(house: Instance, ends: str) -> None:
    """A regression: it ended as no news, and when its beginning came after all, or was replayed, nothing undid that."""
    settle(house, say("payment.succeeded"))
    (task,) = told_by(house, "standard", say(ends, object="d-1")).messages
    with pytest.raises(Retryable):
        apply(house, task)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refusal:
        apply(house, task, WAITED)  # type: ignore[arg-type]
    assert refusal.value.code == ObjectNeverCame.code
    replayed = house.inbox.replay(a_call("again", at=WAITED, once=True), str(task.body["event"])).messages  # type: ignore[union-attr]
    with pytest.raises(Retryable):
        apply(house, replayed[0], WAITED)  # type: ignore[arg-type]
    settle(house, say("dispute.opened", object="d-1"))
    assert apply(house, replayed[0], WAITED).answer.state is EventState.APPLIED  # type: ignore[arg-type]
    lost = ends == "dispute.lost"
    assert stands(house) == {UNAPPLIED_CASH: 12_000, CHARGEBACKS if lost else CLEARING: 12_000}
    assert house.proven()


def test_a_fee_that_is_told_after_the_payment_is_posted_once(house: Instance) -> None:
    """A regression: some partners know it later; the payment was known by then, and the fee was lost."""
    settle(house, say("payment.succeeded"))
    for _ in range(2):
        settle(house, say("payment.succeeded", fee=240))
    settle(house, say("payment.succeeded", fee=300))
    assert stands(house) == {CLEARING: 11_700, UNAPPLIED_CASH: 12_000, FEES: 300}
    assert house.proven()


def test_a_dispute_may_end_without_naming_its_payment(house: Instance) -> None:
    """The dispute was opened on it."""
    settle(house, say("payment.succeeded"))
    (opened,) = told_by(house, "adyen", adyen(pspReference="PSP1")).messages
    apply(house, opened)  # type: ignore[arg-type]
    dispute = {"pspReference": "D1", "merchantReference": ""}
    for item in (adyen("CHARGEBACK", originalReference="PSP1", **dispute), adyen("CHARGEBACK_REVERSED", **dispute)):
        (task,) = told_by(house, "adyen", item).messages
        assert apply(house, task).answer.state is EventState.APPLIED  # type: ignore[arg-type]
    assert house.balance("assets:clearing:adyen") == 12_000
    assert house.proven()


def test_a_dispute_that_was_won_is_lost_the_second_time(house: Instance) -> None:
    """The money goes after it had come back."""
    settle(house, say("payment.succeeded"))
    for name in ("dispute.opened", "dispute.won", "dispute.lost"):
        settle(house, say(name, object="d-1"))
    assert stands(house) == {CHARGEBACKS: 12_000, UNAPPLIED_CASH: 12_000}
    assert house.proven()


def test_an_invoices_number_in_the_reference_matches_the_payment(house: Instance) -> None:
    """As payers write it, among whatever else; two numbers match none."""
    first, second = house.an_invoice("one"), house.an_invoice("two")
    settle(house, say("payment.succeeded", payment="p-1", reference=f"Rent, Ada Lovelace, {first.number.lower()}"))
    settle(house, say("payment.succeeded", payment="p-2", reference=f"{first.number} and {second.number}"))
    assert invoice_now(house, first).state is InvoiceState.PAID
    assert invoice_now(house, second).state is InvoiceState.ISSUED
    assert stands(house) == {CLEARING: 24_000, RECEIVABLE: 12_000, UNAPPLIED_CASH: 12_000}
    kept = repr([document.fields for document in house.store.query(Query("inbox", ACME)).documents])
    assert "Lovelace" not in kept


ROUNDS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("CHARGEBACK", "SECOND_CHARGEBACK"), 0),
    (("CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK"), 0),
    (("CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK", "PREARBITRATION_WON"), 12_000),
    (("CHARGEBACK", "PREARBITRATION_WON", "SCHEME_ARBITRATION_LOST"), 0),
    (("CHARGEBACK", "DISPUTE_DEFENSE_PERIOD_ENDED", "CHARGEBACK_REVERSED"), 12_000),
)


@pytest.mark.parametrize(("codes", "left"), ROUNDS)
def test_what_is_decided_last_of_a_dispute_stands_in_any_order(
    house: Instance, codes: tuple[str, ...], left: int
) -> None:
    """A regression: Adyen's arbitration after a second chargeback was stale, and won money stayed lost."""
    for number, order in enumerate(permutations(codes)):
        names = {"pspReference": f"D{number}", "originalReference": f"P{number}"}
        items = [adyen(pspReference=f"P{number}"), *(adyen(code, **names) for code in order)]
        tasks = deque(task for item in items for task in told_by(house, "adyen", item).messages)
        before = house.balance("assets:clearing:adyen")
        while tasks:
            try:
                apply(house, task := tasks.popleft())  # type: ignore[arg-type]
            except Retryable:
                tasks.append(task)
        assert house.balance("assets:clearing:adyen") - before == left, order
    assert (house.balance(DISPUTED), house.proven()) == (0, True)


LIFE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("payment.pending", {}),
    ("payment.failed", {}),
    ("payment.succeeded", {"fee": 250}),
    ("refund.succeeded", {"object": "r-1", "amount": 3_000}),
    ("refund.succeeded", {"object": "r-2", "amount": 2_000}),
    ("refund.failed", {"object": "r-1", "amount": 3_000}),
    ("dispute.opened", {"object": "d-1", "amount": 7_000, "fee": 1_500}),
    ("dispute.lost", {"object": "d-1", "amount": 7_000}),
    ("payout.paid", {"object": "po-1", "amount": 1_250}),
    ("payout.failed", {"object": "po-1", "amount": 1_250}),
    ("payment.reversed", {"amount": 1_500}),
    ("payment.reversed", {"amount": 9_000}),
)
LEFT: dict[str, int] = {CLEARING: -7_750, RECEIVABLE: 11_000, CHARGEBACKS: 7_000, FEES: 1_750}


@pytest.mark.parametrize("seed", range(25))
def test_any_order_with_any_duplicates_ends_in_the_same_books(house: Instance, seed: int) -> None:
    """All that can be told of a payment, shuffled and told again: payment, invoice and every account the same."""
    random = Random(seed)  # noqa: S311 - an order, not a secret
    invoice = house.an_invoice()
    events = [say(name, **said, invoice_id=invoice.id) for name, said in LIFE]
    again = [say(name, **said, invoice_id=invoice.id) for name, said in LIFE if random.random() < 0.3]
    told = [*events, *again, *(event for event in events if random.random() < 0.3)]
    random.shuffle(told)
    settle_all(house, told)
    assert state(house) is PaymentState.REVERSED
    assert (invoice_now(house, invoice).open.amount, invoice_now(house, invoice).paid) == (11_000, 1_000)
    assert stands(house) == LEFT
    assert house.proven()


def test_everything_at_once_ends_in_the_same_books(house: Instance) -> None:
    """Eight workers of the queue on one payment's events."""
    invoice = house.an_invoice()
    events = [say(name, **said, invoice_id=invoice.id) for name, said in LIFE] * 2
    queue = deque(task for event in events for task in told_by(house, "standard", event).messages)

    def work() -> None:
        for _ in range(1_000):
            try:
                task = queue.popleft()
            except IndexError:
                return
            try:
                apply(house, task)  # type: ignore[arg-type]
            except Retryable:
                queue.append(task)

    with ThreadPoolExecutor(8) as pool:
        for one in [pool.submit(work) for _ in range(8)]:
            one.result()
    assert not queue
    assert (stands(house), house.proven()) == (LEFT, True)
