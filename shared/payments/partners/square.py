"""Square: `x-square-hmacsha256-signature: <base64>`, HMAC-SHA256 over the endpoint's address and the body.

Scheme: Square's documentation, "Verify and validate an event notification", and `square.utils.webhooks_helper` of
Square's own library 46.0.0; events and objects: its webhooks reference and the library's types; all read 2026-11.
Square signs no time. The address is the one that the subscription was made with, to the letter.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.money import Money, total
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import (
    header_text,
    instant,
    keyed_hash,
    minor,
    our_id,
    our_reference,
    signed_by,
    text,
    understood,
)

NAME: Final = "square"
HEADER: Final = "x-square-hmacsha256-signature"

_PAYMENT: Final[Mapping[str, EventKind]] = {
    "PENDING": EventKind.PAYMENT_PENDING,
    "APPROVED": EventKind.PAYMENT_PENDING,
    "COMPLETED": EventKind.PAYMENT_SUCCEEDED,
    "CANCELED": EventKind.PAYMENT_FAILED,
    "FAILED": EventKind.PAYMENT_FAILED,
}
_REFUND: Final[Mapping[str, EventKind]] = {
    "COMPLETED": EventKind.REFUND_SUCCEEDED,
    "REJECTED": EventKind.REFUND_FAILED,
    "FAILED": EventKind.REFUND_FAILED,
}
KINDS: Final[Mapping[str, Mapping[str, EventKind]]] = {
    "payment.created": _PAYMENT,
    "payment.updated": _PAYMENT,
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "dispute.created": {
        "EVIDENCE_REQUIRED": EventKind.DISPUTE_OPENED,
        "PROCESSING": EventKind.DISPUTE_OPENED,
    },
    "dispute.state.updated": {
        "EVIDENCE_REQUIRED": EventKind.DISPUTE_OPENED,
        "WON": EventKind.DISPUTE_WON,
        "LOST": EventKind.DISPUTE_LOST,
        "ACCEPTED": EventKind.DISPUTE_LOST,
    },
    "payout.paid": {"PAID": EventKind.PAYOUT_PAID},
    "payout.failed": {"FAILED": EventKind.PAYOUT_FAILED},
}
"""By the event's name and the state of what it is of. An inquiry is no dispute yet: it takes nothing."""


class Square:
    """Square's webhook events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """The whole body is one piece; see `Adapter`. A secret without its endpoint's address proves nothing."""
        del at  # Square signs no time
        signature = header_text(headers.get(HEADER), HEADER).encode(errors="replace")

        def made(secret: Secret) -> bytes:
            return base64.b64encode(keyed_hash(secret.value, secret.url.encode() + raw))

        return Proven((Piece(raw, signed_by([each for each in secrets if each.url], [signature], made, HEADER)),))

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What an event says; amounts are integers of minor units, as Square sends them."""
        del at  # Square says when
        return understood(raw, _event)


def _event(event: Any) -> PartnerEvent:
    name, account = text(event["type"]), event.get("merchant_id")
    identity, made = text(event["event_id"]), instant(event["created_at"])
    told = PartnerEvent(NAME, identity, name, EventKind.OTHER, made, text(account) if account else "")
    if name not in KINDS:
        return told
    family = name.partition(".")[0]
    said = event["data"]["object"][family]
    kind = KINDS[name].get(text(said["state" if family == "dispute" else "status"]), EventKind.OTHER)
    if kind is EventKind.OTHER:
        return told
    return _SAID[family](replace(told, kind=kind), said)


def _payment(told: PartnerEvent, said: Any) -> PartnerEvent:
    """With the tip: that is what was received."""
    money, reference = _money(said["total_money"]), said.get("reference_id")
    return replace(
        told,
        payment=text(said["id"]),
        money=money,
        fee=_fees(said.get("processing_fee"), money.currency),
        invoice_id=our_id(reference),
        reference=our_reference(reference),
    )


def _refund(told: PartnerEvent, said: Any) -> PartnerEvent:
    money = _money(said["amount_money"])
    return replace(told, payment=text(said["payment_id"]), object=text(said["id"]), money=money)


def _dispute(told: PartnerEvent, said: Any) -> PartnerEvent:
    payment = text(said["disputed_payment"]["payment_id"])
    return replace(told, payment=payment, object=text(said["id"]), money=_money(said["amount_money"]))


def _payout(told: PartnerEvent, said: Any) -> PartnerEvent:
    money = _money(said["amount_money"])
    return replace(told, object=text(said["id"]), money=money, fee=_fees(said.get("payout_fee"), money.currency))


_SAID: Final = {"payment": _payment, "refund": _refund, "dispute": _dispute, "payout": _payout}
"""How the events of each family say it, by the first word of their names."""


def _fees(fees: Any, currency: str) -> Money | None:
    """All fees together, adjustments included; they are often told only after the payment."""
    parts = [fee["amount_money"] for fee in fees or ()]
    kept = total([Money(part["amount"], part["currency"]) for part in parts], currency)
    return minor(kept.amount, currency) if kept.amount else None


def _money(said: Any) -> Money:
    return minor(said["amount"], said["currency"])
