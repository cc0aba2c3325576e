"""GoCardless: `Webhook-Signature: <hex>`, HMAC-SHA256 over the body, which tells up to 250 events.

Scheme: GoCardless's documentation, "Stay up to date with webhooks", and `gocardless_pro.webhooks` of GoCardless's own
library 3.22.0; events: its API reference, as the AsyncAPI description 1.1 of it lists them, and "Webhooks for
partners"; all read 2026-11. GoCardless signs no time, and its events carry no amounts: what was paid is asked of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import header_text, instant, keyed_hash, our_id, signed_by, text, understood
from shared.payments.partners.slicing import elements
from shared.payments.refusals import NotAnEvent

NAME: Final = "gocardless"
HEADER: Final = "Webhook-Signature"
MOST_EVENTS: Final = 250
"""In one delivery, by GoCardless's documentation."""

KINDS: Final[Mapping[str, EventKind]] = {
    "payments.created": EventKind.PAYMENT_PENDING,
    "payments.submitted": EventKind.PAYMENT_PENDING,
    "payments.resubmission_requested": EventKind.PAYMENT_PENDING,
    "payments.confirmed": EventKind.PAYMENT_SUCCEEDED,
    "payments.failed": EventKind.PAYMENT_FAILED,
    "payments.cancelled": EventKind.PAYMENT_FAILED,
    "payments.customer_approval_denied": EventKind.PAYMENT_FAILED,
    "payments.charged_back": EventKind.DISPUTE_OPENED,
    "payments.chargeback_cancelled": EventKind.DISPUTE_WON,
    "payments.chargeback_settled": EventKind.DISPUTE_LOST,
    "refunds.paid": EventKind.REFUND_SUCCEEDED,
    "refunds.failed": EventKind.REFUND_FAILED,
    "payouts.paid": EventKind.PAYOUT_PAID,
}
"""By resource and action. `late_failure_settled` says why a payout is the smaller: `failed` told of it before."""
OBJECTS: Final[Mapping[str, str]] = {"payments": "payment", "refunds": "refund", "payouts": "payout"}
"""The link that names what an event of each resource is of. A chargeback has no id of its own but its payment's."""

_DISPUTES: Final = frozenset({EventKind.DISPUTE_OPENED, EventKind.DISPUTE_WON, EventKind.DISPUTE_LOST})


class GoCardless:
    """GoCardless's webhook events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """A piece for each event; the whole body is one where it is no such list. See `Adapter`."""
        del at  # GoCardless signs no time
        signature = header_text(headers.get(HEADER.lower()), HEADER).encode(errors="replace")
        key_id = signed_by(secrets, [signature], lambda secret: keyed_hash(secret.value, raw).hex().encode(), HEADER)
        return Proven(tuple(Piece(piece, key_id) for piece in _pieces(raw)))

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What one event says: never an amount."""
        del at  # GoCardless says when
        return understood(raw, _event)


def _pieces(raw: bytes) -> tuple[bytes, ...]:
    try:
        events = elements(raw, "events")
    except NotAnEvent:
        return (raw,)
    return events if 0 < len(events) <= MOST_EVENTS else (raw,)


def _event(event: Any) -> PartnerEvent:
    resource, links = text(event["resource_type"]), event["links"]
    name = f"{resource}.{text(event['action'])}"
    kind = KINDS.get(name, EventKind.OTHER)
    told = PartnerEvent(NAME, text(event["id"]), name, kind, instant(event["created_at"]), _link(links, "organisation"))
    if kind is EventKind.OTHER:
        return told
    named = text(links[OBJECTS[resource]])
    return replace(
        told,
        payment=named if resource == "payments" else _link(links, "payment"),
        object=named if resource != "payments" or kind in _DISPUTES else "",
        invoice_id=_invoice_id(event),
    )


def _link(links: Any, name: str) -> str:
    value = links.get(name)
    return text(value) if value else ""


def _invoice_id(event: Any) -> str:
    """Our invoice, if the payment's metadata names one."""
    metadata = event.get("resource_metadata")
    return our_id(metadata.get("invoice_id")) if isinstance(metadata, dict) else ""
