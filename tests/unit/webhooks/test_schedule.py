from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.limits import WEBHOOK_ATTEMPTS, WEBHOOK_RETRY_AFTER_SECONDS
from shared.webhooks.rules.schedule import DELAYS, jitter, next_delay, retry_after
from tests.builders import NOON

CAP = timedelta(seconds=WEBHOOK_RETRY_AFTER_SECONDS)
PUBLISHED = ("0:00:00", "0:00:05", "0:05:05", "0:35:05", "2:35:05", "7:35:05", "17:35:05")


def test_the_schedule_is_the_specifications() -> None:
    """Time since start, as the table of Standard Webhooks prints it; ten attempts over 75 h 35 min 5 s."""
    since = [sum(DELAYS[: number + 1], timedelta()) for number in range(len(DELAYS))]
    assert tuple(map(str, since[:7])) == PUBLISHED
    assert since[-3:] == [timedelta(hours=hours, minutes=35, seconds=5) for hours in (31, 51, 75)]
    assert len(DELAYS) == WEBHOOK_ATTEMPTS


@given(st.text(min_size=1), st.integers(1, 100), st.sampled_from(DELAYS))
def test_jitter_only_lengthens_and_by_a_tenth_at_most(delivery: str, number: int, delay: timedelta) -> None:
    """Nobody is called sooner than the schedule says, nor much later; and always after the same time."""
    drawn = jitter(delivery, number, delay)
    assert timedelta() <= drawn <= delay / 10
    assert jitter(delivery, number, delay) == drawn


def test_jitter_scatters() -> None:
    """Deliveries that failed together do not come back together."""
    assert len({jitter(f"delivery-{number}", 2, timedelta(hours=1)) for number in range(100)}) > 90


def test_the_tenth_failure_of_a_round_is_the_last() -> None:
    """After it nothing is scheduled, whatever the receiver asks for."""
    assert next_delay("d", 10, 9, None) is not None
    assert next_delay("d", 11, 10, CAP) is None


def test_what_the_receiver_asks_counts_when_it_is_longer() -> None:
    """A Retry-After never brings an attempt forward."""
    assert next_delay("d", 2, 1, timedelta(minutes=3)) == timedelta(minutes=3)
    assert next_delay("d", 10, 9, timedelta(seconds=1)) == DELAYS[9] + jitter("d", 10, DELAYS[9])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("999999999999", WEBHOOK_RETRY_AFTER_SECONDS),
        ("9" * 5_000, WEBHOOK_RETRY_AFTER_SECONDS),
        ("Mon, 16 Nov 2026 12:01:30 GMT", 90),
        ("Monday, 16-Nov-26 12:01:30 GMT", 90),
        ("Mon Nov 16 12:01:30 2026", 90),
        ("Mon, 16 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", WEBHOOK_RETRY_AFTER_SECONDS),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(text: str, seconds: int) -> None:
    """RFC 9110: seconds, or a date in one of three spellings; at most a day, never before now."""
    assert retry_after(text, NOON) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "soon", "-5", "1.5", "\uff11\uff12", "Mon, 99 Nov 2026", "1e3", "\x00", "(", ",,,"]
)
def test_a_retry_after_that_nobody_can_read_is_none(text: str) -> None:
    """The schedule stands."""
    assert retry_after(text, NOON) is None


@given(st.text(max_size=60))
def test_no_retry_after_is_a_fault_of_ours(text: str) -> None:
    """Whatever a receiver writes there."""
    asked = retry_after(text, NOON)
    assert asked is None or timedelta() <= asked <= CAP


@given(st.integers(0, 86_400))
def test_a_date_is_as_good_as_seconds(seconds: int) -> None:
    """Both say the same."""
    assert retry_after(format_datetime(NOON + timedelta(seconds=seconds), usegmt=True), NOON) == timedelta(
        seconds=seconds
    )
