"""Payments: take a partner's event in once; apply it once; never turn back.

Taking in is one commit without a read: the sealed event, its audit record and the command that
applies it. Applying is one BatchGet, a pure decision and one commit: payment, invoice, entry,
totals, audit, announcement.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Command
from shared.faults import Retryable
from shared.identity import TenantId, stored_id
from shared.invoicing.records import invoice_ref
from shared.keys import SecretMissing, Secrets
from shared.ledger.use_cases.posting import Booking, Books
from shared.listing import Listing
from shared.payments.applying import decide_event, decided_before
from shared.payments.model import (
    FIRST_STATE,
    EventKind,
    EventState,
    PartnerEvent,
    Payment,
    Receipt,
    StoredEvent,
)
from shared.payments.partners import partner_named
from shared.payments.records import (
    INBOX,
    PAYMENTS,
    RAW,
    event_cause,
    inbox_ref,
    payment_id,
    payment_ref,
    read_event,
    read_payment,
    read_receipt,
    receipt_ref,
    write_event,
    write_receipt,
)
from shared.payments.refusals import NotAnEvent, UnknownPartner, UnknownPayment
from shared.ports import Create, Query, View, Where
from shared.privacy import PersonalDataUnreadable, Place, Sealer, Vault

QUEUE: Final = "payment-events"
DOOR: Final = "apply_payment_event"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A webhook as it arrived; body and headers are never printed."""

    partner: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Inbox:
    """Partners' events, each taken in once."""

    def __init__(self, desk: Desk, secrets: Secrets, vault: Vault) -> None:
        """Write through `desk`; verify with `secrets`; seal with `vault`."""
        self._desk, self._secrets, self._vault = desk, secrets, vault

    def receive(self, call: Call, raw: RawEvent) -> Done[StoredEvent]:
        """Verify the raw bytes, seal and store the event once, and set it applying.

        Raises:
            UnknownPartner: no such partner, or it has no secret for this tenant.
            BadSignature, OutsideReplayWindow: the bytes are not the partner's, or not from now.
            Retryable: keys, secrets or store did not answer.
        """
        partner = partner_named(raw.partner)
        secret_index = partner.verify(raw.body, raw.headers, self._live(call.tenant, raw.partner), call.at)
        try:
            event = partner.parse(raw.body)
        except NotAnEvent:
            event = _unreadable(call, raw)
            _log.error("event_quarantined", tenant=call.tenant, partner=raw.partner, event_id=event.id)
        call = replace(call, cause=event_cause(call.tenant, raw.partner, event.id))
        key = call.cause.stored_id("event")
        stored = StoredEvent(key, event, FIRST_STATE[event.kind], call.at, secret_index)
        return self._store(call, stored, self._seal(call, key, raw.body))

    def page(self, tenant: TenantId, state: EventState | None, limit: int, cursor: str | None) -> Listing[StoredEvent]:
        """Events in the order of their ids, of one state or all, a page at a time."""
        where = (Where("state", "==", state.value),) if state else ()
        page = self._desk.store.query(Query(INBOX, tenant, where, limit=limit, after=cursor))
        return Listing(tuple(read_event(document) for document in page.documents), page.cursor)

    def _store(self, call: Call, stored: StoredEvent, sealed: bytes) -> Done[StoredEvent]:
        ref = inbox_ref(call.tenant, stored.key)
        created = Create(ref, write_event(stored, sealed))

        def decide(view: View) -> Outcome[StoredEvent]:
            known = view[ref] if view.failures else None
            before = read_event(known) if known else None
            event = before or stored
            messages = (_apply(call, event),) if event.state is EventState.RECEIVED else ()
            return Outcome(ref, "event.receive", event, () if before else (created,), messages)

        return self._desk.perform(call, (), decide, read_event)

    def _live(self, tenant: TenantId, partner: str) -> tuple[bytes, ...]:
        try:
            return self._secrets.versions(f"webhook-{tenant}-{partner}")
        except SecretMissing:
            pass
        message = "no such webhook endpoint"
        raise UnknownPartner(message, field="partner")

    def _seal(self, call: Call, key: str, body: bytes) -> bytes:
        place = Place(call.tenant, INBOX, key)
        return self._sealer(call.tenant, f"inbox-{call.at:%Y-%m}").seal(place, RAW, body.decode("latin-1")).stored

    def _sealer(self, tenant: TenantId, subject: str) -> Sealer:
        """The month's sealer; the first event of a month makes its keyset."""
        try:
            return self._vault.sealer(tenant, subject)
        except PersonalDataUnreadable:
            return self._vault.create_subject(tenant, subject)


