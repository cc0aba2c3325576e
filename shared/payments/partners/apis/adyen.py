"""Adyen's API: refunds only, of what was captured.

Sources: Adyen's Checkout API v72, "Refund a captured payment", "API idempotency", and Adyen's own library 16.0.0; read
2026-11. The address of the secret names the version too (`https://checkout-test.adyen.com/v72`). A refund is only taken
on; how it ended is told by a REFUND webhook under the reference that is given here.

How a payment stands cannot be asked: Adyen has no such request, its webhooks are the only word.
"""

from typing import Any, Final

from shared.payments.model import Stage
from shared.payments.partners.api import Accepted, Named, RefundOrder, Truth
from shared.payments.partners.apis.speaking import (
    ApiKey,
    Ask,
    Request,
    json_body,
    not_askable,
    once,
    segment,
    settled,
    stage_of,
    understand,
)
from shared.payments.partners.reading import text

NAME: Final = "adyen"


class AdyenApi:
    """Adyen's API."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """Adyen has no such question."""
        del ask, key, named
        raise not_askable()

    def refund(self, ask: Ask, key: ApiKey, order: RefundOrder) -> Accepted:
        """Ask for so much of a payment to be given back."""
        payment = order.payment
        headers = {
            "x-api-key": key.value,
            "content-type": "application/json",
            "idempotency-key": once(order.key),
        }
        wanted = {
            "merchantAccount": payment.account,
            "amount": {"value": order.money.amount, "currency": order.money.currency},
            "reference": once(order.key),
        }
        path = f"/payments/{segment(payment.reference)}/refunds"
        said = settled(NAME, ask(Request("POST", path, headers, json_body(wanted))), _code)
        return understand(NAME, said, _accepted)


def _code(said: Any) -> Any:
    return said["errorCode"]


def _accepted(said: Any) -> Accepted:
    return Accepted(text(said["pspReference"]), stage_of({"received": Stage.PENDING}, said["status"]))
