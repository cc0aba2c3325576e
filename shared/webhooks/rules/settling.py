"""What an attempt's answer does to the delivery and its endpoint, decided from values alone."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from shared.limits import WEBHOOK_ATTEMPTS, WEBHOOK_ATTEMPTS_IN_ALL, WEBHOOK_RESENDABLE_DAYS
from shared.webhooks.model import Answer, Attempt, Delivery, DeliveryState, DisabledBecause, Endpoint, Trouble
from shared.webhooks.refusals import DeliveryTooOld, PayloadTooLarge, TooManyAttempts
from shared.webhooks.rules.endpoints import disabled
from shared.webhooks.rules.pace import paced
from shared.webhooks.rules.schedule import FAILING_FOR, next_delay, retry_after

_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Settled:
    """A delivery after an attempt, the attempt for the log, and its endpoint, which may be the same as before."""

    delivery: Delivery
    attempt: Attempt
    endpoint: Endpoint


def settle(delivery: Delivery, endpoint: Endpoint, answer: Answer, at: datetime) -> Settled:
    """Record the attempt that the delivery awaits: it began at `at`, and took as long as the answer says.

    2xx is success, all else failure. 410 disables the endpoint, and so does a failure five days after the first in a
    row; what is then still to be delivered fails.
    """
    trouble = trouble_of(answer)
    milliseconds = answer.duration // timedelta(milliseconds=1)
    attempt = Attempt(delivery.attempts + 1, at, answer.status, milliseconds, trouble)
    after = _blamed(endpoint, answer.status, trouble, at) if trouble else _cleared(endpoint)
    if trouble is None or trouble.by_receiver:
        after = paced(after, answer.duration, at)
    next_at = _next(delivery, attempt, answer, at + answer.duration) if trouble and after.enabled else None
    recorded = replace(
        delivery,
        state=_state(trouble, next_at),
        attempts=attempt.number,
        last_status=answer.status,
        trouble=trouble,
        next_attempt_at=next_at,
    )
    return Settled(recorded, attempt, after)


def trouble_of(answer: Answer) -> Trouble | None:
    """Why an attempt failed; None when it did not."""
    if answer.trouble is not None:
        return answer.trouble
    return None if answer.status in _SUCCESS else Trouble.STATUS


def begin_again(delivery: Delivery, at: datetime) -> Delivery:
    """The delivery at the start of a new round, whatever its state; what is scheduled for it comes too late then.

    Raises:
        PayloadTooLarge: there is nothing to send.
        DeliveryTooOld: it was made too long ago for a whole round before it expires.
        TooManyAttempts: another round would be more than the log of one delivery takes.
    """
    if delivery.trouble is Trouble.PAYLOAD_TOO_LARGE:
        message = "the message was too large to be sent"
        raise PayloadTooLarge(message)
    if at - delivery.created_at > timedelta(days=WEBHOOK_RESENDABLE_DAYS):
        message = f"deliveries are sent again for {WEBHOOK_RESENDABLE_DAYS} days"
        raise DeliveryTooOld(message, detail={"days": WEBHOOK_RESENDABLE_DAYS})
    if delivery.attempts + WEBHOOK_ATTEMPTS > WEBHOOK_ATTEMPTS_IN_ALL:
        message = "this delivery was tried too often"
        raise TooManyAttempts(message, detail={"attempts": delivery.attempts})
    return replace(delivery, state=DeliveryState.PENDING, round_start=delivery.attempts, next_attempt_at=at)


def _state(trouble: Trouble | None, next_at: datetime | None) -> DeliveryState:
    if trouble is None:
        return DeliveryState.DELIVERED
    return DeliveryState.PENDING if next_at else DeliveryState.FAILED


def _next(delivery: Delivery, attempt: Attempt, answer: Answer, ended_at: datetime) -> datetime | None:
    asked = retry_after(answer.retry_after, ended_at) if answer.retry_after else None
    delay = next_delay(delivery.id, attempt.number + 1, attempt.number - delivery.round_start, asked)
    return None if delay is None else ended_at + delay


def _blamed(endpoint: Endpoint, status: int | None, trouble: Trouble, at: datetime) -> Endpoint:
    if not (endpoint.enabled and trouble.by_receiver):
        return endpoint
    if status == HTTPStatus.GONE:
        return disabled(endpoint, DisabledBecause.GONE, at)
    since = endpoint.failing_since or at
    if at - since >= FAILING_FOR:
        return disabled(endpoint, DisabledBecause.FAILING, at)
    return endpoint if endpoint.failing_since else replace(endpoint, failing_since=since)


def _cleared(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, failing_since=None) if endpoint.failing_since else endpoint
