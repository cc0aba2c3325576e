"""A payout ties to its payments: pages once each, in order, by eight at once, and what only they tell is posted."""

import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from shared.calls import Done
from shared.faults import Refused, Retryable
from shared.identity import TenantId
from shared.limits import WAIT_FOR_LINES_SECONDS
from shared.money import Money
from shared.payments.model import Thing
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.payouts.model import Found, Item, ItemKind, Statement, StatementPage
from shared.payments.payouts.use_cases import Payouts
from shared.payments.records import own_id, payment_id
from shared.payments.refusals import NotAskable, PageOutOfOrder, StatementClosed, UnknownPage, UnknownPayout
from shared.payments.rules.accounts import BANK, FEES, RESERVED
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.payments.test_lifecycles import CLEARING, say, settle

PAYOUT = own_id("standard", "", Thing.PAYOUT, "po-1")


@dataclass
class Partner:
    """A partner that tells its lines a page at a time, by `PartnerApi`; it can be asked nothing else."""

    pages: Mapping[str, PayoutItems]
    asked: list[str] = field(default_factory=list)
    silent_at: str = "never"

    def payout_items(self, payout: Named, cursor: str) -> PayoutItems:
        """The page that begins there."""
        assert (payout.partner, payout.thing, payout.reference) == ("standard", Thing.PAYOUT, "po-1")
        self.asked.append(cursor)
        if cursor == self.silent_at:
            message = "no answer"
            raise Retryable(message)
        return self.pages[cursor]

    def truth(self, named: Named) -> Truth:
        """Not asked here."""
        message = "not this"
        raise NotAskable(message, detail={"thing": named.thing.value})

    def refund(self, order: RefundOrder) -> Accepted:
        """Not asked here."""
        message = "not this"
        raise NotAskable(message, detail={"key": order.key})


def line(kind: ItemKind, amount: int, fee: int = 0, reference: str = "") -> Item:
    """A line in pounds."""
    return Item(kind, reference, Money(amount, "GBP"), Money(fee, "GBP"))


TWO_PAGES = {
    "": PayoutItems((line(ItemKind.PAYMENT, 12_000, 300, "p-1"),), "second"),
    "second": PayoutItems((line(ItemKind.PAYMENT, 8_000, 200, "p-2"), line(ItemKind.RESERVE, -1_000)), ""),
}


def payouts(house: Instance, partner: Partner | None = None) -> Payouts:
    """The use cases of an instance, which asks this partner."""
    asked = partner or Partner(TWO_PAGES)
    return Payouts(house.desk, house.books, lambda: asked)


@pytest.fixture
def paid(house: Instance) -> Instance:
    """Two payments came, and a payout of them less 5.00 and what is held back."""
    settle(house, say("payment.succeeded", payment="p-1"))
    settle(house, say("payment.succeeded", payment="p-2", amount=8_000))
    settle(house, say("payout.paid", object="po-1", amount=18_500))
    return house


def take(house: Instance, page: StatementPage, key: str = "page") -> Done[Statement]:
    """Somebody takes in a page from a settlement file."""
    done: Done[Statement] = house.again(lambda: payouts(house).take_page(a_call(key, once=True), PAYOUT, page))
    return done


def stands(house: Instance) -> dict[str, int]:
    """Where the partner's money stands."""
    return {account: house.balance(account) for account in (CLEARING, BANK, FEES, RESERVED)}


SETTLED = {CLEARING: 0, BANK: 18_500, FEES: 500, RESERVED: 1_000}


def test_a_partner_that_is_asked_explains_its_payout(paid: Instance) -> None:
    """All of it is accounted for, and clearing comes to nothing."""
    statement = payouts(paid).ask(a_call(""), PAYOUT)
    assert (statement.ties, statement.pages, statement.items) == (True, 2, 3)
    assert stands(paid) == SETTLED
    assert paid.payments.payment(ACME, payment_id("standard", "p-2")).payout_id == PAYOUT
    assert [one.found for one in payouts(paid).lines(ACME, PAYOUT, 2)] == [Found.KNOWN, Found.KNOWN]
    assert [one.ties for one in payouts(paid).page(ACME, 10, None).items] == [True]
    assert paid.proven()


def test_lines_that_are_told_before_their_payments_wait_for_them(house: Instance) -> None:
    """A regression: a payout that was heard of first had strange lines for ever, and their fees were never posted."""
    settle(house, say("payout.paid", object="po-1", amount=18_500))
    settle(house, say("payment.succeeded", payment="p-1"))
    with pytest.raises(Retryable):
        payouts(house).ask(a_call(""), PAYOUT, NOON)
    assert payouts(house).statement(ACME, PAYOUT).pages == 1
    settle(house, say("payment.succeeded", payment="p-2", amount=8_000))
    assert payouts(house).ask(a_call(""), PAYOUT, NOON).ties
    assert (stands(house), house.proven()) == (SETTLED, True)


def test_lines_do_not_wait_for_ever(house: Instance) -> None:
    """What is strange by then is told."""
    settle(house, say("payout.paid", object="po-1", amount=18_500))
    late = a_call("", at=NOON + timedelta(seconds=WAIT_FOR_LINES_SECONDS))
    statement = payouts(house).ask(late, PAYOUT, NOON)
    assert (statement.closed, statement.found[Found.UNKNOWN]) == (True, 2)


def test_a_payout_that_is_asked_about_again_posts_nothing(paid: Instance) -> None:
    """The partner is not even asked."""
    partner = Partner(TWO_PAGES)
    for _ in range(2):
        assert payouts(paid, partner).ask(a_call(""), PAYOUT).ties
    assert partner.asked == ["", "second"]
    assert stands(paid) == SETTLED


