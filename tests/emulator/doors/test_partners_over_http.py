"""Every partner's delivery through the door, applied by the queue; operators list and replay over the API."""

import json
from typing import Any

import pytest

from emulators.cloud import LocalCloud
from emulators.state import write_private
from tests.emulator.doors.conftest import Client, Tenant, a_tenant
from tests.unit.payments.partner_events import ADDRESS, PARTNERS, delivery, secret_of
from tests.unit.payments.partner_samples import PAYER, gocardless, paid, standard

EVENTS = "/v1/payments/events"
NO_AMOUNT = {"gocardless", "wise"}
"""Partners whose events do not say how much."""


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud) -> Tenant:
    """A tenant with a secret of every partner."""
    shop = a_tenant(cloud, "shop")
    for partner in PARTNERS:
        said = {"secret": secret_of(partner).value.decode(), "url": ADDRESS, "key_id": f"{partner}-1"}
        write_private(cloud.home.secrets / f"webhook-{shop.name}-{partner}", f"{json.dumps(said)}\n")
    return shop


def tell(cloud: LocalCloud, partner: str, *events: Any) -> int:
    """A partner's delivery, signed now; the status that it is answered with."""
    body, headers = delivery(partner, *events, at=cloud.clock.now())
    path = f"/v1/webhooks/shop/{partner}"
    return Client(cloud.doors_url, "").send("POST", path, body, {"Authorization": "", **headers}).status_code


@pytest.mark.parametrize("partner", PARTNERS)
def test_a_payment_told_through_the_door_is_applied_or_kept(cloud: LocalCloud, shop: Tenant, partner: str) -> None:
    """Acknowledged, in the inbox with the key that proved it, and in the books if the partner says how much."""
    assert [tell(cloud, partner, paid(partner)) for _ in range(2)] == [200, 200]
    cloud.wait_until_idle()
    (event,) = shop.auditor.get(f"{EVENTS}?partner={partner}").json()["items"]
    assert (event["state"], event["key_id"]) == ("kept" if partner in NO_AMOUNT else "applied", f"{partner}-1")
    assert PAYER not in json.dumps(event)


def test_operators_replay_and_readers_do_not(cloud: LocalCloud, shop: Tenant) -> None:
    """What can be replayed says so, what cannot says why; reading is not enough."""
    assert tell(cloud, "standard", standard(event="evt_replay", payment="p-replay")) == 200
    assert tell(cloud, "gocardless", gocardless(event="EV_replay"), {"hello": "world"}) == 200
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
