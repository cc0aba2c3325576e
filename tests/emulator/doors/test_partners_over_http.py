"""Every partner's delivery through the door, applied by the queue; operators list and replay over the API."""

import json
from datetime import timedelta
from typing import Any

import pytest

from emulators.cloud import LocalCloud
from emulators.partner_apis.things import Known
from emulators.state import write_private
from shared.payments.model import Thing
from tests.emulator.doors.conftest import Client, Tenant, a_tenant
from tests.unit.payments.partner_events import ADDRESS, PARTNERS, delivery, secret_of
from tests.unit.payments.partner_samples import PAYER, gocardless, paid, standard

EVENTS = "/v1/payments/events"
WITHOUT_AN_ANSWER = {"wise": "partner_not_askable"}
"""Partners whose events do not say how much, and that cannot be asked about a payment."""


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud) -> Tenant:
    """A tenant with a secret of every partner."""
    shop = a_tenant(cloud, "shop")
    for partner in PARTNERS:
        said = {"secret": secret_of(partner).value.decode(), "url": ADDRESS, "key_id": f"{partner}-1"}
        write_private(cloud.home.secrets / f"webhook-{shop.name}-{partner}", f"{json.dumps(said)}\n")
    for partner in ("gocardless", "wise"):
        cloud.make_partner_key(shop.name, partner)
    cloud.partners.feed(Known("gocardless", Thing.PAYMENT, "p-1", 12_000, "GBP", "confirmed"))
    return shop


def tell(cloud: LocalCloud, partner: str, *events: Any) -> int:
    """A partner's delivery, signed now; the status that it is answered with."""
    body, headers = delivery(partner, *events, at=cloud.clock.now())
    path = f"/v1/webhooks/shop/{partner}"
    return Client(cloud.doors_url, "").send("POST", path, body, {"Authorization": "", **headers}).status_code


@pytest.mark.parametrize("partner", PARTNERS)
def test_a_payment_told_through_the_door_is_applied_or_refused(cloud: LocalCloud, shop: Tenant, partner: str) -> None:
    """Acknowledged, and in the books with the amount that was told or asked for; what cannot be asked is refused."""
    assert [tell(cloud, partner, paid(partner)) for _ in range(2)] == [200, 200]
    cloud.wait_until_idle()
    (event,) = shop.auditor.get(f"{EVENTS}?partner={partner}").json()["items"]
    refused = WITHOUT_AN_ANSWER.get(partner)
    assert (event["state"], event["refused"]) == ("refused" if refused else "applied", refused)
    assert event["key_id"] == f"{partner}-1"
    assert (event["money"] is None) == bool(refused)
    assert PAYER not in json.dumps(event)


def test_a_partner_that_is_down_is_asked_again_until_it_answers(cloud: LocalCloud, shop: Tenant) -> None:
    """Taken in at once and applied in the end; one question more for each time that it did not answer."""
    cloud.partners.feed(Known("gocardless", Thing.PAYMENT, "p-down", 7_000, "GBP", "paid_out"))
    for trouble in ({"kind": "status", "status": 503}, {"kind": "garbage"}):
        cloud.partners.trouble("gocardless", **trouble)
    assert tell(cloud, "gocardless", gocardless(event="EV_down", payment="p-down")) == 200

    def asked() -> int:
        return cloud.partners.asked("gocardless").count("GET /payments/p-down")

    for _ in range(20):
        cloud.wait_until_idle()
        if asked() == 3:
            break
        cloud.clock.set(cloud.clock.now() + timedelta(seconds=60))
    assert asked() == 3
    cloud.wait_until_idle()
    (event,) = [one for one in shop.auditor.get(f"{EVENTS}?limit=200").json()["items"] if one["event_id"] == "EV_down"]
    assert (event["state"], event["money"]) == ("applied", {"amount": 7_000, "currency": "GBP"})


def test_operators_replay_and_readers_do_not(cloud: LocalCloud, shop: Tenant) -> None:
    """What can be replayed says so, what cannot says why; reading is not enough."""
    assert tell(cloud, "standard", standard(event="evt_replay", payment="p-replay")) == 200
    assert tell(cloud, "gocardless", gocardless("mandates.created", event="EV_replay"), {"hello": "world"}) == 200
    cloud.wait_until_idle()
    events = shop.auditor.get(f"{EVENTS}?limit=200").json()["items"]
    by_id = {event["event_id"]: event for event in events}
    (unreadable,) = [event for event in events if event["state"] == "quarantined"]
    answers = {
        name: shop.accountant.post(f"{EVENTS}/{event['id']}/replay", {})
        for name, event in (
            ("applied", by_id["evt_replay"]),
            ("kept", by_id["EV_replay"]),
            ("unreadable", unreadable),
        )
    }
    assert {name: (answer.status_code, answer.json()["code"]) for name, answer in answers.items()} == {
        "applied": (409, "event_decided"),
        "kept": (409, "nothing_to_apply"),
        "unreadable": (400, "not_an_event"),
    }
    assert shop.auditor.post(f"{EVENTS}/{unreadable['id']}/replay", {}).status_code == 403
