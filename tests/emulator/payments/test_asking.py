"""Events that do not say how much: their partner is asked, once is enough, and then they are applied."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared import counters
from shared.events import Command
from shared.faults import Fault, Refused, Retryable
from shared.invoicing.model import InvoiceState
from shared.limits import ASK_PARTNER_DAYS
from shared.money import Money
from shared.payments.model import EventState, PaymentState, Stage, StoredEvent, Thing
from shared.payments.partners.api import Truth
from shared.payments.records import payment_id
from shared.payments.refusals import NotAskable, NothingToApply, PartnerNeverAnswered, PartnerRefused, TruthDisagrees
from shared.payments.rules import lifecycles
from shared.payments.rules.accounts import BANK, DISPUTED, FEES, UNAPPLIED_CASH
from shared.ports import Query
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import Switch, lost, unsent
from tests.emulator.payments.accounts import RECEIVABLE, invoice_now
from tests.emulator.payments.conftest import apply, ask, told_by
from tests.unit.payments.partner_samples import gocardless, paid, wise

CLEARING = "assets:clearing:gocardless"
ASK, APPLY = "ask_partner", "apply_payment_event"
PAYMENT = Truth(Stage.SUCCEEDED, Money(12_000, "GBP"), NOON, "PM1")
REFUND = Truth(Stage.SUCCEEDED, Money(5_000, "GBP"), NOON, "PM1")
PAYOUT = Truth(Stage.PAID, Money(11_800, "GBP"), NOON, fee=Money(200, "GBP"))


@pytest.fixture(autouse=True)
def knows(house: Instance) -> None:
    """GoCardless knows a payment of 120.00 pounds, a refund of 50.00 of it, and a payout but for its fee."""
    house.partner.truths.update({"PM1": PAYMENT, "RF1": REFUND, "PO1": PAYOUT})


def at(name: str, minutes: int = 0, event: str = "", **links: str) -> dict[str, Any]:
    """An event of GoCardless, so many minutes after noon, under an id of its own."""
    told = gocardless(name, event=event or f"EV_{name}_{minutes}", **links)
    return told | {"created_at": (NOON + timedelta(minutes=minutes)).isoformat()}


def to_ask(house: Instance, event: dict[str, Any], partner: str = "gocardless") -> Command:
    """It is told; the command that asks."""
    (command,) = told_by(house, partner, event).messages
    assert isinstance(command, Command)
    assert (command.door, command.queue) == (ASK, "partner-asks")
    return command


def to_apply(house: Instance, event: dict[str, Any], partner: str = "gocardless") -> Command:
    """It is told, and its partner asked; the command that applies it."""
    task = to_ask(house, event, partner)
    (command,) = house.again(lambda: ask(house, task)).messages
    assert isinstance(command, Command)
    assert command.door == APPLY
    return command


def settle(house: Instance, event: dict[str, Any], partner: str = "gocardless") -> StoredEvent:
    """It is told, its partner asked, and applied."""
    task = to_apply(house, event, partner)
    stored: StoredEvent = house.again(lambda: apply(house, task)).answer
    return stored


def asked_again(house: Instance, task: Command) -> Any:
    """What follows when the queue brings the task until it is done."""
    return house.again(lambda: ask(house, task)).messages


def state(house: Instance, payment: str = "PM1") -> PaymentState:
    """Where a payment stands."""
    return house.payments.payment(ACME, payment_id("gocardless", payment)).state


def stored(house: Instance, key: object) -> StoredEvent:
    """An event as it stands."""
    return next(one for one in house.inbox.page(ACME, 400, None, state=None, partner=None).items if one.key == key)


def documents(house: Instance, collection: str) -> int:
    """How many documents a collection has."""
    return int(house.store.aggregate(Query(collection, ACME))["count"])


# --- the plain line ----------------------------------------------------------------------


def test_a_payment_is_asked_for_and_settles_its_invoice(house: Instance) -> None:
    """The event says what happened, the truth how much, and of which invoice."""
    invoice = house.an_invoice()
    house.partner.truths["PM1"] = replace(PAYMENT, number=invoice.number)
    assert settle(house, at("payments.confirmed")).state is EventState.APPLIED
    assert invoice_now(house, invoice).state is InvoiceState.PAID
    assert (house.balance(CLEARING), house.balance(RECEIVABLE), house.proven()) == (12_000, 0, True)
    (question,) = house.partner.questions
    assert (question.tenant, question.partner, question.thing, question.reference) == (
        ACME,
        "gocardless",
        Thing.PAYMENT,
        "PM1",
    )


def test_a_life_of_direct_debit_is_applied_with_its_amounts(house: Instance) -> None:
    """Begun, confirmed, a part given back, and paid out but for the fee: the clearing account is empty."""
    settle(house, at("payments.created"))
    settle(house, at("payments.confirmed"))
    settle(house, at("refunds.paid", refund="RF1"))
    house.partner.truths["PO1"] = replace(PAYOUT, money=Money(6_800, "GBP"))
    settle(house, at("payouts.paid", payout="PO1"))
    stands = {account: house.balance(account) for account in (CLEARING, UNAPPLIED_CASH, BANK, FEES)}
    assert stands == {CLEARING: 0, UNAPPLIED_CASH: 7_000, BANK: 6_800, FEES: 200}
    assert (state(house), house.proven()) == (PaymentState.PARTLY_REFUNDED, True)


def test_a_chargeback_is_asked_of_its_payment(house: Instance) -> None:
    """It has no id of its own."""
    settle(house, at("payments.confirmed"))
    settle(house, at("payments.charged_back", 1))
    assert (house.balance(CLEARING), house.balance(DISPUTED)) == (0, 12_000)
    settle(house, at("payments.chargeback_cancelled", 2))
    assert (house.balance(CLEARING), house.balance(DISPUTED), house.proven()) == (12_000, 0, True)


def test_a_transfer_of_wises_is_applied(house: Instance) -> None:
    """Money that left for good, and money that came back."""
    house.partner.truths["16521632"] = replace(PAYOUT, money=Money(12_050, "GBP"), fee=None)
    resource = {"id": 16_521_632, "profile_id": 7}
    sent = wise("transfers#state-change", resource=resource, current_state="outgoing_payment_sent")
    assert settle(house, sent, "wise").state is EventState.APPLIED
    assert (house.balance(BANK), house.balance("assets:clearing:wise")) == (12_050, -12_050)
    back = wise("transfers#state-change", resource=resource, current_state="funds_refunded")
    assert settle(house, back, "wise").state is EventState.APPLIED
    assert (house.balance(BANK), house.balance("assets:clearing:wise"), house.proven()) == (0, 0, True)


def test_a_batch_of_250_is_applied_with_its_amounts(house: Instance) -> None:
    """Each is asked for by itself, and the books hold the sum to the penny."""
    batch = [gocardless(event=f"EV{number}", payment=f"PM{number}") for number in range(250)]
    for number in range(250):
        house.partner.truths[f"PM{number}"] = replace(PAYMENT, payment=f"PM{number}", money=Money(100 + number, "GBP"))
    tasks = told_by(house, "gocardless", *batch).messages
    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda task: house.again(lambda: ask(house, task)), tasks))
        applying = [done.messages[0] for done in asked]
        done = list(pool.map(lambda task: house.again(lambda: apply(house, task)), applying))
    assert {one.answer.state for one in done} == {EventState.APPLIED}
    assert (house.balance(CLEARING), house.proven()) == (sum(range(100, 350)), True)
    assert len(house.partner.questions) == 250


# --- nobody waits for a partner ----------------------------------------------------------


@pytest.mark.parametrize("partner", ["gocardless", "wise"])
def test_taking_in_makes_no_call_to_the_partner(house: Instance, partner: str) -> None:
    """Counted: one commit, no question, however slow or broken the partner is."""
    told_by(house, "gocardless", gocardless(event="EV_warm"))
    house.partner.truths.clear()
    spent = counters.begin()
    told_by(house, partner, paid(partner))
    assert (spent.reads, spent.rpcs, house.partner.questions) == (0, 1, [])


def test_applying_makes_no_call_to_the_partner(house: Instance) -> None:
    """Counted: one reading and one commit, as ever; and what is not asked yet is not applied."""
    asking = to_ask(house, at("payments.confirmed"))
    (task,) = ask(house, asking).messages
    assert len(house.partner.questions) == 1
    apply(house, task)  # type: ignore[arg-type]
    assert len(house.partner.questions) == 1


def test_a_partner_that_is_down_holds_up_nobody_else(house: Instance) -> None:
    """Its own event waits, on a queue of its own; others are taken in and applied meanwhile, then it is too."""
    house.partner.truths["PM1"] = Retryable("no answer")
    asking = to_ask(house, at("payments.confirmed"))
    for _ in range(3):
        with pytest.raises(Retryable):
            ask(house, asking)
    (other,) = told_by(house, "standard", paid("standard")).messages
    assert isinstance(other, Command)
    assert (other.queue, apply(house, other).answer.state) == ("payment-events", EventState.APPLIED)
    assert stored(house, asking.body["event"]).state is EventState.RECEIVED
    house.partner.truths["PM1"] = PAYMENT
    (task,) = ask(house, asking).messages
    assert apply(house, task).answer.state is EventState.APPLIED  # type: ignore[arg-type]


def test_a_partner_that_never_answers_does_not_leave_its_event_in_silence(house: Instance) -> None:
    """A regression: when the queue gave up, the event stayed `received` for ever. Replayed, it is asked for again."""
    house.partner.truths["PM1"] = Retryable("no answer")
    asking = to_ask(house, at("payments.confirmed"))
    with pytest.raises(Retryable):
        ask(house, asking, NOON + timedelta(days=ASK_PARTNER_DAYS, seconds=-1))
    late = NOON + timedelta(days=ASK_PARTNER_DAYS)
    for _ in range(2):
        with pytest.raises(Refused, match="never answered"):
            ask(house, asking, late)
    known = stored(house, asking.body["event"])
    assert (known.state, known.refused) == (EventState.REFUSED, PartnerNeverAnswered.code)
    house.partner.truths["PM1"] = PAYMENT
    (again,) = house.inbox.replay(a_call("replay", at=late, once=True), known.key).messages
    (task,) = ask(house, again, late).messages  # type: ignore[arg-type]
    assert apply(house, task, late).answer.state is EventState.APPLIED  # type: ignore[arg-type]


# --- once --------------------------------------------------------------------------------


def test_asked_twice_is_completed_once(house: Instance, another: More) -> None:
    """On this instance and on another; the second hands over what the first wrote, and asks nobody."""
    task = to_ask(house, at("payments.confirmed"))
    first, again = ask(house, task), ask(another(), task)
    assert (first.replayed, again.replayed, again.answer) == (False, True, first.answer)
    assert [one.id for one in again.messages] == [one.id for one in first.messages]
    assert len(house.partner.questions) == 1
    apply(house, first.messages[0])  # type: ignore[arg-type]
    assert ask(house, task).answer.state is EventState.APPLIED
    assert (house.balance(CLEARING), len(house.partner.questions)) == (12_000, 1)


def test_asked_by_eight_at_once_is_completed_once(house: Instance, another: More) -> None:
    """Whatever each was answered, one answer is written, and money moves once."""
    task = to_ask(house, at("payments.confirmed"))
    instances = [another() for _ in range(4)]
    for number, instance in enumerate(instances):
        instance.partner.truths["PM1"] = replace(PAYMENT, money=Money(12_000 + number, "GBP"))
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: house.again(lambda: ask(instances[n % 4], task)), range(8)))
    assert len({one.answer.event for one in done}) == 1
    assert len({one.messages[0].id for one in done}) == 1
    applied = apply(house, done[0].messages[0]).answer
    assert applied.event.money is not None
    assert (house.balance(CLEARING), house.proven()) == (applied.event.money.amount, True)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_an_answers_commit_without_an_answer_is_written_once(house: Instance, fault: Switch) -> None:
    """Whether it landed or not."""
    task = to_ask(house, at("payments.confirmed"))
    house.line.commits.append(fault)
    (applying,) = house.again(lambda: ask(house, task)).messages
    assert apply(house, applying).answer.state is EventState.APPLIED
    assert (house.balance(CLEARING), house.proven()) == (12_000, True)


def test_killed_at_any_moment_asking_is_finished_by_the_next(house: Instance, another: More) -> None:
    """Before and after the question, the commit, and the handing over: asked again, it is applied once."""
    for moment in range(30):
        name = f"PM-{moment}"
        task, fate = to_ask(house, at("payments.confirmed", event=name, payment=name)), Fate()
        mortal = another(fate)
        for each in (house, mortal):
            each.partner.truths[name] = replace(PAYMENT, payment=name)
        mortal.inbox.page(ACME, 1, None, state=None, partner=None)
        fate.left = moment
        try:
            ask(mortal, task)
        except Killed:
            (applying,) = asked_again(house, task)
            assert apply(house, applying).answer.state is EventState.APPLIED
        else:
            assert moment > 7, "it reads, asks, reads, commits and sends"
            assert (house.balance(CLEARING), house.proven()) == (12_000 * moment, True)
            return
    pytest.fail("it never lived to the end")


def test_replayed_while_it_is_asked_the_younger_question_counts(house: Instance) -> None:
    """An operator's replay has a task of its own; the older answer writes nothing."""
    task = to_ask(house, at("payments.confirmed"))
    key, younger = str(task.body["event"]), list[Any]()
    call = a_call("replay", once=True, principal="user:olga")
    house.partner.then = lambda: younger.extend(house.inbox.replay(call, key).messages)
    done = ask(house, task)
    assert (done.messages, done.answer.event.money, younger[0].door) == ((), None, ASK)
    (applying,) = ask(house, younger[0]).messages
    assert apply(house, applying).answer.state is EventState.APPLIED  # type: ignore[arg-type]
    assert (house.balance(CLEARING), house.proven()) == (12_000, True)


