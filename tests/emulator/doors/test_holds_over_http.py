"""A hold's life over the real doors: set aside, posted in part, given back; another swept once its time is over."""

from datetime import timedelta
from typing import Any

import requests

from emulators.cloud import LocalCloud
from tests.emulator.doors.conftest import Tenant, a_key
from tests.emulator.doors.test_bad_input import a_token

HOLDS = "/v1/ledger/holds"


def lines(amount: int) -> list[dict[str, Any]]:
    """From the bank to the share capital, so much."""
    money = {"amount": amount, "currency": "GBP"}
    return [
        {"account": "equity:share_capital", "side": "debit", "amount": money},
        {"account": "assets:bank", "side": "credit", "amount": money},
    ]


def figures(hold: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Asked for, posted and still reserved of each line."""
    return [tuple(line[name]["amount"] for name in ("amount", "posted", "reserved")) for line in hold["lines"]]


def a_hold(cloud: LocalCloud, amount: int, seconds: int) -> dict[str, Any]:
    """A body that holds so much for so long."""
    until = cloud.clock.now() + timedelta(seconds=seconds)
    return {"lines": lines(amount), "expires_at": until.isoformat(), "reference": "H-7"}


def test_a_hold_is_posted_in_part_and_the_rest_given_back(cloud: LocalCloud, acme: Tenant) -> None:
    """Every answer says where it stands; told again, the same."""
    body, key = a_hold(cloud, 100, 3_600), a_key()
    made = acme.owner.post(HOLDS, body, key=key)
    assert made.status_code == 201, made.text
    hold = made.json()
    assert (hold["state"], figures(hold)) == ("reserved", [(100, 0, 100)] * 2)
    assert acme.owner.post(HOLDS, body, key=key).json() == hold
    path = f"{HOLDS}/{hold['id']}"
    part = acme.accountant.post(f"{path}/post", {"lines": lines(30)})
    assert part.status_code == 201, part.text
    entry = part.json()
    assert (entry["outcome"], entry["hold"], entry["reference"]) == ("posted", hold["id"], "H-7")
    assert acme.auditor.get(f"/v1/ledger/entries/{entry['id']}").json() == entry
    assert figures(acme.auditor.get(path).json()) == [(100, 30, 70)] * 2
    voided = acme.owner.post(f"{path}/void", {})
    assert (voided.status_code, voided.json()["state"], figures(voided.json())) == (200, "voided", [(100, 30, 0)] * 2)
    late = acme.owner.post(f"{path}/post", {})
    assert (late.status_code, late.json()["code"]) == (409, "hold_ended")
    listed = acme.auditor.get(f"{HOLDS}?account=assets:bank&state=voided").json()["items"]
    assert hold["id"] in {one["id"] for one in listed}
    assert acme.auditor.post(f"{path}/void", {}).status_code == 403


def test_the_sweep_releases_what_is_over(cloud: LocalCloud, acme: Tenant) -> None:
    """The schedule's door, called by the scheduler after the hold's time."""
    hold = acme.owner.post(HOLDS, a_hold(cloud, 50, 30)).json()
    cloud.clock.advance(timedelta(seconds=31))
    assert acme.owner.post(f"{HOLDS}/{hold['id']}/post", {}).json()["code"] == "hold_expired"
    url = f"{cloud.doors_url}/expire_holds"
    token = a_token(cloud, url, "daybook-scheduler")
    swept = requests.post(url, json={}, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert swept.status_code == 200, swept.text
    after = acme.auditor.get(f"{HOLDS}/{hold['id']}").json()
    assert (after["state"], figures(after)) == ("expired", [(50, 0, 0)] * 2)
