"""Wise: `X-Signature-SHA256: <base64>`, RSA with PKCS #1 v1.5 and SHA-256 over the body; the secret is a public key.

Scheme: Wise's documentation, "Event handling"; events: its webhook event reference, "Incoming transfer credited",
"Transfer state change" and "Tracking transfers"; all read 2026-11. Wise signs no time and gives its events no id: one
subscription telling the same twice is one event. Its events carry no amounts that can be relied on: what was received
or sent is asked of Wise. It wants its answer within five seconds.

Incoming money is told by `incoming-transfer#credited` alone, over whichever rails it came; the events of balances,
SWIFT and account details would tell it again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.identity import stored_id
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import header_text, instant, text, unbase64, understood
from shared.payments.refusals import BadSignature

NAME: Final = "wise"
HEADER: Final = "X-Signature-SHA256"

KINDS: Final[Mapping[tuple[str, str], EventKind]] = {
    ("incoming-transfer#credited", ""): EventKind.PAYMENT_SUCCEEDED,
    ("transfers#state-change", "outgoing_payment_sent"): EventKind.PAYOUT_PAID,
    ("transfers#state-change", "funds_refunded"): EventKind.PAYOUT_FAILED,
}
"""By the event's type and the state that was come to."""


class Wise:
    """Wise's webhook events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """The whole body is one piece; see `Adapter`. Each secret is one of Wise's public keys, in PEM."""
        del at  # Wise signs no time
        signature = unbase64(header_text(headers.get(HEADER.lower()), HEADER).encode(errors="replace"))
        matched = [secret.key_id for secret in secrets if _signed(secret, signature, raw)]
        if not matched:
            message = "no public key of Wise's fits this signature"
            raise BadSignature(message, field=HEADER)
        return Proven((Piece(raw, matched[0]),))

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What an event says: never an amount."""
        return understood(raw, lambda event: _event(event, at))


def _signed(secret: Secret, signature: bytes, raw: bytes) -> bool:
    # Only Wise's own deliveries pay for the library.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415 - as said
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415

    try:
        key = serialization.load_pem_public_key(secret.value)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, raw, padding.PKCS1v15(), hashes.SHA256())
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        pass
    return False


def _event(event: Any, at: datetime) -> PartnerEvent:
    name, data = text(event["event_type"]), event["data"]
    state = data.get("current_state") or ""
    kind = KINDS.get((name, state), EventKind.OTHER)
    # What a subscription says of one resource, state and time is one event, however often it is sent.
    identity = stored_id(NAME, text(event["subscription_id"]), name, json.dumps(data, sort_keys=True, default=str))
    made = data.get("occurred_at") or event.get("sent_at")
    told = PartnerEvent(NAME, identity, name, kind, instant(made) if made else at, _account(data))
    if kind is EventKind.PAYMENT_SUCCEEDED:
        return replace(told, payment=text(data["incoming_transfer_id"]))
    return told if kind is EventKind.OTHER else replace(told, object=_number(data["resource"]["id"]))


def _account(data: Any) -> str:
    """The profile of ours that an event is of, where it says."""
    resource = data.get("resource")
    profile = resource.get("profile_id") if isinstance(resource, dict) else None
    return _number(profile) if profile else ""


def _number(value: Any) -> str:
    """An id of Wise's, which is a number in some events and a text in others."""
    return text(str(value) if type(value) is int else value)