def test_a_partner_that_falls_silent_is_asked_on_where_it_did(paid: Instance) -> None:
    """The first page stays."""
    partner = Partner(TWO_PAGES, silent_at="second")
    with pytest.raises(Retryable):
        payouts(paid, partner).ask(a_call(""), PAYOUT)
    assert stands(paid) == {CLEARING: 1_200, BANK: 18_500, FEES: 300, RESERVED: 0}
    partner.silent_at = "never"
    assert payouts(paid, partner).ask(a_call(""), PAYOUT).ties
    assert partner.asked == ["", "second", "second"]
    assert stands(paid) == SETTLED


def test_eight_deliveries_at_once_settle_a_payout_once(paid: Instance, another: More) -> None:
    """They all end with the same statement."""
    instances = [another() for _ in range(8)]

    def ask(instance: Instance) -> Statement:
        statement: Statement = instance.again(lambda: payouts(instance).ask(a_call(""), PAYOUT))
        return statement

    with ThreadPoolExecutor(8) as pool:
        statements = list(pool.map(ask, instances))
    assert all(statement == statements[0] for statement in statements)
    assert statements[0].ties
    assert stands(paid) == SETTLED
    assert paid.proven()


def test_whoever_dies_between_two_steps_leaves_a_payout_that_can_be_finished(paid: Instance, another: More) -> None:
    """At each of its calls to the world."""
    for moment in range(40):
        fate = Fate()
        mortal = another(fate)
        fate.left = moment
        try:
            payouts(mortal).ask(a_call(""), PAYOUT)
        except Killed:
            continue
        break
    else:
        pytest.fail("it never came to its end")
    assert payouts(paid).statement(ACME, PAYOUT).ties
    assert stands(paid) == SETTLED
    assert paid.proven()


def test_a_settlement_file_is_taken_in_page_by_page(paid: Instance) -> None:
    """For partners that cannot be asked; the same request again is answered as before."""
    pages = [StatementPage(number, told.items, not told.cursor) for number, told in enumerate(TWO_PAGES.values(), 1)]
    with pytest.raises(PageOutOfOrder):
        take(paid, pages[1], "early")
    assert not take(paid, pages[0], "first").answer.closed
    assert take(paid, pages[0], "first").replayed
    with pytest.raises(PageOutOfOrder):
        take(paid, pages[0], "first again")
    assert take(paid, pages[1], "second").answer.ties
    with pytest.raises(StatementClosed):
        take(paid, StatementPage(3, (), last=True), "third")
    assert stands(paid) == SETTLED


def test_a_payout_that_does_not_tie_says_what_is_strange(paid: Instance) -> None:
    """What is known is settled all the same."""
    lines = (line(ItemKind.PAYMENT, 12_000, 300, "p-1"), line(ItemKind.PAYMENT, 5_000, 0, "p-unknown"))
    statement = take(paid, StatementPage(1, lines, last=True)).answer
    assert (statement.ties, statement.difference) == (False, 18_500 - 16_700)
    assert statement.found == {Found.KNOWN: 1, Found.UNKNOWN: 1}
    assert paid.balance(FEES) == 300


def test_a_payout_that_does_not_tie_is_told_also_by_who_comes_after_a_death(paid: Instance, another: More) -> None:
    """A regression: who died between the commit and the log took the alert along."""
    strange = Partner({"": PayoutItems((line(ItemKind.PAYMENT, 12_000, 300, "p-1"),), "")})
    for moment in range(40):
        fate = Fate()
        mortal = another(fate)
        fate.left = moment
        with contextlib.suppress(Killed):
            payouts(mortal, strange).ask(a_call(""), PAYOUT)
        if payouts(paid).statement(ACME, PAYOUT).closed:
            break
    with capture_logs() as logs:
        payouts(paid, strange).ask(a_call(""), PAYOUT)
    assert [one["difference"] for one in logs if one["event"] == "payout_does_not_tie"] == [18_500 - 11_700]


def test_a_payment_of_a_payout_that_failed_comes_with_the_next(paid: Instance) -> None:
    """Its fee is posted once."""
    assert payouts(paid).ask(a_call(""), PAYOUT).ties
    settle(paid, say("payout.failed", object="po-1", amount=18_500))
    settle(paid, say("payout.paid", object="po-2", amount=18_500))
    second = own_id("standard", "", Thing.PAYOUT, "po-2")
    lines = (
        line(ItemKind.PAYMENT, 12_000, 300, "p-1"),
        line(ItemKind.PAYMENT, 8_000, 200, "p-2"),
        line(ItemKind.ADJUSTMENT, -1_000),
    )
    done = payouts(paid).take_page(a_call("second", once=True), second, StatementPage(1, lines, last=True))
    assert done.answer.ties
    assert stands(paid) == SETTLED


def test_what_is_not_there_is_refused(paid: Instance) -> None:
    """A payout that no partner told of, another tenant's, a page that is not here."""
    with pytest.raises(UnknownPayout):
        payouts(paid).ask(a_call(""), "a" * 52)
    with pytest.raises(UnknownPayout):
        payouts(paid).statement(TenantId("rival"), PAYOUT)
    with pytest.raises(UnknownPage):
        payouts(paid).lines(ACME, PAYOUT, 1)
    with pytest.raises(Refused):
        take(paid, StatementPage(1, (Item(ItemKind.FEE, "", Money(-1, "EUR"), Money(0, "EUR")),), last=True))
    assert payouts(paid).statement(ACME, PAYOUT).pages == 0
