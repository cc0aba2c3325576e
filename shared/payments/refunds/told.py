"""A partner's word about refunds, where some of them are ours: each is counted once, in whatever order words come.

What the partner calls a refund is known once its answer to our call is stored. Until then its word about any refund of
the payment waits, for it may be about ours.
"""

from dataclasses import replace

from shared.calls import Call
from shared.invoicing.model import Invoice
from shared.invoicing.records import invoice_ref, read_invoice
from shared.payments.model import EventKind, PartnerEvent, Stage, Tracked
from shared.payments.records import payment_ref, read_payment
from shared.payments.refunds.model import TRANSITIONS, Happening, Refund, Tally
from shared.payments.refunds.records import read_refund, read_tally, refund_ref, tally_ref
from shared.payments.refunds.refusals import RefundDiffers, RefundInFlight
from shared.payments.refunds.rules import confirm, failed, release
from shared.payments.rules.fees import tell, untold
from shared.payments.rules.lifecycles import REFUND, Meaning, step
from shared.payments.rules.settlement import Settlement, fee_lines, told_money
from shared.ports import View

_HAPPENS = {EventKind.REFUND_SUCCEEDED: Happening.CONFIRM, EventKind.REFUND_FAILED: Happening.FAIL}


def ours_told(call: Call, event: PartnerEvent, known: Tracked, view: View) -> Settlement | None:
    """The partner's word about a refund that we asked for; None when it is no news.

    What the partner keeps is news with its first word of each kind, also where its answer, or a later word, was quicker
    and the refund stands as it says.

    Raises:
        RefundDiffers: it is of another amount.
    """
    refund, happening = known_refund(call, known.order, view), _HAPPENS[event.kind]
    before = None if known.stage is Stage.PENDING else known.stage
    stage, kept = step(REFUND, before, event.kind), bool(fee_lines(event))
    moves = happening in TRANSITIONS[refund.state]
    if not moves and not (kept and isinstance(stage, Stage)):
        return None
    if told_money(event) != refund.money:
        message = "the partner tells another amount of a refund than we asked for"
        raise RefundDiffers(message, field="amount", detail={"refund": refund.id})
    done = Settlement()
    if moves and happening is Happening.CONFIRM:
        done = confirmed(call, refund, view)
    elif moves:
        done = given_up(call, refund, event.type, view)
    if not kept:
        return done
    return replace(done, lines=(*done.lines, *fee_lines(untold(event, known))), tracked=_heard(event, known, stage))


def _heard(event: PartnerEvent, known: Tracked, stage: Stage | Meaning) -> Tracked:
    """What the partner calls the refund, with this word that tells of a fee."""
    heard = stage if isinstance(stage, Stage) else known.stage
    return tell(replace(known, stage=heard, version=known.version + 1), event.fee)


def require_answered(tally: Tally) -> None:
    """Let a word about a payment's refunds wait while it may be about one of ours that we cannot name yet.

    Raises:
        RefundInFlight: the partner has not answered one of ours.
    """
    if tally.unanswered:
        message = "the partner has not answered a refund that we asked for"
        raise RefundInFlight(message, field="payment")


def confirmed(call: Call, refund: Refund, view: View) -> Settlement:
    """A refund that has reached its payer, and its tally after it."""
    return confirm(refund.moved(Happening.CONFIRM, call.at), known_tally(call, refund.payment_id, view))


def given_up(call: Call, refund: Refund, code: str, view: View) -> Settlement:
    """A refund that came to nothing, for the reason that `code` names; what it had moved is moved back."""
    return undone(call, refund, failed(refund, call, code), view)


def undone(call: Call, before: Refund, after: Refund, view: View) -> Settlement:
    """What a refund had moved is moved back, as it fails or is cancelled."""
    payment = read_payment(view.named(payment_ref(call.tenant, before.payment_id)))
    return release(
        before, after, (payment, known_invoice(call, before, view)), known_tally(call, before.payment_id, view)
    )


def known_refund(call: Call, name: str, view: View) -> Refund:
    """A refund that is known to be there."""
    return read_refund(view.named(refund_ref(call.tenant, name)))


def known_tally(call: Call, payment: str, view: View) -> Tally:
    """What is under way of a payment's refunds."""
    return read_tally(payment, view[tally_ref(call.tenant, payment)])


def known_invoice(call: Call, refund: Refund, view: View) -> Invoice | None:
    """The invoice that a refund is of, if its payment has one."""
    return read_invoice(view.named(invoice_ref(call.tenant, refund.invoice_id))) if refund.invoice_id else None
