"""What we send, judged by the specification's own library and by Svix's: signatures, rotation, what they refuse."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
import standardwebhooks.webhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock
from shared.identity import SystemIds
from shared.webhooks.rules.signing import headers, new_secret, payload
from tests.unit.webhooks.parts import an_announcement

Verify = Callable[[str, str, Mapping[str, str]], Any]


def by_standard_webhooks(secret: str, body: str, sent: Mapping[str, str]) -> Any:
    """The reference library's verdict."""
    return standardwebhooks.webhooks.Webhook(secret).verify(body, dict(sent))


def by_svix(secret: str, body: str, sent: Mapping[str, str]) -> Any:
    """Svix's verdict."""
    return svix.webhooks.Webhook(secret).verify(body, dict(sent))


JUDGES: Final = [by_standard_webhooks, by_svix]
REFUSED: Final = (standardwebhooks.webhooks.WebhookVerificationError, svix.webhooks.WebhookVerificationError)


@pytest.mark.parametrize("verify", JUDGES)
@given(data=st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers() | st.none(), max_size=5))
def test_a_receiver_verifies_what_we_sign(verify: Verify, data: dict[str, Any]) -> None:
    """Whatever is told, in any script."""
    secret, body = new_secret(SystemIds()), payload(an_announcement(data=data))
    verify(secret, body, headers([secret], "message-1", SystemClock().now(), body))


@pytest.mark.parametrize("verify", JUDGES)
def test_during_a_rotation_both_secrets_verify(verify: Verify) -> None:
    """The new one and the old one, each alone; a third does not."""
    new, old, never = (new_secret(SystemIds()) for _ in range(3))
    body = payload(an_announcement())
    sent = headers([new, old], "message-1", SystemClock().now(), body)
    verify(new, body, sent)
    verify(old, body, sent)
    with pytest.raises(REFUSED):
        verify(never, body, sent)


@pytest.mark.parametrize("verify", JUDGES)
@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_what_was_changed_on_the_way_is_refused(verify: Verify, changed: str) -> None:
    """Id, timestamp, signature or body."""
    secret, body = new_secret(SystemIds()), payload(an_announcement())
    sent = dict(headers([secret], "message-1", SystemClock().now(), body))
    other = {
        "webhook-id": "msg_other",
        "webhook-timestamp": str(int(sent["webhook-timestamp"]) + 1),
        "webhook-signature": "v1," + "A" * 43 + "=",
    }
    with pytest.raises(REFUSED):
        verify(secret, body + " " if changed == "body" else body, sent | {changed: other.get(changed, "")})


@pytest.mark.parametrize("verify", JUDGES)
def test_an_attempt_of_long_ago_is_refused(verify: Verify) -> None:
    """Each attempt has a timestamp of its own, so that a late one is not taken for a replayed one."""
    secret, body = new_secret(SystemIds()), payload(an_announcement())
    now = SystemClock().now()
    with pytest.raises(REFUSED):
        verify(secret, body, headers([secret], "message-1", now - timedelta(minutes=6), body))
    verify(secret, body, headers([secret], "message-1", now, body))
