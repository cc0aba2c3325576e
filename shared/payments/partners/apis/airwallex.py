"""Airwallex's API: payment intents and refunds, by a token that a login gives for half an hour.

Sources: Airwallex's documentation, "API Access Token", "Refunds", "Payment Intents", "Error response codes"; read
2026-11. Amounts are JSON numbers of major units. The `request_id` of a refund is its idempotency key; one that was
used is answered with `duplicate_request`, and the refund that it made is looked for among its payment's. Deposits,
charges, disputes and transfers are told with their amounts, and not asked for. The secret is the API key, `client_id`
the client's.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from shared.money import Money, minor_digits
from shared.payments.model import Stage, Thing
from shared.payments.partners.api import Accepted, Named, RefundOrder, Truth
from shared.payments.partners.apis.speaking import (
    ApiKey,
    Ask,
    Request,
    about,
    code_of,
    not_askable,
    once,
    segment,
    settled,
    stage_of,
    understand,
)
from shared.payments.partners.reading import instant, major, our_id, our_reference, text

NAME: Final = "airwallex"
USED: Final = "duplicate_request"
INTENT: Final = "int_"

_INTENT: Final[Mapping[str, Stage]] = {
    "REQUIRES_PAYMENT_METHOD": Stage.PENDING,
    "REQUIRES_CUSTOMER_ACTION": Stage.PENDING,
    "REQUIRES_CAPTURE": Stage.PENDING,
    "PENDING": Stage.PENDING,
    "PENDING_REVIEW": Stage.PENDING,
    "SUCCEEDED": Stage.SUCCEEDED,
    "CANCELLED": Stage.FAILED,
}
_REFUND: Final[Mapping[str, Stage]] = {
    "RECEIVED": Stage.PENDING,
    "ACCEPTED": Stage.PENDING,
    "SETTLED": Stage.SUCCEEDED,
    "FAILED": Stage.FAILED,
}


class AirwallexApi:
    """Airwallex's API."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """How a payment intent or a refund stands."""
        reference = segment(named.reference)
        if named.thing is Thing.PAYMENT and named.reference.startswith(INTENT):
            path, read = f"/api/v1/pa/payment_intents/{reference}", _intent
        elif named.thing is Thing.REFUND:
            path, read = f"/api/v1/pa/refunds/{reference}", _refund
        else:
            raise not_askable()
        reply = ask(Request("GET", path, _headers(ask, key)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: read(named, said))

    def refund(self, ask: Ask, key: ApiKey, order: RefundOrder) -> Accepted:
        """Give back so much of a payment intent."""
        if not order.payment.reference.startswith(INTENT):
            raise not_askable()
        headers = _headers(ask, key)
        body = _body(order)
        reply = ask(Request("POST", "/api/v1/pa/refunds/create", headers, body))
        if not reply.is_success and code_of(reply.said, _code) == USED:
            return _made_before(ask, headers, order)
        return understand(NAME, settled(NAME, reply, _code), _accepted)


def _headers(ask: Ask, key: ApiKey) -> dict[str, str]:
    """With a fresh token: a login a question, for nothing is kept between two."""
    login = {"x-client-id": key.client_id, "x-api-key": key.value, "content-type": "application/json"}
    reply = ask(Request("POST", "/api/v1/authentication/login", login))
    token = understand(NAME, settled(NAME, reply, _code), lambda said: _token(said["token"]))
    return {"authorization": f"Bearer {token}", "accept": "application/json", "content-type": "application/json"}


def _token(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        message = "a token is printable ASCII"
        raise ValueError(message)
    return value


def _code(said: Any) -> Any:
    return said["code"]


def _body(order: RefundOrder) -> bytes:
    """The amount is written as it is, for JSON of Python's has no exact fractions."""
    named = json.dumps({"request_id": once(order.key), "payment_intent_id": order.payment.reference})
    return f'{named[:-1]}, "amount": {_major(order.money)}}}'.encode()


def _major(money: Money) -> str:
    return f"{Decimal(money.amount).scaleb(-minor_digits(money.currency)):f}"


def _made_before(ask: Ask, headers: Mapping[str, str], order: RefundOrder) -> Accepted:
    query = urlencode({"payment_intent_id": order.payment.reference})
    said = settled(NAME, ask(Request("GET", f"/api/v1/pa/refunds?{query}", headers)), _code)

    def find(said: Any) -> Accepted:
        (made,) = [one for one in said["items"] if one["request_id"] == once(order.key)]
        return _accepted(made)

    return understand(NAME, said, find)


def _intent(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    stage, order = stage_of(_INTENT, said["status"]), said.get("merchant_order_id")
    money = major(said["captured_amount" if stage is Stage.SUCCEEDED else "amount"], said["currency"])
    metadata = said.get("metadata")
    invoice_id = our_id(metadata.get("invoice_id")) if isinstance(metadata, dict) else ""
    number = our_reference(order)
    made = instant(said["created_at"])
    return Truth(stage, money, made, named.reference, invoice_id=invoice_id or our_id(order), number=number)


def _refund(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    stage, money = stage_of(_REFUND, said["status"]), major(said["amount"], said["currency"])
    return Truth(stage, money, instant(said["created_at"]), text(said["payment_intent_id"]))


def _accepted(said: Any) -> Accepted:
    return Accepted(text(said["id"]), stage_of(_REFUND, said["status"]))
