"""Payments: a partner's event is applied once, and never turns back.

Applying is one BatchGet, a pure decision and one commit: payment, invoice, entry, totals, audit, announcement.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.use_cases.posting import Booking, Books
from shared.listing import Listing
from shared.payments.applying import ACTION, decide_event, decided_before
from shared.payments.model import EventState, Payment, Receipt, StoredEvent
from shared.payments.records import (
    PAYMENTS,
    inbox_ref,
    payment_ref,
    read_event,
    read_payment,
    read_receipt,
    receipt_ref,
    write_receipt,
)
from shared.payments.refusals import UnknownPayment
from shared.payments.rules.lifecycles import wants_the_truth
from shared.ports import Create, Query, Ref, View

DOOR: Final = "apply_payment_event"


class Payments:
    """The payments of every tenant."""

    def __init__(self, desk: Desk, books: Books) -> None:
        """Write through `desk` and `books`."""
        self._desk, self._books = desk, books

    def apply(self, call: Call, key: str, along: Sequence[Ref], *, replay: int = 0) -> Done[StoredEvent]:
        """Apply an event of the inbox, once each time that it is replayed.

        `along` only says what to read with it, so that one BatchGet is enough.

        Raises:
            Retryable: the event, or what it is about, is not there yet.
            PaymentNeverCame, ObjectNeverCame, RefundTooLarge: recorded, the event is refused.
            Refused: by the ledger; recorded, the event is refused.
        """
        inbox = inbox_ref(call.tenant, key)

        def decide(view: View) -> Booking[StoredEvent]:
            document = view[inbox]
            if document is None:
                message = "the event is not there yet"
                raise Retryable(message, detail={"event": key})
            stored = read_event(document)
            if stored.replays != replay:
                return Booking(Outcome(inbox, ACTION, stored))  # an operator replayed it: a task of its own applies it
            if stored.state is not EventState.RECEIVED:
                return decided_before(call, document, stored, view)
            if wants_the_truth(stored.event):
                message = "the partner is still to be asked how much"
                raise Retryable(message, detail={"event": key})
            return decide_event(call, document, stored, view)

        name = f"{key}~{replay}" if replay else key
        call = replace(call, cause=replace(call.cause, endpoint=DOOR, key=name))
        return self._books.perform(call, [inbox, *along], decide, read_event)

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
        missing = UnknownPayment("no such payment", field="id")
        return read_payment(document_at(self._desk.store, payment_ref(tenant, payment), missing))

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Payment]:
        """Payments in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query(PAYMENTS, tenant, limit=limit, after=cursor))
        return Listing(tuple(read_payment(document) for document in page.documents), page.cursor)
