"""What replaying an event of the inbox comes to, decided from values alone."""

from dataclasses import replace
from typing import Final

from shared.calls import Call, Outcome
from shared.ledger.refusals import PeriodClosed
from shared.payments.model import EventKind, EventState, StoredEvent
from shared.payments.records import inbox_ref, read_event, write_end, write_event, write_replay
from shared.payments.refusals import EventDecided, NotAnEvent, NothingToApply, UnknownEvent
from shared.payments.rules.lifecycles import can_be_applied, wants_the_truth
from shared.ports import Create, Ref, Update, View, Write

ACTION: Final = "event.replay"


def decide_replay(call: Call, ref: Ref, known: StoredEvent, view: View, *, sealed: bytes) -> Outcome[StoredEvent]:
    """The event at `ref`, to be applied (again), as its bytes are understood today: `known`, under its own id.

    Raises:
        UnknownEvent, EventDecided, NotAnEvent, NothingToApply: as `Inbox.replay`.
    """
    document = view[ref]
    if document is None:
        message = "no such event"
        raise UnknownEvent(message, field="id")
    stored = read_event(document)
    _may_be_replayed(stored, known)
    own = inbox_ref(call.tenant, known.key)
    if own == ref:
        again = stored.replays + 1
        late = stored.late or stored.refused == PeriodClosed.code
        fresh = replace(stored, event=known.event, state=EventState.RECEIVED, refused="", entry_id="")
        event = replace(fresh, replays=again, waits_from=call.at, late=late, account=known.account)
        return Outcome(ref, ACTION, event, (Update(ref, write_replay(event), document.version),))
    view.need((own,))
    there = view[own]
    event = read_event(there) if there else replace(known, state=EventState.RECEIVED, waits_from=call.at)
    writes: tuple[Write, ...] = (Update(ref, write_end(EventState.REPLAYED), document.version),)
    created = () if there else (Create(own, write_event(event, sealed)),)
    return Outcome(own, ACTION, event, (*writes, *created))


def _may_be_replayed(stored: StoredEvent, known: StoredEvent) -> None:
    if stored.state in {EventState.APPLIED, EventState.STALE, EventState.REPLAYED}:
        message = f"the event is {stored.state.value}"
        raise EventDecided(message, field="id")
    if known.event.kind is EventKind.UNREADABLE:
        message = "the event's bytes are not understood"
        raise NotAnEvent(message, field="id")
    if not can_be_applied(known.event) and not wants_the_truth(known.event):
        message = "the event is nothing for the books"
        raise NothingToApply(message, field="id")
