"""What partners answer of a payout's lines, in the shapes that they document, and what is made of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Fault, Retryable
from shared.limits import PAYOUT_PAGE_ITEMS
from shared.money import Money
from shared.payments.model import Thing
from shared.payments.partners.api import PayoutItems
from shared.payments.partners.apis import DIALECTS, dialect_of
from shared.payments.partners.apis.speaking import Reply, read_json
from shared.payments.payouts.model import Item, ItemKind
from shared.payments.refusals import NotAskable
from tests.unit.payments.partner_answers import ASKABLE, KEY, Asked, Said, named

PAYOUT = ASKABLE["gocardless", Thing.PAYOUT]


def told(said: Any, status: int = 200) -> Reply:
    """A reply as it is read from the line."""
    return Reply(status, read_json(json.dumps(said).encode()))


def lines(partner: str, *replies: Any, cursor: str = "") -> PayoutItems:
    """What is made of a partner's answers."""
    return dialect_of(partner).payout_items(Asked(*map(told, replies)), KEY, named(partner, Thing.PAYOUT), cursor)


def item(kind: ItemKind, amount: int, fee: int = 0, reference: str = "") -> Item:
    """A line in pounds."""
    return Item(kind, reference, Money(amount, "GBP"), Money(fee, "GBP"))


# --- Stripe ------------------------------------------------------------------------------


def transaction(category: str, amount: int, fee: int = 0, source: Any = None, number: int = 1) -> Said:
    """A balance transaction with its source expanded."""
    said = {"id": f"txn_{number}", "amount": amount, "fee": fee, "net": amount - fee, "currency": "gbp"}
    return said | {"type": "adjustment", "reporting_category": category, "source": source}


def test_stripes_balance_transactions_are_lines() -> None:
    """A charge by its payment intent, where it has one; the payout itself is none."""
    rows = [
        transaction("payout", -700, source={"id": "po_1"}),
        transaction("charge", 1_000, 30, {"id": "ch_1", "payment_intent": "pi_1"}),
        transaction("charge", 500, 10, {"id": "ch_2", "payment_intent": None}),
        transaction("charge_failure", -500, -10, {"id": "py_2", "payment_intent": "pi_2"}),
        transaction("refund", -200, source={"id": "re_1", "payment_intent": "pi_1"}),
        transaction("dispute", -50, 15, {"id": "dp_1", "payment_intent": "pi_1"}),
        transaction("fee", -5),
        transaction("risk_reserved_funds", -30),
        transaction("topup", 7, number=9),
    ]
    assert lines("stripe", {"data": rows, "has_more": False}) == PayoutItems(
        (
            item(ItemKind.PAYMENT, 1_000, 30, "pi_1"),
            item(ItemKind.PAYMENT, 500, 10, "ch_2"),
            item(ItemKind.REVERSAL, -500, -10, "pi_2"),
            item(ItemKind.REFUND, -200, 0, "re_1"),
            item(ItemKind.DISPUTE, -50, 15, "dp_1"),
            item(ItemKind.FEE, -5),
            item(ItemKind.RESERVE, -30),
            item(ItemKind.ADJUSTMENT, 7),
        ),
        "",
    )
    assert lines("stripe", {"data": rows, "has_more": True}).cursor == "txn_9"


def test_what_came_back_of_an_earlier_payout_is_money_of_the_next() -> None:
    """A regression: it was taken for the payout itself, so the payout after one that failed did not tie."""
    rows = [
        transaction("payout_reversal", 700, source={"id": "po_failed"}),
        transaction("payout_reversal", 900, source={"id": "po_1"}),
        transaction("payout", -700, source={"id": "po_1"}),
    ]
    assert lines("stripe", {"data": rows, "has_more": False}).items == (item(ItemKind.ADJUSTMENT, 700),)


def test_stripe_is_asked_for_a_hundred_after_the_last() -> None:
    """Of that payout, with what each is about."""
    asked = Asked(told({"data": [], "has_more": False}))
    DIALECTS["stripe"].payout_items(asked, KEY, named("stripe", Thing.PAYOUT), "txn_9")
    (request,) = asked.requests
    assert request.path == (
        f"/v1/balance_transactions?payout=po_1&limit={PAYOUT_PAGE_ITEMS}&expand%5B%5D=data.source&starting_after=txn_9"
    )


# --- GoCardless --------------------------------------------------------------------------


def row(name: str, amount: str, **links: str) -> Said:
    """A payout item."""
    return {"type": name, "amount": amount, "links": {"payment": "PM1", **links}, "taxes": []}


def page(*rows: Said, after: str | None = None) -> Said:
    """A page of them."""
    return {"payout_items": list(rows), "meta": {"cursors": {"before": None, "after": after}, "limit": 100}}


def test_gocardlesss_payout_items_are_lines() -> None:
    """In the currency of the payout; a chargeback by its payment, as its events have it."""
    rows = (
        row("payment_paid_out", "1200.0"),
        row("payment_failed", "-300.0"),
        row("payment_charged_back", "-50.0"),
        row("payment_refunded", "-20.0", refund="RF1"),
        row("refund_funds_returned", "20.0", refund="RF1"),
        row("gocardless_fee", "-20.0"),
        row("revenue_share", "1"),
    )
    assert lines("gocardless", PAYOUT, page(*rows)) == PayoutItems(
        (
            item(ItemKind.PAYMENT, 1_200, 0, "PM1"),
            item(ItemKind.REVERSAL, -300, 0, "PM1"),
            item(ItemKind.DISPUTE, -50, 0, "PM1"),
            item(ItemKind.REFUND, -20, 0, "RF1"),
            item(ItemKind.REFUND, 20, 0, "RF1"),
            item(ItemKind.FEE, -20),
            item(ItemKind.ADJUSTMENT, 1),
        ),
        "",
    )


