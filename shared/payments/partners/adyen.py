"""Adyen: each item is signed by itself, `additionalData.hmacSignature: <base64>`, HMAC-SHA256 under a hexadecimal key.

Scheme: Adyen's documentation, "Verify HMAC signatures", and `Adyen.util` of Adyen's own library 16.0.0; events: Adyen's
published API description Webhooks v1, "Dispute webhooks", "Dispute flow" and "Cancel or refund"; all read 2026-11.

Signed are eight values and nothing else, joined by colons and not escaped. So we read nothing but these (not the date,
nor the reason), refuse an item where one of Adyen's own holds a colon, for it could stand for another, and judge each
item of a batch, where Adyen's library looks at the first one only. Nothing signs a time: what keeps an old item from
counting twice is its id alone.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import (
    NOT_AN_EVENT,
    keyed_hash,
    minor,
    our_id,
    our_reference,
    signed_by,
    text,
    understood,
    whole,
)
from shared.payments.partners.slicing import elements
from shared.payments.refusals import BadSignature, NotAnEvent

NAME: Final = "adyen"
FIELD: Final = "hmacSignature"
MOST_ITEMS: Final = 100
"""In one delivery; Adyen's documentation knows of one, and of six in its older format."""

KINDS: Final[Mapping[tuple[str, str], EventKind]] = {
    ("AUTHORISATION", "true"): EventKind.PAYMENT_SUCCEEDED,  # captured at once, unless an account is set to do it later
    ("AUTHORISATION", "false"): EventKind.PAYMENT_FAILED,
    ("CAPTURE_FAILED", "true"): EventKind.PAYMENT_REVERSED,
    ("CANCELLATION", "true"): EventKind.PAYMENT_REVERSED,
    ("TECHNICAL_CANCEL", "true"): EventKind.PAYMENT_REVERSED,
    ("REFUND", "true"): EventKind.REFUND_SUCCEEDED,
    ("REFUND", "false"): EventKind.REFUND_FAILED,
    ("CANCEL_OR_REFUND", "true"): EventKind.REFUND_SUCCEEDED,  # which of both is not signed; the money goes either way
    ("CANCEL_OR_REFUND", "false"): EventKind.REFUND_FAILED,
    ("REFUND_FAILED", "true"): EventKind.REFUND_FAILED,
    ("REFUNDED_REVERSED", "true"): EventKind.REFUND_FAILED,
    ("CHARGEBACK", "true"): EventKind.DISPUTE_OPENED,
    ("CHARGEBACK_REVERSED", "true"): EventKind.DISPUTE_WON,
    ("PREARBITRATION_WON", "true"): EventKind.DISPUTE_WON,
    ("SCHEME_ARBITRATION_WON", "true"): EventKind.DISPUTE_WON,
    ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "true"): EventKind.DISPUTE_WON,
    ("SECOND_CHARGEBACK", "true"): EventKind.DISPUTE_LOST,
    ("PREARBITRATION_LOST", "true"): EventKind.DISPUTE_LOST,
    ("SCHEME_ARBITRATION_LOST", "true"): EventKind.DISPUTE_LOST,
    ("DISPUTE_DEFENSE_PERIOD_ENDED", "true"): EventKind.DISPUTE_LOST,
}
"""By event code and success. That a chargeback is notified takes nothing yet; the chargeback itself does."""

ROUNDS: Final[Mapping[str, int]] = {
    "CHARGEBACK_REVERSED": 1,
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": 1,
    "SECOND_CHARGEBACK": 2,
    "PREARBITRATION_WON": 3,
    "PREARBITRATION_LOST": 3,
    "SCHEME_ARBITRATION_WON": 4,
    "SCHEME_ARBITRATION_LOST": 4,
}
"""How far up each decides a dispute: all of them name it by the reference of its first chargeback."""

_OURS: Final = 3
"""Place of our own reference among the signed values: it may hold colons, for no other does."""

_REFUNDS: Final = frozenset({EventKind.REFUND_SUCCEEDED, EventKind.REFUND_FAILED})
_DISPUTES: Final = frozenset({EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST})


class Adyen:
    """Adyen's standard webhook events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """A piece for each item that a live secret signed; the others are counted. See `Adapter`."""
        del headers, at  # Adyen signs within the body, and no time
        items = _items(raw)
        found = [_signer(item, secrets) for item in items]
        pieces = tuple(Piece(item, key_id) for item, key_id in zip(items, found, strict=True) if key_id is not None)
        if not pieces:
            message = "no live secret signed any of the items"
            raise BadSignature(message, field=FIELD)
        return Proven(pieces, forged=len(items) - len(pieces))

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What an item says; its time is `at`, for Adyen signs none."""
        return understood(raw, lambda item: _event(item, at))


def _items(raw: bytes) -> tuple[bytes, ...]:
    try:
        items = elements(raw, "notificationItems")
    except NotAnEvent:
        items = ()
    if len(items) <= MOST_ITEMS:
        return items
    message = f"a delivery has at most {MOST_ITEMS} items"
    raise BadSignature(message, field=FIELD)


def _signer(item: bytes, secrets: Sequence[Secret]) -> str | None:
    """The key id of the secret that signed an item; none if it is forged, or could be another's signature."""
    try:
        said = json.loads(item, parse_float=Decimal)["NotificationRequestItem"]
        signature, signed = said["additionalData"][FIELD].encode(), _signed(said)
        return signed_by(secrets, [signature], lambda secret: base64.b64encode(keyed_hash(_key(secret), signed)), FIELD)
    except NOT_AN_EVENT:  # a bad signature among them
        return None


def _key(secret: Secret) -> bytes:
    """The key; nothing where the secret is no hexadecimal one."""
    try:
        return bytes.fromhex(secret.value.decode())
    except ValueError:
        return b""


def _signed(said: Any) -> bytes:
    """What Adyen signs of an item, in its order."""
    amount = said["amount"]
    values = [
        said["pspReference"],
        said.get("originalReference", ""),
        said["merchantAccountCode"],
        said.get("merchantReference", ""),
        str(whole(amount["value"])),
        amount["currency"],
        said["eventCode"],
        said["success"],
    ]
    if any(":" in value for place, value in enumerate(values) if place != _OURS):
        message = "a signed value holds a separator"
        raise ValueError(message)
    return ":".join(values).encode()


def _event(item: Any, at: datetime) -> PartnerEvent:
    said = item["NotificationRequestItem"]
    reference, code, success = text(said["pspReference"]), text(said["eventCode"]), text(said["success"])
    kind, amount = KINDS.get((code, success), EventKind.OTHER), said["amount"]
    told = PartnerEvent(NAME, f"{reference}:{code}:{success}", code, kind, at, text(said["merchantAccountCode"]))
    if kind is EventKind.OTHER or amount["value"] == 0:  # a card is checked by authorising nothing
        return replace(told, kind=EventKind.OTHER)
    ours = said.get("merchantReference")
    return replace(
        told,
        payment=_payment(said, kind, reference),
        object=reference if kind in _REFUNDS | _DISPUTES else "",
        money=minor(amount["value"], amount["currency"]),
        invoice_id=our_id(ours),
        reference=our_reference(ours),
        round=ROUNDS.get(code, 0),
    )


def _payment(said: Any, kind: EventKind, reference: str) -> str:
    """The payment's own reference; some dispute events name the dispute alone."""
    if said["eventCode"] == "AUTHORISATION":
        return reference
    original = said.get("originalReference")
    return "" if kind in _DISPUTES and not original else text(original)
