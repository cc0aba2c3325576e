"""Stripe's wire format: payment intents, charges, refunds, disputes and payouts; refunds under an Idempotency-Key.

By the objects of Stripe's own library, which talks to this in tests/conformance.
"""

from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs

from emulators.partner_apis.things import Answer, Asked, Known, Things, TooMuch, fingerprint
from shared.payments.model import Thing

NAME: Final = "stripe"
KINDS: Final = {
    "payment_intents": Thing.PAYMENT,
    "charges": Thing.PAYMENT,
    "refunds": Thing.REFUND,
    "disputes": Thing.DISPUTE,
    "payouts": Thing.PAYOUT,
}


def answer(things: Things, asked: Asked) -> Answer:
    """What Stripe answers."""
    match asked.method, asked.parts:
        case "GET", (kind, identity) if kind in KINDS:
            known = things.find(NAME, KINDS[kind], identity)
            return Answer(200, _said(kind, known, asked)) if known else _no(404, "resource_missing")
        case "POST", ("refunds",):
            return _refund(things, asked)
    return _no(404, "url_invalid")


def _refund(things: Things, asked: Asked) -> Answer:
    key = asked.headers.get("idempotency-key", "")
    if made := things.made_by(NAME, key):
        same = made[0] == fingerprint(asked.body)
        return Answer(200, _part("refund", made[1])) if same else _no(400, "", "idempotency_error")
    form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    payment = things.find(NAME, Thing.PAYMENT, form.get("payment_intent") or form.get("charge", ""))
    if payment is None:
        return _no(404, "resource_missing")
    try:
        amount = int(form.get("amount", payment.amount - payment.refunded))
        return Answer(200, _part("refund", things.give_back(payment, amount, "pending", key=key, body=asked.body)))
    except TooMuch:
        return _no(400, "charge_already_refunded" if payment.refunded == payment.amount else "amount_too_large")


def _said(kind: str, known: Known, asked: Asked) -> Any:
    if kind == "charges":
        return {**_part("charge", known), "amount_captured": known.amount, **_fee(known, asked)}
    if kind == "payment_intents":
        received = known.amount if known.status == "succeeded" else 0
        charge = {**_part("charge", known), "id": f"ch_of_{known.id}", **_fee(known, asked)}
        expanded = any("latest_charge" in value for value in asked.query.values())
        said = {"amount_received": received, "latest_charge": charge if expanded else charge["id"]}
        return {**_part("payment_intent", known), **said}
    return _part(kind.removesuffix("s"), known)


def _part(kind: str, known: Known) -> dict[str, Any]:
    return {
        "id": known.id,
        "object": kind,
        "amount": known.amount,
        "currency": known.currency.lower(),
        "status": known.status,
        "created": int(datetime.fromisoformat(known.created_at).timestamp()),
        "payment_intent": known.payment or None,
        "metadata": {},
        **known.said,
    }


def _fee(known: Known, asked: Asked) -> dict[str, Any]:
    if not any("balance_transaction" in value for value in asked.query.values()):
        return {"balance_transaction": f"txn_of_{known.id}"}
    told = {"object": "balance_transaction", "fee": known.fee, "currency": known.currency.lower()}
    return {"balance_transaction": {"id": f"txn_of_{known.id}", **told}}


def _no(status: int, code: str, kind: str = "invalid_request_error") -> Answer:
    error = {"type": kind, "message": "as emulated"} | ({"code": code} if code else {})
    return Answer(status, {"error": error})
