"""Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `<t>.<body>`.

Scheme: Stripe's documentation, "Receive Stripe events in your webhook endpoint", manual
verification, read 2026-11. Stricter than Stripe's own library, which takes timestamps from the
future: the replay window holds both ways.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from shared.faults import Fault
from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.refusals import BadSignature, NotAnEvent, OutsideReplayWindow

REPLAY_WINDOW_SECONDS: Final = 300
LONGEST_HEADER: Final = 2_048
LONGEST_ID: Final = 255
OUR_ID: Final = re.compile(r"[a-z2-7]{52}")
"""What our ids look like (`shared.identity.stored_id`): metadata is free text, anything else in it is not ours."""

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

    def verify(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[bytes], at: datetime) -> int:
        """The index of the secret that signed these bytes; every secret is tried in constant time."""
        timestamp, signatures = _parts(headers.get("stripe-signature", ""))
        signed = f"{timestamp}.".encode() + raw
        matches = [_matches(secret, signed, signatures) for secret in secrets]
        if True not in matches:
            message = "no live secret made this signature"
            raise BadSignature(message, field="Stripe-Signature")
        if abs(at.timestamp() - timestamp) > REPLAY_WINDOW_SECONDS:
            message = f"the signature is more than {REPLAY_WINDOW_SECONDS} seconds off"
            raise OutsideReplayWindow(message, field="Stripe-Signature")
        return matches.index(True)

    def parse(self, raw: bytes) -> PartnerEvent:
        """What an event says; amounts are integers of minor units, as Stripe sends them.

        A body that is no event leaves no trace in the refusal: a parser's error holds the bytes.
        """
        try:
            return _event(json.loads(raw, parse_float=Decimal))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError, Fault):
            pass  # OSError: what the platform says of an instant far outside its calendar
        message = "the body is no Stripe event that we understand"
        raise NotAnEvent(message)


def _parts(header: str) -> tuple[int, list[str]]:
    pairs = [item.partition("=")[::2] for item in header.split(",")] if len(header) <= LONGEST_HEADER else []
    timestamps = [value for name, value in pairs if name == "t"]
    signatures = [value for name, value in pairs if name == "v1"]
    if len(timestamps) != 1 or not timestamps[0].isascii() or not timestamps[0].isdecimal() or not signatures:
        message = "the Stripe-Signature header is missing or malformed"
        raise BadSignature(message, field="Stripe-Signature")
    return int(timestamps[0][:15]), signatures


def _matches(secret: bytes, signed: bytes, signatures: Sequence[str]) -> bool:
    expected = hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()
    given = [signature.encode(errors="replace") for signature in signatures]
    return any([hmac.compare_digest(expected, signature) for signature in given])  # noqa: C419 - no early exit


def _event(event: Any) -> PartnerEvent:
    kind = KINDS.get(event["type"], EventKind.OTHER)
    identity, name = _text(event["id"]), _text(event["type"])
    occurred_at = datetime.fromtimestamp(_whole(event["created"]), UTC)
    if kind is EventKind.OTHER:
        return PartnerEvent("stripe", identity, name, kind, occurred_at)
    said, (payment_field, amount_field) = event["data"]["object"], FIELDS[kind]
    payment, amount = _text(said[payment_field]), _whole(said[amount_field])
    if amount <= 0:
        message = "an amount is positive"
        raise ValueError(message)
    money = Money(amount, _text(said["currency"]).upper())
    return PartnerEvent("stripe", identity, name, kind, occurred_at, payment, money, _invoice_id(said))


def _invoice_id(said: Any) -> str:
    """Our invoice, if the metadata names one; money is not turned away because of what else stands there."""
    metadata = said.get("metadata")
    named = metadata.get("invoice_id") if isinstance(metadata, dict) else None
    return named if isinstance(named, str) and OUR_ID.fullmatch(named) else ""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable() or "/" in value:
        message = "an identifier is 1 to 255 printable characters without a slash"
        raise ValueError(message)
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        message = "an amount or time is a whole number"
        raise TypeError(message)
    return value
