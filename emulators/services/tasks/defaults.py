"""What a queue gets where its maker said nothing.

Figures: the defaults that `gcloud tasks queues describe` shows for a new queue, and the burst size
rule of google.cloud.tasks.v2.RateLimits.max_burst_size ("generally at least equal to the rate").
"""

from datetime import timedelta
from fractions import Fraction
from math import ceil

from emulators.services.declined import invalid
from emulators.services.grpc_server import Message
from emulators.services.tasks.rate import Pace

DISPATCHES_PER_SECOND = 500
CONCURRENT_DISPATCHES = 1_000
MAX_CONCURRENT_DISPATCHES = 5_000
ATTEMPTS = 100
MIN_BACKOFF = timedelta(milliseconds=100)
MAX_BACKOFF = timedelta(hours=1)
DOUBLINGS = 16


def fill(queue: Message) -> None:
    """Put the defaults into a queue's description, in place.

    Raises:
        Declined: a figure is beyond the service's limits.
    """
    rates, retries = queue.rate_limits, queue.retry_config
    rates.max_dispatches_per_second = rates.max_dispatches_per_second or DISPATCHES_PER_SECOND
    rates.max_concurrent_dispatches = rates.max_concurrent_dispatches or CONCURRENT_DISPATCHES
    rates.max_burst_size = max(1, ceil(rates.max_dispatches_per_second))
    retries.max_attempts = retries.max_attempts or ATTEMPTS
    retries.max_doublings = retries.max_doublings or DOUBLINGS
    if not retries.HasField("min_backoff"):
        retries.min_backoff.FromTimedelta(MIN_BACKOFF)
    if not retries.HasField("max_backoff"):
        retries.max_backoff.FromTimedelta(MAX_BACKOFF)
    if not retries.HasField("max_retry_duration"):
        retries.max_retry_duration.FromTimedelta(timedelta())
    _check(queue)


def _check(queue: Message) -> None:
    rates, retries = queue.rate_limits, queue.retry_config
    if not 0 < rates.max_dispatches_per_second <= DISPATCHES_PER_SECOND:
        message = "RateLimits.maxDispatchesPerSecond must be above 0 and at most 500."
        raise invalid(message)
    if not 0 < rates.max_concurrent_dispatches <= MAX_CONCURRENT_DISPATCHES:
        message = "RateLimits.maxConcurrentDispatches must be between 1 and 5000."
        raise invalid(message)
    if retries.max_attempts < -1:
        message = "RetryConfig.maxAttempts must be at least -1."
        raise invalid(message)
    if retries.min_backoff.ToTimedelta() > retries.max_backoff.ToTimedelta():
        message = "RetryConfig.minBackoff must not exceed RetryConfig.maxBackoff."
        raise invalid(message)


def pace(queue: Message) -> Pace:
    """The speed at which a queue may dispatch."""
    rates = queue.rate_limits
    return Pace(Fraction(rates.max_dispatches_per_second).limit_denominator(1_000_000), rates.max_burst_size)
