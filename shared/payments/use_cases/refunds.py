"""Refunds: asked for, approved by another principal where the amount wants it, or given up before they are sent.

Each is one commit. Approving reserves the money by a posted entry and sends the command that asks the partner.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Command, Message
from shared.identity import TenantId
from shared.ledger.model import JournalEntry
from shared.ledger.use_cases.posting import Booking, Books, recording
from shared.listing import Listing
from shared.money import Money
from shared.payments.applying import written
from shared.payments.model import Payment
from shared.payments.records import payment_ref, read_payment
from shared.payments.refunds.model import Happening, Refund, RefundKind, RefundReason, RefundState, Tally
from shared.payments.refunds.records import (
    REFUNDS,
    limits_ref,
    read_limits,
    read_refund,
    refund_ref,
    tally_ref,
    write_limits,
)
from shared.payments.refunds.refusals import ApproverRequested, UnknownRefund
from shared.payments.refunds.rules import REQUESTED, announced, approve, require_left
from shared.payments.refunds.told import known_invoice, known_tally, undone
from shared.payments.refusals import UnknownPayment
from shared.payments.rules.settlement import Settlement
from shared.ports import Create, Document, Query, Update, View, Where, Write

QUEUE: Final = "money-out"
DOOR: Final = "send_refund"


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """So much of a payment to be given back, as which kind, and why."""

    payment_id: str
    kind: RefundKind
    reason: RefundReason
    money: Money


class Refunds:
    """The refunds that every tenant asks for, until they are sent."""

    def __init__(self, desk: Desk, books: Books) -> None:
        """Write through `desk` and `books`."""
        self._desk, self._books = desk, books

    def request(self, call: Call, order: RefundOrder) -> Done[Refund]:
        """Ask for a refund; up to the tenant's amount for its currency it is approved at once.

        Raises:
            UnknownPayment: there is none under this id; recorded.
            RefundExceedsPayment: so much is not left of it, or not as this kind; recorded.
            Refused: by the ledger; recorded.
        """
        key = call.cause.stored_id("refund")
        payment, limits = payment_ref(call.tenant, order.payment_id), limits_ref(call.tenant)
        refs = [payment, tally_ref(call.tenant, order.payment_id), limits]

        def decide(view: View) -> Booking[Refund]:
            paid = _payment(view[payment])
            refund = _asked(call, key, order, paid)
            tally, invoice = known_tally(call, paid.id, view), known_invoice(call, refund, view)
            require_left(refund, paid, invoice, tally)
            told = announced(call, refund, REQUESTED)
            if order.money.amount > read_limits(view[limits]).get(order.money.currency, 0):
                asked = tally.with_asked(order.kind, order.money.amount)
                return booking(
                    call, "refund.request", Settlement(refunds=(refund,), tally=asked), view, messages=(told,)
                )
            approved = refund.moved(Happening.APPROVE, call.at)
            settlement = approve(approved, paid, invoice, tally)
            return booking(call, "refund.request", settlement, view, messages=(told, *_approved(call, settlement)))

        recorded = recording(call, refund_ref(call.tenant, key), "refund.request", decide, makes=True)
        return self._books.perform(call, refs, recorded, read_refund)

    def approve(self, call: Call, refund_id: str) -> Done[Refund]:
        """Approve a refund as another principal than who asked for it, and have it sent.

        Raises:
            UnknownRefund, WrongRefundState, RefundExceedsPayment: it is not there, or not to be approved.
            ApproverRequested: the same principal asked for it.
            Refused: by the ledger; recorded.
        """

        def decide(refund: Refund, tally: Tally, view: View) -> Booking[Refund]:
            approved = replace(refund.moved(Happening.APPROVE, call.at), approved_by=call.principal)
            if refund.requested_by == call.principal:
                message = "a refund is approved by another principal than the one who asked for it"
                raise ApproverRequested(message)
            payment = _payment(view[payment_ref(call.tenant, refund.payment_id)])
            settlement = approve(approved, payment, known_invoice(call, refund, view), tally)
            return booking(call, "refund.approve", settlement, view, messages=_approved(call, settlement))

        return self._move(call, refund_id, "refund.approve", decide)

    def reject(self, call: Call, refund_id: str) -> Done[Refund]:
        """Refuse to approve a refund.

        Raises:
            UnknownRefund, WrongRefundState: it is not there, or does not await approval.
        """

        def decide(refund: Refund, tally: Tally, view: View) -> Booking[Refund]:
            settlement = Settlement(refunds=(refund.moved(Happening.REJECT, call.at),), tally=tally)
            return booking(call, "refund.reject", settlement, view, messages=_told(call, settlement))

        return self._move(call, refund_id, "refund.reject", decide)

    def cancel(self, call: Call, refund_id: str) -> Done[Refund]:
        """Give a refund up before the partner was asked; what its approval had moved is moved back.

        Raises:
            UnknownRefund, WrongRefundState: it is not there, or it is on its way.
            Refused: by the ledger; recorded.
        """

        def decide(refund: Refund, tally: Tally, view: View) -> Booking[Refund]:
            cancelled = refund.moved(Happening.CANCEL, call.at)
            settlement = Settlement(refunds=(cancelled,), tally=tally)
            if refund.state is RefundState.APPROVED:
                settlement = undone(call, refund, cancelled, view)
            return booking(call, "refund.cancel", settlement, view, messages=_told(call, settlement))

        return self._move(call, refund_id, "refund.cancel", decide)

    def refund(self, tenant: TenantId, refund_id: str) -> Refund:
        """One refund.

        Raises:
            UnknownRefund: there is none under this id.
        """
        ref = refund_ref(tenant, refund_id)
        return read_refund(_refund(self._desk.store.get([ref])[ref]))

    def page(self, tenant: TenantId, where: Mapping[str, str], limit: int, cursor: str | None) -> Listing[Refund]:
        """Refunds in the order of their ids, by state and payment, a page at a time."""
        conditions = tuple(Where(field, "==", value) for field, value in where.items())
        page = self._desk.store.query(Query(REFUNDS, tenant, conditions, limit=limit, after=cursor))
        return Listing(tuple(read_refund(document) for document in page.documents), page.cursor)

    def limits(self, tenant: TenantId) -> Mapping[str, int]:
        """The amounts up to which a refund needs no approval, minor units by currency; a currency without one: zero."""
        ref = limits_ref(tenant)
        return read_limits(self._desk.store.get([ref])[ref])

    def set_limits(self, call: Call, limits: Mapping[str, int]) -> Done[Mapping[str, int]]:
        """Set the amounts up to which a refund needs no approval, for refunds that are asked for from now on."""
        ref = limits_ref(call.tenant)

        def decide(view: View) -> Outcome[Mapping[str, int]]:
            document, fields = view[ref], write_limits(limits)
            write: Write = Update(ref, fields, document.version) if document else Create(ref, fields)
            return Outcome(ref, "refund.limits", limits, (write,))

        return self._desk.perform(call, [ref], decide, read_limits)

    def _move(
        self, call: Call, refund_id: str, action: str, decide: Callable[[Refund, Tally, View], Booking[Refund]]
    ) -> Done[Refund]:
        """A person's step with a refund; once it no longer awaits approval, it is no longer asked for."""
        ref = refund_ref(call.tenant, refund_id)

        def decision(view: View) -> Booking[Refund]:
            refund = existing(call, refund_id, view)
            tally = known_tally(call, refund.payment_id, view)
            if refund.state is RefundState.AWAITING_APPROVAL:
                tally = tally.with_asked(refund.kind, -refund.money.amount)
            return decide(refund, tally, view)

        return self._books.perform(call, [ref], recording(call, ref, action, decision), read_refund)


