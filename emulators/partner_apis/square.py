"""Square's wire format: payments, refunds, disputes and payouts; a refund's key is in its body.

By the types of Square's own library, which talks to this in tests/conformance.
"""

import json
from typing import Any, Final

from emulators.partner_apis.things import Answer, Asked, Known, Things, TooMuch, fingerprint
from shared.payments.model import Thing

NAME: Final = "square"
KINDS: Final = {f"{thing.value}s": thing for thing in Thing}


def answer(things: Things, asked: Asked) -> Answer:
    """What Square answers."""
    match asked.method, asked.parts:
        case "GET", (kind, identity) if kind in KINDS:
            known = things.find(NAME, KINDS[kind], identity)
            return Answer(200, {KINDS[kind].value: _said(known)}) if known else _no(404, "NOT_FOUND")
        case "POST", ("refunds",):
            return _refund(things, asked)
    return _no(404, "NOT_FOUND")


def _refund(things: Things, asked: Asked) -> Answer:
    wanted = json.loads(asked.body)
    key, money = wanted["idempotency_key"], wanted["amount_money"]
    if made := things.made_by(NAME, key):
        same = made[0] == fingerprint(asked.body)
        return Answer(200, {"refund": _said(made[1])}) if same else _no(400, "IDEMPOTENCY_KEY_REUSED")
    payment = things.find(NAME, Thing.PAYMENT, wanted.get("payment_id", ""))
    if payment is None:
        return _no(404, "NOT_FOUND")
    if money["currency"] != payment.currency:
        return _no(400, "CURRENCY_MISMATCH")
    try:
        refund = things.give_back(payment, money["amount"], "PENDING", key=key, body=asked.body)
    except TooMuch:
        return _no(400, "REFUND_AMOUNT_INVALID")
    return Answer(200, {"refund": _said(refund)})


def _said(known: Known) -> dict[str, Any]:
    money = {"amount": known.amount, "currency": known.currency}
    said: dict[str, Any] = {"id": known.id, "amount_money": money, "created_at": known.created_at}
    fee = {"amount_money": {"amount": known.fee, "currency": known.currency}, "type": "INITIAL"}
    fees = [fee] if known.fee else []
    match known.thing:
        case Thing.PAYMENT:
            said |= {"status": known.status, "total_money": money, "processing_fee": fees}
        case Thing.REFUND:
            said |= {"status": known.status, "payment_id": known.payment}
        case Thing.DISPUTE:
            said |= {"state": known.status, "disputed_payment": {"payment_id": known.payment}}
        case Thing.PAYOUT:
            said |= {"status": known.status, "location_id": "L1", "payout_fee": fees}
    return said | known.said


def _no(status: int, code: str) -> Answer:
    return Answer(status, {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": code, "detail": "as emulated"}]})
