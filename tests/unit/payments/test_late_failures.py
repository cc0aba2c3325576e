"""Payments that may fail after they succeeded: the youngest word decides, whatever the order."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent, Payment, Stage
from shared.payments.rules.late_failures import Turn, again, dated, passed, still, taken_back, turn
from shared.payments.rules.lifecycles import PAYMENT, step
from shared.payments.rules.paying import begin, receive
from shared.payments.rules.settlement import Settlement
from tests.builders import NOON

FAILED, SUCCEEDED, PENDING = EventKind.PAYMENT_FAILED, EventKind.PAYMENT_SUCCEEDED, EventKind.PAYMENT_PENDING


def an_event(kind: EventKind, minutes: int, partner: str = "gocardless") -> PartnerEvent:
    """An event of a payment of 120.00 pounds, so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    return PartnerEvent(partner, f"EV{minutes}", "", kind, at, payment="PM1", money=Money(12_000, "GBP"))


def meet(event: PartnerEvent, known: Payment | None) -> Settlement | None:
    """What an event comes to, as `settling` has it."""
    late = turn(event, known)
    if known is not None and late is not Turn.ORDINARY:
        turned = {
            Turn.STILL: lambda: still(known, event),
            Turn.PASSED: lambda: passed(known, event),
            Turn.REVERSED: lambda: dated(taken_back(known, event, (None, {})), event),
            Turn.AGAIN: lambda: again(known, receive(known.id, event, known, None)),
        }
        return turned[late]()
    stage = step(PAYMENT, known.stage if known else None, event.kind)
    if not isinstance(stage, Stage):
        return None
    return receive("p", event, known, None) if stage is Stage.SUCCEEDED else begin("p", event, known, stage)


@st.composite
def disordered(draw: st.DrawFn) -> list[tuple[EventKind, int]]:
    """A life of one to six words, each at a time of its own, told in any order, some of it twice."""
    kinds = draw(st.lists(st.sampled_from([FAILED, SUCCEEDED, PENDING]), min_size=1, max_size=6))
    life = list(zip(kinds, range(len(kinds)), strict=True))
    return list(draw(st.permutations(life + draw(st.lists(st.sampled_from(life), max_size=3)))))


@given(disordered())
def test_the_youngest_word_decides_whatever_the_order(told: list[tuple[EventKind, int]]) -> None:
    """The money is with us if the last word but of what is pending says so, and every entry balances to that."""
    known, in_clearing = None, 0
    for kind, minutes in told:
        settlement = meet(an_event(kind, minutes), known)
        if settlement is not None:
            known = settlement.payment
            in_clearing += sum(
                line.money.amount * (1 if line.side.value == "debit" else -1)
                for line in settlement.lines
                if line.account.startswith("assets:clearing")
            )
    last = max(((minutes, kind) for kind, minutes in told if kind is not PENDING), default=(0, FAILED))[1]
    left = 12_000 if last is SUCCEEDED else 0
    assert known is not None
    assert (known.matched + known.unapplied, in_clearing) == (left, left)


def test_a_failure_is_as_old_as_it_says_whenever_the_payment_was_pending() -> None:
    """What was pending last, and told first, does not make an earlier attempt's failure younger than the success."""
    known: Payment | None = None
    for kind, minutes in ((PENDING, 2), (FAILED, 0), (SUCCEEDED, 1)):
        settlement = meet(an_event(kind, minutes), known)
        known = settlement.payment if settlement else known
    assert known is not None
    assert (known.stage, known.unapplied) == (Stage.SUCCEEDED, 12_000)


def test_a_partner_whose_payments_do_not_fail_late_is_as_ever() -> None:
    """A failure after the success is an attempt of before, however it is dated."""
    settlement = meet(an_event(SUCCEEDED, 0, "stripe"), None)
    assert settlement is not None
    assert turn(an_event(FAILED, 5, "stripe"), settlement.payment) is Turn.ORDINARY
    assert meet(an_event(FAILED, 5, "stripe"), settlement.payment) is None


def test_money_that_came_went_and_came_is_all_on_record() -> None:
    """Received twice, reversed once, and what was reversed is never more than came."""
    known = None
    for kind, minutes in ((SUCCEEDED, 0), (FAILED, 1), (SUCCEEDED, 2)):
        settlement = meet(an_event(kind, minutes), known)
        assert settlement is not None
        known = settlement.payment
    assert known is not None
    assert (known.received, known.reversed, known.unapplied, known.stage) == (24_000, 12_000, 12_000, Stage.SUCCEEDED)