def existing(call: Call, refund_id: str, view: View) -> Refund:
    """A refund that a person names.

    Raises:
        UnknownRefund: there is none under this id.
    """
    return read_refund(_refund(view[refund_ref(call.tenant, refund_id)]))


def sending(call: Call, refund: Refund) -> Command:
    """The command that asks the partner."""
    return call.command(QUEUE, DOOR, refund.id, {"refund": refund.id})


def booking(
    call: Call, action: str, settlement: Settlement, view: View, *, messages: tuple[Message, ...] = ()
) -> Booking[Refund]:
    """What becomes of one refund, with its entry, effective today."""
    (refund,) = settlement.refunds
    outcome = Outcome(
        refund_ref(call.tenant, refund.id), action, refund, tuple(written(call, settlement, view)), messages
    )
    if not settlement.lines:
        return Booking(outcome)
    reference = settlement.invoice.number if settlement.invoice else ""
    entry_id = call.cause.stored_id(f"entry {action} {refund.id}")
    entry = JournalEntry(
        entry_id, settlement.lines, call.at.date(), str(call.cause), call.request_hash, reference=reference
    )
    return Booking(outcome, entry)


def _told(call: Call, settlement: Settlement) -> tuple[Message, ...]:
    return tuple(announced(call, refund) for refund in settlement.refunds)


def _approved(call: Call, settlement: Settlement) -> tuple[Message, ...]:
    (refund,) = settlement.refunds
    return (announced(call, refund), sending(call, refund))


def _asked(call: Call, key: str, order: RefundOrder, payment: Payment) -> Refund:
    return Refund(
        key,
        payment.id,
        order.kind,
        order.reason,
        order.money,
        call.principal,
        call.at,
        call.at,
        partner=payment.partner,
        account=payment.account,
        payment_reference=payment.reference,
        invoice_id=payment.invoice_id,
        customer_id=payment.customer_id,
    )


def _payment(document: Document | None) -> Payment:
    if document is None:
        message = "no such payment"
        raise UnknownPayment(message, field="payment_id")
    return read_payment(document)


def _refund(document: Document | None) -> Document:
    if document is None:
        message = "no such refund"
        raise UnknownRefund(message, field="id")
    return document
