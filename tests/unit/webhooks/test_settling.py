from dataclasses import replace
from datetime import timedelta

import pytest

from shared.limits import (
    WEBHOOK_ATTEMPTS,
    WEBHOOK_ATTEMPTS_IN_ALL,
    WEBHOOK_ENDPOINTS,
    WEBHOOK_KEPT_DAYS,
    WEBHOOK_RESENDABLE_DAYS,
    WEBHOOK_SECRETS,
)
from shared.webhooks.model import Answer, DeliveryState, DisabledBecause, Trouble
from shared.webhooks.records import write_delivery
from shared.webhooks.refusals import DeliveryTooOld, PayloadTooLarge, TooManyAttempts, TooManyEndpoints, TooManySecrets
from shared.webhooks.rules.endpoints import disabled, enabled, rotated, routed
from shared.webhooks.rules.schedule import DELAYS, jitter
from shared.webhooks.rules.settling import begin_again, settle
from tests.builders import NOON
from tests.unit.webhooks.parts import a_delivery, a_secret, an_endpoint

DOWN = Answer(500, duration=timedelta(milliseconds=1_500))
DAY = timedelta(days=1)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    """Nothing follows, and the endpoint's failures are forgotten."""
    settled = settle(a_delivery(), an_endpoint(failing_since=NOON - DAY), Answer(status), NOON)
    assert (settled.delivery.state, settled.delivery.next_attempt_at) == (DeliveryState.DELIVERED, None)
    assert settled.attempt.trouble is None
    assert settled.endpoint == an_endpoint()


@pytest.mark.parametrize("status", [100, 301, 302, 307, 400, 401, 404, 429, 500, 502, 503, 504, 600])
def test_every_other_status_is_a_failure(status: int) -> None:
    """A redirect too: the URL is to be changed instead."""
    settled = settle(a_delivery(), an_endpoint(), Answer(status), NOON)
    assert settled.delivery.state is DeliveryState.PENDING
    assert (settled.attempt.status, settled.attempt.trouble) == (status, Trouble.STATUS)
    assert settled.endpoint.failing_since == NOON


def test_the_next_attempt_is_reckoned_from_the_end_of_this_one() -> None:
    """However long the receiver took to fail."""
    delivery = a_delivery()
    settled = settle(delivery, an_endpoint(), DOWN, NOON)
    wait = DELAYS[1] + jitter(delivery.id, 2, DELAYS[1])
    assert settled.delivery.next_attempt_at == NOON + DOWN.duration + wait
    assert settled.attempt.duration_ms == 1_500


def test_a_round_ends_with_its_tenth_failure() -> None:
    """The delivery is failed then, and can be sent again."""
    delivery, at = a_delivery(), NOON
    for number in range(1, WEBHOOK_ATTEMPTS + 1):
        assert delivery.awaits(number)
        settled = settle(delivery, an_endpoint(), DOWN, at)
        delivery, at = settled.delivery, settled.delivery.next_attempt_at or at
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, WEBHOOK_ATTEMPTS)
    assert at - NOON >= sum(DELAYS, timedelta())
    again = begin_again(delivery, at)
    assert again.awaits(WEBHOOK_ATTEMPTS + 1)
    after = settle(again, an_endpoint(), DOWN, at).delivery
    assert after.next_attempt_at is not None
    assert after.next_attempt_at - at < timedelta(seconds=8), "a new round begins at the first delay"


def test_410_disables_at_once() -> None:
    """The delivery has failed, and the endpoint hears nothing more."""
    settled = settle(a_delivery(), an_endpoint(), Answer(410, retry_after="60"), NOON)
    assert settled.delivery.state is DeliveryState.FAILED
    assert (settled.endpoint.enabled, settled.endpoint.disabled_because) == (False, DisabledBecause.GONE)
    assert (settled.endpoint.disabled_at, settled.endpoint.version) == (NOON, 2)


@pytest.mark.parametrize(
    ("failing", "ends"), [(5 * DAY - timedelta(microseconds=1), False), (5 * DAY, True), (9 * DAY, True)]
)
def test_five_days_of_failures_disable(failing: timedelta, *, ends: bool) -> None:
    """Counted from the first failure since a success."""
    settled = settle(a_delivery(), an_endpoint(failing_since=NOON - failing), DOWN, NOON)
    assert settled.endpoint.enabled is not ends
    assert (settled.delivery.state is DeliveryState.FAILED) is ends
    if ends:
        assert settled.endpoint.disabled_because is DisabledBecause.FAILING


