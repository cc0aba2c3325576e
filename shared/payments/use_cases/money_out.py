"""Money out: an approved refund is asked of its partner once, and followed until it is done or undone.

A saga whose every step is a commit that the next one starts from: `sending` before the partner is asked, `sent` with
its answer, then what it came to. Whoever dies between two of them leaves a state from which the queue, or the sweep,
goes on; the partner is asked again under the same key, and does it once.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.identity import Cause, TenantId
from shared.ledger.use_cases.posting import Booking, Books, recording
from shared.listing import every
from shared.payments.model import Stage, Thing, Tracked
from shared.payments.partners.api import Accepted, Named, PartnerApi, RefundOrder
from shared.payments.records import own_id, tracked_ref
from shared.payments.refunds.model import IN_FLIGHT, TRANSITIONS, Happening, Refund, RefundState
from shared.payments.refunds.records import read_refund, refund_ref
from shared.payments.refunds.refusals import RefundAnswered, RefundAnswerUnknown, RefundKnownBefore
from shared.payments.refunds.rules import announced
from shared.payments.refunds.told import confirmed, given_up, known_refund, known_tally
from shared.payments.refusals import NotAskable, PartnerRefused
from shared.payments.rules.settlement import Settlement
from shared.payments.use_cases.refunds import booking, existing, sending
from shared.ports import Query, View, Where

SWEEP: Final = "sweep_refunds"
SWEEP_PAGE: Final = 200
SWEEP_PAGES: Final = 50

SEND_AGAIN: Final = timedelta(minutes=15)
"""After so long without an answer a refund is sent again: its task was lost, or a queue gave it up."""
ASK_AFTER: Final = timedelta(hours=1)
"""So long a partner has to tell by itself what became of a refund; then it is asked, once an hour."""
KEY_HOLDS: Final = timedelta(hours=20)
"""So long a partner is sure to know a key again (Stripe: at least 24 hours; "Idempotent requests", read 2026-11)."""
LOOK_AFTER: Final = timedelta(days=5)
"""After so long somebody looks: partners' banks take some days, and these are more."""

_WHO_ASKS: Final = (401, 403)
"""Statuses that speak of the key."""

_log = structlog.get_logger(__name__)


