"""What was told expires: each document says when, on the real emulator; and nothing is sent that may be gone."""

from datetime import timedelta

import pytest

from shared.faults import Refused
from shared.limits import WEBHOOK_KEPT_DAYS, WEBHOOK_RESENDABLE_DAYS
from shared.webhooks.model import Range, ResendState
from tests.builders import NOON, a_call
from tests.emulator.webhooks.stations import DOWN, RESEND, Station
from tests.unit.webhooks.parts import an_announcement

DAY = timedelta(days=1)
LATER = NOON + 2 * DAY
KEPT = WEBHOOK_KEPT_DAYS * DAY


def failed(station: Station) -> tuple[str, str]:
    """An endpoint and a delivery that was attempted once."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [DOWN]
    return endpoint, station.attempt_next().id


def test_message_delivery_and_attempts_expire_together(station: Station) -> None:
    """Ninety days after they were made, however late an attempt is made or asked for."""
    endpoint, delivery = failed(station)
    station.house.webhooks.resending.one(a_call("again", once=True, at=LATER), endpoint, delivery)
    station.attempt(station.next_task(), LATER)
    for collection, documents in (("messages", 1), ("deliveries", 1), ("attempts", 2)):
        expire = [document["expires_at"] for document in station.documents(f"webhook_{collection}")]
        assert expire == [NOON + KEPT] * documents, collection


def test_a_delivery_that_is_too_old_is_not_sent_again(station: Station) -> None:
    """Alone it is refused; in a range it is left out, and counted. The range itself expires too."""
    endpoint, delivery = failed(station)
    late = NOON + WEBHOOK_RESENDABLE_DAYS * DAY + timedelta.resolution
    with pytest.raises(Refused) as refusal:
        station.house.webhooks.resending.one(a_call("one", once=True, at=late), endpoint, delivery)
    assert refusal.value.code == "webhook_delivery_too_old"
    asked = a_call("range", once=True, at=late)
    station.house.webhooks.resending.begin(asked, Range(endpoint, NOON, late, None))
    done = station.resend_page(station.next_task(RESEND), late)
    assert (done.state, done.resent, done.left_out) == (ResendState.DONE, 0, 1)
    assert [document["expires_at"] for document in station.documents("webhook_resends")] == [late + KEPT]