# --- the truth refuses -------------------------------------------------------------------

NO: list[tuple[Fault | Truth, str]] = [
    (PartnerRefused("no such thing", detail={"code": "resource_not_found"}), PartnerRefused.code),
    (NotAskable("no key"), NotAskable.code),
    (replace(REFUND, payment="PM_other"), TruthDisagrees.code),
]


@pytest.mark.parametrize(("answer", "code"), NO)
def test_a_no_refuses_the_event_with_its_reason_and_it_can_be_replayed(
    house: Instance, answer: Fault | Truth, code: str
) -> None:
    """On record, answered the same again without asking; replayed once the partner says otherwise, it is applied."""
    settle(house, at("payments.confirmed"))
    asked = len(house.partner.questions)
    house.partner.truths["RF1"] = answer
    task = to_ask(house, at("refunds.paid", refund="RF1", payment="PM1"))
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            ask(house, task)
        assert refused.value.code == code
    event = stored(house, task.body["event"])
    assert (event.state, event.refused, len(house.partner.questions)) == (EventState.REFUSED, code, asked + 1)
    audits = house.store.query(Query("audit", ACME)).documents
    assert [one["refused"] for one in audits if one["action"] == "event.ask" and one["refused"]] == [code]
    house.partner.truths["RF1"] = REFUND
    (again,) = house.inbox.replay(a_call("replay", once=True, principal="user:olga"), event.key).messages
    (applying,) = ask(house, again).messages  # type: ignore[arg-type]
    assert apply(house, applying).answer.state is EventState.APPLIED  # type: ignore[arg-type]
    assert (house.balance(CLEARING), house.proven()) == (7_000, True)


