"""Anyone who sends Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>[ v1,...]`.

Scheme: the Standard Webhooks specification, "Signature scheme", and the libraries standardwebhooks 1.1.0 and svix
2.9.1; all read 2026-11. HMAC-SHA256 over `<id>.<timestamp>.<body>`; the key is what stands behind `whsec_`, in base64.
The `svix-` headers are the same under the names of before. Stricter than the libraries: an id with a full stop, against
which the specification warns, is refused.

The words are ours, so that a partner without an adapter, or a system of our own, can tell of payments:

    {"id": "evt_1", "type": "payment.succeeded", "timestamp": "2026-11-16T12:00:00Z",
     "data": {"payment": "p-1", "object": "r-1", "amount": 12000, "currency": "GBP", "fee": 240,
              "invoice_id": "...", "reference": "INV-2026-000001", "paid_to": "GB33BUKB20201555555555"}}

- `id` names the event and is never used for another; it is `webhook-id` too, but where Svix gives that.
- `type` is one of `KINDS`; others are kept.
- `payment` is the sender's id of the payment, of a payout none; `object` that of the refund, dispute or payout.
- `amount` and `fee` are whole minor units of `currency`; of `payment.reversed` how much the bank took back.
- `fee`, `invoice_id` (ours) and `reference` may be left out, and `paid_to`: the number of the virtual account that the
  money came to.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import (
    LONGEST_ID,
    NOT_AN_EVENT,
    header_text,
    instant,
    keyed_hash,
    minor,
    our_id,
    our_reference,
    signed_by,
    text,
    unbase64,
    understood,
    within_window,
)
from shared.payments.refusals import BadSignature

NAME: Final = "standard"
SIGNATURE: Final = "webhook-signature"
PREFIX: Final = b"whsec_"

KINDS: Final[Mapping[str, EventKind]] = {
    "payment.pending": EventKind.PAYMENT_PENDING,
    "payment.succeeded": EventKind.PAYMENT_SUCCEEDED,
    "payment.failed": EventKind.PAYMENT_FAILED,
    "payment.reversed": EventKind.PAYMENT_REVERSED,
    "refund.succeeded": EventKind.REFUND_SUCCEEDED,
    "refund.failed": EventKind.REFUND_FAILED,
    "dispute.opened": EventKind.DISPUTE_OPENED,
    "dispute.won": EventKind.DISPUTE_WON,
    "dispute.lost": EventKind.DISPUTE_LOST,
    "payout.paid": EventKind.PAYOUT_PAID,
    "payout.failed": EventKind.PAYOUT_FAILED,
}


class Standard:
    """Events in our words, signed as Standard Webhooks."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """The whole body is one piece; see `Adapter`."""
        family = "webhook" if SIGNATURE in headers else "svix"
        message_id, timestamp, given = (
            header_text(headers.get(f"{family}-{part}"), f"{family}-{part}")
            for part in ("id", "timestamp", "signature")
        )
        if "." in message_id or len(message_id) > LONGEST_ID or not timestamp.isascii() or not timestamp.isdecimal():
            message = f"the {family}-id or {family}-timestamp header is malformed"
            raise BadSignature(message, field=SIGNATURE)
        signed = f"{message_id}.{timestamp}.".encode(errors="replace") + raw
        signatures = [each[3:].encode(errors="replace") for each in given.split(" ") if each.startswith("v1,")]
        key_id = signed_by(
            secrets, signatures, lambda secret: base64.b64encode(keyed_hash(_key(secret), signed)), SIGNATURE
        )
        within_window(int(timestamp[:15]), at, f"{family}-timestamp")
        if family == "webhook" and _named(raw) not in {None, message_id}:
            message = "the body names another event than its header"
            raise BadSignature(message, field="webhook-id")
        return Proven((Piece(raw, key_id),))

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What an event says; amounts are integers of minor units."""
        del at  # an event says when
        return understood(raw, _event)


def _key(secret: Secret) -> bytes:
    """The key; nothing where the secret is not base64. Some senders leave its padding away."""
    encoded = secret.value.removeprefix(PREFIX)
    return unbase64(encoded + b"=" * (-len(encoded) % 4))


def _named(raw: bytes) -> str | None:
    """The id in a body; none where it has none, which is for `parse` to judge."""
    try:
        return text(json.loads(raw)["id"])
    except NOT_AN_EVENT:
        return None


def _event(event: Any) -> PartnerEvent:
    name = text(event["type"])
    kind = KINDS.get(name, EventKind.OTHER)
    told = PartnerEvent(NAME, text(event["id"]), name, kind, instant(event["timestamp"]))
    if kind is EventKind.OTHER:
        return told
    said, family = event["data"], name.partition(".")[0]
    return replace(
        told,
        payment="" if family == "payout" else text(said["payment"]),
        object="" if family == "payment" else text(said["object"]),
        money=minor(said["amount"], said["currency"]),
        fee=minor(said["fee"], said["currency"]) if said.get("fee") else None,
        invoice_id=our_id(said.get("invoice_id")),
        reference=our_reference(said.get("reference")),
        paid_to=text(said["paid_to"]) if said.get("paid_to") else "",
    )