class Payments:
    """The payments of every tenant."""

    def __init__(self, desk: Desk, books: Books) -> None:
        """Write through `desk` and `books`."""
        self._desk, self._books = desk, books

    def apply(self, call: Call, key: str, payment: str, invoice: str) -> Done[StoredEvent]:
        """Apply an event of the inbox, once. `payment` and `invoice` only say what to read along.

        Raises:
            Retryable: the event, or what it is about, is not there yet.
            PaymentNeverCame, RefundTooLarge: recorded, the event is refused.
            Refused: by the ledger; recorded, the event is refused.
        """
        refs = [inbox_ref(call.tenant, key), payment_ref(call.tenant, payment)]
        if invoice:
            refs.append(invoice_ref(call.tenant, invoice))
        inbox = refs[0]

        def decide(view: View) -> Booking[StoredEvent]:
            document = view[inbox]
            if document is None:
                message = "the event is not there yet"
                raise Retryable(message, detail={"event": key})
            stored = read_event(document)
            if stored.state is not EventState.RECEIVED:
                return decided_before(call, document, stored, view)
            return decide_event(call, document, stored, view)

        call = replace(call, cause=replace(call.cause, endpoint=DOOR, key=key))
        return self._books.perform(call, refs, decide, read_event)

    def issue_receipt(self, call: Call, payment: str) -> Done[Receipt]:
        """Write the receipt of an applied payment, once.

        Raises:
            Retryable: the payment is not there yet.
        """
        ref, source = receipt_ref(call.tenant, payment), payment_ref(call.tenant, payment)
        call = replace(call, cause=replace(call.cause, endpoint="issue_receipt", key=payment))

        def decide(view: View) -> Outcome[Receipt]:
            view.need((ref, source))
            known, document = view[ref], view[source]
            if known is not None:
                return Outcome(ref, "receipt.issue", read_receipt(known))
            if document is None:
                message = "the payment is not there yet"
                raise Retryable(message, detail={"payment": payment})
            paid = read_payment(document)
            receipt = Receipt(payment, paid.invoice_id, paid.customer_id, paid.money, call.at)
            return Outcome(ref, "receipt.issue", receipt, (Create(ref, write_receipt(receipt)),))

        return self._desk.perform(call, [ref, source], decide, read_receipt)

    def payment(self, tenant: TenantId, payment: str) -> Payment:
        """One payment.

        Raises:
            UnknownPayment: there is none under this id.
        """
        ref = payment_ref(tenant, payment)
        document = self._desk.store.get([ref])[ref]
        if document is None:
            message = "no such payment"
            raise UnknownPayment(message, field="id")
        return read_payment(document)

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Payment]:
        """Payments in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query(PAYMENTS, tenant, limit=limit, after=cursor))
        return Listing(tuple(read_payment(document) for document in page.documents), page.cursor)


def _apply(call: Call, stored: StoredEvent) -> Command:
    """The command that applies an event; it names what to read along, so that one BatchGet is enough."""
    event = stored.event
    body = {
        "event": stored.key,
        "payment": payment_id(event.partner, event.payment),
        "invoice": event.invoice_id,
    }
    return call.command(QUEUE, DOOR, stored.key, body)


def _unreadable(call: Call, raw: RawEvent) -> PartnerEvent:
    """Verified bytes that make no event, named by what they are."""
    name = stored_id("unreadable", raw.body.hex())
    return PartnerEvent(raw.partner, name, "", EventKind.UNREADABLE, call.at)
