"""A statement's cursor is believed only as it was given out, for the question that it was given out for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Refused
from shared.identity import TenantId
from shared.ledger.model import Side, credit, debit
from shared.ledger.records import RecordedEntry
from shared.ledger.refusals import ForeignCursor, StaleCursor
from shared.ledger.rules.balances import View
from shared.ledger.rules.statements import STALE_AFTER, Position, Question, lines_of, open_cursor, sign_cursor
from tests.builders import ACME, NOON, a_sale, euros

KEY, OLD = b"k" * 32, b"o" * 32
QUESTION = Question(ACME, "assets:bank", date(2026, 1, 1), date(2026, 12, 31))
POSITION = Position(NOON, NOON, Side.DEBIT, {"EUR": 5, "JPY": -(10**18)}, "store-cursor")


def test_a_cursor_comes_back_as_the_position_it_was_made_of() -> None:
    """Under the newest key or any that is still live."""
    for key in (KEY, OLD):
        assert open_cursor(sign_cursor(QUESTION, POSITION, key), QUESTION, (KEY, OLD), NOON) == POSITION


@pytest.mark.parametrize(
    "other",
    [
        replace(QUESTION, tenant=TenantId("rival")),
        replace(QUESTION, account="assets:cash"),
        replace(QUESTION, first=date(2026, 1, 2)),
        replace(QUESTION, last=date(2026, 12, 30)),
        replace(QUESTION, view=View.POSTED),
    ],
)
def test_a_cursor_of_another_question_is_foreign(other: Question) -> None:
    """Above all that of another tenant."""
    with pytest.raises(ForeignCursor):
        open_cursor(sign_cursor(other, POSITION, KEY), QUESTION, (KEY,), NOON)


@given(st.data())
def test_a_cursor_with_any_character_changed_is_foreign(data: st.DataObject) -> None:
    """Balances, instant and place are what was signed."""
    cursor = sign_cursor(QUESTION, POSITION, KEY)
    place = data.draw(st.integers(0, len(cursor) - 1))
    character = data.draw(st.characters().filter(lambda one: one != cursor[place]))
    with pytest.raises(ForeignCursor):
        open_cursor(cursor[:place] + character + cursor[place + 1 :], QUESTION, (KEY,), NOON)


@given(st.text(max_size=200))
def test_whatever_is_no_cursor_is_foreign(text: str) -> None:
    """And never an error of ours."""
    with pytest.raises(ForeignCursor):
        open_cursor(text, QUESTION, (KEY,), NOON)


def test_a_cursor_of_a_retired_key_is_foreign() -> None:
    """Keys that are gone sign nothing."""
    with pytest.raises(ForeignCursor):
        open_cursor(sign_cursor(QUESTION, POSITION, OLD), QUESTION, (KEY,), NOON)


def test_a_cursor_is_stale_before_its_instant_is_gone() -> None:
    """The store reads an hour back, and we stop believing in time."""
    cursor = sign_cursor(QUESTION, POSITION, KEY)
    assert open_cursor(cursor, QUESTION, (KEY,), NOON + STALE_AFTER) == POSITION
    with pytest.raises(StaleCursor) as refused:
        open_cursor(cursor, QUESTION, (KEY,), NOON + STALE_AFTER + timedelta(seconds=1))
    assert isinstance(refused.value, Refused)


def test_the_balance_runs_by_currency_on_the_normal_side() -> None:
    """An entry with two lines on the account shows both."""
    entry = replace(
        a_sale(),
        lines=(
            debit("assets:bank", euros(7)),
            credit("assets:bank", euros(3)),
            credit("revenue:sales", euros(4)),
        ),
    )
    recorded = RecordedEntry(entry, posted=True, recorded_at=NOON, refusal=None)
    lines, balances = lines_of(QUESTION, replace(POSITION, balances={"EUR": 10}), [recorded])
    assert [(line.place, line.balance) for line in lines] == [(0, 17), (1, 14)]
    assert balances == {"EUR": 14}
    mirrored, _ = lines_of(QUESTION, replace(POSITION, normal_side=Side.CREDIT, balances={"EUR": 10}), [recorded])
    assert [line.balance for line in mirrored] == [-17, -14]
