"""What an event says once its partner was asked: the event says what happened, the truth says how much of what."""

from dataclasses import replace
from typing import Final

from shared.identity import TenantId
from shared.payments.model import EventKind, PartnerEvent, Thing
from shared.payments.partners.api import Named, Truth
from shared.payments.refusals import NothingToApply, TruthDisagrees
from shared.payments.rules.lifecycles import THING, can_be_applied

_FEE_IS_KEPT: Final = frozenset({EventKind.PAYMENT_SUCCEEDED, EventKind.PAYOUT_PAID})
"""Kinds with which a fee is kept; the truth of a thing that failed only says again what it was."""


def asked_about(tenant: TenantId, event: PartnerEvent) -> Named:
    """The thing that an event is about, by its partner's own name."""
    thing = THING[event.kind]
    reference = event.payment if thing is Thing.PAYMENT else event.object
    return Named(tenant, event.partner, event.account, thing, reference)


def complete(event: PartnerEvent, truth: Truth) -> PartnerEvent:
    """The event with its amount, its fee, its payment and our invoice.

    How the thing stands now is of no account: it may have come further since, and an event of its own tells of that.

    Raises:
        TruthDisagrees: event and truth name different payments.
        NothingToApply: it is of no payment, as the refund of a mandate.
    """
    if event.payment and truth.payment and event.payment != truth.payment:
        message = "the partner's own API names another payment than its event"
        raise TruthDisagrees(message, field="payment")
    completed = replace(
        event,
        payment=event.payment or truth.payment,
        money=truth.money,
        fee=truth.fee if event.kind in _FEE_IS_KEPT else None,
        invoice_id=event.invoice_id or truth.invoice_id,
        reference=event.reference or truth.number,
    )
    if can_be_applied(completed):
        return completed
    message = "the event is of no payment"
    raise NothingToApply(message, field="payment")
