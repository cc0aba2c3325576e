"""Money out against silence, death and words in any order: each refund is made once, and booked once."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from random import Random  # noqa: TID251 - a seeded choice of orders
from typing import Any

import pytest

from shared.faults import Refused, Retryable
from shared.money import Money
from shared.payments.model import EventState, Stage
from shared.payments.refunds.model import Refund, RefundKind, RefundReason, RefundState
from shared.payments.refunds.refusals import RefundAnswered, RefundAnswerUnknown
from shared.payments.rules.accounts import REFUNDS_PAYABLE
from shared.payments.use_cases.money_out import ASK_AFTER, KEY_HOLDS, LOOK_AFTER, SEND_AGAIN
from shared.payments.use_cases.refunds import RefundOrder as Order
from tests.builders import NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.payments.accounts import RECEIVABLE, payment
from tests.emulator.payments.conftest import apply, task_of
from tests.emulator.payments.conftest import settle as stripe_tells
from tests.emulator.payments.refunding import CLEARING, SALES, SOLD, VAT, Office, begun_as, settle_all
from tests.unit.payments.stripe_events import paid, refunded

S = RefundState


@pytest.fixture
def office(house: Instance) -> Office:
    """Refunds of a tenant with an invoice that is paid."""
    office = Office(house)
    office.paid(invoice=house.an_invoice())
    return office


def heard_and_lost(office: Office) -> Refund:
    """A refund that the partner has made, and whose answer never came."""
    refund = office.approved()
    office.partner.deaf = 1
    with pytest.raises(Retryable):
        office.send(refund)
    assert (office.now(refund).state, len(office.partner.by_key)) == (S.SENDING, 1)
    return refund


def test_a_partner_that_times_out_after_having_done_it(office: Office) -> None:
    """Asked again under the same key it gives the same answer: made once."""
    refund = heard_and_lost(office)
    assert office.send(refund).state is S.SENT
    assert office.partner.asked == [refund.id, refund.id]
    assert (len(office.partner.by_key), office.partner.gone("p-1")) == (1, 6_000)


def test_a_webhook_before_the_calls_answer(office: Office, house: Instance) -> None:
    """It waits, for it may be about ours; with the answer stored it confirms, and posts nothing a second time."""
    refund = heard_and_lost(office)
    (task,) = office.tell("refund.succeeded", **office.about(refund))
    for _ in range(2):
        with pytest.raises(Retryable):
            apply(house, task)
    office.send(refund)
    assert apply(house, task).answer.state is EventState.APPLIED
    assert office.now(refund).state is S.SUCCEEDED
    assert (office.sale(), house.proven()) == ({SALES: 5_000, VAT: 1_000, CLEARING: 6_000}, True)


def test_a_webhook_that_waits_in_vain_is_refused_and_replayed(office: Office, house: Instance) -> None:
    """The answer never comes while it waits: it is on record, and applied once the answer is there."""
    refund = heard_and_lost(office)
    (task,) = office.tell("refund.succeeded", **office.about(refund))
    with pytest.raises(Refused) as refusal:
        apply(house, task, NOON + timedelta(days=4))
    assert refusal.value.code == "refund_in_flight"
    office.send(refund)
    replayed = house.inbox.replay(a_call("replay", once=True), str(task.body["event"]))
    assert apply(house, replayed.messages[0]).answer.state is EventState.APPLIED  # type: ignore[arg-type]
    assert office.now(refund).state is S.SUCCEEDED


def test_a_refund_of_somebody_else_beside_ours_is_not_taken_for_it(office: Office, house: Instance) -> None:
    """Made by hand at the partner while ours is on its way: the receivable is open for that one, and ours goes on."""
    refund = office.approved()
    office.send(refund)
    office.told("refund.succeeded", object="by-hand", amount=1_000)
    assert office.now(refund).state is S.SENT
    office.confirm(refund)
    assert office.sale() == {SALES: 5_000, VAT: 1_000, CLEARING: 5_000, RECEIVABLE: 1_000}
    assert house.proven()


@pytest.mark.parametrize("ends", ["refund.succeeded", "refund.failed"])
def test_any_order_with_duplicates_ends_in_the_same_books(house: Instance, ends: str) -> None:
    """Send, send again, the webhook, its duplicate and a second event of the same: a sample of all orders."""
    orders = list(permutations(range(5)))
    sample = [orders[0], orders[-1], *Random(2026).sample(orders, 6)]  # noqa: S311 - a choice of tests
    office, books = Office(house), set[Any]()
    before = office.sale()
    for number, order in enumerate(sample):
        name = f"p-{number}"
        office.paid(payment=name, invoice=house.an_invoice(f"invoice-{number}"))
        refund = office.approve(office.ask(key=f"ask-{number}", payment=name).answer)
        office.partner.deaf = 1
        with pytest.raises(Retryable):
            office.send(refund)
        words = [task for _ in range(2) for task in office.tell(ends, **office.about(refund))]
        tasks = [office.task(refund), office.task(refund), words[0], words[0], words[1]]
        settle_all(office, [tasks[place] for place in order])
        after = office.sale()
        moved = {name: after.get(name, 0) - before.get(name, 0) for name in after | before}
        books.add((office.now(refund).state, tuple(sorted(moved.items()))))
        before = after
    assert len(books) == 1
    assert (len(office.partner.by_key), house.proven()) == (len(sample), True)


def _approve(office: Office, refund: Refund) -> None:
    office.approve(refund)


def _send(office: Office, refund: Refund) -> None:
    office.money_out.send(a_call(f"send-{refund.id}", principal="system:send_refund"), refund.id)


@pytest.mark.parametrize(
    ("step", "stage"), [(_approve, Stage.PENDING), (_send, Stage.PENDING), (_send, Stage.SUCCEEDED)]
)
def test_killed_at_any_moment_it_goes_on_and_is_made_once(
    house: Instance, another: More, step: Callable[[Office, Refund], None], stage: Stage
) -> None:
    """Dead between any two calls to store, partner, queue and bus; then the same again on another instance."""
    office = begun_as(Office(house), stage)
    office.paid(120_000, invoice=house.an_invoice())
    for moment in range(30):
        refund = office.ask(100, key=f"ask-{moment}").answer
        if step is _send:
            refund = office.approve(refund)
        fate = Fate()
        mortal = office.elsewhere(another(fate), fate)
        fate.left = moment
        try:
            step(mortal, refund)
        except Killed:
            killed = True
        else:
            killed = False
        step(office, refund)
        if step is _approve:
            assert office.now(refund).state is S.APPROVED
        else:
            assert office.now(refund).state is (S.SENT if stage is Stage.PENDING else S.SUCCEEDED)
            assert office.partner.by_key[refund.id].order.money.amount == 100
        if not killed:
            break
    assert not killed
    assert moment > 4
    made = moment + 1
    payable = 0 if stage is Stage.SUCCEEDED else 100 * made
    assert office.sale().get(REFUNDS_PAYABLE, 0) == payable
    assert office.payment().refunded == 100 * made
    assert (len(office.partner.by_key), house.proven()) == (made if step is _send else 0, True)


# --- a partner that tells totals ---------------------------------------------------------


@pytest.mark.parametrize("words", list(permutations(("by hand", "ours", "ours again"))))
def test_refunds_by_hand_beside_ours_are_counted_once(house: Instance, words: tuple[str, ...]) -> None:
    """10.00 by hand and 60.00 of ours, told in any order: ours is confirmed, and the rest is owed again."""
    office = Office(house)
    invoice = house.an_invoice()
    stripe_tells(house, paid(invoice=invoice.id))
    order = Order(payment(house).id, RefundKind.INVOICE, RefundReason.DUPLICATE, Money(6_000, "GBP"))
    refund = office.approve(office.refunds.request(a_call("ask", once=True), order).answer)
    office.partner.deaf = 1
    with pytest.raises(Retryable):
        office.send(refund)
    ours = office.partner.by_key[refund.id].reference
    told = {
        "by hand": refunded(amount=1_000, refund="re_hand"),
        "ours": refunded(amount=6_000, refund=ours),
        "ours again": refunded(amount=6_000, refund=ours, kind="refund.updated"),
    }
    tasks = [task_of(house, told[word]) for word in words]
    settle_all(office, [*tasks[:2], office.task(refund), *tasks[2:]])
    assert office.now(refund).state is S.SUCCEEDED
    accounts = {name: house.balance(name) for name in (SALES, VAT, "assets:clearing:stripe", RECEIVABLE)}
    assert accounts == {SALES: 5_000, VAT: 1_000, "assets:clearing:stripe": 5_000, RECEIVABLE: 1_000}
    assert (house.balance(REFUNDS_PAYABLE), house.proven()) == (0, True)


# --- what stands still -------------------------------------------------------------------


def test_the_sweep_sends_what_was_lost_and_leaves_the_young_alone(office: Office) -> None:
    """Approved and never sent: after a quarter of an hour it is sent."""
    refund = office.approved()
    assert office.sweep(NOON + SEND_AGAIN - timedelta(seconds=1)) == 0
    assert office.sweep(NOON + SEND_AGAIN) == 1
    assert office.now(refund).state is S.SENT


@pytest.mark.parametrize(("stage", "state"), [(Stage.SUCCEEDED, S.SUCCEEDED), (Stage.FAILED, S.FAILED)])
def test_what_nobody_tells_of_is_asked(office: Office, house: Instance, stage: Stage, state: RefundState) -> None:
    """Sent and not confirmed for an hour: the partner says what became of it, and that ends it."""
    refund = office.approved(12_000)
    office.send(refund)
    office.sweep(NOON + ASK_AFTER)
    assert office.now(refund).state is S.SENT
    office.partner.ends(office.now(refund).reference, stage)
    office.sweep(NOON + ASK_AFTER + timedelta(hours=1))
    assert office.now(refund).state is state
    assert office.sale() == ({} if state is S.SUCCEEDED else {**SOLD, CLEARING: 12_000})
    word = "refund.succeeded" if state is S.SUCCEEDED else "refund.failed"
    assert (office.confirm(refund, word).state, house.proven()) == (EventState.STALE, True)


def test_a_refund_is_not_asked_for_again_once_the_partner_may_have_forgotten_its_key(office: Office) -> None:
    """It would be made twice; people look, and say what they found."""
    refund = heard_and_lost(office)
    with pytest.raises(Refused) as early:
        office.money_out.resolve(a_call("early", once=True, at=NOON), refund.id, None)
    assert early.value.code == RefundAnswered.code
    late = NOON + KEY_HOLDS
    with pytest.raises(Refused) as refusal:
        office.send(refund, late)
    assert (refusal.value.code, len(office.partner.asked)) == (RefundAnswerUnknown.code, 1)
    found = office.partner.by_key[refund.id].reference
    for _ in range(2):
        done = office.money_out.resolve(a_call("found", once=True, at=late), refund.id, found).answer
        assert (done.state, done.reference) == (S.SENT, found)
    office.confirm(refund)
    assert office.sale() == {SALES: 5_000, VAT: 1_000, CLEARING: 6_000}


def test_a_refund_that_was_never_made_is_given_up(office: Office) -> None:
    """So people say; what it had moved is moved back."""
    refund = office.approved()
    office.partner.silent = 1
    with pytest.raises(Retryable):
        office.send(refund)
    done = office.money_out.resolve(a_call("never", once=True, at=NOON + KEY_HOLDS), refund.id, None).answer
    assert (done.state, done.failure, office.sale()) == (S.FAILED, "never_made", {**SOLD, CLEARING: 12_000})


def test_what_stands_still_for_days_wants_a_person(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """The log line is an alert of the catalogue."""
    office.send(office.approved())
    office.sweep(NOON + LOOK_AFTER - timedelta(hours=1))
    assert "refund_stands_still" not in capsys.readouterr().out
    office.sweep(NOON + LOOK_AFTER)
    assert "refund_stands_still" in capsys.readouterr().out
