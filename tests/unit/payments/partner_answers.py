"""What partners' own APIs answer, in the shapes that they document, with defaults; a payer's name is in each."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from shared.payments.model import Thing
from shared.payments.partners.api import Named
from shared.payments.partners.apis.speaking import ApiKey, Reply, Request
from tests.builders import ACME
from tests.unit.payments.partner_samples import PAYER, TIME

Said: TypeAlias = dict[str, Any]

KEY: Final = ApiKey("https://api.partner.example", "secret-word", "client-word")
SECONDS: Final = 1_794_830_400
ACCOUNT: Final = "acct_1"


def named(partner: str, thing: Thing = Thing.PAYMENT, reference: str = "", account: str = "") -> Named:
    """A partner's thing, by the id that the answers here have."""
    return Named(ACME, partner, account, thing, reference or REFERENCES[partner, thing])


def stripe_intent(**changes: Any) -> Said:
    """An intent of 120.00 pounds that succeeded, with Stripe's fee of 2.40."""
    charge = {"id": "ch_1", "balance_transaction": {"fee": 240, "currency": "gbp"}, "billing_details": {"name": PAYER}}
    said = {"id": "pi_1", "object": "payment_intent", "amount": 12_000, "amount_received": 12_000, "currency": "gbp"}
    return said | {"status": "succeeded", "created": SECONDS, "latest_charge": charge, "metadata": {}} | changes


def stripe_charge(**changes: Any) -> Said:
    """A charge of 120.00 pounds."""
    said = {"id": "ch_1", "object": "charge", "amount": 12_000, "amount_captured": 12_000, "currency": "gbp"}
    return said | {"status": "succeeded", "created": SECONDS, "balance_transaction": None, "metadata": {}} | changes


def stripe_part(identity: str, status: str, **changes: Any) -> Said:
    """A refund, dispute or payout of 50.00 pounds."""
    said = {"id": identity, "amount": 5_000, "currency": "gbp", "status": status, "created": SECONDS}
    return said | {"payment_intent": "pi_1", "charge": "ch_1"} | changes


def gocardless_payment(**changes: Any) -> Said:
    """A payment of 120.00 pounds that is confirmed."""
    said = {"id": "PM1", "amount": 12_000, "amount_refunded": 0, "currency": "GBP", "status": "confirmed"}
    said |= {"created_at": "2026-11-16T12:00:00.000Z", "description": PAYER, "metadata": {}, "reference": None}
    return {"payments": said | changes}


def gocardless_refund(**changes: Any) -> Said:
    """A refund of 50.00 pounds."""
    said = {"id": "RF1", "amount": 5_000, "currency": "GBP", "status": "paid", "links": {"payment": "PM1"}}
    return {"refunds": said | {"created_at": "2026-11-16T12:00:00.000Z"} | changes}


def gocardless_payout(**changes: Any) -> Said:
    """A payout of 118.00 pounds, for which 2.00 were kept."""
    said = {"id": "PO1", "amount": 11_800, "deducted_fees": 200, "currency": "GBP", "status": "paid"}
    return {"payouts": said | {"created_at": "2026-11-16T12:00:00.000Z"} | changes}


def square_thing(thing: Thing, **changes: Any) -> Said:
    """A payment of 120.00 pounds, or a part of it."""
    money = {"amount": 12_000, "currency": "GBP"}
    said: Said = {"id": REFERENCES["square", thing], "amount_money": money, "total_money": money, "created_at": TIME}
    said |= {"status": _SQUARE[thing], "state": _SQUARE[thing], "payment_id": "pay_1", "note": PAYER}
    return {thing.value: said | {"disputed_payment": {"payment_id": "pay_1"}} | changes}


def wise_transfer(**changes: Any) -> Said:
    """A transfer of 120.50 pounds that was sent."""
    said: Said = {"id": 16_521_632, "status": "outgoing_payment_sent", "created": "2026-11-16 12:00:00"}
    said |= {"sourceValue": 120.5, "sourceCurrency": "GBP", "targetValue": 140, "targetCurrency": "EUR"}
    return said | {"details": {"reference": PAYER}} | changes


def airwallex_intent(**changes: Any) -> Said:
    """An intent of 120.50 pounds that succeeded."""
    said = {"id": "int_1", "amount": 120.5, "captured_amount": 120.5, "currency": "GBP", "status": "SUCCEEDED"}
    return said | {"created_at": "2026-11-16T12:00:00+0000", "merchant_order_id": "INV-2026-000001"} | changes


def airwallex_refund(**changes: Any) -> Said:
    """A refund of 50.00 pounds."""
    said = {"id": "rfd_1", "amount": 50, "currency": "GBP", "status": "SETTLED", "payment_intent_id": "int_1"}
    return said | {"created_at": "2026-11-16T12:00:00+0000", "request_id": "once"} | changes


_SQUARE: Final[Mapping[Thing, str]] = {
    Thing.PAYMENT: "COMPLETED",
    Thing.REFUND: "COMPLETED",
    Thing.DISPUTE: "PROCESSING",
    Thing.PAYOUT: "PAID",
}
REFERENCES: Final[Mapping[tuple[str, Thing], str]] = {
    ("stripe", Thing.PAYMENT): "pi_1",
    ("stripe", Thing.REFUND): "re_1",
    ("stripe", Thing.DISPUTE): "dp_1",
    ("stripe", Thing.PAYOUT): "po_1",
    ("gocardless", Thing.PAYMENT): "PM1",
    ("gocardless", Thing.DISPUTE): "PM1",
    ("gocardless", Thing.REFUND): "RF1",
    ("gocardless", Thing.PAYOUT): "PO1",
    ("square", Thing.PAYMENT): "pay_1",
    ("square", Thing.REFUND): "pay_1_r1",
    ("square", Thing.DISPUTE): "dp_1",
    ("square", Thing.PAYOUT): "po_1",
    ("wise", Thing.PAYMENT): "it-1",
    ("wise", Thing.PAYOUT): "16521632",
    ("airwallex", Thing.PAYMENT): "int_1",
    ("airwallex", Thing.REFUND): "rfd_1",
    ("adyen", Thing.PAYMENT): "QFQTPCQ8HXSKGK82",
}
ASKABLE: Final[Mapping[tuple[str, Thing], Said]] = {
    ("stripe", Thing.PAYMENT): stripe_intent(),
    ("stripe", Thing.REFUND): stripe_part("re_1", "succeeded"),
    ("stripe", Thing.DISPUTE): stripe_part("dp_1", "needs_response"),
    ("stripe", Thing.PAYOUT): stripe_part("po_1", "paid"),
    ("gocardless", Thing.PAYMENT): gocardless_payment(),
    ("gocardless", Thing.DISPUTE): gocardless_payment(status="charged_back"),
    ("gocardless", Thing.REFUND): gocardless_refund(),
    ("gocardless", Thing.PAYOUT): gocardless_payout(),
    **{("square", thing): square_thing(thing) for thing in Thing},
    ("wise", Thing.PAYOUT): wise_transfer(),
    ("airwallex", Thing.PAYMENT): airwallex_intent(),
    ("airwallex", Thing.REFUND): airwallex_refund(),
}
"""What can be asked of whom, and a good answer to it."""


class Asked:
    """A partner that answers what it is told to, one after another, and keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        """Give these replies, in this order."""
        self.replies, self.requests = list(replies), list[Request]()

    def __call__(self, request: Request) -> Reply:
        """Answer; a login is always let in."""
        if request.path.endswith("/authentication/login"):
            return Reply(201, {"token": "a-token"})
        self.requests.append(request)
        return self.replies.pop(0)
