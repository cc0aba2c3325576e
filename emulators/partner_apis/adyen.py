"""Adyen's wire format: refunds of what was captured, taken on and nothing more.

By Adyen's own library, which talks to this in tests/conformance.
"""

import json
from typing import Any, Final

from emulators.partner_apis.things import Answer, Asked, Known, Things, TooMuch
from shared.payments.model import Thing

NAME: Final = "adyen"


def answer(things: Things, asked: Asked) -> Answer:
    """What Adyen answers."""
    match asked.method, asked.parts:
        case "POST", ("payments", reference, "refunds"):
            return _refund(things, asked, reference)
    return _no(404, "900", "no such endpoint")


def _refund(things: Things, asked: Asked, reference: str) -> Answer:
    wanted, key = json.loads(asked.body), asked.headers.get("idempotency-key", "")
    if made := things.made_by(NAME, key):
        return Answer(201, _said(made[1], wanted))
    payment = things.find(NAME, Thing.PAYMENT, reference)
    if payment is None:
        return _no(422, "167", "Original pspReference required for this operation")
    try:
        refund = things.give_back(payment, wanted["amount"]["value"], "received", key=key, body=asked.body)
    except TooMuch:
        return _no(422, "137", "Invalid amount specified")
    return Answer(201, _said(refund, wanted))


def _said(refund: Known, wanted: Any) -> dict[str, Any]:
    return {
        "merchantAccount": wanted["merchantAccount"],
        "paymentPspReference": refund.payment,
        "pspReference": refund.id,
        "reference": wanted.get("reference", ""),
        "status": "received",
        "amount": wanted["amount"],
    }


def _no(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"status": status, "errorCode": code, "message": message, "errorType": "validation"})
