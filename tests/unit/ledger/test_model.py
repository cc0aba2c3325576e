"""Entries, accounts and periods that cannot be built wrong."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid
from shared.ledger.model import (
    Account,
    AccountType,
    EntryKind,
    JournalEntry,
    Period,
    PeriodState,
    Unbalanced,
    account_code,
    credit,
    debit,
)
from shared.money import Money
from tests.builders import TODAY, a_sale, entry_id, euros


def test_an_entry_whose_sides_differ_is_refused_by_currency() -> None:
    """Balanced in euro and off in pounds names pounds."""
    lines = (
        debit("a", euros(5)),
        credit("b", euros(5)),
        debit("a", Money(7, "GBP")),
        credit("b", Money(6, "GBP")),
    )
    with pytest.raises(Unbalanced, match="GBP") as refused:
        JournalEntry(entry_id("x"), lines, TODAY, "x", "h")
    assert refused.value.field == "lines"


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=20))
def test_debits_against_one_credit_of_their_sum_balance(amounts: list[int]) -> None:
    """Any debits balance with one credit of their sum, and with no other."""
    lines = tuple(debit("a", euros(amount)) for amount in amounts)
    JournalEntry(entry_id("x"), (*lines, credit("b", euros(sum(amounts)))), TODAY, "x", "h")
    with pytest.raises(Unbalanced):
        JournalEntry(entry_id("x"), (*lines, credit("b", euros(sum(amounts) + 1))), TODAY, "x", "h")


@pytest.mark.parametrize("amount", [0, -1])
def test_a_line_is_positive(amount: int) -> None:
    """The side says the direction, so a negative or empty line is refused."""
    with pytest.raises(Invalid):
        debit("a", euros(amount))


@pytest.mark.parametrize("code", ["", "A", "a/b", "a b", ".", "..", "__a__", "x" * 129, "é"])
def test_account_codes_keep_to_their_alphabet(code: str) -> None:
    """A code is a path segment of a document and nothing that could leave it."""
    with pytest.raises(Invalid):
        account_code(code)


def test_one_line_is_no_entry() -> None:
    """Double entry needs two lines."""
    with pytest.raises(Invalid):
        JournalEntry(entry_id("x"), (debit("a", euros(1)),), TODAY, "x", "h")


def test_the_content_hash_covers_what_was_posted() -> None:
    """Another amount, day, kind or account is another content; the same is the same."""
    assert a_sale().content_hash == a_sale().content_hash
    others = [a_sale(1), a_sale(on=TODAY.replace(day=1)), a_sale(kind=EntryKind.ADJUSTING), a_sale(of="revenue:other")]
    assert len({a_sale().content_hash, *(other.content_hash for other in others)}) == 5


def test_unicode_that_looks_the_same_hashes_the_same() -> None:
    """A cause in composed and in decomposed form is one content."""
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    lines = (debit("a", euros(1)), credit("b", euros(1)))
    first = JournalEntry(entry_id("x"), lines, TODAY, composed, "h")
    second = JournalEntry(entry_id("x"), lines, TODAY, decomposed, "h")
    assert first.content_hash == second.content_hash


@pytest.mark.parametrize(
    ("state", "regular", "adjusting"),
    [(PeriodState.OPEN, True, True), (PeriodState.SOFT_CLOSED, False, True), (PeriodState.HARD_CLOSED, False, False)],
)
def test_periods_accept_by_state_and_kind(state: PeriodState, *, regular: bool, adjusting: bool) -> None:
    """A soft close stops regular entries, a hard close all."""
    period = Period("2026-11", state)
    assert (period.accepts(EntryKind.REGULAR), period.accepts(EntryKind.ADJUSTING)) == (regular, adjusting)


def test_an_account_has_at_most_64_shards() -> None:
    """More shards than the protocol plans for are refused."""
    with pytest.raises(Invalid):
        Account("a", AccountType.ASSET, "A", shards=65)
