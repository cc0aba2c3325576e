"""Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `<t>.<body>`.

Scheme: Stripe's documentation, "Receive Stripe events in your webhook endpoint", manual
verification, read 2026-11. Stricter than Stripe's own library, which takes timestamps from the
future: the replay window holds both ways.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import (
    header_text,
    minor,
    our_id,
    seconds,
    signed_by,
    text,
    understood,
    within_window,
)
from shared.payments.refusals import BadSignature

NAME: Final = "stripe"
HEADER: Final = "Stripe-Signature"

KINDS: Final[Mapping[str, EventKind]] = {
    "payment_intent.succeeded": EventKind.PAYMENT_SUCCEEDED,
    "charge.refunded": EventKind.PAYMENT_REFUNDED,
}
FIELDS: Final[Mapping[EventKind, tuple[str, str]]] = {
    EventKind.PAYMENT_SUCCEEDED: ("id", "amount_received"),
    EventKind.PAYMENT_REFUNDED: ("payment_intent", "amount_refunded"),
}
"""Where an event of each kind that we apply names the payment and the amount."""


class Stripe:
    """Stripe's webhook events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """The whole body is one piece; see `Adapter`."""
        timestamp, signatures = _parts(header_text(headers.get(HEADER.lower()), HEADER))
        signed = f"{timestamp}.".encode() + raw
        key_id = signed_by(secrets, signatures, lambda secret: _signature(secret, signed), HEADER)
        within_window(timestamp, at, HEADER)
        return Proven((Piece(raw, key_id),))

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What an event says; amounts are integers of minor units, as Stripe sends them."""
        del at  # Stripe signs its own
        return understood(raw, _event)


def _parts(header: str) -> tuple[int, list[bytes]]:
    pairs = [item.partition("=")[::2] for item in header.split(",")]
    timestamps = [value for name, value in pairs if name == "t"]
    signatures = [value.encode(errors="replace") for name, value in pairs if name == "v1"]
    if len(timestamps) != 1 or not timestamps[0].isascii() or not timestamps[0].isdecimal() or not signatures:
        message = "the Stripe-Signature header is missing or malformed"
        raise BadSignature(message, field=HEADER)
    return int(timestamps[0][:15]), signatures


def _signature(secret: Secret, signed: bytes) -> bytes:
    return hmac.new(secret.value, signed, hashlib.sha256).hexdigest().encode()


def _event(event: Any) -> PartnerEvent:
    kind = KINDS.get(event["type"], EventKind.OTHER)
    told = PartnerEvent(NAME, text(event["id"]), text(event["type"]), kind, seconds(event["created"]), _account(event))
    if kind is EventKind.OTHER:
        return told
    said, (payment, amount) = event["data"]["object"], FIELDS[kind]
    money = minor(said[amount], said["currency"])
    return replace(told, payment=text(said[payment]), money=money, invoice_id=_invoice_id(said))


def _account(event: Any) -> str:
    """The connected account that an event is of; none for the endpoint's own."""
    account = event.get("account")
    return text(account) if account else ""


def _invoice_id(said: Any) -> str:
    """Our invoice, if the metadata names one; money is not turned away because of what else stands there."""
    metadata = said.get("metadata")
    return our_id(metadata.get("invoice_id")) if isinstance(metadata, dict) else ""
