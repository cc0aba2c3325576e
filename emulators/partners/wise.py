"""Wise's events, signed over the body by a private key whose public one the door knows; they tell no amounts.

Shapes and scheme: "Event handling", "Incoming transfer credited" and "Transfer state change" in Wise's documentation,
read 2026-11.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from emulators.partners.telling import Event, Happening, in_base64, instant, worded
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

NAMES: Final[Mapping[EventKind, tuple[str, str]]] = {
    EventKind.PAYMENT_SUCCEEDED: ("incoming-transfer#credited", ""),
    EventKind.PAYOUT_PAID: ("transfers#state-change", "outgoing_payment_sent"),
    EventKind.PAYOUT_FAILED: ("transfers#state-change", "funds_refunded"),
}
"""The event's type, and the state that was come to."""

_BITS: Final = 2_048
_EXPONENT: Final = 65_537


class Wise:
    """Wise as it speaks to an endpoint; the secret that it signs with is a private key in PEM."""

    kinds = NAMES.keys()
    fees: frozenset[EventKind] = frozenset()

    def event(self, told: Happening) -> Event:
        """See `Partner`; Wise's events have no id of their own."""
        name, state = worded(NAMES, told, "Wise")
        if not state:
            credited = {"incoming_transfer_id": told.payment, "occurred_at": instant(told.at)}
            return envelope(name, told.at, credited | {"sender": told.payer.name})
        resource = {"id": told.object, "profile_id": 1, "type": "transfer"}
        return envelope(name, told.at, {"resource": resource, "current_state": state, "occurred_at": instant(told.at)})

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """One event a delivery."""
        del secret  # it signs the headers
        (event,) = events
        return json.dumps(event, indent=1).encode()

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """The body's signature; no time is signed."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only for Wise
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

        del at
        signature = private_key(secret.value).sign(body, padding.PKCS1v15(), hashes.SHA256())
        return {"x-signature-sha256": in_base64(signature)}


def envelope(name: str, at: datetime, data: Mapping[str, Any]) -> Event:
    """What a subscription says."""
    return {
        "data": dict(data),
        "subscription_id": "01234567-89ab-cdef-0123-456789abcdef",
        "event_type": name,
        "schema_version": "4.0.0",
        "sent_at": instant(at),
    }


@cache
def private_key(pem: bytes) -> "RSAPrivateKey":
    """The key of its text, read once: that it is one is checked, which takes long."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only for Wise
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    message = "Wise signs with RSA"
    raise TypeError(message)


def key_pair() -> tuple[str, str]:
    """A private key in the place of Wise's own, and the public one, both in PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only for Wise
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key, pem = rsa.generate_private_key(_EXPONENT, _BITS), serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
