"""Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `<t>.<body>`.

Scheme: Stripe's documentation, "Receive Stripe events in your webhook endpoint", manual verification; events: "Types
of events" and "How disputes work" there, and the objects of Stripe's own library 16.1.0; all read 2026-11. Stricter
than the library, which takes timestamps from the future: the replay window holds both ways.

Refunds are told one by one, each by its own id and status, however many events tell of it. Stripe does so of every
refund since API version 2024-10-28 ("Adds created, updated, and failed events for all refund types"); an older version
tells of most by `charge.refunded` alone, as a total: that is put into quarantine, for it would be lost.

A live endpoint for connected accounts is told of their test mode too ("Connect webhooks": "check the livemode value"),
under the same secret: such an event is kept, for no money moved. All else is live or a test as its endpoint is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import (
    header_text,
    keyed_hash,
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
    "payment_intent.processing": EventKind.PAYMENT_PENDING,
    "payment_intent.succeeded": EventKind.PAYMENT_SUCCEEDED,
    "payment_intent.payment_failed": EventKind.PAYMENT_FAILED,
    "payment_intent.canceled": EventKind.PAYMENT_FAILED,
    "refund.failed": EventKind.REFUND_FAILED,
    "charge.dispute.created": EventKind.DISPUTE_OPENED,
    "charge.dispute.funds_withdrawn": EventKind.DISPUTE_OPENED,
    "payout.paid": EventKind.PAYOUT_PAID,
    "payout.failed": EventKind.PAYOUT_FAILED,
}
_REFUND: Final[Mapping[str, EventKind]] = {
    "succeeded": EventKind.REFUND_SUCCEEDED,
    "failed": EventKind.REFUND_FAILED,
    "canceled": EventKind.REFUND_FAILED,
}
BY_STATUS: Final[Mapping[str, Mapping[str, EventKind]]] = {
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "charge.refund.updated": _REFUND,
    "charge.dispute.closed": {"won": EventKind.DISPUTE_WON, "lost": EventKind.DISPUTE_LOST},
}
"""What these tell, by the status of what they are of; a refund that is pending or waits for the payer has not gone."""
ONE_BY_ONE: Final = "2024-10-28"
"""The first API version that tells of every refund by itself."""
INQUIRY: Final = "warning_"
"""How the status of a dispute begins that is an inquiry only, and takes nothing; should it, `funds_withdrawn` says."""

_PAYMENT: Final = ("id", "", "amount")
_PART: Final = ("payment_intent", "id", "amount")
_PAYOUT: Final = ("", "id", "amount")
FIELDS: Final[Mapping[EventKind, tuple[str, str, str]]] = {
    EventKind.PAYMENT_PENDING: _PAYMENT,
    EventKind.PAYMENT_SUCCEEDED: ("id", "", "amount_received"),
    EventKind.PAYMENT_FAILED: _PAYMENT,
    EventKind.REFUND_SUCCEEDED: _PART,
    EventKind.REFUND_FAILED: _PART,
    EventKind.DISPUTE_OPENED: _PART,
    EventKind.DISPUTE_WON: _PART,
    EventKind.DISPUTE_LOST: _PART,
    EventKind.PAYOUT_PAID: _PAYOUT,
    EventKind.PAYOUT_FAILED: _PAYOUT,
}
"""Where an event of each kind names the payment, the object of its own, and the amount."""


class Stripe:
    """Stripe's webhook events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """The whole body is one piece; see `Adapter`."""
        timestamp, signatures = _parts(header_text(headers.get(HEADER.lower()), HEADER))
        signed = f"{timestamp}.".encode() + raw
        key_id = signed_by(secrets, signatures, lambda secret: keyed_hash(secret.value, signed).hex().encode(), HEADER)
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


def _event(event: Any) -> PartnerEvent:
    name = text(event["type"])
    kind = EventKind.OTHER if _is_a_test(event) else _kind(event, name)
    told = PartnerEvent(NAME, text(event["id"]), name, kind, seconds(event["created"]), _account(event))
    if kind is EventKind.OTHER:
        return told
    said, (payment, own, amount) = event["data"]["object"], FIELDS[kind]
    return replace(
        told,
        payment=text(said[payment]) if payment else "",
        object=text(said[own]) if own else "",
        money=minor(said[amount], said["currency"]),
        invoice_id=_invoice_id(said),
    )


def _kind(event: Any, name: str) -> EventKind:
    if name in BY_STATUS:
        return BY_STATUS[name].get(text(event["data"]["object"]["status"]), EventKind.OTHER)
    if name == "charge.refunded" and text(event["api_version"]) < ONE_BY_ONE:
        message = f"refunds are told one by one from API version {ONE_BY_ONE} on"
        raise ValueError(message)
    kind = KINDS.get(name, EventKind.OTHER)
    inquiry = kind is EventKind.DISPUTE_OPENED and text(event["data"]["object"]["status"]).startswith(INQUIRY)
    return EventKind.OTHER if inquiry else kind


def _is_a_test(event: Any) -> bool:
    """Whether it is of a connected account's test mode, of which live endpoints are told too."""
    return bool(_account(event)) and event.get("livemode") is False


def _account(event: Any) -> str:
    """The connected account that an event is of; none for the endpoint's own."""
    account = event.get("account")
    return text(account) if account else ""


def _invoice_id(said: Any) -> str:
    """Our invoice, if the metadata names one; money is not turned away because of what else stands there."""
    metadata = said.get("metadata")
    return our_id(metadata.get("invoice_id")) if isinstance(metadata, dict) else ""
