"""Cash application over the API: allocated by who may, undone with a reason, written off up to the tenant's limit."""

import json
from typing import Any, Final

import pytest

from emulators.cloud import LocalCloud
from emulators.state import write_private
from tests.emulator.doors.conftest import Client, Tenant, a_tenant
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import standard

PAYMENTS: Final = "/v1/payments"


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud) -> Tenant:
    """A tenant that a system of its own tells of payments."""
    shop = a_tenant(cloud, "cashdesk")
    said = {"secret": secret_of("standard").value.decode(), "key_id": "standard-1"}
    write_private(cloud.home.secrets / f"webhook-{shop.name}-standard", f"{json.dumps(said)}\n")
    return shop


def tell(cloud: LocalCloud, shop: Tenant, *events: Any) -> None:
    """Events are told and applied."""
    for event in events:
        body, headers = delivery("standard", event, at=cloud.clock.now())
        path = f"/v1/webhooks/{shop.name}/standard"
        answer = Client(cloud.doors_url, "").send("POST", path, body, {"Authorization": "", **headers})
        assert answer.status_code == 200
    cloud.wait_until_idle()


def invoices(shop: Tenant, count: int) -> list[dict[str, Any]]:
    """Issued invoices of one customer over 120.00 pounds."""
    who = {"reference": f"C-{count}", "name": "Jo", "country": "GB", "kind": "business", "currency": "GBP"}
    customer = shop.owner.post("/v1/customers", who).json()["id"]
    lines = [{"description": "Work", "quantity": "1", "unit_price": 10_000}]
    body = {"customer_id": customer, "currency": "GBP", "supply": "service", "lines": lines}
    drafts = [shop.owner.post("/v1/invoices", body).json()["id"] for _ in range(count)]
    return [shop.owner.post(f"/v1/invoices/{draft}/issue", {}).json() for draft in drafts]


def payment(shop: Tenant, reference: str) -> dict[str, Any]:
    """A payment by its partner's reference."""
    items = shop.auditor.get(f"{PAYMENTS}?limit=200").json()["items"]
    found: dict[str, Any] = next(one for one in items if one["reference"] == reference)
    return found


def test_a_payment_is_allocated_and_taken_back_over_the_api(cloud: LocalCloud, shop: Tenant) -> None:
    """By an accountant, within the limit that the owner set; auditors read it, and the key answers once."""
    bills = invoices(shop, 2)
    tell(cloud, shop, standard(event="evt_a", payment="p-a", amount=23_990))
    paid = payment(shop, "p-a")
    path = f"{PAYMENTS}/{paid['id']}/allocations"
    lines = [
        {"invoice_id": bill["id"], "amount": {"amount": amount, "currency": "GBP"}, "write_off": amount != 12_000}
        for bill, amount in zip(bills, (12_000, 11_990), strict=True)
    ]
    limit = {"limit": {"amount": 10, "currency": "GBP"}, "reason": "bank charges"}
    statuses = [
        shop.auditor.post(path, {"lines": lines}).status_code,
        shop.accountant.post(path, {"lines": lines}).status_code,
        shop.accountant.post(f"{PAYMENTS}/write_off_limits", limit).status_code,
        shop.owner.post(f"{PAYMENTS}/write_off_limits", limit).status_code,
    ]
    assert statuses == [403, 409, 403, 200]
    answers = [shop.accountant.post(path, {"lines": lines}, key="allocate-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
    made = answers[0].json()
    assert made == answers[1].json() == shop.auditor.get(path).json()["items"][0]
    assert [line["written_off"]["amount"] for line in made["lines"]] == [0, 10]
    assert [shop.auditor.get(f"/v1/invoices/{bill['id']}").json()["state"] for bill in bills] == ["paid", "paid"]
    assert [one["allocation_id"] for one in payment(shop, "p-a")["allocated"]] == [made["id"]] * 2

    undone = shop.accountant.post(f"{path}/{made['id']}/undo", {"reason": "another customer's"})
    assert (undone.json()["state"], undone.json()["undone_by"]) == ("undone", "user:accountant")
    after = payment(shop, "p-a")
    assert (after["unapplied"]["amount"], after["allocated"], after["customer_id"]) == (23_990, [], None)
    again = shop.accountant.post(f"{path}/{made['id']}/undo", {"reason": "once more"})
    assert (again.status_code, again.json()["code"]) == (409, "allocation_undone")


def test_another_tenants_payment_is_not_there(shop: Tenant, rival: Tenant, cloud: LocalCloud) -> None:
    """Neither to allocate nor to take back."""
    tell(cloud, shop, standard(event="evt_b", payment="p-b"))
    path = f"{PAYMENTS}/{payment(shop, 'p-b')['id']}/allocations"
    line = {"invoice_id": "a" * 52, "amount": {"amount": 1, "currency": "GBP"}}
    answer = rival.owner.post(path, {"lines": [line]})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_payment")
    assert rival.owner.get(path).json()["items"] == []
