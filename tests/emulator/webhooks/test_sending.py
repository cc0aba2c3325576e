"""Attempts to deliver, on the real emulator: what is sent, when the next one comes, when an endpoint is given up."""

from datetime import timedelta

import pytest

from shared.webhooks.model import Answer, DeliveryState, DisabledBecause, Trouble
from shared.webhooks.rules.schedule import DELAYS, FAILING_FOR
from shared.webhooks.rules.signing import headers
from shared.webhooks.use_cases.endpoints import Changes
from tests.builders import ACME, NOON, a_call
from tests.emulator.webhooks.stations import DELIVER, DOWN, Station
from tests.unit.webhooks.parts import an_announcement

HOUR = timedelta(hours=1)


def logged(station: Station, endpoint: str) -> list[tuple[int, int | None, Trouble | None]]:
    """Number, status and trouble of every attempt to an endpoint."""
    log = station.house.webhooks.log
    (delivery,) = log.page(ACME, endpoint, None, limit=5, cursor=None).items
    attempts = log.delivery(ACME, endpoint, delivery.id).attempts
    return [(attempt.number, attempt.status, attempt.trouble) for attempt in attempts]


def test_a_message_is_sent_signed_and_recorded(station: Station) -> None:
    """To the endpoint's URL, with the headers of Standard Webhooks, and one attempt in the log."""
    endpoint, secret = station.an_endpoint()
    message = station.tell(an_announcement()).answer
    delivery = station.attempt_next()
    (posting,) = station.receiver.postings
    assert message is not None
    assert posting.url == "https://erp.example.com/hooks"
    assert posting.body == message.body.encode()
    assert posting.headers == headers([secret], message.id, NOON, message.body)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)
    assert logged(station, endpoint) == [(1, 204, None)]
    assert len(station.post.take(DELIVER)) == 1, "nothing follows"


def test_a_failure_is_followed_by_an_attempt_at_its_time(station: Station) -> None:
    """The command carries the schedule's time; id and body stay, timestamp and signature are the attempt's."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [DOWN, Answer(trouble=Trouble.TIMEOUT)]
    station.attempt_next()
    second = station.next_task()
    assert second.not_before is not None
    assert DELAYS[1] <= second.not_before - NOON - DOWN.duration <= DELAYS[1] * 11 / 10
    station.attempt_next()
    station.attempt_next()
    assert logged(station, endpoint) == [(1, 500, Trouble.STATUS), (2, None, Trouble.TIMEOUT), (3, 204, None)]
    postings = station.receiver.postings
    assert len({(posting.headers["webhook-id"], posting.body) for posting in postings}) == 1
    assert len({posting.headers["webhook-timestamp"] for posting in postings}) == 3
    assert len({posting.headers["webhook-signature"] for posting in postings}) == 3


def test_what_never_succeeds_is_failed_after_its_round(station: Station) -> None:
    """Ten attempts over three days; nothing follows the last one."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [DOWN] * 20
    states = [station.attempt_next().state for _ in range(10)]
    assert states == [DeliveryState.PENDING] * 9 + [DeliveryState.FAILED]
    assert len(station.post.take(DELIVER)) == 10
    assert len(logged(station, endpoint)) == 10
    (failed,) = station.house.webhooks.log.page(ACME, endpoint, DeliveryState.FAILED, limit=5, cursor=None).items
    assert (failed.last_status, failed.next_attempt_at) == (500, None)
    assert station.house.webhooks.endpoints.endpoint(ACME, endpoint).enabled


def test_a_receiver_that_asks_for_time_gets_it(station: Station) -> None:
    """Retry-After, when it is longer than the schedule's delay."""
    station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [Answer(429, retry_after="3600")]
    assert station.attempt_next().next_attempt_at == NOON + HOUR


def test_during_rotation_both_secrets_sign_and_after_a_day_one(station: Station) -> None:
    """The new one first; to the microsecond of the day's end the old one too."""
    endpoint, old = station.an_endpoint()
    new = station.house.webhooks.endpoints.rotate(a_call("rotate", once=True), endpoint).answer.secret
    assert new is not None
    assert new != old
    end = NOON + 24 * HOUR
    live = [(NOON, [new, old]), (end - timedelta.resolution, [new, old]), (end, [new])]
    for number, (at, secrets) in enumerate(live):
        message = station.tell(an_announcement(f"event-{number}")).answer
        assert message is not None
        station.attempt(station.next_task(), at)
        assert station.receiver.postings[-1].headers == headers(secrets, message.id, at, message.body)


