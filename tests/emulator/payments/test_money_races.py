"""Approvals, undoing, reversals and refunds of one payment at the same time: each counts once, and the books agree."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from shared.faults import Refused, Retryable
from shared.invoicing.model import Invoice
from shared.payments.allocations import Slice
from shared.payments.model import EventState, Stage
from shared.payments.refunds.model import IN_FLIGHT, Refund, RefundKind, RefundState
from shared.payments.rules.accounts import FEES, REFUNDS_PAYABLE, UNAPPLIED_CASH
from tests.builders import a_call
from tests.emulator.instances import Instance, More
from tests.emulator.payments.accounts import CREDIT, RECEIVABLE
from tests.emulator.payments.conftest import apply, task_call
from tests.emulator.payments.refunding import CLEARING, Office, begun_as, settle_all
from tests.unit.invoicing.drafts import pounds

S = RefundState
ROUNDS = 4


def answered(act: Callable[[], object], house: Instance) -> str:
    """`done`, or the code of the refusal; again while it is to be retried."""
    try:
        house.again(act)
    except Refused as refusal:
        return refusal.code
    return "done"


def tried(act: Callable[[], object]) -> None:
    """Once; what is to be retried comes again later."""
    with suppress(Retryable):
        act()


def agree(office: Office, invoices: list[Invoice], payments: list[str], refunds: list[Refund]) -> None:
    """Every account is what documents say."""
    paid, bills = [office.payment(one) for one in payments], [office.invoice(one) for one in invoices]
    now = [office.now(one) for one in refunds]
    flying = sum(one.money.amount for one in now if one.state in IN_FLIGHT)
    house = office.house
    assert house.balance(REFUNDS_PAYABLE) == flying
    assert house.balance(UNAPPLIED_CASH) == sum(one.unapplied for one in paid)
    assert house.balance(CREDIT) == sum(one.credited for one in bills)
    assert house.balance(RECEIVABLE) == sum(one.open.amount for one in bills)
    assert house.balance(CLEARING) == sum(one.matched + one.unapplied for one in paid) + flying
    for bill in bills:
        own = sum(one.own for one in paid if one.invoice_id == bill.id)
        shares = [share.settled for one in paid for share in one.shares if share.invoice_id == bill.id]
        assert bill.paid + bill.credited == own + sum(shares)
        sold = [one for one in now if one.invoice_id == bill.id and one.kind is RefundKind.INVOICE]
        assert bill.corrected == sum(one.money.amount for one in sold if one.state in {*IN_FLIGHT, S.SUCCEEDED})


def test_everything_of_one_payment_at_once(house: Instance, another: More) -> None:
    """Two approvals of one refund, another kind's, an undoing, a reversal, a refund beside us and its double."""
    office, houses = Office(house), [another() for _ in range(6)]
    customer, invoices, names, refunds = house.a_customer(), list[Invoice](), list[str](), list[Refund]()
    for turn in range(ROUNDS):
        first, second = (house.an_invoice(f"{turn}-{place}", customer) for place in range(2))
        name = f"p-{turn}"
        payment = office.paid(20_000, name, first)
        call = a_call(f"allocate-{turn}", once=True)
        made = house.allocations.allocate(call, payment.id, [Slice(second.id, pounds(5_000))]).answer
        credit = office.ask(2_500, "credit", key=f"credit-{turn}", payment=name).answer
        sold = office.ask(4_000, "invoice", key=f"sold-{turn}", payment=name).answer
        beside = office.tell("refund.succeeded", payment=name, object=f"x-{turn}", amount=2_000)
        back = office.tell("payment.reversed", payment=name, amount=3_000 * (turn + 1))
        offices = [office.elsewhere(one) for one in houses]
        undo = a_call(f"undo-{turn}", once=True)
        acts: list[Callable[[], object]] = [
            partial(offices[0].approve, credit, "user:bob", "bob"),
            partial(offices[1].approve, credit, "user:carl", "carl"),
            partial(offices[2].approve, sold),
            partial(houses[3].allocations.undo, undo, payment.id, made.id),
            partial(apply, houses[4], back[0]),
            partial(apply, houses[5], beside[0]),
            partial(apply, houses[0], beside[0]),
        ]
        with ThreadPoolExecutor(len(acts)) as pool:
            answers = list(pool.map(lambda act: answered(act, house), acts))
        assert answers[:2].count("done") <= 1
        assert answers[4:] == ["done"] * 3
        invoices, names, refunds = [*invoices, first, second], [*names, name], [*refunds, credit, sold]
        agree(office, invoices, names, refunds)
        assert office.payment(name).reversed == min(3_000 * (turn + 1), 20_000 - office.payment(name).refunded)
    assert house.proven()


def test_an_answer_and_words_about_the_same_refund_at_once(house: Instance, another: More) -> None:
    """Its answer is stored by two deliveries while success and failure are told: undone once, and each fee is kept."""
    office, houses = Office(house), [another() for _ in range(4)]
    for turn in range(ROUNDS):
        name = f"p-{turn}"
        invoice = house.an_invoice(f"i-{turn}")
        office.paid(payment=name, invoice=invoice)
        refund = office.approve(office.ask(key=name, payment=name).answer)
        office.partner.deaf = 1
        with pytest.raises(Retryable):
            office.send(refund)
        said = office.about(refund)
        words = [*office.tell("refund.failed", **said, fee=3), *office.tell("refund.succeeded", **said, fee=4)]
        offices, task = [office.elsewhere(one) for one in houses], office.task(refund)
        acts: list[Callable[[], object]] = [
            partial(apply, houses[0], words[0]),
            partial(apply, houses[1], words[1]),
            partial(offices[2].money_out.send, task_call(task), refund.id),
            partial(offices[3].money_out.send, task_call(task), refund.id),
        ]
        with ThreadPoolExecutor(len(acts)) as pool:
            list(pool.map(tried, acts))
        settle_all(office, [task, *words])
        now = office.invoice(invoice)
        assert (office.now(refund).state, now.paid, now.corrected) == (S.FAILED, 12_000, 0)
        assert len(office.partner.by_key) == turn + 1
        assert house.balance(FEES) == 7 * (turn + 1)
        assert house.balance(CLEARING) == (12_000 - 7) * (turn + 1)
    assert (house.balance(REFUNDS_PAYABLE), house.proven()) == (0, True)


def test_the_fee_of_a_refund_whose_answer_said_that_it_was_done(house: Instance) -> None:
    """The webhook tells nothing new but what the partner keeps: booked once, and announced as nothing."""
    office = begun_as(Office(house), Stage.SUCCEEDED)
    office.paid(invoice=house.an_invoice())
    refund = office.sent(office.approved())
    told = set(house.post.told)
    assert refund.state is S.SUCCEEDED
    assert office.confirm(refund, fee=7).state is EventState.APPLIED
    assert office.confirm(refund, fee=7).state is EventState.STALE
    assert (house.balance(FEES), house.balance(CLEARING)) == (7, 12_000 - 6_000 - 7)
    assert (set(house.post.told), office.now(refund), house.proven()) == (told, refund, True)
