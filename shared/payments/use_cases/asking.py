"""Asking: an event that does not say how much is completed with what its partner answers, once, and then applied.

The question is asked outside of any transaction, and may be asked twice: it changes nothing. What was answered is
written in one commit, on the condition that the event still waits for it; whoever comes second hands over what the
first one wrote.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, read_refusal
from shared.faults import Refused, Retryable
from shared.limits import ASK_PARTNER_DAYS
from shared.payments.model import EventState, PartnerEvent, StoredEvent
from shared.payments.partners.api import PartnerApi
from shared.payments.records import inbox_ref, read_event, write_end, write_truth
from shared.payments.refusals import NotAskable, NothingToApply, PartnerNeverAnswered, PartnerRefused, TruthDisagrees
from shared.payments.rules.completing import asked_about, complete
from shared.payments.rules.lifecycles import wants_the_truth
from shared.payments.use_cases.inbox import ASKS_DOOR, applying
from shared.ports import Document, Fields, Update, View

ACTION: Final = "event.ask"


class Asking:
    """What partners are asked about their events."""

    def __init__(self, desk: Desk, api: PartnerApi) -> None:
        """Write through `desk`; ask through `api`."""
        self._desk, self._api = desk, api

    def ask(self, call: Call, key: str, *, replay: int = 0) -> Done[StoredEvent]:
        """Complete an event of the inbox and set it applying, once each time that it is replayed.

        Raises:
            Retryable: the event is not there yet, or the partner did not answer.
            NotAskable, PartnerRefused, PartnerNeverAnswered, TruthDisagrees, NothingToApply: recorded, the event is
                refused.
        """
        name = f"{key}~{replay}" if replay else key
        call = replace(call, cause=replace(call.cause, endpoint=ASKS_DOOR, key=name))
        inbox = inbox_ref(call.tenant, key)
        stored = read_event(_there(self._desk.store.get([inbox])[inbox], key))
        answer = self._answer(call, stored) if _waits(stored, replay) else None

        def decide(view: View) -> Outcome[StoredEvent]:
            document = _there(view[inbox], key)
            now = read_event(document)
            if answer is None or not _waits(now, replay):
                return _answered(call, document, now, replay)
            if isinstance(answer, Refused):
                refused = replace(now, state=EventState.REFUSED, refused=answer.code)
                end = write_end(EventState.REFUSED, refusal=answer)
                return Outcome(inbox, ACTION, refused, (Update(inbox, end, document.version),), refusal=answer)
            completed = replace(now, event=answer)
            writes = (Update(inbox, write_truth(answer), document.version),)
            return Outcome(inbox, ACTION, completed, writes, (applying(call, completed),))

        return self._desk.perform(call, [inbox], decide, read_event)

    def _answer(self, call: Call, stored: StoredEvent) -> PartnerEvent | Refused:
        """The event as its partner completes it, or why it does not."""
        try:
            return complete(stored.event, self._api.truth(asked_about(call.tenant, stored.event)))
        except (NotAskable, PartnerRefused, TruthDisagrees, NothingToApply) as refusal:
            return refusal
        except Retryable:
            if call.at < stored.waits_from + timedelta(days=ASK_PARTNER_DAYS):
                raise
            message = "the partner's own API never answered"
            return PartnerNeverAnswered(message, field="partner")


def _there(document: Document | None, key: str) -> Document:
    if document is None:
        message = "the event is not there yet"
        raise Retryable(message, detail={"event": key})
    return document


def _waits(stored: StoredEvent, replay: int) -> bool:
    """Whether the event waits for an answer to this question, and not to that of another replay."""
    return stored.state is EventState.RECEIVED and stored.replays == replay and wants_the_truth(stored.event)


def _answered(call: Call, document: Document, stored: StoredEvent, replay: int) -> Outcome[StoredEvent]:
    """What the event came to when it was answered; what applies it goes out again while it waits.

    Raises:
        Refused: as then.
    """
    ref = document.ref
    if stored.replays != replay:
        return Outcome(ref, ACTION, stored)  # an operator replayed it: a task of its own asks
    if stored.state is EventState.REFUSED and wants_the_truth(stored.event):
        raise read_refusal(cast("Fields", document["refusal"]))
    waits = stored.state is EventState.RECEIVED
    return Outcome(ref, ACTION, stored, messages=(applying(call, stored),) if waits else ())
