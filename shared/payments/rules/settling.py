"""From an event and what is known to its settlement: which rule it comes to, if it is news at all."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NoReturn, cast

from shared.calls import Call
from shared.faults import Retryable
from shared.invoicing.model import Invoice
from shared.invoicing.records import UNNUMBERED, invoice_ref, number_ref, read_either, read_invoice
from shared.limits import WAIT_FOR_OBJECT_DAYS
from shared.payments.model import PartnerEvent, Payment, Stage, StoredEvent, Thing, Tracked
from shared.payments.records import (
    payment_of,
    payment_ref,
    read_payment,
    read_tracked,
    tracked_id,
    tracked_ref,
    virtual_account_ref,
)
from shared.payments.refunds.refusals import RefundInFlight
from shared.payments.refunds.told import known_tally, ours_told, require_answered
from shared.payments.refusals import ObjectNeverCame, PaymentNeverCame
from shared.payments.rules.clearing import move
from shared.payments.rules.fees import tell, untold
from shared.payments.rules.late_failures import Turn, again, dated, passed, still, taken_back, turn
from shared.payments.rules.lifecycles import TABLES, THING, Meaning, step, step_of_dispute
from shared.payments.rules.paying import begin, dearer, paid_by, receive, reverse
from shared.payments.rules.refunding import give_back, is_too_large, nothing_moves, take_again
from shared.payments.rules.settlement import Invoices, Settlement, told_money
from shared.ports import View


def settle(call: Call, stored: StoredEvent, view: View) -> Settlement | None:
    """The settlement that an event makes; None when it is no news.

    Raises:
        Retryable: what it is about is not there yet, and its time is not over.
        PaymentNeverCame, ObjectNeverCame: its time is over.
        RefundTooLarge: the partner tells of more than there was.
        RefundInFlight, RefundDiffers: it does not fit what we asked the partner for.
    """
    try:
        return _settled(call, stored, view)
    except RefundInFlight:
        _wait(call, stored, "a refund that we asked for is not answered yet")
        raise


def _settled(call: Call, stored: StoredEvent, view: View) -> Settlement | None:
    thing = THING[stored.event.kind]
    if thing is Thing.PAYMENT:
        return _payment(call, stored, view)
    if thing is Thing.REFUND:
        return _refund(call, stored, view)
    return _dispute_or_payout(call, stored, thing, view)


def patience(stored: StoredEvent) -> datetime:
    """Until when an event waits for what it is about, since it came or was last replayed."""
    return stored.waits_from + timedelta(days=WAIT_FOR_OBJECT_DAYS)


def _payment(call: Call, stored: StoredEvent, view: View) -> Settlement | None:
    event = stored.event
    known, identity = _known(call, event, view), payment_of(event)
    if known is not None and turn(event, known) is not Turn.ORDINARY:
        return _late(call, stored, known, view)
    stage = step(TABLES[Thing.PAYMENT], known.stage if known else None, event.kind)
    if stage is Meaning.STALE:
        return dearer(known, event) if known else None
    if stage is Meaning.WAITS:
        _succeeded(call, stored, view)  # it has not: what is taken back has still to come
    if stage is Stage.SUCCEEDED:
        settlement = receive(identity, event, known, _invoice(call, stored, _meant(call, event, view), view))
        return paid_by(settlement, _payer(call, stored, view))
    if stage is Stage.REVERSED and known:
        return reverse(known, event, _invoices(call, stored, known, view))
    return begin(identity, event, known, stage) if isinstance(stage, Stage) else None


def _late(call: Call, stored: StoredEvent, known: Payment, view: View) -> Settlement:
    """A payment that may fail after it has succeeded, at one of the turns that only it has."""
    event, late = stored.event, turn(stored.event, known)
    if late is Turn.PASSED:
        return passed(known, event)
    if late is Turn.REVERSED:
        return dated(taken_back(known, event, _invoices(call, stored, known, view)), event)
    if late is Turn.AGAIN:
        meant = _invoice(call, stored, _meant(call, event, view), view)
        fresh = receive(known.id, event, replace(known, payout_id="", fee_told=0), meant)  # another payout brings it
        return paid_by(again(known, fresh), _payer(call, stored, view))
    return still(known, event)


def _refund(call: Call, stored: StoredEvent, view: View) -> Settlement | None:
    event = stored.event
    known = _tracked(call, event, Thing.REFUND, view)
    if known and known.order:
        return ours_told(call, event, known, view)
    stage = step(TABLES[Thing.REFUND], known.stage if known else None, event.kind)
    if not isinstance(stage, Stage):
        return None
    if known is None:
        require_answered(known_tally(call, payment_of(event), view))
    tracked, event = _next(event, Thing.REFUND, known, stage), untold(event, known)
    if stage is not Stage.SUCCEEDED and (known is None or known.stage is Stage.VOID):
        return nothing_moves(event, tracked)
    payment = _succeeded(call, stored, view)
    invoices = _invoices(call, stored, payment, view)
    if stage is Stage.FAILED:
        return take_again(payment, event, tracked, invoices)
    if is_too_large(payment, tracked):
        _wait(call, stored, "the failure of another refund may still come")
    return give_back(payment, event, tracked, invoices)


def _dispute_or_payout(call: Call, stored: StoredEvent, thing: Thing, view: View) -> Settlement | None:
    event = stored.event
    known = _tracked(call, event, thing, view)
    before = known.stage if known else None
    stage = step_of_dispute(known, event) if thing is Thing.DISPUTE else step(TABLES[thing], before, event.kind)
    if stage is Meaning.STALE:
        return None
    if stage is Meaning.WAITS:
        _never_came(call, stored, thing)
    if thing is Thing.DISPUTE and known is None:
        _succeeded(call, stored, view)
    return move(untold(event, known), before, _next(event, thing, known, stage))


def _next(event: PartnerEvent, thing: Thing, known: Tracked | None, stage: Stage) -> Tracked:
    """The tracked object at its next stage; its amount is the one that was told first."""
    if known is not None:
        return tell(replace(known, stage=stage, round=event.round, version=known.version + 1), event.fee)
    first = Tracked(
        tracked_id(event, thing),
        thing,
        event.partner,
        event.object,
        payment_of(event) if event.payment else "",
        told_money(event),
        stage,
        event.occurred_at,
        account=event.account,
        round=event.round,
    )
    return tell(first, event.fee)


# --- what is known -----------------------------------------------------------------------


def _known(call: Call, event: PartnerEvent, view: View) -> Payment | None:
    document = view[payment_ref(call.tenant, payment_of(event))]
    return read_payment(document) if document else None


def _tracked(call: Call, event: PartnerEvent, thing: Thing, view: View) -> Tracked | None:
    document = view[tracked_ref(call.tenant, thing, tracked_id(event, thing))]
    return read_tracked(thing, document) if document else None


def _succeeded(call: Call, stored: StoredEvent, view: View) -> Payment:
    """The payment that an event is about, once it has succeeded."""
    payment = _known(call, stored.event, view)
    if payment is not None and payment.received:
        return payment
    _wait(call, stored, "the payment is not there yet")
    message = "the payment that it is about never came"
    raise PaymentNeverCame(message, field="payment", detail={"event": stored.key})


def _meant(call: Call, event: PartnerEvent, view: View) -> str:
    """The invoice that an event names, by its id or by its number. Several numbers are for `match_payment`."""
    if event.invoice_id or not event.reference or " " in event.reference:
        return event.invoice_id
    number = view[number_ref(call.tenant, event.reference)]
    return str(number["invoice_id"]) if number else ""


def _payer(call: Call, stored: StoredEvent, view: View) -> str:
    """The customer whose virtual account the money came to; nobody where it is nobody's, or became theirs since."""
    document = view[virtual_account_ref(call.tenant, stored.account)] if stored.account else None
    if document is None or stored.event.occurred_at < cast("datetime", document["at"]):
        return ""
    return str(document["customer_id"])


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


def _invoices(call: Call, stored: StoredEvent, payment: Payment, view: View) -> Invoices:
    """The invoice that a payment named, and those that it was allocated to, asked for at once."""
    refs = {share.invoice_id: invoice_ref(call.tenant, share.invoice_id) for share in payment.shares}
    own = [invoice_ref(call.tenant, payment.invoice_id)] if payment.invoice_id else []
    view.need([*own, *refs.values()])
    others = {key: read_invoice(document) for key, ref in refs.items() if (document := view[ref]) is not None}
    return _invoice(call, stored, payment.invoice_id, view), others


def _never_came(call: Call, stored: StoredEvent, thing: Thing) -> NoReturn:
    """What an event ends is not there yet. Refused once its time is over: whether money moved is then for people."""
    _wait(call, stored, f"the {thing.value} is not there yet")
    message = f"the {thing.value} that it is about never came"
    raise ObjectNeverCame(message, field="object", detail={"event": stored.key})


def _wait(call: Call, stored: StoredEvent, message: str) -> None:
    if call.at < patience(stored):
        raise Retryable(message, detail={"event": stored.key})
