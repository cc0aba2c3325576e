"""Adyen's notification items, each signed within itself.

Shapes and scheme: Adyen's published API description Webhooks v1 and "Verify HMAC signatures" in its documentation, read
2026-11. Adyen tells payouts in reports and not here.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from emulators.partners.telling import Event, Happening, hmac_of, in_base64, instant, worded
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

MERCHANT: Final = "AcmeUK"

CODES: Final[Mapping[EventKind, tuple[str, str]]] = {
    EventKind.PAYMENT_SUCCEEDED: ("AUTHORISATION", "true"),
    EventKind.PAYMENT_FAILED: ("AUTHORISATION", "false"),
    EventKind.PAYMENT_REVERSED: ("CAPTURE_FAILED", "true"),
    EventKind.REFUND_SUCCEEDED: ("REFUND", "true"),
    EventKind.REFUND_FAILED: ("REFUND_FAILED", "true"),
    EventKind.DISPUTE_OPENED: ("CHARGEBACK", "true"),
    EventKind.DISPUTE_WON: ("CHARGEBACK_REVERSED", "true"),
    EventKind.DISPUTE_LOST: ("SECOND_CHARGEBACK", "true"),
}
"""Event code and success."""


class Adyen:
    """Adyen as it speaks to an endpoint."""

    kinds = CODES.keys()
    fees: frozenset[EventKind] = frozenset()

    def event(self, told: Happening) -> Event:
        """An item, not signed yet; see `Partner`."""
        code, success = worded(CODES, told, "Adyen")
        said = item(code, success, told)
        if code == "AUTHORISATION":
            return said
        said["NotificationRequestItem"] |= {
            "pspReference": told.object or f"{told.payment}R",
            "originalReference": told.payment,
        }
        return said

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """A delivery of items, each with its signature in it."""
        return batch([signed(each, secret) for each in events])

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """None: the proof is within the body."""
        del body, at, secret
        return {}


def item(code: str, success: str, told: Happening) -> Event:
    """An item about a payment."""
    said = {
        "pspReference": told.payment,
        "merchantAccountCode": MERCHANT,
        "merchantReference": told.reference or told.invoice_id,
        "amount": {"value": told.money.amount, "currency": told.money.currency},
        "eventCode": code,
        "success": success,
        "eventDate": instant(told.at),
        "reason": told.payer.name,
    }
    return {"NotificationRequestItem": said}


def signed(unsigned: Event, secret: Secret) -> Event:
    """An item with its signature in it, over eight of its values."""
    made = copy.deepcopy(unsigned)
    said = made["NotificationRequestItem"]
    amount = said["amount"]
    values = [said.get(name, "") for name in ("pspReference", "originalReference", "merchantAccountCode")]
    values += [said["merchantReference"], amount["value"], amount["currency"], said["eventCode"], said["success"]]
    signature = in_base64(hmac_of(bytes.fromhex(secret.value.decode()), ":".join(map(str, values)).encode()))
    said["additionalData"] = {**said.get("additionalData", {}), "hmacSignature": signature}
    return made


def batch(items: Sequence[Any]) -> bytes:
    """The body of a delivery of items."""
    return json.dumps({"live": "false", "notificationItems": list(items)}, indent=1).encode()
