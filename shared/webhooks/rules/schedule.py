"""When a failed delivery is tried again: Standard Webhooks' example schedule, some jitter, and what its receiver asks.

All of it is decided from the delivery's id and the attempt's number, so that whoever decides it again says the same.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from shared.limits import WEBHOOK_ATTEMPTS, WEBHOOK_RETRY_AFTER_SECONDS

DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Delay before each attempt after the one before it (Standard Webhooks 1.0.0, "Deliverability and reliability")."""

JITTER_TENTHS: Final = 1
"""A delay is lengthened by up to so many tenths of itself, and never shortened."""

FAILING_FOR: Final = timedelta(days=5)
"""After how long without a success an endpoint is disabled."""

_STEPS: Final = 2**16
_SECONDS_DIGITS: Final = 9


def jitter(delivery: str, number: int, delay: timedelta) -> timedelta:
    """How much longer than its delay an attempt waits: anywhere up to a tenth, fixed by delivery and number."""
    drawn = int.from_bytes(hashlib.sha256(f"{delivery}.{number}".encode()).digest()[:2], "big")
    return delay * JITTER_TENTHS * drawn // (10 * _STEPS)


def next_delay(delivery: str, number: int, tried: int, asked: timedelta | None) -> timedelta | None:
    """How long to wait for the attempt of this number when so many of its round failed; None when that was the last.

    What the receiver asked for counts when it is longer.
    """
    if tried >= min(len(DELAYS), WEBHOOK_ATTEMPTS):
        return None
    delay = DELAYS[tried] + jitter(delivery, number, DELAYS[tried])
    return max(delay, asked or timedelta())


def retry_after(text: str, at: datetime) -> timedelta | None:
    """What a Retry-After asks for, in seconds or as a date (RFC 9110, 10.2.3), at most the longest delay.

    None when there is no header, or one that nobody can read.
    """
    asked = _seconds(text.strip()) if text.strip().isascii() else None
    if asked is None:
        asked = _until(text, at)
    return None if asked is None else min(max(asked, timedelta()), timedelta(seconds=WEBHOOK_RETRY_AFTER_SECONDS))


def _seconds(text: str) -> timedelta | None:
    if not text.isdigit():
        return None
    return timedelta(seconds=int(text[:_SECONDS_DIGITS])) if len(text) <= _SECONDS_DIGITS else timedelta.max


def _until(text: str, at: datetime) -> timedelta | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)) - at
