"""Airwallex: `x-timestamp: <milliseconds>` and `x-signature: <hex>`, HMAC-SHA256 over the timestamp and the body.

Scheme: Airwallex's documentation, "Listen for webhook events"; events and payloads: "Payment webhooks", "Deposits",
"Charges", "Transfers" and "Dispute flow" there; all read 2026-11. Airwallex names no window for the timestamp: ours
holds both ways. Amounts are JSON numbers of major units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.reading import (
    header_text,
    instant,
    keyed_hash,
    major,
    our_id,
    our_reference,
    signed_by,
    text,
    understood,
    within_window,
)
from shared.payments.refusals import BadSignature

NAME: Final = "airwallex"
HEADER: Final = "x-signature"
TIMESTAMP: Final = "x-timestamp"

KINDS: Final[Mapping[str, EventKind]] = {
    "payment_intent.pending": EventKind.PAYMENT_PENDING,
    "payment_intent.succeeded": EventKind.PAYMENT_SUCCEEDED,
    "payment_intent.payment_failed": EventKind.PAYMENT_FAILED,
    "payment_intent.cancelled": EventKind.PAYMENT_FAILED,
    "refund.settled": EventKind.REFUND_SUCCEEDED,
    "refund.failed": EventKind.REFUND_FAILED,
    "payment_dispute.requires_response": EventKind.DISPUTE_OPENED,
    "payment_dispute.won": EventKind.DISPUTE_WON,
    "payment_dispute.reversed": EventKind.DISPUTE_WON,
    "payment_dispute.lost": EventKind.DISPUTE_LOST,
    "payment_dispute.expired": EventKind.DISPUTE_LOST,
    "payment_dispute.accepted": EventKind.DISPUTE_LOST,
    "deposit.pending": EventKind.PAYMENT_PENDING,
    "deposit.settled": EventKind.PAYMENT_SUCCEEDED,
    "deposit.rejected": EventKind.PAYMENT_FAILED,
    "deposit.reversed": EventKind.PAYMENT_REVERSED,
    "charge.new": EventKind.PAYMENT_PENDING,
    "charge.pending": EventKind.PAYMENT_PENDING,
    "charge.settled": EventKind.PAYMENT_SUCCEEDED,
    "charge.failed": EventKind.PAYMENT_FAILED,
    "payout.transfer.paid": EventKind.PAYOUT_PAID,
    "payout.transfer.failed": EventKind.PAYOUT_FAILED,
}
_BEFORE: Final = frozenset({"RFI", "PRE_CHARGEBACK"})
WITHOUT_MONEY: Final[Mapping[str, frozenset[str]]] = {
    "payment_dispute.requires_response": _BEFORE,
    "payment_dispute.reversed": _BEFORE,
    "payment_dispute.expired": _BEFORE,
    "payment_dispute.accepted": frozenset({"RFI"}),
}
"""The stages of a dispute in which an event of it takes nothing from us yet, and gives nothing back."""
ROUNDS: Final[Mapping[str, int]] = {"PRE_ARBITRATION": 1, "ARBITRATION": 2}
"""How far up a dispute is decided at a stage; those before the chargeback and itself are the first round."""


class Airwallex:
    """Airwallex's webhook events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """The whole body is one piece; see `Adapter`."""
        signature = header_text(headers.get(HEADER), HEADER).encode(errors="replace")
        timestamp = header_text(headers.get(TIMESTAMP), TIMESTAMP)
        if not timestamp.isascii() or not timestamp.isdecimal():
            message = "the x-timestamp header is malformed"
            raise BadSignature(message, field=TIMESTAMP)
        signed = timestamp.encode() + raw
        key_id = signed_by(secrets, [signature], lambda secret: keyed_hash(secret.value, signed).hex().encode(), HEADER)
        within_window(int(timestamp[:18]) / 1_000, at, TIMESTAMP)
        return Proven((Piece(raw, key_id),))

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What an event says; `at` where it does not say when it was made."""
        return understood(raw, lambda event: _event(event, at))


def _event(event: Any, at: datetime) -> PartnerEvent:
    name = text(event["name"])
    made = instant(event["created_at"]) if event.get("created_at") else at
    account = event.get("account_id") or event.get("accountId")
    kind = KINDS.get(name, EventKind.OTHER)
    told = PartnerEvent(NAME, text(event["id"]), name, kind, made, text(account) if account else "")
    if kind is EventKind.OTHER:
        return told
    said = event["data"].get("object", event["data"])
    if said.get("stage") in WITHOUT_MONEY.get(name, ()):
        return replace(told, kind=EventKind.OTHER)
    return _SAID[name.partition(".")[0]](told, said)


def _payment_intent(told: PartnerEvent, said: Any) -> PartnerEvent:
    received = told.kind is EventKind.PAYMENT_SUCCEEDED
    order = said.get("merchant_order_id")
    return replace(
        told,
        payment=text(said["id"]),
        money=major(said["captured_amount" if received else "amount"], said["currency"]),
        invoice_id=_invoice_id(said) or our_id(order),
        reference=our_reference(order),
    )


def _part_of_a_payment(told: PartnerEvent, said: Any) -> PartnerEvent:
    """A refund or a dispute; a refund has no stage."""
    money, stage = major(said["amount"], said["currency"]), ROUNDS.get(said.get("stage"), 0)
    return replace(told, payment=text(said["payment_intent_id"]), object=text(said["id"]), money=money, round=stage)


def _bank_transfer(told: PartnerEvent, said: Any) -> PartnerEvent:
    """A deposit or a charge: it is a payment of its own, and its reference is what the payer wrote."""
    reference = said.get("reference")
    return replace(
        told,
        payment=text(said["id"]),
        money=major(said["amount"], said["currency"]),
        fee=_fee(told, said.get("fee"), said["currency"]),
        invoice_id=our_id(reference),
        reference=our_reference(reference),
    )


def _transfer(told: PartnerEvent, said: Any) -> PartnerEvent:
    """What left our wallet, in its own currency."""
    return replace(
        told,
        object=text(said["id"]),
        money=major(said["amount_payer_pays"], said["source_currency"]),
        fee=_fee(told, said.get("fee_amount"), said.get("fee_currency")),
    )


_SAID: Final = {
    "payment_intent": _payment_intent,
    "refund": _part_of_a_payment,
    "payment_dispute": _part_of_a_payment,
    "deposit": _bank_transfer,
    "charge": _bank_transfer,
    "payout": _transfer,
}
"""How the events of each family say it, by the first word of their names."""


def _fee(told: PartnerEvent, amount: Any, currency: Any) -> Money | None:
    """What is kept of money that came or went out; an event of its failure only says again what it was."""
    kept = told.kind in {EventKind.PAYMENT_SUCCEEDED, EventKind.PAYOUT_PAID}
    return major(amount, currency) if amount and kept else None


def _invoice_id(said: Any) -> str:
    """Our invoice, if the metadata names one; money is not turned away because of what else stands there."""
    metadata = said.get("metadata")
    return our_id(metadata.get("invoice_id")) if isinstance(metadata, dict) else ""