@given(st.lists(st.integers(-400, 400), max_size=30), st.integers(0, 30))
def test_tenths_of_a_penny_add_up_to_what_is_paid(tenths: list[int], cut: int) -> None:
    """However they are cut into pages: all lines together are rounded once, as GoCardless does."""
    rows = [row("gocardless_fee", f"{'-' if one < 0 else ''}{abs(one) // 10}.{abs(one) % 10}") for one in tenths]
    first = lines("gocardless", PAYOUT, page(*rows[:cut], after="CU1"))
    second = lines("gocardless", PAYOUT, page(*rows[cut:]), cursor=first.cursor)
    paid = sum(one.money.amount for one in (*first.items, *second.items))
    assert abs(paid * 10 - sum(tenths)) <= 5
    whole = [one for one in tenths if one % 10 == 0]
    kept = [one.money.amount for one in (*first.items, *second.items)]
    assert all(one // 10 in kept for one in whole)


# --- Square ------------------------------------------------------------------------------


def entry(name: str, gross: int, net: int, **details: Said) -> Said:
    """A payout entry."""
    money = {"gross_amount_money": gross, "net_amount_money": net, "fee_amount_money": gross - net}
    amounts = {part: {"amount": amount, "currency": "GBP"} for part, amount in money.items()}
    return {"id": "poe_1", "payout_id": "po_1", "type": name} | amounts | details


def test_squares_payout_entries_are_lines() -> None:
    """What is kept is what the net lacks of the gross."""
    rows = [
        entry("CHARGE", 1_000, 970, type_charge_details={"payment_id": "pay_1"}),
        entry("REFUND", -200, -195, type_refund_details={"payment_id": "pay_1", "refund_id": "ref_1"}),
        entry("OPEN_DISPUTE", -50, -50, type_open_dispute_details={"payment_id": "pay_1", "dispute_id": "dp_1"}),
        entry("TAX_ON_FEE", -3, -3),
        entry("RESERVE_HOLD", -10, -10),
        entry("SQUARE_CAPITAL_PAYMENT", -9, -9),
    ]
    assert lines("square", {"payout_entries": rows, "cursor": "next"}) == PayoutItems(
        (
            item(ItemKind.PAYMENT, 1_000, 30, "pay_1"),
            item(ItemKind.REFUND, -200, -5, "ref_1"),
            item(ItemKind.DISPUTE, -50, 0, "dp_1"),
            item(ItemKind.FEE, -3),
            item(ItemKind.RESERVE, -10),
            item(ItemKind.ADJUSTMENT, -9),
        ),
        "next",
    )
    assert lines("square", {}) == PayoutItems((), "")


# --- all of them -------------------------------------------------------------------------


@pytest.mark.parametrize("partner", ["adyen", "airwallex", "wise"])
def test_who_says_it_in_a_file_only_cannot_be_asked(partner: str) -> None:
    """People take the file in."""
    with pytest.raises(NotAskable):
        DIALECTS[partner].payout_items(Asked(), KEY, named("stripe", Thing.PAYOUT), "")


@pytest.mark.parametrize(
    ("partner", "said"),
    [
        ("stripe", {"data": [transaction("charge", 1, 0, "ch_1")], "has_more": False}),
        ("stripe", {"data": [transaction("refund", 1, 0)], "has_more": False}),
        ("stripe", {"data": [{**transaction("fee", 1), "amount": 1.5}], "has_more": False}),
        ("stripe", {"has_more": False}),
        ("square", {"payout_entries": [entry("CHARGE", 1, 1)]}),
        ("square", {"payout_entries": [{**entry("FEE", 1, 1), "net_amount_money": None}]}),
        ("square", []),
    ],
)
def test_lines_that_nobody_understands_are_asked_for_again(partner: str, said: Any) -> None:
    """Nothing of them is taken in."""
    with pytest.raises(Retryable):
        lines(partner, said)


@pytest.mark.parametrize(
    ("cursor", "replies"),
    [
        ("txn_1", [{"data": [transaction("fee", -1)], "has_more": True}]),
        ("CU1~0", [PAYOUT, page(row("gocardless_fee", "-1.5"), after="CU1")]),
        ("next", [{"payout_entries": [entry("FEE", -1, -1)], "cursor": "next"}]),
    ],
    ids=["stripe", "gocardless", "square"],
)
def test_a_page_that_is_followed_by_itself_is_no_answer(cursor: str, replies: list[Any]) -> None:
    """A regression: it was taken in up to a thousand times, each with its fees."""
    partner = {"txn_1": "stripe", "CU1~0": "gocardless", "next": "square"}[cursor]
    with pytest.raises(Retryable):
        lines(partner, *replies, cursor=cursor)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "has_more", "payout_items", "meta", "payout_entries", "type"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(["stripe", "gocardless", "square"]), JSON)
def test_whatever_a_partner_answers_is_lines_or_a_fault_that_we_know(partner: str, said: Any) -> None:
    """Never a bug."""
    try:
        found = lines(partner, *([PAYOUT] if partner == "gocardless" else []), said)
    except Fault:
        return
    assert isinstance(found, PayoutItems)
