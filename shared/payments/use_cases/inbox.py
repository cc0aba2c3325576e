"""The inbox: a partner's delivery is proven, its events are sealed and stored once, and set applying.

Taking in is one commit without a read, however many events a delivery tells of: each event, its audit record and the
command that applies it. What cannot be read is kept as well, in quarantine; an operator replays it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at, recorded
from shared.events import Command, Json
from shared.identity import StoredId, TenantId, stored_id
from shared.keys import SecretMissing, Secrets
from shared.limits import WEBHOOK_PIECE_BYTES
from shared.listing import Listing
from shared.payments.model import EventKind, EventState, PartnerEvent, StoredEvent
from shared.payments.partners import partner_named
from shared.payments.partners.adapter import Piece, Proven, Secret
from shared.payments.partners.secrets import live_secrets
from shared.payments.records import (
    INBOX,
    RAW,
    event_cause,
    inbox_ref,
    object_path,
    payment_of,
    read_event,
    write_event,
)
from shared.payments.refusals import BadSignature, EventTooLarge, NotAnEvent, UnknownEvent, UnknownPartner
from shared.payments.rules.lifecycles import first_state, wants_the_truth
from shared.payments.rules.replaying import decide_replay
from shared.payments.use_cases.virtual_accounts import account_index
from shared.ports import Create, Decision, Document, Query, Ref, View, Where, Write
from shared.privacy import PersonalDataUnreadable, Place, Purpose, Sealed, Sealer, Vault

QUEUE: Final = "payment-events"
DOOR: Final = "apply_payment_event"
ASKS_QUEUE: Final = "partner-asks"
ASKS_DOOR: Final = "ask_partner"
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""What is dated before this was never dated: clocks that were not set begin in 1970, or in the year 1."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A webhook as it arrived; body and headers are never printed."""

    partner: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Told:
    """An event to take in, under its own call, and the sealed bytes that told it."""

    call: Call
    stored: StoredEvent
    sealed: bytes

    @property
    def ref(self) -> Ref:
        return inbox_ref(self.call.tenant, self.stored.key)


