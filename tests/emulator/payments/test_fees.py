"""What a partner keeps is posted once, whoever tells of it and in whatever order: events, their repetitions, lines."""

from itertools import permutations

import pytest

from shared.money import Money
from shared.payments.model import Thing
from shared.payments.payouts.model import Item, ItemKind, Statement, StatementPage
from shared.payments.records import own_id, payment_id
from shared.payments.rules.accounts import FEES
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance
from tests.emulator.payments.refunding import Office
from tests.emulator.payments.test_lifecycles import say, settle
from tests.emulator.payments.test_payouts import line, payouts


def pay_out(house: Instance, payout: str, *lines: Item, currency: str = "GBP") -> Statement:
    """A payout was paid, and its lines are told, all on one page."""
    settle(house, say("payout.paid", object=payout, amount=1, currency=currency))
    page, key = StatementPage(1, lines, last=True), own_id("standard", "", Thing.PAYOUT, payout)
    return payouts(house).take_page(a_call(f"lines of {payout}", once=True), key, page).answer


def test_a_payments_fee_is_posted_once_in_every_order(house: Instance) -> None:
    """A regression: told by events after the payout's lines, or of what was pending then, it counted twice."""

    def tell(step: str, payment: str) -> None:
        if step == "lines":
            pay_out(house, f"po-{payment}", line(ItemKind.PAYMENT, 12_000, 300, payment))
        else:
            settle(house, say("payment.succeeded", payment=payment, **({"fee": 300} if step == "with" else {})))

    for number, steps in enumerate(permutations(["without", "with", "with", "lines"]), 1):
        payment = f"p-{number}"
        settle(house, say("payment.pending", payment=payment))
        for step in steps:
            tell(step, payment)
        known = house.payments.payment(ACME, payment_id("standard", payment))
        assert (steps, house.balance(FEES)) == (steps, 300 * number)
        assert (known.fee, known.received, bool(known.payout_id)) == (Money(300, "GBP"), 12_000, True)
    assert house.proven()


def test_what_a_payouts_line_says_of_a_fee_stands(house: Instance) -> None:
    """A regression: the larger fee that an event had told came back with its repetition."""
    settle(house, say("payment.succeeded", fee=300))
    pay_out(house, "po-1", line(ItemKind.PAYMENT, 12_000, 250, "p-1"))
    settle(house, say("payment.succeeded", fee=300))
    assert house.balance(FEES) == 250


@pytest.mark.parametrize("thing", ["refund", "dispute", "reversal"])
def test_the_fee_of_what_goes_back_is_posted_once(house: Instance, thing: str) -> None:
    """A regression: told by its event and by a payout's line it counted twice. What lines tell beyond it is more."""
    names = {"refund": "refund.succeeded", "dispute": "dispute.opened", "reversal": "payment.reversed"}
    reference = "p-1" if thing == "reversal" else "x-1"
    settle(house, say("payment.succeeded"))
    settle(house, say(names[thing], amount=2_000, fee=30, **({} if thing == "reversal" else {"object": "x-1"})))
    assert house.balance(FEES) == 30
    statement = pay_out(house, "po-1", line(ItemKind(thing), -2_000, 30, reference))
    assert (house.balance(FEES), list(statement.found.values())) == (30, [1])
    settle(house, say("payment.succeeded", payment="p-2"))
    pay_out(house, "po-2", line(ItemKind.PAYMENT, 12_000, 0, "p-2"))
    assert house.balance(FEES) == 30
    assert house.proven()


def test_the_fee_of_a_refund_that_we_asked_for_is_posted_once(house: Instance) -> None:
    """A regression: told by its event and by a payout's line it counted twice."""
    office = Office(house)
    office.paid(invoice=house.an_invoice())
    refund = office.approved()
    office.send(refund)
    office.confirm(refund, fee=30)
    pay_out(house, "po-1", line(ItemKind.REFUND, -6_000, 40, office.partner.by_key[refund.id].reference))
    assert (house.balance(FEES), house.proven()) == (40, True)


def test_the_fee_of_a_dispute_comes_back_when_it_is_won(house: Instance) -> None:
    """As its lines tell: the same fee again, and then less of it."""
    settle(house, say("payment.succeeded"))
    settle(house, say("dispute.opened", object="d-1", fee=1_500))
    pay_out(house, "po-1", line(ItemKind.DISPUTE, -12_000, 1_500, "d-1"))
    settle(house, say("dispute.won", object="d-1"))
    pay_out(house, "po-2", line(ItemKind.DISPUTE, 12_000, -1_500, "d-1"))
    assert (house.balance(FEES), house.proven()) == (0, True)


def test_a_fee_that_an_event_tells_after_the_line_is_not_posted_again(house: Instance) -> None:
    """Of a dispute that is lost after its payout; what is more is posted."""
    settle(house, say("payment.succeeded"))
    settle(house, say("dispute.opened", object="d-1"))
    pay_out(house, "po-1", line(ItemKind.DISPUTE, -12_000, 1_500, "d-1"))
    settle(house, say("dispute.lost", object="d-1", fee=1_600))
    assert house.balance(FEES) == 1_600


def test_the_fee_of_a_reversal_that_is_told_again_is_the_same_one(house: Instance) -> None:
    """A regression: told of more, its fee was posted again."""
    settle(house, say("payment.succeeded"))
    for amount in (4_000, 5_000):
        settle(house, say("payment.reversed", amount=amount, fee=500))
    assert house.balance(FEES) == 500


def test_a_fee_that_is_paid_out_in_another_currency_is_kept_once(house: Instance) -> None:
    """A regression: it stood in both currencies. What was told is taken back, also where that payout fails."""

    def fees() -> dict[str, int]:
        rows = house.reports.trial_balance(ACME, "2026-11").rows
        return {row.currency: row.amount for row in rows if row.account == FEES and row.amount}

    def euros(amount: int, fee: int) -> Item:
        return Item(ItemKind.PAYMENT, "p-1", Money(amount, "EUR"), Money(fee, "EUR"))

    settle(house, say("payment.succeeded", fee=300))
    assert fees() == {"GBP": 300}
    pay_out(house, "po-1", euros(14_000, 350), currency="EUR")
    settle(house, say("payment.succeeded", fee=300))
    assert fees() == {"EUR": 350}
    settle(house, say("payout.failed", object="po-1", amount=1, currency="EUR"))
    pay_out(house, "po-2", euros(14_100, 360), currency="EUR")
    assert fees() == {"EUR": 360}
