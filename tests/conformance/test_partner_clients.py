"""Partners' own libraries talk to the emulated APIs: what they understand there is what the real ones say."""

from collections.abc import Iterator
from typing import Any

import Adyen
import gocardless_pro
import pytest
import stripe
from square import Square
from square.core.api_error import ApiError

from emulators.partner_apis.driver import KEY, PartnersDriver
from emulators.partner_apis.things import Known
from shared.payments.model import Thing
from tests.partner_server import partners_serving


@pytest.fixture(scope="module")
def partners() -> Iterator[PartnersDriver]:
    """Partners who know a payment of 120.50 pounds each, and a payout."""
    with partners_serving() as driver:
        driver.feed(Known("stripe", Thing.PAYMENT, "pi_1", 12_050, "GBP", "succeeded", fee=240))
        driver.feed(Known("stripe", Thing.PAYOUT, "po_1", 12_050, "GBP", "paid"))
        driver.feed(Known("stripe", Thing.DISPUTE, "dp_1", 12_050, "GBP", "needs_response", "pi_1"))
        driver.feed(Known("gocardless", Thing.PAYMENT, "PM1", 12_050, "GBP", "confirmed"))
        driver.feed(Known("gocardless", Thing.PAYOUT, "PO1", 12_050, "GBP", "paid", fee=240))
        driver.feed(Known("square", Thing.PAYMENT, "pay_1", 12_050, "GBP", "COMPLETED", fee=240))
        driver.feed(Known("square", Thing.PAYOUT, "po_1", 12_050, "GBP", "PAID"))
        driver.feed(Known("square", Thing.DISPUTE, "dp_1", 12_050, "GBP", "PROCESSING", "pay_1"))
        driver.feed(Known("adyen", Thing.PAYMENT, "PSP1", 12_050, "GBP", "captured"))
        yield driver


def test_stripes_library_understands_the_emulator(partners: PartnersDriver) -> None:
    """Things with their fee, a refund once under its key, and the codes of refusals."""
    client = stripe.StripeClient(KEY, base_addresses={"api": partners.url}, max_network_retries=0)
    intent: Any = client.v1.payment_intents.retrieve("pi_1", {"expand": ["latest_charge.balance_transaction"]})
    assert (intent.amount_received, intent.currency, intent.status) == (12_050, "gbp", "succeeded")
    assert intent.latest_charge.balance_transaction.fee == 240
    assert client.v1.payouts.retrieve("po_1").status == "paid"
    assert client.v1.disputes.retrieve("dp_1").payment_intent == "pi_1"
    order: Any = {"payment_intent": "pi_1", "amount": 5_000}
    first, again = (client.v1.refunds.create(order, {"idempotency_key": "once"}) for _ in range(2))
    assert (first.id, first.status, first.amount) == (again.id, "pending", 5_000)
    assert client.v1.refunds.retrieve(first.id).payment_intent == "pi_1"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.refunds.create(order | {"amount": 1}, {"idempotency_key": "once"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.retrieve("pi_none")
    assert refused.value.code == "resource_missing"


def test_gocardless_library_understands_the_emulator(partners: PartnersDriver) -> None:
    """Things, a refund once under its key (the library looks up the one that was made), and the reasons of refusals."""
    client = gocardless_pro.Client(access_token=KEY, base_url=partners.url)
    payment = client.payments.get("PM1")
    assert (payment.amount, payment.amount_refunded, payment.status) == (12_050, 0, "confirmed")
    payout = client.payouts.get("PO1")
    assert (payout.amount, payout.deducted_fees, payout.status) == (12_050, 240, "paid")
    order = {"amount": 5_000, "total_amount_confirmation": 5_000, "links": {"payment": "PM1"}}
    first, again = (client.refunds.create(params=order, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.id, first.links.payment) == (again.id, "PM1")
    assert client.refunds.get(first.id).amount == 5_000
    with pytest.raises(gocardless_pro.errors.ValidationFailedError):
        client.refunds.create(params=order, headers={"Idempotency-Key": "another"})
    with pytest.raises(gocardless_pro.errors.InvalidApiUsageError) as refused:
        client.payments.get("PM_none")
    assert refused.value.errors[0]["reason"] == "resource_not_found"


def test_squares_library_understands_the_emulator(partners: PartnersDriver) -> None:
    """Things with their fees, a refund once under its key, and the codes of refusals."""
    client = Square(token=KEY, base_url=partners.url)
    payment: Any = client.payments.get("pay_1").payment
    assert (payment.total_money.amount, payment.processing_fee[0].amount_money.amount) == (12_050, 240)
    payout: Any = client.payouts.get("po_1").payout
    dispute: Any = client.disputes.get("dp_1").dispute
    assert (payout.status, dispute.disputed_payment.payment_id) == ("PAID", "pay_1")

    def refund(amount: int) -> Any:
        money: Any = {"amount": amount, "currency": "GBP"}
        return client.refunds.refund_payment(idempotency_key="once", amount_money=money, payment_id="pay_1").refund

    first, again = refund(5_000), refund(5_000)
    assert (first.id, first.status, first.payment_id) == (again.id, "PENDING", "pay_1")
    got: Any = client.refunds.get(first.id).refund
    assert got.amount_money.amount == 5_000
    with pytest.raises(ApiError, match="IDEMPOTENCY_KEY_REUSED"):
        refund(1)
    with pytest.raises(ApiError, match="NOT_FOUND"):
        client.payments.get("none")


def test_adyens_library_understands_the_emulator(partners: PartnersDriver) -> None:
    """A refund is taken on once under its key."""
    client = Adyen.Adyen(xapikey=KEY, platform="test")
    client.checkout.modifications_api.baseUrl = f"{partners.url}/v72"
    order = {"merchantAccount": "AcmeUK", "amount": {"value": 5_000, "currency": "GBP"}, "reference": "ours"}

    def refund(reference: str, key: str) -> Any:
        return client.checkout.modifications_api.refund_captured_payment(order, reference, idempotency_key=key).message

    first, again = refund("PSP1", "once"), refund("PSP1", "once")
    assert (first["status"], first["pspReference"]) == ("received", again["pspReference"])
    assert (first["paymentPspReference"], first["reference"]) == ("PSP1", "ours")
    with pytest.raises(Adyen.exceptions.AdyenError):
        refund("PSP_none", "other")