def test_410_disables_the_endpoint_and_says_so(station: Station) -> None:
    """At once: nothing follows, nobody tells it more, and others hear of it."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [Answer(410)]
    assert station.attempt_next().state is DeliveryState.FAILED
    seen = station.house.webhooks.endpoints.endpoint(ACME, endpoint)
    assert (seen.enabled, seen.disabled_because) == (False, DisabledBecause.GONE)
    (told,) = station.post.told.values()
    assert (told.topic, told.type, told.subject) == ("webhooks", "webhook_endpoint.disabled", endpoint)
    assert (told.subject_version, told.data) == (2, {"because": "gone"})
    assert station.audited("webhook_endpoint.disable") == [f"tenants/acme/webhook_endpoints/{endpoint}"]
    assert station.tell(an_announcement("later")).answer is None
    other, _ = station.an_endpoint("other")
    assert station.tell(told).answer is not None
    assert station.next_task().body["endpoint"] == other


def test_an_endpoint_that_failed_for_five_days_is_disabled(station: Station) -> None:
    """Not a moment sooner, and not when one attempt between succeeded."""
    endpoint, _ = station.an_endpoint()
    endpoints = station.house.webhooks.endpoints

    def fails(key: str, after: timedelta, answer: Answer = DOWN) -> bool:
        station.tell(an_announcement(key), NOON + after)
        station.receiver.answers = [answer]
        station.attempt(station.next_task(), NOON + after)
        return endpoints.endpoint(ACME, endpoint).enabled

    assert fails("first", timedelta())
    assert fails("just before", FAILING_FOR - timedelta.resolution)
    assert fails("a success", FAILING_FOR - timedelta.resolution, Answer(200))
    assert fails("the first again", FAILING_FOR)
    assert not fails("five days after", 2 * FAILING_FOR)
    assert endpoints.endpoint(ACME, endpoint).disabled_because is DisabledBecause.FAILING
    assert [told.data for told in station.post.told.values()] == [{"because": "failing"}]


def test_what_is_under_way_to_a_disabled_endpoint_is_not_sent(station: Station) -> None:
    """It is on record as failed, and sent again on request once the endpoint is enabled."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    station.house.webhooks.endpoints.disable(a_call("disable", once=True), endpoint)
    delivery = station.attempt_next()
    assert (delivery.state, delivery.trouble) == (DeliveryState.FAILED, Trouble.ENDPOINT_DISABLED)
    assert station.receiver.postings == []
    station.house.webhooks.endpoints.enable(a_call("enable", once=True), endpoint)
    station.house.webhooks.resending.one(a_call("resend", once=True), endpoint, delivery.id)
    assert station.attempt_next().state is DeliveryState.DELIVERED


def test_an_endpoint_that_moved_is_told_at_its_new_place(station: Station) -> None:
    """Deliveries under way too."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [DOWN]
    station.attempt_next()
    moved = Changes(url="https://new.example.com/")
    station.house.webhooks.endpoints.update(a_call("move", once=True), endpoint, moved)
    station.attempt_next()
    assert [posting.url for posting in station.receiver.postings][1] == "https://new.example.com/"


def test_when_the_kms_key_is_destroyed_attempts_fail_and_the_endpoint_is_not_blamed(station: Station) -> None:
    """Nothing unsigned is sent; the log says why, and the schedule goes on."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    keys = station.house.keys
    keys.destroyed = True  # type: ignore[attr-defined]  # the test's own keys
    station.house.clock.advance(300)  # type: ignore[attr-defined]  # the test's own clock
    delivery = station.attempt_next()
    assert (delivery.state, delivery.trouble) == (DeliveryState.PENDING, Trouble.SECRET_UNREADABLE)
    assert station.receiver.postings == []
    assert station.house.webhooks.endpoints.endpoint(ACME, endpoint).failing_since is None


@pytest.mark.parametrize("collection", ["endpoints", "messages", "deliveries", "attempts"])
def test_no_document_holds_a_secret(station: Station, collection: str) -> None:
    """Neither as it is shown nor what is within it; nor does what was sent about it, or the audit."""
    endpoint, secret = station.an_endpoint()
    station.house.webhooks.endpoints.rotate(a_call("rotate", once=True), endpoint)
    station.tell(an_announcement())
    station.attempt_next()
    names = (f"webhook_{collection}", "outbox", "audit", "idempotency")
    stored = repr([dict(document.fields) for name in names for document in station.documents(name)])
    assert secret not in stored
    assert secret.removeprefix("whsec_") not in stored