class MoneyOut:
    """The refunds of every tenant from their approval on."""

    def __init__(self, desk: Desk, books: Books, partners: Callable[[], PartnerApi]) -> None:
        """Write through `desk` and `books`; ask `partners`, which are entered only when one is to be asked."""
        self._desk, self._books, self._partners = desk, books, partners

    def send(self, call: Call, refund_id: str) -> None:
        """Bring a refund on: ask the partner, or ask it what became of it; harmless to ask again.

        Raises:
            Retryable: the partner, or the store, did not answer.
            NotAskable, PartnerRefused: the partner may have done it, and lets us ask no more; it stays, for people.
        RefundAnswerUnknown: nobody answered for as long as the partner knows our key; it stays, for people.
            Refused: by the ledger; recorded, and the sweep brings it on under a cause of its own.
        """
        refund, fresh = self._begin(call, refund_id)
        if refund.state is RefundState.SENDING:
            _require_known_key(call, refund)
            refund = self._ask(call, refund, fresh=fresh)
        if refund.state is RefundState.SENT:
            self._follow(call, refund)

    def sweep(self, at: datetime, request_id: str, traceparent: str) -> None:
        """Send every refund that stands still again, of all tenants; name those that want people."""
        flying = Where("state", "in", [state.value for state in IN_FLIGHT])
        query = Query("refund_requests", where=(flying,), group=True, limit=SWEEP_PAGE)
        for document in every(self._desk.store, query, most=SWEEP_PAGES):
            refund, tenant = read_refund(document), document.ref.tenant
            if tenant is None:
                message = f"{document.ref.path} belongs to no tenant"
                raise LookupError(message)
            stands = at - refund.since
            if stands >= (ASK_AFTER if refund.state is RefundState.SENT else SEND_AGAIN):
                call = _swept(tenant, refund, at, request_id)
                self._desk.outbox.dispatch((sending(replace(call, traceparent=traceparent), refund),))
            if stands >= LOOK_AFTER:
                _log.error("refund_stands_still", tenant=tenant, refund=refund.id, state=refund.state.value)

    def resolve(self, call: Call, refund_id: str, reference: str | None) -> Done[Refund]:
        """What people found at a partner that never answered: its id of the refund, or that it made none.

        Raises:
            UnknownRefund: there is none under this id.
            RefundAnswered: the partner has answered, or may yet.
        """

        def decide(view: View) -> Booking[Refund]:
            refund = existing(call, refund_id, view)
            if refund.state is not RefundState.SENDING or call.at - refund.since < KEY_HOLDS:
                message = "only a refund is resolved that its partner left without an answer for most of a day"
                raise RefundAnswered(message, field="id", detail={"state": refund.state.value})
            if reference is None:
                return _given_up(call, refund, "never_made", view)
            return _accepted(call, refund, Accepted(reference, Stage.PENDING), view)

        ref, action = refund_ref(call.tenant, refund_id), "refund.resolve"
        return self._books.perform(call, [ref], recording(call, ref, action, decide), read_refund)

    # --- the steps

    def _begin(self, call: Call, refund_id: str) -> tuple[Refund, bool]:
        """Note that the partner is about to be asked; whether this is the first time."""
        ref, fresh = refund_ref(call.tenant, refund_id), False

        def decide(view: View) -> Booking[Refund]:
            nonlocal fresh
            refund = known_refund(call, refund_id, view)
            fresh = refund.state is RefundState.APPROVED
            if not fresh:
                return _as_it_is(call, refund)
            begun = refund.moved(Happening.SEND, call.at)
            tally = known_tally(call, refund.payment_id, view).with_refund(begun)
            return booking(call, "refund.send", Settlement(refunds=(begun,), tally=tally), view)

        refund = self._books.perform(call, [ref], decide, read_refund).answer
        return refund, fresh

    def _ask(self, call: Call, refund: Refund, *, fresh: bool) -> Refund:
        """Ask the partner and store its answer.

        What cannot be asked was not done if nobody asked before; else it may have been, and stays `sending`.
        """
        payment = Named(call.tenant, refund.partner, refund.account, Thing.PAYMENT, refund.payment_reference)
        try:
            accepted = self._partners().refund(RefundOrder(payment, refund.money, refund.id))
        except (NotAskable, PartnerRefused) as refusal:
            if not fresh and _about_us(refusal):
                _log.error("refund_not_askable", tenant=call.tenant, refund=refund.id, partner=refund.partner)
                raise
            return self._give_up(call, refund, str(refusal.detail.get("code") or refusal.code))
        return self._accept(call, refund, accepted)

    def _accept(self, call: Call, refund: Refund, accepted: Accepted) -> Refund:
        """Store what the partner calls the refund, so that its word about it is known to be about ours."""
        ref = refund_ref(call.tenant, refund.id)

        def decide(view: View) -> Booking[Refund]:
            known = known_refund(call, refund.id, view)
            if known.state is not RefundState.SENDING:
                return _as_it_is(call, known)
            return _accepted(call, known, accepted, view)

        return self._books.perform(call, [ref], decide, read_refund).answer

    def _follow(self, call: Call, refund: Refund) -> None:
        """What became of a refund that the partner has taken on: as it answered, or as it says now."""
        stage, asked = refund.answered, call.at - refund.since >= ASK_AFTER
        if stage is Stage.PENDING and asked:
            stage = self._truth(call, refund)
        if stage is Stage.SUCCEEDED:
            self._finish(call, refund, Happening.CONFIRM)
        elif stage is Stage.FAILED:
            self._finish(call, refund, Happening.FAIL)

    def _truth(self, call: Call, refund: Refund) -> Stage:
        """How a refund stands with its partner; pending where it cannot say."""
        named = Named(call.tenant, refund.partner, refund.account, Thing.REFUND, refund.reference)
        try:
            truth = self._partners().truth(named)
        except (NotAskable, PartnerRefused) as refusal:
            _log.warning("refund_truth_unknown", tenant=call.tenant, refund=refund.id, code=refusal.code)
            return Stage.PENDING
        if truth.money != refund.money:
            _log.error("refund_truth_differs", tenant=call.tenant, refund=refund.id)
            return Stage.PENDING
        return truth.stage

    def _give_up(self, call: Call, refund: Refund, code: str) -> Refund:
        """The partner says no: what the approval had moved is moved back."""
        return self._finish(call, replace(refund, failure=code), Happening.FAIL)

    def _finish(self, call: Call, refund: Refund, happening: Happening) -> Refund:
        """Confirm a refund or give it up, unless that has been done."""
        ref, code = refund_ref(call.tenant, refund.id), refund.failure or "failed_at_partner"

        def decide(view: View) -> Booking[Refund]:
            known = known_refund(call, refund.id, view)
            if known.state is not refund.state or happening not in TRANSITIONS[known.state]:
                return _as_it_is(call, known)
            if happening is Happening.FAIL:
                return _given_up(call, known, code, view)
            settlement = confirmed(call, known, view)
            told = tuple(announced(call, one) for one in settlement.refunds)
            return booking(call, "refund.confirm", settlement, view, messages=told)

        return self._books.perform(call, [ref], decide, read_refund).answer


