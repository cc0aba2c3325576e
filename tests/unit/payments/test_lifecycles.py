"""The tables of stages: what is news, what waits, what is stale, whatever the order."""

from itertools import permutations

import pytest

from shared.payments.applying import TOLD
from shared.payments.model import EventKind, Stage, Thing
from shared.payments.rules.clearing import HELD
from shared.payments.rules.lifecycles import TABLES, THING, Meaning, step

LIVES = [
    (
        Thing.PAYMENT,
        (EventKind.PAYMENT_PENDING, EventKind.PAYMENT_FAILED, EventKind.PAYMENT_SUCCEEDED),
        Stage.SUCCEEDED,
    ),
    (
        Thing.PAYMENT,
        (EventKind.PAYMENT_PENDING, EventKind.PAYMENT_SUCCEEDED, EventKind.PAYMENT_REVERSED),
        Stage.REVERSED,
    ),
    (Thing.PAYMENT, (EventKind.PAYMENT_PENDING, EventKind.PAYMENT_FAILED), Stage.FAILED),
    (Thing.REFUND, (EventKind.REFUND_SUCCEEDED, EventKind.REFUND_FAILED), Stage.FAILED),
    (Thing.REFUND, (EventKind.REFUND_FAILED,), Stage.VOID),
    (Thing.DISPUTE, (EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON), Stage.WON),
    (Thing.DISPUTE, (EventKind.DISPUTE_OPENED, EventKind.DISPUTE_LOST), Stage.LOST),
    (Thing.DISPUTE, (EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST), Stage.LOST),
    (Thing.PAYOUT, (EventKind.PAYOUT_PAID, EventKind.PAYOUT_FAILED), Stage.FAILED),
    (Thing.PAYOUT, (EventKind.PAYOUT_FAILED,), Stage.VOID),
]


@pytest.mark.parametrize(("thing", "life", "end"), LIVES)
def test_any_order_with_duplicates_ends_in_the_same_stage(
    thing: Thing, life: tuple[EventKind, ...], end: Stage
) -> None:
    """Who waits comes again; nobody waits for ever, and nothing turns back."""
    for order in permutations((*life, *life)):
        stage: Stage | None = None
        left = list(order)
        for _ in range(len(order) ** 2):
            if not left:
                break
            kind = left.pop(0)
            after = step(TABLES[thing], stage, kind)
            if after is Meaning.WAITS:
                left.append(kind)
            elif isinstance(after, Stage):
                stage = after
        assert (stage, left) == (end, []), order


def test_every_stage_of_every_table_has_its_row() -> None:
    """No event meets a stage that the table does not know."""
    for steps in TABLES.values():
        assert {after for ends in steps.values() for after in ends.values()} == set(steps) - {None}


def test_every_kind_for_the_books_is_announced_and_the_others_are_not() -> None:
    """What is about something has a name for those who listen."""
    assert set(TOLD) == set(THING)
    assert set(EventKind) - set(THING) == {EventKind.OTHER, EventKind.UNREADABLE}


def test_at_every_stage_of_a_dispute_and_a_payout_its_money_is_somewhere() -> None:
    """And in whatever order it got there, on the account of that stage alone."""
    assert {thing: set(held) for thing, held in HELD.items()} == {thing: set(TABLES[thing]) for thing in HELD}


def test_an_older_event_never_overwrites_a_newer_stage() -> None:
    """It is stale, and not an error."""
    assert step(TABLES[Thing.PAYMENT], Stage.SUCCEEDED, EventKind.PAYMENT_PENDING) is Meaning.STALE
    assert step(TABLES[Thing.PAYMENT], Stage.SUCCEEDED, EventKind.PAYMENT_FAILED) is Meaning.STALE
    assert step(TABLES[Thing.DISPUTE], Stage.LOST, EventKind.DISPUTE_WON) is Meaning.STALE