def test_a_refund_of_no_payment_is_refused(house: Instance) -> None:
    """GoCardless gives money back to mandates too: no payment of ours is the smaller for it."""
    house.partner.truths["RF1"] = replace(REFUND, payment="")
    task = to_ask(house, at("refunds.paid", refund="RF1"))
    with pytest.raises(NothingToApply):
        ask(house, task)
    assert stored(house, task.body["event"]).refused == NothingToApply.code


def test_what_an_older_version_kept_for_want_of_an_amount_is_replayed(
    house: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asked nobody; this one does, once an operator says so."""
    with monkeypatch.context() as older:
        older.setattr(lifecycles, "wants_the_truth", lambda _: False)
        (kept,) = told_by(house, "gocardless", at("payments.confirmed")).answer
    assert kept.state is EventState.KEPT
    (asking,) = house.inbox.replay(a_call("replay", once=True, principal="user:olga"), kept.key).messages
    (applying,) = ask(house, asking).messages  # type: ignore[arg-type]
    assert apply(house, applying).answer.state is EventState.APPLIED  # type: ignore[arg-type]
    assert (house.balance(CLEARING), house.proven()) == (12_000, True)


# --- a direct debit fails late -----------------------------------------------------------

FAILED, CONFIRMED, CREATED = "payments.failed", "payments.confirmed", "payments.created"


def settle_all(house: Instance, payment: str, events: tuple[tuple[str, int], ...]) -> None:
    """They are told in this order, whenever they happened."""
    house.partner.truths[payment] = replace(PAYMENT, payment=payment)
    for name, minutes in events:
        settle(house, at(name, minutes, f"EV_{payment}_{name}_{minutes}", payment=payment))


def test_a_payment_that_fails_after_it_was_confirmed_is_taken_back(house: Instance) -> None:
    """The invoice is open again, and listeners are told of a reversal; that it is settled says nothing new."""
    invoice = house.an_invoice()
    house.partner.truths["PM1"] = replace(PAYMENT, invoice_id=invoice.id)
    settle(house, at(CONFIRMED))
    settle(house, at(FAILED, 5))
    assert (state(house), invoice_now(house, invoice).open.amount) == (PaymentState.REVERSED, 12_000)
    assert (house.balance(CLEARING), house.balance(RECEIVABLE)) == (0, 12_000)
    told = [one.type for one in house.post.told.values() if one.topic == "payments"]
    assert told == ["payment.applied", "payment.reversed"]
    assert told_by(house, "gocardless", at("payments.late_failure_settled", 9)).answer[0].state is EventState.KEPT
    assert house.proven()


@pytest.mark.parametrize(
    ("life", "left"),
    [
        ((CREATED, CONFIRMED, FAILED), 0),
        ((CREATED, FAILED, CONFIRMED), 12_000),
        ((FAILED, CONFIRMED, FAILED), 0),
        ((CONFIRMED, FAILED, CONFIRMED), 12_000),
        ((CONFIRMED, FAILED, FAILED), 0),
        ((FAILED, FAILED, CONFIRMED), 12_000),
    ],
)
def test_in_any_order_the_youngest_word_decides(house: Instance, life: tuple[str, ...], left: int) -> None:
    """Tried, failed, tried again, failed late: the money is there if the last word says so."""
    happened = tuple((name, minutes) for minutes, name in enumerate(life))
    for number, order in enumerate(permutations(happened)):
        payment = f"PM-{number}"
        settle_all(house, payment, order)
        now = house.payments.payment(ACME, payment_id("gocardless", payment))
        assert now.matched + now.unapplied == left, order
    assert (house.balance(CLEARING), house.proven()) == (6 * left, True)
