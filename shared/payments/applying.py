"""From an event's settlement to what is written: the decision of `Payments.apply`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, cast

from shared.calls import Call, Outcome
from shared.desk import read_refusal
from shared.events import Announcement, Command, Json, Message
from shared.faults import Refused
from shared.invoicing.records import invoice_ref, write_settlement
from shared.ledger.model import JournalEntry
from shared.ledger.use_cases.posting import Booking
from shared.outbox import read_row
from shared.payments.model import EventKind, EventState, PartnerEvent, Stage, StoredEvent, Thing
from shared.payments.records import (
    payment_ref,
    tracked_ref,
    write_end,
    write_payment,
    write_tracked,
)
from shared.payments.refunds.records import refund_ref, tally_ref, write_refund, write_tally
from shared.payments.refunds.refusals import RefundDiffers, RefundInFlight
from shared.payments.refunds.rules import announced
from shared.payments.refusals import ObjectNeverCame, PaymentNeverCame, RefundTooLarge
from shared.payments.rules.late_failures import FAILS_LATE
from shared.payments.rules.settlement import Settlement
from shared.payments.rules.settling import patience, settle
from shared.ports import Create, Document, Fields, Ref, Update, View, Write

TOPIC: Final = "payments"
QUEUE: Final = "payment-events"
MATCH: Final = "match_payment"
APPLIED: Final = "payment.applied"
ACTION: Final = "event.apply"

TOLD: Final[Mapping[EventKind, str]] = {
    EventKind.PAYMENT_PENDING: "payment.pending",
    EventKind.PAYMENT_FAILED: "payment.failed",
    EventKind.PAYMENT_SUCCEEDED: APPLIED,
    EventKind.PAYMENT_REVERSED: "payment.reversed",
    EventKind.REFUND_SUCCEEDED: "payment.refunded",
    EventKind.REFUND_FAILED: "refund.failed",
    EventKind.DISPUTE_OPENED: "dispute.opened",
    EventKind.DISPUTE_WON: "dispute.won",
    EventKind.DISPUTE_LOST: "dispute.lost",
    EventKind.PAYOUT_PAID: "payout.paid",
    EventKind.PAYOUT_FAILED: "payout.failed",
}
"""What is announced of an event that was news."""

FAILED: Final[Mapping[Thing, EventKind]] = {
    Thing.REFUND: EventKind.REFUND_FAILED,
    Thing.PAYOUT: EventKind.PAYOUT_FAILED,
}
"""What has failed is told to have failed, though the event that is news is the one it overtook."""


def decide_event(call: Call, inbox: Document, stored: StoredEvent, view: View) -> Booking[StoredEvent]:
    """What a received event comes to: a settlement with its entry, nothing new, or a recorded refusal.

    Raises:
        Retryable: what the event is about is not there yet, and its time is not over.
    """
    try:
        settlement = settle(call, stored, view)
    except (PaymentNeverCame, ObjectNeverCame, RefundTooLarge, RefundInFlight, RefundDiffers) as refusal:
        return _finished(inbox, stored, EventState.REFUSED, refusal)
    if settlement is None:
        return _finished(inbox, stored, EventState.STALE)
    entry, told = _entry(call, stored, settlement), tuple(_told(call, stored.event, settlement))
    entry_id = entry.id if entry else ""
    messages: tuple[Message, ...] = (*told, *_to_match(call, stored.event, settlement))
    end = write_end(EventState.APPLIED, entry_id=entry_id, outbox=tuple(message.id for message in messages))
    writes = (*written(call, settlement, view), Update(inbox.ref, end, inbox.version))

    def refuse(refusal: Refused) -> tuple[Write, ...]:
        end = write_end(EventState.REFUSED, refusal=refusal, entry_id=entry_id)
        return (Update(inbox.ref, end, inbox.version),)

    applied = replace(stored, state=EventState.APPLIED, entry_id=entry_id)
    outcome = Outcome(inbox.ref, ACTION, applied, writes, messages)
    return Booking(outcome, entry, if_refused=refuse, wait_for_accounts_until=patience(stored))


def decided_before(call: Call, inbox: Document, stored: StoredEvent, view: View) -> Booking[StoredEvent]:
    """What the event came to when it was decided; what it announced goes out again while its row waits.

    Raises:
        Refused: as then.
    """
    if stored.state is EventState.REFUSED:
        raise read_refusal(cast("Fields", inbox["refusal"]))
    rows = [call.ref("outbox", key) for key in cast("list[str]", inbox["outbox"])]
    view.need(rows)
    waiting = tuple(read_row(document) for document in map(view.__getitem__, rows) if document is not None)
    return Booking(Outcome(inbox.ref, ACTION, stored, messages=waiting))


def written(call: Call, settlement: Settlement, view: View) -> Iterator[Write]:
    """Payment, tracked object, invoice and our own refunds as a settlement leaves them."""
    if payment := settlement.payment:
        yield _put(view, payment_ref(call.tenant, payment.id), write_payment(payment))
    if tracked := settlement.tracked:
        yield _put(view, tracked_ref(call.tenant, tracked.thing, tracked.id), write_tracked(tracked))
    for refund in settlement.refunds:
        yield _put(view, refund_ref(call.tenant, refund.id), write_refund(refund))
    if tally := settlement.tally:
        yield _put(view, tally_ref(call.tenant, tally.payment_id), write_tally(tally))
    for invoice in (*((settlement.invoice,) if settlement.invoice else ()), *settlement.others):
        ref = invoice_ref(call.tenant, invoice.id)
        document = view.named(ref)
        yield Update(ref, write_settlement(invoice), document.version)


def _put(view: View, ref: Ref, fields: Fields) -> Write:
    document = view[ref]
    return Update(ref, fields, document.version) if document else Create(ref, fields)


def _entry(call: Call, stored: StoredEvent, settlement: Settlement) -> JournalEntry | None:
    """The entry of a settlement, effective on the day that the partner's event tells of.

    One that was refused since that day's month is closed, and replayed, is effective on the day of its replay.
    """
    if not settlement.lines:
        return None
    return JournalEntry(
        call.cause.stored_id("entry"),
        settlement.lines,
        (stored.waits_from if stored.late else stored.event.occurred_at).date(),
        str(call.cause),
        call.request_hash,
        reference=settlement.invoice.number if settlement.invoice else "",
    )


def _told(call: Call, event: PartnerEvent, settlement: Settlement) -> Iterator[Announcement]:
    """What is announced: of a refund of ours its own, of its fee alone nothing, else what the event is called."""
    yield from (announced(call, refund) for refund in settlement.refunds)
    ours = settlement.tracked is not None and settlement.tracked.order
    if not settlement.refunds and not ours:
        yield _told_of(call, event, settlement)


def _told_of(call: Call, event: PartnerEvent, settlement: Settlement) -> Announcement:
    payment, tracked = settlement.payment, settlement.tracked
    kind = TOLD[FAILED[tracked.thing] if tracked and tracked.stage is Stage.FAILED else event.kind]
    if payment and payment.stage is Stage.REVERSED and event.partner in FAILS_LATE:
        kind = TOLD[EventKind.PAYMENT_REVERSED]
    if tracked and not (payment and tracked.stage is Stage.SUCCEEDED):
        about: dict[str, Json] = {
            "payment_id": tracked.payment_id,
            "amount": tracked.money.amount,
            "currency": tracked.money.currency,
        }
        return call.announcement(TOPIC, kind, tracked.id, tracked.version, about)
    if payment is None:
        message = f"event {event.id} is about nothing"
        raise LookupError(message)
    data: dict[str, Json] = {
        "invoice_id": payment.invoice_id,
        "received": payment.received,
        "refunded": payment.refunded,
        "reversed": payment.reversed,
        "currency": payment.currency,
    }
    return call.announcement(TOPIC, kind, payment.id, payment.version, data)


def _to_match(call: Call, event: PartnerEvent, settlement: Settlement) -> tuple[Command, ...]:
    """What finds the invoices of a payment that is unapplied cash: by a query, which applying never makes."""
    payment, numbers = settlement.payment, event.reference.split()
    if event.kind is not EventKind.PAYMENT_SUCCEEDED or payment is None or payment.unapplied != payment.received:
        return ()
    if len(numbers) <= 1 and not payment.customer:
        return ()
    return (call.command(QUEUE, MATCH, payment.id, {"payment": payment.id, "numbers": numbers}),)


def _finished(
    inbox: Document, stored: StoredEvent, state: EventState, refusal: Refused | None = None
) -> Booking[StoredEvent]:
    writes = (Update(inbox.ref, write_end(state, refusal=refusal), inbox.version),)
    return Booking(Outcome(inbox.ref, ACTION, replace(stored, state=state), writes, refusal=refusal))
