"""Airwallex's wire format: a login for a token, payment intents and refunds, amounts in major units."""

import json
from decimal import Decimal
from typing import Any, Final

from emulators.partner_apis.things import Answer, Asked, Known, Things, TooMuch
from shared.money import minor_digits
from shared.payments.model import Thing

NAME: Final = "airwallex"
TOKEN: Final = "emulated-token"  # noqa: S105 - opens nothing but this emulator


def answer(things: Things, asked: Asked) -> Answer:
    """What Airwallex answers."""
    if asked.parts == ("authentication", "login"):
        named = asked.headers.get("x-client-id") and asked.headers.get("x-api-key")
        return Answer(201, {"token": TOKEN}) if named else _no(401, "unauthorized")
    let_in = asked.headers.get("authorization") == f"Bearer {TOKEN}"
    return _let_in(things, asked) if let_in else _no(401, "unauthorized")


def _let_in(things: Things, asked: Asked) -> Answer:
    match asked.method, asked.parts:
        case "GET", ("pa", "payment_intents", identity):
            known = things.find(NAME, Thing.PAYMENT, identity)
            return Answer(200, _intent(known)) if known else _no(404, "resource_not_found")
        case "GET", ("pa", "refunds", identity):
            known = things.find(NAME, Thing.REFUND, identity)
            return Answer(200, _refund(known)) if known else _no(404, "resource_not_found")
        case "GET", ("pa", "refunds"):
            found = things.refunds_of(NAME, asked.query.get("payment_intent_id", ""))
            return Answer(200, {"items": [_refund(one) for one in found], "has_more": False})
        case "POST", ("pa", "refunds", "create"):
            return _create(things, asked)
    return _no(404, "resource_not_found")


def _create(things: Things, asked: Asked) -> Answer:
    wanted = json.loads(asked.body, parse_float=Decimal)
    if things.made_by(NAME, wanted["request_id"]):
        return _no(400, "duplicate_request")
    payment = things.find(NAME, Thing.PAYMENT, wanted.get("payment_intent_id", ""))
    if payment is None:
        return _no(404, "resource_not_found")
    amount = int(Decimal(wanted["amount"]).scaleb(minor_digits(payment.currency)))
    try:
        refund = things.give_back(payment, amount, "RECEIVED", key=wanted["request_id"], body=asked.body)
    except TooMuch:
        return _no(400, "amount_above_limit")
    refund.said["request_id"] = wanted["request_id"]
    return Answer(201, _refund(refund))


def _intent(known: Known) -> dict[str, Any]:
    captured = _major(known) if known.status == "SUCCEEDED" else 0
    return {**_part(known), "captured_amount": captured, "merchant_order_id": "", "metadata": {}, **known.said}


def _refund(known: Known) -> dict[str, Any]:
    return {**_part(known), "payment_intent_id": known.payment, **known.said}


def _part(known: Known) -> dict[str, Any]:
    created = known.created_at.replace("+00:00", "+0000")
    said = {"id": known.id, "amount": _major(known), "currency": known.currency}
    return said | {"status": known.status, "created_at": created}


def _major(known: Known) -> float:
    return float(Decimal(known.amount).scaleb(-minor_digits(known.currency)))


def _no(status: int, code: str) -> Answer:
    return Answer(status, {"code": code, "message": "as emulated"})