@pytest.mark.parametrize("trouble", [Trouble.ENDPOINT_DISABLED, Trouble.SECRET_UNREADABLE])
def test_an_endpoint_is_not_blamed_for_what_is_ours(trouble: Trouble) -> None:
    """Its days do not begin to count."""
    assert settle(a_delivery(), an_endpoint(), Answer(trouble=trouble), NOON).endpoint == an_endpoint()


def test_what_was_under_way_to_a_disabled_endpoint_fails() -> None:
    """Unless it was on the line already, and arrived."""
    gone = disabled(an_endpoint(), DisabledBecause.ASKED, NOON)
    assert settle(a_delivery(), gone, DOWN, NOON).delivery.state is DeliveryState.FAILED
    assert settle(a_delivery(), gone, Answer(204), NOON).delivery.state is DeliveryState.DELIVERED


def test_a_delivery_is_sent_again_for_sixty_days() -> None:
    """To the microsecond; what it sends is kept longer."""
    last = NOON + WEBHOOK_RESENDABLE_DAYS * DAY
    assert begin_again(a_delivery(), last)
    with pytest.raises(DeliveryTooOld):
        begin_again(a_delivery(), last + timedelta.resolution)


def test_the_longest_round_ends_before_what_it_sends_expires() -> None:
    """Begun on the last day, each wait as long as a receiver can ask for, and every task late by a day."""
    delivery, at = begin_again(a_delivery(), NOON + WEBHOOK_RESENDABLE_DAYS * DAY), NOON + WEBHOOK_RESENDABLE_DAYS * DAY
    asks = Answer(503, duration=timedelta(seconds=25), retry_after="999999999")
    while delivery.next_attempt_at:
        at = delivery.next_attempt_at + DAY
        delivery = settle(delivery, an_endpoint(), asks, at).delivery
    assert at < NOON + WEBHOOK_KEPT_DAYS * DAY
    assert write_delivery(delivery)["expires_at"] == NOON + WEBHOOK_KEPT_DAYS * DAY


def test_a_delivery_is_sent_again_only_so_often() -> None:
    """And one that had no payload never."""
    with pytest.raises(TooManyAttempts):
        begin_again(a_delivery(attempts=WEBHOOK_ATTEMPTS_IN_ALL - WEBHOOK_ATTEMPTS + 1), NOON)
    assert begin_again(a_delivery(attempts=WEBHOOK_ATTEMPTS_IN_ALL - WEBHOOK_ATTEMPTS), NOON)
    with pytest.raises(PayloadTooLarge):
        begin_again(a_delivery(state=DeliveryState.FAILED, trouble=Trouble.PAYLOAD_TOO_LARGE), NOON)


def test_an_old_secret_lives_for_24_hours_and_no_rotation_prolongs_it() -> None:
    """The one before the last ends when it was to end; what has ended is dropped."""
    once = rotated(an_endpoint(), a_secret("second"), NOON)
    twice = rotated(once, a_secret("third"), NOON + timedelta(hours=1))
    assert [secret.id for secret in twice.secrets] == ["third", "second", "first"]
    assert [secret.ends_at for secret in twice.secrets] == [None, NOON + timedelta(hours=25), NOON + DAY]
    assert [secret.live(NOON + DAY) for secret in twice.secrets] == [True, True, False]
    later = rotated(twice, a_secret("fourth"), NOON + timedelta(hours=24))
    assert [secret.id for secret in later.secrets] == ["fourth", "third", "second"]


def test_only_so_many_secrets_are_live() -> None:
    """Each adds a signature to every message."""
    endpoint = an_endpoint()
    for number in range(WEBHOOK_SECRETS - 1):
        endpoint = rotated(endpoint, a_secret(f"s{number}"), NOON)
    with pytest.raises(TooManySecrets):
        rotated(endpoint, a_secret("more"), NOON)
    assert rotated(endpoint, a_secret("more"), NOON + DAY).secrets[0].id == "more"


def test_the_enabled_are_listed_with_what_they_want_and_only_so_many() -> None:
    """Disabling makes room; changing does not need any."""
    full = {f"e{number}": ("*",) for number in range(WEBHOOK_ENDPOINTS)}
    with pytest.raises(TooManyEndpoints):
        routed(full, an_endpoint())
    known = an_endpoint(id="e0", filters=("invoice.*",))
    assert routed(full, known) == full | {"e0": ("invoice.*",)}
    assert "e0" not in routed(full, disabled(known, DisabledBecause.ASKED, NOON))


def test_an_endpoint_that_is_enabled_again_begins_anew() -> None:
    """Nothing is left of why it was disabled."""
    gone = disabled(an_endpoint(failing_since=NOON), DisabledBecause.FAILING, NOON)
    assert enabled(gone) == replace(an_endpoint(), version=3)
