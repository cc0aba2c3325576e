"""Holds without a store: whatever is posted of them, in whatever parts, never exceeds them and always balances."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid, Retryable
from shared.ledger.model import Account, AccountState, AccountType, Floor, Line, Side, credit, debit
from shared.ledger.model import currencies_out_of_balance as off_balance
from shared.ledger.records import account_ref, guard_ref, inflow_ref, write_account
from shared.ledger.refusals import AccountFrozen, ExceedsHold, HoldEnded, HoldExpired, InsufficientFunds
from shared.ledger.rules.holds import (
    Hold,
    HoldState,
    PostOrder,
    create_hold,
    elsewhere,
    end,
    post,
    read_hold,
    update_hold,
)
from shared.ledger.rules.pending import Reserved, fold_lines, fold_pending, releasing, reserving
from shared.ledger.rules.reserving import release_guards, reserve, reserve_refs
from shared.money import Money
from shared.ports import Document, Fields, Increment, Ref, Unread, Update, View
from tests.builders import ACME, NOON, a_sale, entry_id, euros

LATER: Final = NOON + timedelta(hours=1)
ACCOUNTS: Final = ("assets:bank", "liabilities:wallet", "revenue:sales")
WALLET: Final = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))
BANK: Final = Account("assets:bank", AccountType.ASSET, "Bank")


def a_hold(*lines: Line) -> Hold:
    """A hold, of 100 from the wallet to the bank unless it says other lines."""
    taken = lines or (debit(WALLET.code, euros(100)), credit(BANK.code, euros(100)))
    amounts = tuple(line.money.amount for line in taken)
    return Hold(entry_id("hold"), taken, amounts, LATER, None, "H-1", "cause", "hash-1")


@st.composite
def balanced(draw: st.DrawFn) -> tuple[Line, ...]:
    """Lines of one or two currencies, several of which may be alike, that balance."""
    lines: list[Line] = []
    for currency in draw(st.sampled_from((("EUR",), ("EUR", "JPY")))):
        amounts = draw(st.lists(st.integers(1, 50), min_size=1, max_size=3))
        for amount in amounts:
            lines += [
                Line(draw(st.sampled_from(ACCOUNTS)), side, Money(amount, currency))
                for side in (Side.DEBIT, Side.CREDIT)
            ]
    return tuple(lines)


@st.composite
def parts(draw: st.DrawFn, hold: Hold) -> PostOrder:
    """A balanced part of what is left, sometimes a little more than that, sometimes all, sometimes final."""
    order = PostOrder(final=draw(st.booleans()))
    if draw(st.booleans()):
        return order
    lines = hold.open_lines
    debits = [line for line in lines if line.side is Side.DEBIT]
    wanted = draw(st.sampled_from(debits))
    credited = next(line for line in lines if line.side is Side.CREDIT and line.money.currency == wanted.money.currency)
    amount = draw(st.integers(1, max(wanted.money.amount, credited.money.amount) + 1))
    money = Money(amount, wanted.money.currency)
    return PostOrder((debit(wanted.account, money), credit(credited.account, money)), order.final)


@given(data=st.data(), lines=balanced())
def test_parts_never_exceed_and_all_adds_up(data: st.DataObject, lines: tuple[Line, ...]) -> None:
    """After any posts: hold = posted + left, both balance, and what was set free is what was reserved."""
    hold = a_hold(*lines)
    posted: list[Line] = []
    freed: list[Line] = []
    for _ in range(6):
        if hold.state is not HoldState.RESERVED:
            break
        order = data.draw(parts(hold))
        try:
            posting = post(hold, order, NOON)
        except ExceedsHold:
            assert fold_lines(order.lines or ()) != fold_lines(hold.open_lines)
            continue
        assert not off_balance(posting.lines)
        assert not off_balance(posting.after.open_lines)
        assert posting.after.version == hold.version + 1
        posted += posting.lines
        freed += posting.release
        hold = posting.after
    left = [line for line, amount in zip(hold.lines, hold.left, strict=True) for _ in range(amount)]
    ones = [Line(line.account, line.side, Money(1, line.money.currency)) for line in left]
    assert fold_lines((*posted, *ones)) == fold_lines(lines)
    assert fold_lines((*freed, *hold.open_lines)) == fold_lines(lines)
    assert all(amount >= 0 for amount in hold.left)
    with pytest.raises(HoldEnded):
        end(end(hold, HoldState.VOIDED), HoldState.EXPIRED)


@given(lines=balanced(), state=st.sampled_from(HoldState))
def test_a_hold_reads_back_as_it_was_written(lines: tuple[Line, ...], state: HoldState) -> None:
    """Its document and every update of it."""
    hold = a_hold(*lines)
    made = create_hold(ACME, hold)
    document = Document(made.ref, made.fields, "7.0", NOON)
    assert read_hold(document) == hold
    ended = post(hold, PostOrder(), NOON).after if state is HoldState.POSTED else hold
    moved = update_hold(document, ended)
    again = read_hold(Document(made.ref, {**made.fields, **moved.fields}, "8.0", NOON))
    assert again == ended
    assert (moved.fields["due_at"] is None) is (ended.state is not HoldState.RESERVED)


@given(lines=balanced(), shard=st.integers(0, 3))
def test_reserving_and_releasing_cancel_out(lines: tuple[Line, ...], shard: int) -> None:
    """By account, currency and side; releasing demands that the documents are there."""
    shards = dict.fromkeys(ACCOUNTS, shard)
    there, back = reserving(ACME, lines, shards), releasing(ACME, lines, shards)
    assert [write.ref for write in there] == [write.ref for write in back]
    assert not any(write.must_exist for write in there)
    assert all(write.must_exist for write in back)
    for write, undone in zip(there, back, strict=True):
        assert {path: -amount for path, amount in write.amounts.items()} == undone.amounts
    assert fold_pending(_as_documents(there)) == fold_lines(lines)


def _as_documents(increments: tuple[Increment, ...]) -> list[Document]:
    documents = []
    for write in increments:
        sums: dict[str, dict[str, int]] = {}
        for (_, currency, side), amount in write.amounts.items():
            sums.setdefault(currency, {})[side] = amount
        documents.append(Document(write.ref, {**write.fields, "reserved": sums}, "7.0", NOON))
    return documents


def test_what_is_reserved_of_the_normal_side_is_not_available() -> None:
    """Credits of an asset, debits of a liability."""
    reserved = Reserved(debits=7, credits=9)
    assert (reserved.outgoing(BANK), reserved.outgoing(WALLET)) == (9, 7)


def test_a_hold_is_over_at_its_instant() -> None:
    """One moment before it can still be posted."""
    assert post(a_hold(), PostOrder(), LATER - timedelta(microseconds=1)).after.state is HoldState.POSTED
    with pytest.raises(HoldExpired):
        post(a_hold(), PostOrder(), LATER)


def test_what_no_entry_could_be_is_no_hold() -> None:
    """Off balance, or one line."""
    with pytest.raises(Invalid):
        a_hold(debit(BANK.code, euros(1)), credit(WALLET.code, euros(2)))
    with pytest.raises(Invalid):
        PostOrder((debit(BANK.code, euros(1)),))


def test_a_final_part_says_what_it_frees_elsewhere() -> None:
    """The lines on accounts that its entry does not move."""
    wide = a_hold(debit("a", euros(60)), debit("b", euros(40)), credit("c", euros(100)))
    posting = post(wide, PostOrder((debit("a", euros(60)), credit("c", euros(60))), final=True), NOON)
    assert elsewhere(posting) == (debit("b", euros(40)),)
    assert fold_lines(posting.release) == fold_lines(wide.lines)


# --- reserving ---------------------------------------------------------------------------


def a_document(ref: Ref, fields: Fields) -> Document:
    """A document as read."""
    return Document(ref, fields, "7.0", NOON)


def a_view(*, received: int, held: int = 0, state: AccountState = AccountState.OPEN) -> View:
    """The wallet with so much received and held, and the bank."""
    wallet = {**write_account(WALLET), "state": state.value}
    documents = (
        a_document(account_ref(ACME, WALLET.code), wallet),
        a_document(account_ref(ACME, BANK.code), write_account(BANK)),
        a_document(guard_ref(ACME, WALLET.code), {"limit": 0, "spent": 0, "held": held, "version": 3}),
        a_document(inflow_ref(ACME, WALLET.code), {"credits": received}),
    )
    refs = dict.fromkeys(reserve_refs(ACME, a_hold()))
    return View(refs | {document.ref: document for document in documents})


def test_reserving_reads_all_at_once() -> None:
    """Accounts, guards and inflows in one round."""
    with pytest.raises(Unread) as unread:
        reserve(ACME, a_hold(), NOON, View({}))
    assert unread.value.refs == frozenset(reserve_refs(ACME, a_hold()))


def test_reserving_holds_every_account_and_the_guard_it_goes_through() -> None:
    """Only inflows and guards that nothing is taken through may be stale."""
    planned = reserve(ACME, a_hold(), NOON, a_view(received=100))
    (guard,) = [write for write in planned.writes if isinstance(write, Update)]
    assert (guard.fields["held"], guard.fields["spent"], guard.fields["version"]) == (100, 0, 4)
    unloose = set(reserve_refs(ACME, a_hold())) - planned.loose
    assert unloose == {account_ref(ACME, code) for code in a_hold().accounts} | {guard_ref(ACME, WALLET.code)}


@pytest.mark.parametrize(
    ("view", "refusal"),
    [
        (a_view(received=99), InsufficientFunds),
        (a_view(received=150, held=51), InsufficientFunds),
        (a_view(received=100, state=AccountState.FROZEN), AccountFrozen),
    ],
)
def test_a_refused_hold_reserves_nothing(view: View, refusal: type[Exception]) -> None:
    """It only leaves its record, which holds what it rests on."""
    planned = reserve(ACME, a_hold(), NOON, view)
    assert isinstance(planned.refusal, refusal)
    assert (planned.writes, planned.hold.state) == ((), HoldState.REFUSED)
    assert guard_ref(ACME, WALLET.code) not in planned.loose


@pytest.mark.parametrize("state", [AccountState.ADDING_FLOOR, AccountState.CLOSING])
def test_an_account_in_a_transition_neither_holds_nor_lets_go(state: AccountState) -> None:
    """What a floor or a close is decided on stands still: come again."""
    view = a_view(received=100, held=100, state=state)
    with pytest.raises(Retryable):
        reserve(ACME, a_hold(), NOON, view)
    with pytest.raises(Retryable):
        release_guards(ACME, a_hold().lines, view)


def test_a_frozen_account_lets_go() -> None:
    """Giving back is no posting."""
    view = a_view(received=100, held=100, state=AccountState.FROZEN)
    (guard,) = release_guards(ACME, a_hold().lines, view)
    assert isinstance(guard, Update)
    assert guard.fields["held"] == 0


def test_the_hold_is_part_of_what_an_entry_says() -> None:
    """A seal covers which hold an entry posts; an entry of none hashes as it always did."""
    entry = a_sale()
    of_one = replace(entry, hold=entry_id("hold"))
    assert replace(of_one, hold=None).content_hash == entry.content_hash
    assert len({entry.content_hash, of_one.content_hash, replace(entry, hold=entry_id("other")).content_hash}) == 3
