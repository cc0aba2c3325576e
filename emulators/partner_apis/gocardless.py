"""GoCardless's wire format: payments, refunds and payouts; a key that was used names the refund that it made.

By the services of GoCardless's own library, which talks to this in tests/conformance.
"""

import json
from typing import Any, Final

from emulators.partner_apis.things import Answer, Asked, Known, Things, TooMuch
from shared.payments.model import Thing

NAME: Final = "gocardless"
KINDS: Final = {"payments": Thing.PAYMENT, "refunds": Thing.REFUND, "payouts": Thing.PAYOUT}


def answer(things: Things, asked: Asked) -> Answer:
    """What GoCardless answers."""
    if not asked.headers.get("gocardless-version"):
        return _no(400, "invalid_api_usage", "missing_version_header")
    match asked.method, asked.parts:
        case "GET", (kind, identity) if kind in KINDS:
            known = things.find(NAME, KINDS[kind], identity)
            return Answer(200, {kind: _said(known)}) if known else _not_found()
        case "POST", ("refunds",):
            return _refund(things, asked)
    return _not_found()


def _refund(things: Things, asked: Asked) -> Answer:
    wanted, key = json.loads(asked.body)["refunds"], asked.headers.get("idempotency-key", "")
    if made := things.made_by(NAME, key):
        return _no(409, "invalid_state", "idempotent_creation_conflict", conflicting_resource_id=made[1].id)
    payment = things.find(NAME, Thing.PAYMENT, wanted["links"]["payment"])
    if payment is None:
        return _not_found()
    if wanted["total_amount_confirmation"] != payment.refunded + wanted["amount"]:
        return _no(422, "validation_failed", "total_amount_confirmation_invalid")
    try:
        refund = things.give_back(payment, wanted["amount"], "submitted", key=key, body=asked.body)
    except TooMuch:
        return _no(422, "validation_failed", "refund_payment_amount_exceeded")
    return Answer(201, {"refunds": _said(refund)})


def _said(known: Known) -> dict[str, Any]:
    said = {"id": known.id, "amount": known.amount, "currency": known.currency, "status": known.status}
    said |= {"created_at": known.created_at.replace("+00:00", ".000Z"), "metadata": {}, "reference": None}
    match known.thing:
        case Thing.REFUND:
            said |= {"links": {"payment": known.payment}}
        case Thing.PAYOUT:
            said |= {"deducted_fees": known.fee, "links": {}}
        case _:
            said |= {"amount_refunded": known.refunded, "description": None, "links": {}}
    return said | known.said


def _not_found() -> Answer:
    return _no(404, "invalid_api_usage", "resource_not_found")


def _no(status: int, kind: str, reason: str, **links: str) -> Answer:
    error = {"reason": reason, "message": "as emulated"} | ({"links": links} if links else {})
    whole = {"message": "as emulated", "errors": [error], "type": kind, "code": status, "request_id": "emulated"}
    return Answer(status, {"error": whole})