class Inbox:
    """Partners' events, each taken in once."""

    def __init__(self, desk: Desk, secrets: Secrets, vault: Vault) -> None:
        """Write through `desk`; verify with `secrets`; seal with `vault`."""
        self._desk, self._secrets, self._vault = desk, secrets, vault

    def receive(self, call: Call, raw: RawEvent) -> Done[tuple[StoredEvent, ...]]:
        """Prove the raw bytes, seal and store each event once, and set it applying; replayed if all were there.

        Raises:
            UnknownPartner: no such partner, or it has no live secret for this tenant.
            BadSignature, OutsideReplayWindow: the bytes are not the partner's, or not from now. Where each event of
                a delivery is signed by itself, the others are taken in first: the partner sends them all again.
            EventTooLarge: an event is longer than the inbox keeps; the others are taken in first.
            Retryable: keys, secrets or store did not answer.
        """
        partner = partner_named(raw.partner)
        proven = partner.prove(raw.body, raw.headers, self._live(call, raw.partner), call.at)
        told = [self._told(call, raw.partner, piece) for piece in proven.pieces if _fits(piece)]
        done = self._take_in(tuple({one.stored.key: one for one in told}.values()))
        _log.info(
            "webhook_taken_in",
            tenant=call.tenant,
            partner=raw.partner,
            keys=sorted({piece.key_id for piece in proven.pieces}),
            events=len(done.answer),
            inbox=[stored.key for stored in done.answer],
            forged=proven.forged,
        )
        _refuse_forged(call, raw.partner, proven)
        _refuse_too_large(call, raw.partner, proven)
        return done

    def page(
        self, tenant: TenantId, limit: int, cursor: str | None, *, state: EventState | None, partner: str | None
    ) -> Listing[StoredEvent]:
        """Events in the order of their ids, a page at a time: of one state, of one partner, or all."""
        wanted = {"state": state.value if state else None, "partner": partner}
        where = tuple(Where(name, "==", value) for name, value in wanted.items() if value)
        page = self._desk.store.query(Query(INBOX, tenant, where, limit=limit, after=cursor))
        return Listing(tuple(read_event(document) for document in page.documents), page.cursor)

    def event(self, tenant: TenantId, key: str) -> StoredEvent:
        """One event.

        Raises:
            UnknownEvent: there is none under this id.
        """
        return read_event(self._document(tenant, key))

    def replay(self, call: Call, key: str) -> Done[StoredEvent]:
        """Apply an event again that was refused or got stuck, or one that was kept and is understood by now.

        One that was kept without being understood is stored under its own id, and told from there.

        Raises:
            UnknownEvent: there is none under this id.
            EventDecided: it was applied, or found to be no news.
            NotAnEvent: its bytes still make no event.
            NothingToApply: it is understood, and nothing for the books.
            PersonalDataUnreadable: the key to its bytes is gone.
            Retryable: keys or store did not answer.
        """
        document = self._document(call.tenant, key)
        ref, stored = document.ref, read_event(document)
        body = self._open(call.tenant, stored, cast("bytes", document[RAW]))
        piece = Piece(body.encode("latin-1"), stored.key_id)
        known = _parsed(stored.event.partner, piece, stored.received_at)
        own, account = _own_key(call.tenant, known), self._account(call.tenant, known)
        sealed = self._seal(call, stored, own, body)

        def decide(view: View) -> Outcome[StoredEvent]:
            understood = replace(stored, key=own, event=known, account=account)
            outcome = decide_replay(call, ref, understood, view, sealed=sealed)
            return replace(outcome, messages=(applying(call, outcome.answer),))

        return self._desk.perform(call, [ref], decide, read_event)

    def _document(self, tenant: TenantId, key: str) -> Document:
        missing = UnknownEvent("no such event", field="id")
        return document_at(self._desk.store, inbox_ref(tenant, key), missing)

    def _told(self, call: Call, partner: str, piece: Piece) -> _Told:
        event = _parsed(partner, piece, call.at)
        if event.kind is EventKind.UNREADABLE:
            _log.error("event_quarantined", tenant=call.tenant, partner=partner, event_id=event.id)
        call = replace(call, cause=event_cause(call.tenant, partner, event.account, event.id))
        key, account = call.cause.stored_id("event"), self._account(call.tenant, event)
        stored = StoredEvent(key, event, first_state(event), call.at, piece.key_id, call.at, account=account)
        return _Told(call, stored, self._seal(call, stored, stored.key, piece.raw.decode("latin-1")))

    def _take_in(self, told: tuple[_Told, ...]) -> Done[tuple[StoredEvent, ...]]:
        """All in one commit; what is there already stays as it is, and is handed over again while it waits."""
        if not told:
            return Done((), replayed=True)

        def decide(view: View) -> Decision[Done[tuple[StoredEvent, ...]]]:
            events, writes, messages = [], list[Write](), list[Command]()
            if view.failures:
                view.need([one.ref for one in told])
            for one in told:
                known = view[one.ref] if view.failures else None
                event = read_event(known) if known else one.stored
                events.append(event)
                command = (applying(one.call, event),) if event.state is EventState.RECEIVED else ()
                messages += command
                if known is None:
                    created = Create(one.ref, write_event(event, one.sealed))
                    writes += recorded(one.call, Outcome(one.ref, "event.receive", event, (created,), command))
            return Decision(Done(tuple(events), replayed=not writes, messages=tuple(messages)), tuple(writes))

        done = self._desk.store.transact((), decide)
        self._desk.outbox.dispatch(done.messages)
        return done

    def _live(self, call: Call, partner: str) -> tuple[Secret, ...]:
        try:
            live = live_secrets(self._secrets.versions(f"webhook-{call.tenant}-{partner}"), call.at)
        except SecretMissing:
            live = ()
        if live:
            return live
        message = "no such webhook endpoint"
        raise UnknownPartner(message, field="partner")

    def _account(self, tenant: TenantId, event: PartnerEvent) -> str:
        """The blind index of the virtual account that the money came to; of most events nothing, and no key is used."""
        return account_index(self._vault, tenant, event.paid_to) if event.paid_to else ""

    def _seal(self, call: Call, stored: StoredEvent, key: str, body: str) -> bytes:
        place = Place(call.tenant, INBOX, key)
        return self._sealer(call.tenant, _subject(stored)).seal(place, RAW, body).stored

    def _open(self, tenant: TenantId, stored: StoredEvent, sealed: bytes) -> str:
        """The bytes that told an event, as text of one character each."""
        place, closed = Place(tenant, INBOX, stored.key), Sealed[str](sealed)
        return self._vault.sealer(tenant, _subject(stored)).open(place, RAW, closed, Purpose.SUPPORT)

    def _sealer(self, tenant: TenantId, subject: str) -> Sealer:
        """The month's sealer; the first event of a month makes its keyset."""
        try:
            return self._vault.sealer(tenant, subject)
        except PersonalDataUnreadable:
            return self._vault.create_subject(tenant, subject)


