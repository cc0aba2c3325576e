"""A payout's lines, page by page: what is known of each, what is posted for it, and that it adds up."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.faults import Invalid
from shared.identity import StoredId
from shared.ledger.model import JournalEntry, Side
from shared.limits import AMOUNT_MINOR, PAYOUT_PAGE_ITEMS
from shared.money import Money
from shared.payments.model import Payment, Stage, Thing, Tracked
from shared.payments.payouts.model import Found, Item, ItemKind, Statement, StatementPage
from shared.payments.payouts.rules import Known, Taken, object_of, take
from shared.payments.payouts.wire import NewPage, PayoutAnswer
from shared.payments.records import own_id, payment_id
from shared.payments.refusals import PageOutOfOrder, StatementClosed, WrongPayoutCurrency
from shared.payments.rules.fees import tell
from tests.builders import NOON, euros

CLEARING = "assets:clearing:standard"
REFUND_LINE = -200


def a_statement(amount: int = 900, **changes: Any) -> Statement:
    """A payout of 9.00 euro of which nothing is known."""
    statement = Statement("po", "standard", "", "po-1", euros(amount), Stage.PAID)
    return replace(statement, **changes)


def item(kind: ItemKind, amount: int, fee: int = 0, reference: str = "") -> Item:
    """A line in euro."""
    return Item(kind, reference, euros(amount), euros(fee))


def paid(name: str = "p-1", amount: int = 1_000, **changes: Any) -> Payment:
    """A payment that came, and is applied nowhere."""
    payment = Payment(
        payment_id("standard", name),
        "standard",
        name,
        "EUR",
        Stage.SUCCEEDED,
        NOON,
        received=amount,
        unapplied=amount,
    )
    return replace(payment, **changes)


def took(statement: Statement, *items: Item, known: tuple[Any, ...] = (), last: bool = True) -> Taken:
    """The statement after its next page."""
    page = StatementPage(statement.pages + 1, items, last)
    return take(statement, page, by_id(*known), frozenset())


def by_id(*known: Known) -> dict[StoredId, Known | None]:
    """What is known, as `take` looks for it."""
    return {StoredId(one.id): one for one in known}


def moved(taken: Taken) -> dict[str, int]:
    """What is posted: debits less credits of each account."""
    sums: dict[str, int] = {}
    for line in taken.lines:
        amount = line.money.amount if line.side is Side.DEBIT else -line.money.amount
        sums[line.account] = sums.get(line.account, 0) + amount
    if taken.lines:
        JournalEntry(StoredId("e"), taken.lines, date(2026, 11, 16), "c", "h")  # it balances
    return sums


def payments(taken: Taken) -> list[Payment]:
    """The payments that a page changed."""
    return [one for one in taken.changed if isinstance(one, Payment)]


def test_a_payout_ties_to_its_payments_refunds_disputes_and_fees() -> None:
    """1000 - 30 - 200 - 50 - 20 is what came; each line is known."""
    refund = Tracked(own_id("standard", "", Thing.REFUND, "r-1"), Thing.REFUND, "standard", "r-1", "", euros(200),
                     Stage.SUCCEEDED, NOON)  # fmt: skip
    dispute = Tracked(own_id("standard", "", Thing.DISPUTE, "d-1"), Thing.DISPUTE, "standard", "d-1", "", euros(50),
                      Stage.OPEN, NOON)  # fmt: skip
    taken = took(
        a_statement(700),
        item(ItemKind.PAYMENT, 1_000, 30, "p-1"),
        item(ItemKind.REFUND, REFUND_LINE, 0, "r-1"),
        item(ItemKind.DISPUTE, -50, 0, "d-1"),
        item(ItemKind.FEE, -20),
        known=(paid(), refund, dispute),
    )
    assert (taken.statement.ties, taken.statement.difference) == (True, 0)
    assert moved(taken) == {"expenses:payment_fees": 50, CLEARING: -50}
    assert [(one.payout_id, one.fee_told) for one in payments(taken)] == [("po", 30)]


def test_a_fee_that_was_told_before_is_not_posted_again() -> None:
    """Only what is more, or comes back when it is less."""
    known = paid(fee_told=20)
    assert moved(took(a_statement(970), item(ItemKind.PAYMENT, 1_000, 30, "p-1"), known=(known,))) == {
        "expenses:payment_fees": 10,
        CLEARING: -10,
    }
    assert moved(took(a_statement(985), item(ItemKind.PAYMENT, 1_000, 15, "p-1"), known=(known,))) == {
        "expenses:payment_fees": -5,
        CLEARING: 5,
    }
    assert moved(took(a_statement(980), item(ItemKind.PAYMENT, 1_000, 20, "p-1"), known=(known,))) == {}


def test_the_fee_of_the_payout_itself_is_posted_by_its_event() -> None:
    """Its line says the same again."""
    taken = took(a_statement(975, fee=25), item(ItemKind.PAYMENT, 1_000, 0, "p-1"), item(ItemKind.FEE, -25),
                 known=(paid(),))  # fmt: skip
    assert (moved(taken), taken.statement.ties) == ({}, True)
    more = took(a_statement(970, fee=25), item(ItemKind.FEE, -20), item(ItemKind.FEE, -10))
    assert moved(more) == {"expenses:payment_fees": 5, CLEARING: -5}
    assert moved(took(a_statement(fee=25))) == {}


def test_a_payouts_fee_in_another_currency_is_compared_with_none_of_its_lines() -> None:
    """A regression: 5 dollars of a payout in euro hid 5 euro that its lines told."""
    payout = Tracked("po", Thing.PAYOUT, "airwallex", "po-1", "", euros(900), Stage.PAID, NOON)
    assert (tell(payout, Money(500, "USD")).fee, tell(payout, euros(25)).fee) == (0, 25)


def test_what_is_held_in_reserve_is_ours_still() -> None:
    """And comes back."""
    held = took(
        a_statement(900), item(ItemKind.PAYMENT, 1_000, 0, "p-1"), item(ItemKind.RESERVE, -100), known=(paid(),)
    )
    assert (moved(held), held.statement.ties) == ({"assets:reserved": 100, CLEARING: -100}, True)
    assert moved(took(a_statement(100), item(ItemKind.RESERVE, 100))) == {"assets:reserved": -100, CLEARING: 100}


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ((), Found.UNKNOWN),
        ((paid(amount=999),), Found.DIFFERS),
        ((paid(payout_id="another"),), Found.PAID_BEFORE),
        ((paid(payout_id="po"),), Found.PAID_BEFORE),
        ((paid(),), Found.KNOWN),
    ],
)
def test_a_line_is_held_to_what_we_know(known: tuple[Payment, ...], found: Found) -> None:
    """A payout that adds up ties only if every line is known, of the amount that it says, and new."""
    taken = took(a_statement(1_000), item(ItemKind.PAYMENT, 1_000, 0, "p-1"), known=known)
    assert (taken.statement.found, taken.statement.ties) == ({found: 1}, found is Found.KNOWN)
    assert taken.statement.difference == 0


def test_what_the_bank_took_back_is_a_line_too() -> None:
    """Of a payment that is in the books as taken back."""
    line = item(ItemKind.REVERSAL, -1_000, -30, "p-1")
    known = paid(stage=Stage.REVERSED, unapplied=0, reversed=1_000, fee_told=30, payout_id="earlier")
    taken = took(a_statement(-970), line, known=(known,))
    assert (taken.statement.ties, [one.fee_told for one in payments(taken)]) == (True, [30])
    assert moved(taken) == {"expenses:payment_fees": -30, CLEARING: 30}
    assert took(a_statement(-970), line, known=(paid(),)).statement.found == {Found.DIFFERS: 1}


def test_a_payment_that_is_told_twice_is_paid_out_once() -> None:
    """Its fee counts once."""
    line = item(ItemKind.PAYMENT, 1_000, 30, "p-1")
    taken = took(a_statement(1_940), line, line, known=(paid(),))
    assert taken.statement.found == {Found.KNOWN: 1, Found.PAID_BEFORE: 1}
    assert (len(taken.changed), moved(taken)) == (1, {"expenses:payment_fees": 30, CLEARING: -30})


def gone(thing: Thing, name: str = "x-1", **changes: Any) -> Tracked:
    """A refund or dispute of 2.00 euro."""
    stage = Stage.SUCCEEDED if thing is Thing.REFUND else Stage.OPEN
    identity = own_id("standard", "", thing, name)
    return replace(Tracked(identity, thing, "standard", name, "", euros(200), stage, NOON), **changes)


@pytest.mark.parametrize("kind", [ItemKind.REFUND, ItemKind.DISPUTE, ItemKind.REVERSAL])
def test_what_a_partner_takes_twice_is_strange(kind: ItemKind) -> None:
    """A regression: a refund, dispute or reversal in two lines or two payouts tied, and its fee counted twice."""
    taken_back = paid("x-1", 200, stage=Stage.REVERSED, unapplied=0, reversed=200)
    known: Known = taken_back if kind is ItemKind.REVERSAL else gone(Thing(kind.value))
    line = item(kind, REFUND_LINE, 30, "x-1")
    twice = took(a_statement(-430), line, line, known=(known,))
    assert (twice.statement.found, twice.statement.ties) == ({Found.KNOWN: 1, Found.PAID_BEFORE: 1}, False)
    assert moved(twice) == {"expenses:payment_fees": 30, CLEARING: -30}
    (after,) = twice.changed
    again = took(a_statement(-230, payout_id="next"), line, known=(after,))
    assert (again.statement.found, moved(again)) == ({Found.PAID_BEFORE: 1}, {})
    page = StatementPage(1, (line,), last=True)
    free = take(a_statement(-230, payout_id="next"), page, by_id(after), frozenset({"po"}))
    assert (free.statement.ties, moved(free)) == (True, {})  # the payout that took it failed


def test_a_dispute_goes_and_comes_and_may_go_again() -> None:
    """Each in a payout of its own: taken, won, and lost in the second round."""
    known: Any = gone(Thing.DISPUTE)
    for number, (amount, fee) in enumerate([(-200, 15), (200, -15), (-200, 15)]):
        taken = took(a_statement(amount - fee, payout_id=f"po-{number}"), item(ItemKind.DISPUTE, amount, fee, "x-1"),
                     known=(known,))  # fmt: skip
        (known,) = taken.changed
        assert (taken.statement.ties, moved(taken)) == (True, {"expenses:payment_fees": fee, CLEARING: -fee})


def test_a_direct_debit_that_came_again_is_known() -> None:
    """A regression: what was received in all was twice the line, so no payout with one tied."""
    known = paid(amount=2_000, unapplied=1_000, reversed=1_000, reversal_told=1_000)
    assert took(a_statement(1_000), item(ItemKind.PAYMENT, 1_000, 0, "p-1"), known=(known,)).statement.ties


def test_a_payment_of_a_failed_payout_comes_with_the_next() -> None:
    """It is free again."""
    page = StatementPage(1, (item(ItemKind.PAYMENT, 1_000, 0, "p-1"),), last=True)
    known = paid(payout_id="failed")
    taken = take(a_statement(1_000), page, by_id(known), frozenset({"failed"}))
    assert (taken.statement.ties, payments(taken)[0].payout_id) == (True, "po")


def test_the_fee_of_what_nobody_knows_is_not_posted() -> None:
    """Its event has still to come, or people ask."""
    taken = took(a_statement(970), item(ItemKind.PAYMENT, 1_000, 30, "p-9"))
    assert (moved(taken), taken.statement.difference) == ({}, 0)


def test_pages_come_in_order_and_end() -> None:
    """Each once."""
    first = took(a_statement(0), last=False).statement
    with pytest.raises(PageOutOfOrder):
        take(first, StatementPage(1, (), last=True), {}, frozenset())
    with pytest.raises(PageOutOfOrder):
        take(first, StatementPage(3, (), last=True), {}, frozenset())
    with pytest.raises(StatementClosed):
        take(took(first).statement, StatementPage(3, (), last=True), {}, frozenset())


def test_a_payout_is_in_one_currency() -> None:
    """A line in another is refused, with all of its page."""
    with pytest.raises(WrongPayoutCurrency):
        took(a_statement(), Item(ItemKind.ADJUSTMENT, "", Money(1, "GBP"), Money(0, "GBP")))


@pytest.mark.parametrize("lines", [(AMOUNT_MINOR, AMOUNT_MINOR), (AMOUNT_MINOR, 1), (-AMOUNT_MINOR, -1)])
def test_lines_that_add_up_to_more_than_any_amount_are_refused(lines: tuple[int, ...]) -> None:
    """A regression: they were taken in, and then nobody could read the payout, nor list payouts."""
    with pytest.raises(Invalid):
        took(a_statement(), *(item(ItemKind.ADJUSTMENT, amount) for amount in lines))
    half = took(a_statement(), item(ItemKind.ADJUSTMENT, lines[0] // 2), last=False).statement
    PayoutAnswer.of(half)
    with pytest.raises(Invalid):
        took(half, item(ItemKind.ADJUSTMENT, lines[0]))


@pytest.mark.parametrize("reference", ["p-1", "order #7 é", "a+b=c", "x" * 255])
def test_a_file_can_name_whatever_an_event_can(reference: str) -> None:
    """A regression: a payment whose id held a blank or was long could never be settled."""
    page = NewPage.model_validate_json(a_page(reference))
    assert object_of(a_statement(), page.content().items[0]) == payment_id("standard", reference)


@pytest.mark.parametrize("reference", ["acct/p-1", "p-1\n", "x" * 256])
def test_a_file_names_nothing_that_no_event_can(reference: str) -> None:
    """A slash would be another account's."""
    with pytest.raises(ValidationError):
        NewPage.model_validate_json(a_page(reference))