def _accepted(call: Call, refund: Refund, accepted: Accepted, view: View) -> Booking[Refund]:
    """The refund under the partner's own id; one that the partner told as another's before is not ours to take."""
    key = own_id(refund.partner, refund.account, Thing.REFUND, accepted.reference)
    named = tracked_ref(call.tenant, Thing.REFUND, key)
    if view[named] is not None:
        return _given_up(call, refund, RefundKnownBefore.code, view)
    sent = replace(refund.moved(Happening.ACCEPT, call.at), reference=accepted.reference, answered=accepted.stage)
    tally = known_tally(call, sent.payment_id, view).with_refund(sent)
    link = Tracked(
        key,
        Thing.REFUND,
        sent.partner,
        sent.reference,
        sent.payment_id,
        sent.money,
        Stage.PENDING,
        call.at,
        account=sent.account,
        order=sent.id,
    )
    told = (announced(call, sent),)
    return booking(call, "refund.accept", Settlement(refunds=(sent,), tally=tally, tracked=link), view, messages=told)


def _given_up(call: Call, refund: Refund, code: str, view: View) -> Booking[Refund]:
    settlement = given_up(call, refund, code, view)
    told = tuple(announced(call, one) for one in settlement.refunds)
    return booking(call, "refund.fail", settlement, view, messages=told)


def _about_us(refusal: NotAskable | PartnerRefused) -> bool:
    """Whether a partner says no to whoever asks, and not to what is asked: what was done before is not undone by it."""
    return isinstance(refusal, NotAskable) or refusal.detail.get("status") in _WHO_ASKS


def _require_known_key(call: Call, refund: Refund) -> None:
    if call.at - refund.since >= KEY_HOLDS:
        _log.error("refund_answer_unknown", tenant=call.tenant, refund=refund.id, partner=refund.partner)
        message = "whether the partner has made this refund is not known, and asking again could make it twice"
        raise RefundAnswerUnknown(message, field="id", detail={"refund": refund.id})


def _as_it_is(call: Call, refund: Refund) -> Booking[Refund]:
    return Booking(Outcome(refund_ref(call.tenant, refund.id), "refund.send", refund))


def _swept(tenant: TenantId, refund: Refund, at: datetime, request_id: str) -> Call:
    """A cause of its own for each quarter of an hour, or each hour of what the partner has taken on."""
    minute = 0 if refund.state is RefundState.SENT else at.minute // 15 * 15
    cause = Cause("system", SWEEP, f"{refund.id}~{at:%Y-%m-%dT%H}:{minute:02d}")
    return Call(tenant, f"system:{SWEEP}", cause, request_id, "", "", at)
