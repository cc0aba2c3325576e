"""Things that emulated partners know, under ids that no other test uses."""

from itertools import count
from typing import Any, Final

from emulators.partner_apis.things import Known
from shared.money import Money
from shared.payments.model import Thing
from shared.payments.partners.api import Named, RefundOrder
from tests.builders import ACME

_numbers = count(1)
STATUS: Final = {
    ("stripe", Thing.PAYMENT): "succeeded",
    ("stripe", Thing.REFUND): "succeeded",
    ("stripe", Thing.DISPUTE): "needs_response",
    ("stripe", Thing.PAYOUT): "paid",
    ("gocardless", Thing.PAYMENT): "confirmed",
    ("gocardless", Thing.REFUND): "paid",
    ("gocardless", Thing.PAYOUT): "paid",
    ("square", Thing.PAYMENT): "COMPLETED",
    ("square", Thing.REFUND): "COMPLETED",
    ("square", Thing.DISPUTE): "PROCESSING",
    ("square", Thing.PAYOUT): "PAID",
    ("wise", Thing.PAYOUT): "outgoing_payment_sent",
    ("airwallex", Thing.PAYMENT): "SUCCEEDED",
    ("airwallex", Thing.REFUND): "SETTLED",
}
"""Everything that can be asked, as it stands when all went well."""
REFUNDABLE: Final = ("stripe", "gocardless", "square", "airwallex", "adyen")
_PREFIX: Final = {"airwallex": "int_", "stripe": "pi_", "wise": ""}


def a_thing(partner: str, thing: Thing = Thing.PAYMENT, amount: int = 12_050, **changes: Any) -> Known:
    """120.50 pounds."""
    identity = f"{_PREFIX.get(partner, 'T')}{next(_numbers)}"
    payment = "" if thing in {Thing.PAYMENT, Thing.PAYOUT} else "the-payment"
    values = {"status": STATUS.get((partner, thing), "captured"), "payment": payment}
    return Known(partner, thing, changes.pop("id", identity), amount, "GBP", **values | changes)


def named(known: Known) -> Named:
    """How we name it."""
    return Named(ACME, known.partner, "", known.thing, known.id)


def an_order(payment: Known, amount: int = 5_010, key: str = "once") -> RefundOrder:
    """50.10 pounds of it are to be given back."""
    return RefundOrder(named(payment), Money(amount, "GBP"), f"{key}-{payment.id}")