def applying(call: Call, stored: StoredEvent) -> Command:
    """The command that applies an event; it names what to read along, so that one BatchGet is enough.

    Where the event does not say how much, its partner is asked first, and applying follows from there.
    """
    event = stored.event
    if wants_the_truth(event):
        return call.command(ASKS_QUEUE, ASKS_DOOR, stored.key, {"event": stored.key, "replay": stored.replays})
    body: dict[str, Json] = {
        "event": stored.key,
        "payment": payment_of(event) if event.payment else "",
        "invoice": event.invoice_id,
        "object": object_path(event),
        "account": stored.account,
        "replay": stored.replays,
    }
    return call.command(QUEUE, DOOR, stored.key, body)


def _refuse_forged(call: Call, partner: str, proven: Proven) -> None:
    if not proven.forged:
        return
    _log.error("webhook_partly_forged", tenant=call.tenant, partner=partner, forged=proven.forged)
    message = f"{proven.forged} of the events in it are signed by no live secret"
    raise BadSignature(message, field="body")


def _fits(piece: Piece) -> bool:
    return len(piece.raw) <= WEBHOOK_PIECE_BYTES


def _refuse_too_large(call: Call, partner: str, proven: Proven) -> None:
    """Not acknowledged, so that it stays with the partner; and said aloud, for sending it again does not help."""
    large = sum(1 for piece in proven.pieces if not _fits(piece))
    if not large:
        return
    _log.error("webhook_event_too_large", tenant=call.tenant, partner=partner, events=large)
    message = f"{large} of the events in it are longer than {WEBHOOK_PIECE_BYTES} bytes"
    raise EventTooLarge(message, field="body", detail={"limit_bytes": WEBHOOK_PIECE_BYTES})


def _parsed(partner: str, piece: Piece, at: datetime) -> PartnerEvent:
    """What a piece says; what makes no event is named by what it is.

    One that is dated more than a day after it came, or before any of ours can be, is of the instant that it came.
    """
    try:
        event = partner_named(partner).parse(piece.raw, at)
    except NotAnEvent:
        name = stored_id("unreadable", piece.raw.hex())
        return PartnerEvent(partner, name, "", EventKind.UNREADABLE, at)
    if EARLIEST <= event.occurred_at <= at + timedelta(days=1):
        return event
    return replace(event, occurred_at=at)  # nobody would find its entry on such a day


def _own_key(tenant: TenantId, event: PartnerEvent) -> StoredId:
    return event_cause(tenant, event.partner, event.account, event.id).stored_id("event")


def _subject(stored: StoredEvent) -> str:
    """Whose key seals an event's bytes: one a month, so that a month's raw bytes can be shredded."""
    return f"inbox-{stored.received_at:%Y-%m}"
