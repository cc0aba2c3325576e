"""Anyone who tells payments in our words, signed as Standard Webhooks (`shared.payments.partners.standard`)."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from emulators.partners.telling import Event, Happening, hmac_of, in_base64, in_words, instant, worded
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

_NOTHING_TOLD: Final = frozenset({EventKind.OTHER, EventKind.UNREADABLE})
NAMES: Final[Mapping[EventKind, str]] = {kind: in_words(kind) for kind in EventKind if kind not in _NOTHING_TOLD}


class Standard:
    """A sender in our words."""

    kinds = NAMES.keys()
    fees = frozenset({EventKind.PAYMENT_SUCCEEDED, EventKind.PAYOUT_PAID})

    def event(self, told: Happening) -> Event:
        """See `Partner`."""
        said: dict[str, Any] = {"amount": told.money.amount, "currency": told.money.currency, "payer": told.payer.name}
        about = {
            "payment": told.payment,
            "object": told.object,
            "invoice_id": told.invoice_id,
            "reference": told.reference,
        }
        said |= {name: value for name, value in about.items() if value}
        said |= {"fee": told.fee.amount} if told.fee else {}
        return envelope(told.id, worded(NAMES, told, "the standard sender"), told.at, said)

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """One event a delivery."""
        del secret  # it signs the headers
        (event,) = events
        return json.dumps(event, indent=1).encode()

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """The id, the time, and their signature with the body."""
        message_id, timestamp = _message_id(body), str(int(at.timestamp()))
        key = base64.b64decode(secret.value.removeprefix(b"whsec_"))
        made = in_base64(hmac_of(key, f"{message_id}.{timestamp}.".encode(errors="replace") + body))
        return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{made}"}


def envelope(identity: str, name: str, at: datetime, said: Mapping[str, Any]) -> Event:
    """An event in our words."""
    return {"id": identity, "type": name, "timestamp": instant(at), "data": dict(said)}


def _message_id(body: bytes) -> str:
    """The event's id; another where the body is none."""
    try:
        return str(json.loads(body)["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return "msg_1"
