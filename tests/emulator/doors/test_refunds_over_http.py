"""Refunds over the API, asked of a partner over HTTP by the queue, and confirmed by its webhook through the door."""

from datetime import timedelta
from typing import Any

import pytest

from emulators.cloud import LocalCloud
from emulators.partner_apis.things import Known
from emulators.state import write_private
from shared.payments.model import Thing
from tests.emulator.doors.bodies import NOBODY
from tests.emulator.doors.conftest import Client, Tenant, a_key, a_tenant
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.stripe_events import paid, refunded

REFUNDS = "/v1/refunds"


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud) -> Tenant:
    """A tenant that was paid 120.00 through Stripe, for no invoice, and may ask Stripe."""
    shop = a_tenant(cloud, "giver")
    write_private(cloud.home.secrets / "webhook-giver-stripe", f"{secret_of('stripe').value.decode()}\n")
    cloud.make_partner_key(shop.name, "stripe")
    cloud.partners.feed(Known("stripe", Thing.PAYMENT, "pi_1", 12_000, "GBP", "succeeded"))
    tell(cloud, paid())
    cloud.wait_until_idle()
    return shop


def tell(cloud: LocalCloud, event: Any) -> None:
    """Stripe tells an event, signed now."""
    body, headers = delivery("stripe", event, at=cloud.clock.now())
    path = "/v1/webhooks/giver/stripe"
    assert Client(cloud.doors_url, "").send("POST", path, body, {"Authorization": "", **headers}).status_code == 200


def ask(shop: Tenant, amount: int) -> Any:
    """The accountant asks for a refund of what found no invoice."""
    (payment,) = shop.auditor.get("/v1/payments").json()["items"]
    money = {"amount": amount, "currency": "GBP"}
    body = {"payment_id": payment["id"], "kind": "credit", "amount": money, "reason": "duplicate"}
    return shop.accountant.post(REFUNDS, body)


def state(shop: Tenant, refund: str) -> str:
    """Where a refund stands."""
    return str(shop.auditor.get(f"{REFUNDS}/{refund}").json()["state"])


def test_a_refund_goes_out_over_http_and_is_confirmed_by_webhook(cloud: LocalCloud, shop: Tenant) -> None:
    """Asked by one, approved by another; the partner is down first, and makes it once."""
    asked = ask(shop, 5_000)
    assert (asked.status_code, asked.json()["state"]) == (201, "awaiting_approval")
    refund = asked.json()["id"]
    refused = shop.accountant.post(f"{REFUNDS}/{refund}/approve", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "approver_is_requester")
    assert shop.auditor.post(f"{REFUNDS}/{refund}/approve", {}).status_code == 403
    cloud.partners.trouble("stripe", "status", status=503)
    assert shop.owner.post(f"{REFUNDS}/{refund}/approve", {}).json()["approved_by"] == "user:owner"
    for _ in range(20):
        cloud.wait_until_idle()
        if state(shop, refund) == "sent":
            break
        cloud.clock.set(cloud.clock.now() + timedelta(seconds=60))
    assert (state(shop, refund), cloud.partners.asked("stripe")) == ("sent", ["POST /v1/refunds"] * 2)
    tell(cloud, refunded(amount=5_000, refund="pi_1_r1"))
    cloud.wait_until_idle()
    assert state(shop, refund) == "succeeded"
    (known,) = shop.auditor.get(f"{REFUNDS}?state=succeeded").json()["items"]
    assert known["reference"] == "pi_1_r1"


def test_what_is_asked_of_no_payment_is_answered_so_for_ever(shop: Tenant) -> None:
    """It moves money, so the refusal is on record: a late copy gets the same answer, whatever came meanwhile."""
    money = {"amount": 1, "currency": "GBP"}
    refund = {"payment_id": NOBODY, "kind": "credit", "amount": money, "reason": "duplicate"}
    lines, allocations = {"lines": [{"invoice_id": NOBODY, "amount": money}]}, f"/v1/payments/{NOBODY}/allocations"
    before = [shop.auditor.get(path).json() for path in (REFUNDS, allocations)]
    for path, body, field in ((REFUNDS, refund, "payment_id"), (allocations, lines, "id")):
        key = a_key()
        answers = [shop.accountant.post(path, body, key=key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert {(answer.json()["code"], answer.json()["field"]) for answer in answers} == {("unknown_payment", field)}
        assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]
    assert [shop.auditor.get(path).json() for path in (REFUNDS, allocations)] == before


def test_limits_are_the_owners_and_more_than_is_left_is_refused(cloud: LocalCloud, shop: Tenant) -> None:
    """Up to the limit nobody else is asked."""
    limits = {"limits": [{"amount": 1_000, "currency": "GBP"}]}
    assert shop.accountant.post(f"{REFUNDS}/approval_limits", limits).status_code == 403
    assert shop.owner.post(f"{REFUNDS}/approval_limits", limits).json() == limits
    assert shop.auditor.get(f"{REFUNDS}/approval_limits").json() == limits
    assert ask(shop, 1_000).json()["state"] == "approved"
    too_much = ask(shop, 12_000)
    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund_exceeds_payment")
    cloud.wait_until_idle()