def a_page(reference: str) -> str:
    """A page of one payment, as somebody sends it."""
    money = {"amount": 1_000, "currency": "EUR"}
    line = {"kind": "payment", "reference": reference, "amount": money, "fee": money | {"amount": 0}}
    return json.dumps({"page": 1, "items": [line], "last": True})


def test_lines_that_cannot_be() -> None:
    """A fee in another currency, a payment without its id, a page too long, a page 0."""
    with pytest.raises(Invalid):
        Item(ItemKind.FEE, "", euros(1), Money(0, "GBP"))
    with pytest.raises(Invalid):
        item(ItemKind.PAYMENT, 1)
    with pytest.raises(Invalid):
        StatementPage(1, (item(ItemKind.FEE, -1),) * (PAYOUT_PAGE_ITEMS + 1), last=True)
    with pytest.raises(Invalid):
        StatementPage(0, (), last=True)


def test_a_line_is_of_the_account_that_the_payout_is_of() -> None:
    """Ids are only unique within one."""
    statement = a_statement(account="acct_1")
    assert object_of(statement, item(ItemKind.PAYMENT, 1, 0, "p-1")) == payment_id("standard", "p-1", "acct_1")
    assert object_of(statement, item(ItemKind.RESERVE, 1)) is None


LINES = st.builds(
    item,
    st.sampled_from([ItemKind.PAYMENT, ItemKind.FEE, ItemKind.RESERVE, ItemKind.ADJUSTMENT]),
    st.integers(-5_000, 5_000),
    st.integers(-50, 50),
    st.sampled_from(["p-1", "p-2", "p-3"]),
)


@given(st.lists(LINES, max_size=12), st.integers(0, 12), st.integers(-9_000, 9_000))
def test_pages_come_to_the_same_however_they_are_cut(lines: list[Item], cut: int, amount: int) -> None:
    """The sums, what is posted, and which payments are paid out."""
    known = by_id(paid("p-1", fee_told=5), paid("p-2"))
    whole = take(a_statement(amount), StatementPage(1, tuple(lines), last=True), known, frozenset())
    first = take(a_statement(amount), StatementPage(1, tuple(lines[:cut]), last=False), known, frozenset())
    after = known | by_id(*first.changed)
    second = take(first.statement, StatementPage(2, tuple(lines[cut:]), last=True), after, frozenset())
    posted = moved(first)
    for account, sum_ in moved(second).items():
        posted[account] = posted.get(account, 0) + sum_
    assert {account: sum_ for account, sum_ in posted.items() if sum_} == {
        account: sum_ for account, sum_ in moved(whole).items() if sum_
    }
    assert replace(second.statement, pages=1, version=1) == replace(whole.statement, pages=1, version=1)
    assert {one.id for one in whole.changed} == {one.id for one in (*first.changed, *second.changed)}
