from datetime import timedelta

import pytest

from shared.webhooks.model import Answer, Trouble
from shared.webhooks.rules.endpoints import enabled
from shared.webhooks.rules.pace import SLOW, SLOW_FOR, paced
from shared.webhooks.rules.settling import settle
from tests.builders import NOON
from tests.unit.webhooks.parts import a_delivery, an_endpoint

A_MOMENT = timedelta.resolution
QUICK = timedelta(milliseconds=200)


@pytest.mark.parametrize("answer", [Answer(204, duration=SLOW), Answer(trouble=Trouble.TIMEOUT, duration=SLOW)])
def test_who_takes_its_time_is_slow_however_it_ends(answer: Answer) -> None:
    """What holds up others is the time, not the answer."""
    assert settle(a_delivery(), an_endpoint(), answer, NOON).endpoint.slow_since == NOON


@pytest.mark.parametrize(
    "answer", [Answer(500, duration=SLOW - A_MOMENT), Answer(204), Answer(trouble=Trouble.TIMEOUT)]
)
def test_who_fails_quickly_is_not_slow(answer: Answer) -> None:
    """It holds up nobody."""
    assert settle(a_delivery(), an_endpoint(), answer, NOON).endpoint.slow_since is None


def test_a_slow_endpoint_is_left_alone_for_five_minutes() -> None:
    """So that many attempts at once do not all write it."""
    slow = an_endpoint(slow_since=NOON)
    soon = NOON + SLOW_FOR - A_MOMENT
    assert paced(slow, SLOW, soon) is slow
    assert paced(slow, QUICK, soon) is slow


def test_then_it_is_what_its_next_attempt_is() -> None:
    """Slow for as long again, or quick."""
    slow, then = an_endpoint(slow_since=NOON), NOON + SLOW_FOR
    assert paced(slow, SLOW, then).slow_since == then
    assert paced(slow, QUICK, then).slow_since is None


def test_what_never_reached_for_it_says_nothing_of_its_pace() -> None:
    """A key that cannot be had is no quick answer."""
    slow = an_endpoint(slow_since=NOON)
    unsent = Answer(trouble=Trouble.SECRET_UNREADABLE)
    assert settle(a_delivery(), slow, unsent, NOON + SLOW_FOR).endpoint.slow_since == NOON


def test_an_endpoint_that_is_enabled_again_begins_quick() -> None:
    """As its failures are forgotten."""
    assert enabled(an_endpoint(slow_since=NOON)).slow_since is None
