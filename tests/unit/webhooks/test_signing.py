import base64
import json
from datetime import UTC, datetime, timedelta, timezone

from shared.identity import SystemIds
from shared.webhooks.rules.signing import headers, instant, message_name, new_secret, payload
from tests.builders import NOON
from tests.unit.webhooks.parts import an_announcement

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the published example's
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector_is_signed_as_published() -> None:
    """The example of the specification's reference libraries: secret, id, instant and body give this signature."""
    at, body = datetime.fromtimestamp(1_614_265_330, UTC), '{"test": 2432232314}'
    sent = headers([SECRET], "p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert sent["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert sent["webhook-timestamp"] == "1614265330"
    assert sent["webhook-signature"] == SIGNATURE


def test_every_live_secret_signs_and_the_newest_is_first() -> None:
    """Signatures are separated by a space."""
    one, other = new_secret(SystemIds()), new_secret(SystemIds())
    alone = [headers([secret], "m", NOON, "{}")["webhook-signature"] for secret in (one, other)]
    assert headers([one, other], "m", NOON, "{}")["webhook-signature"].split(" ") == alone


def test_a_secret_has_the_prefix_and_between_24_and_64_bytes() -> None:
    """What the specification asks of a symmetric secret; no two are the same."""
    secrets = {new_secret(SystemIds()) for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_the_payload_says_type_instant_and_data_with_the_subject() -> None:
    """As the specification structures it, in one line."""
    text = payload(an_announcement())
    assert json.loads(text) == {
        "type": "payment.applied",
        "timestamp": "2026-11-16T12:00:00Z",
        "data": {"received": 1_050, "currency": "EUR", "id": "payment-1", "version": 1},
    }
    assert " " not in text


def test_the_subject_is_the_subject_whatever_the_data_says() -> None:
    """`id` and `version` can be relied upon."""
    data = json.loads(payload(an_announcement(data={"id": "other", "version": 99})))["data"]
    assert data == {"id": "payment-1", "version": 1}


def test_an_instant_is_told_in_utc() -> None:
    """With its microseconds, whichever zone it came in."""
    at = (NOON + timedelta(microseconds=5)).astimezone(timezone(timedelta(hours=2)))
    assert instant(at) == "2026-11-16T12:00:00.000005Z"


def test_no_identifier_has_a_full_stop() -> None:
    """What is signed can be taken apart in one way only."""
    assert "." not in message_name(an_announcement().id)
