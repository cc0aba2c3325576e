"""From an event and what is known to what is written: the decision of `Payments.apply`."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, cast

from shared.calls import Call, Outcome
from shared.desk import read_refusal
from shared.events import Announcement, Json
from shared.faults import Refused, Retryable
from shared.invoicing.model import Invoice
from shared.invoicing.records import UNNUMBERED, invoice_ref, read_either, write_settlement
from shared.ledger.model import JournalEntry
from shared.ledger.use_cases.posting import Booking
from shared.limits import WAIT_FOR_OBJECT_DAYS
from shared.outbox import read_row
from shared.payments.model import EventKind, EventState, PartnerEvent, StoredEvent
from shared.payments.records import payment_of, payment_ref, read_payment, write_end, write_payment
from shared.payments.refusals import PaymentNeverCame, RefundTooLarge
from shared.payments.rules import Settlement, give_back, receive
from shared.ports import Create, Document, Fields, Ref, Update, View, Write

TOPIC: Final = "payments"
APPLIED: Final = "payment.applied"
REFUNDED: Final = "payment.refunded"
ACTION: Final = "event.apply"


def decide_event(call: Call, inbox: Document, stored: StoredEvent, view: View) -> Booking[StoredEvent]:
    """What a received event comes to: a settlement with its entry, nothing new, or a recorded refusal.

    Raises:
        Retryable: what the event is about is not there yet, and its time is not over.
    """
    place = payment_ref(call.tenant, payment_of(stored.event))
    try:
        settlement = _settle(call, stored, view)
    except (PaymentNeverCame, RefundTooLarge) as refusal:
        return _finished(inbox, stored, EventState.REFUSED, refusal)
    if settlement is None:
        return _finished(inbox, stored, EventState.STALE)
    document, invoice = view[place], settlement.invoice
    fields = write_payment(settlement.payment)
    writes: list[Write] = [Update(place, fields, document.version) if document else Create(place, fields)]
    if invoice:
        writes.append(_settled(call, invoice, view))
    entry, told = _entry(call, stored.event, settlement), _told(call, settlement)
    writes.append(Update(inbox.ref, write_end(EventState.APPLIED, entry_id=entry.id, outbox=(told.id,)), inbox.version))

    def refuse(refusal: Refused) -> tuple[Write, ...]:
        end = write_end(EventState.REFUSED, refusal=refusal, entry_id=entry.id)
        return (Update(inbox.ref, end, inbox.version),)

    applied = replace(stored, state=EventState.APPLIED, entry_id=entry.id)
    outcome = Outcome(inbox.ref, ACTION, applied, tuple(writes), (told,))
    return Booking(outcome, entry, if_refused=refuse, wait_for_accounts_until=_patience(stored))


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


def _settle(call: Call, stored: StoredEvent, view: View) -> Settlement | None:
    """The settlement that an event makes; None when the payment had it, or more, before."""
    event = stored.event
    key = payment_of(event)
    document = view[payment_ref(call.tenant, key)]
    if event.kind is EventKind.PAYMENT_SUCCEEDED:
        return None if document else receive(key, event, _invoice(call, stored, event.invoice_id, view))
    if document is None:
        _wait(call, stored, "the payment is not there yet")
        message = "the payment that was refunded never came"
        raise PaymentNeverCame(message, field="payment", detail={"event": stored.key})
    payment = read_payment(document)
    return give_back(payment, event, _invoice(call, stored, payment.invoice_id, view))


def _invoice(call: Call, stored: StoredEvent, invoice_id: str, view: View) -> Invoice | None:
    """The issued invoice that an event is about. One that is not there (yet) is waited for, and then done without."""
    if not invoice_id:
        return None
    document = view[invoice_ref(call.tenant, invoice_id)]
    if document is None or document["state"] in {state.value for state in UNNUMBERED}:
        _wait(call, stored, "the invoice is not issued yet")
        return None
    invoice = read_either(document)
    return invoice if isinstance(invoice, Invoice) else None


def _wait(call: Call, stored: StoredEvent, message: str) -> None:
    if call.at < _patience(stored):
        raise Retryable(message, detail={"event": stored.key})


def _patience(stored: StoredEvent) -> datetime:
    """Until when an event waits for what it is about."""
    return stored.received_at + timedelta(days=WAIT_FOR_OBJECT_DAYS)


def _settled(call: Call, invoice: Invoice, view: View) -> Update:
    document = _there(view, invoice_ref(call.tenant, invoice.id))
    return Update(document.ref, write_settlement(invoice), document.version)


def _entry(call: Call, event: PartnerEvent, settlement: Settlement) -> JournalEntry:
    """The entry of a settlement, effective on the day that the partner's event tells of."""
    return JournalEntry(
        call.cause.stored_id("entry"),
        settlement.lines,
        event.occurred_at.date(),
        str(call.cause),
        call.request_hash,
        reference=settlement.invoice.number if settlement.invoice else "",
    )


def _told(call: Call, settlement: Settlement) -> Announcement:
    payment = settlement.payment
    kind = REFUNDED if payment.refunded else APPLIED
    data: dict[str, Json] = {
        "invoice_id": payment.invoice_id,
        "received": payment.received,
        "refunded": payment.refunded,
        "currency": payment.currency,
    }
    return call.announcement(TOPIC, kind, payment.id, payment.version, data)


def _finished(
    inbox: Document, stored: StoredEvent, state: EventState, refusal: Refused | None = None
) -> Booking[StoredEvent]:
    writes = (Update(inbox.ref, write_end(state, refusal=refusal), inbox.version),)
    return Booking(Outcome(inbox.ref, ACTION, replace(stored, state=state), writes, refusal=refusal))


def _there(view: View, ref: Ref) -> Document:
    document = view[ref]
    if document is None:
        message = f"{ref.path} is gone"
        raise LookupError(message)
    return document
