from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.services.backoff import Backoff
from emulators.services.outcalls import Answer, read_retry_after
from emulators.services.tasks.history import History, RetryRule
from emulators.services.tasks.rate import Bucket, Pace

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DOCUMENTED = Backoff(10 * SECOND, 300 * SECOND, 3)


def test_the_documented_backoff() -> None:
    """10 s, 300 s, 3 doublings: the example of google.cloud.tasks.v2.RetryConfig."""
    waits = [DOCUMENTED.delay(retry) // SECOND for retry in range(1, 9)]
    assert waits == [10, 20, 40, 80, 160, 240, 300, 300]


@given(st.integers(1, 5_000), st.integers(0, 10_000), st.integers(0, 40), st.integers(1, 10_000))
def test_backoff_never_shrinks_and_stays_within_its_limits(least: int, extra: int, doublings: int, retry: int) -> None:
    """Between minimum and maximum, each wait at least as long as the one before."""
    backoff = Backoff(least * SECOND, (least + extra) * SECOND, doublings)
    assert backoff.minimum <= backoff.delay(retry) <= backoff.delay(retry + 1) <= backoff.maximum


@pytest.mark.parametrize(
    ("max_attempts", "max_seconds", "attempts", "elapsed", "is_over"),
    [
        (5, 0, 4, 10**6, False),
        (5, 0, 5, 0, True),
        (5, 60, 5, 59, False),
        (5, 60, 4, 60, False),
        (5, 60, 5, 60, True),
        (-1, 60, 99, 60, True),
        (-1, 0, 10**6, 10**9, False),
    ],
)
def test_a_task_is_given_up_when_every_limit_that_is_set_is_reached(
    max_attempts: int, max_seconds: int, attempts: int, elapsed: int, *, is_over: bool
) -> None:
    """Attempts and duration both; a limit that is not set does not count; none set never ends."""
    rule = RetryRule(max_attempts, max_seconds * SECOND, DOCUMENTED)
    history = History(attempts=attempts, first_attempt_at=NOON)
    assert rule.is_exhausted(history, NOON + elapsed * SECOND) is is_over


def test_retry_after_counts_only_on_throttling_answers() -> None:
    """Honoured on 429 and 503, never to shorten the backoff, ignored elsewhere."""
    rule, history = RetryRule(100, timedelta(), DOCUMENTED), History(attempts=1)
    assert rule.delay(history, Answer(503, 60 * SECOND)) == 60 * SECOND
    assert rule.delay(history, Answer(429, SECOND)) == 10 * SECOND
    assert rule.delay(history, Answer(500, 60 * SECOND)) == 10 * SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("30", 30),
        ("Sat, 21 Nov 2026 12:01:00 GMT", 60),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: int) -> None:
    """RFC 9110, section 10.2.3; what cannot be read asks for nothing."""
    assert read_retry_after(text, NOON) == seconds * SECOND


def test_a_rested_queue_may_burst_and_then_keeps_its_pace() -> None:
    """Three at once, then one each half second."""
    pace, bucket = Pace(Fraction(2), 3), Bucket()
    assert [bucket.take(pace, NOON) for _ in range(4)] == [True, True, True, False]
    assert bucket.next_at(pace) == NOON + SECOND / 2
    assert bucket.take(pace, NOON + SECOND / 2)
    assert not bucket.take(pace, NOON + SECOND / 2)


@given(st.integers(1, 500), st.integers(1, 50), st.lists(st.integers(0, 2_000_000), min_size=1, max_size=60))
def test_no_window_holds_more_than_burst_and_pace(rate: int, burst: int, gaps: list[int]) -> None:
    """From any dispatch on, at most burst plus rate times the time passed have gone."""
    pace, bucket, now, taken = Pace(Fraction(rate), burst), Bucket(), NOON, []
    for gap in gaps:
        now += timedelta(microseconds=gap)
        taken += [now] if bucket.take(pace, now) else []
    for first, began in enumerate(taken):
        for last in range(first, len(taken)):
            allowed = burst + (taken[last] - began) // pace.interval
            assert last - first + 1 <= allowed
