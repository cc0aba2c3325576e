"""Holds: money set aside now and posted, given back or left to expire later, each once and in one commit.

A hold's own document is the parent of every decision about it, written unchanged since read: of two posts,
a post and a void, or a void and the sweep, one finds it as it was and the other reads it again.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, read_refusal
from shared.identity import StoredId, TenantId
from shared.ledger.model import AccountCode, JournalEntry, Line, RefusedCommand
from shared.ledger.records import RecordedEntry, entry_ref, read_entry, write_entry
from shared.ledger.refusals import (
    EntryIdReused,
    ExceedsHold,
    HoldEnded,
    HoldExpired,
    UnknownHold,
)
from shared.ledger.rules.holds import (
    COLLECTION,
    Hold,
    HoldState,
    PostOrder,
    create_hold,
    elsewhere,
    end,
    hold_ref,
    post,
    read_hold,
    update_hold,
)
from shared.ledger.rules.pending import Pending, fold_pending, pending_of, releasing
from shared.ledger.rules.reserving import release_guards, reserve, reserve_refs
from shared.ledger.use_cases.answered import answered_before
from shared.ledger.use_cases.posting import Booking, Books
from shared.listing import Listing
from shared.ports import Document, Query, View, Where, Write

PURPOSE: Final = "hold"
"""What the id of a hold is called among those that its cause gives."""


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """What to set aside, until when; `effective_on` is the day of its posts unless they say another."""

    lines: tuple[Line, ...]
    expires_at: datetime
    effective_on: date | None = None
    reference: str = ""

    def hold(self, call: Call) -> Hold:
        """The hold asked for, under the id that the call's cause gives.

        Raises:
            Invalid: no entry could have such lines.
        """
        return Hold(
            call.cause.stored_id(PURPOSE),
            self.lines,
            tuple(line.money.amount for line in self.lines),
            self.expires_at,
            self.effective_on,
            self.reference,
            str(call.cause),
            call.request_hash,
        )


class Holds:
    """The holds of every tenant."""

    def __init__(self, desk: Desk, books: Books) -> None:
        """Write through `desk`, post to `books`."""
        self._desk, self._books = desk, books

    def reserve(self, call: Call, order: HoldOrder) -> Done[Hold]:
        """Set lines aside; the hold's document is the idempotency record, and so is a refused one's.

        Raises:
            EntryIdReused: the cause came before with another request.
            Refused: an account is unknown, frozen or short of funds, or the time is no time; recorded.
            Retryable: contention or silence outlasted the attempts.
        """
        hold = order.hold(call)
        ref = hold_ref(call.tenant, hold.id)

        def decide(view: View) -> Outcome[Hold]:
            known = view[ref]
            if known is not None:
                return Outcome(ref, "hold.reserve", _reserved_before(call, known))
            planned = reserve(call.tenant, hold, call.at, view)
            made = create_hold(call.tenant, planned.hold, planned.refusal)
            writes = (made, *planned.writes)
            return Outcome(ref, "hold.reserve", planned.hold, writes, loose=planned.loose, refusal=planned.refusal)

        refs = (ref, *reserve_refs(call.tenant, hold))
        return self._desk.perform(replace(call, once=False), refs, decide, read_hold)

    def post(self, call: Call, hold_id: StoredId, order: PostOrder) -> Done[RecordedEntry]:
        """Post what is left of a hold, or some of it, as a journal entry; the entry is the idempotency record.

        What the ledger refuses (a closed month, a frozen account) is recorded under the entry's id and leaves
        the hold as it was.

        Raises:
            UnknownHold: no such hold; not recorded, for its id is only learnt from the answer that made it.
            EntryIdReused: the cause came before with another request.
            HoldEnded, HoldExpired, ExceedsHold: recorded under the entry's id.
            Refused: by the ledger, recorded; or recorded earlier.
            Retryable: contention or silence outlasted the attempts.
        """
        call = replace(call, once=False)
        ref, own = hold_ref(call.tenant, hold_id), entry_ref(call.tenant, call.cause.stored_id("entry"))

        def decide(view: View) -> Booking[RecordedEntry]:
            known = view[own] if view.failures or view.has_read(own) else None
            if known is not None:
                command = _command(call, hold_id, order, None)
                return Booking(Outcome(own, "hold.post", answered_before(call, command, known)))
            document = _there(view[ref])
            return self._booking(call, document, order, view)

        return self._books.perform(call, (ref,), decide, read_entry)

    def void(self, call: Call, hold_id: StoredId) -> Done[Hold]:
        """Give back all that a hold still reserves.

        Raises:
            UnknownHold: no such hold.
            HoldEnded: it was posted to its end, voided, expired or refused before.
            Retryable: contention or silence outlasted the attempts, or an account is in a transition.
        """
        return self._release(replace(call, once=True), hold_id, HoldState.VOIDED)

    def expire(self, call: Call, hold_id: StoredId) -> Done[Hold]:
        """Give back what a hold still reserves once its time is over; one that has ended is left as it is.

        Raises:
            UnknownHold: no such hold.
            Retryable: contention or silence outlasted the attempts, or an account is in a transition.
        """
        return self._release(replace(call, once=False), hold_id, HoldState.EXPIRED)

    def hold(self, tenant: TenantId, hold_id: StoredId) -> Hold:
        """One hold.

        Raises:
            UnknownHold: there is none under this id.
        """
        ref = hold_ref(tenant, hold_id)
        return read_hold(_there(self._desk.store.get([ref])[ref]))

    def page(
        self,
        tenant: TenantId,
        limit: int,
        cursor: str | None,
        *,
        account: AccountCode | None = None,
        state: HoldState | None = None,
    ) -> Listing[Hold]:
        """Holds in the order of their ids, all or those on an account or in a state, a page at a time."""
        on = (Where("accounts", "array_contains", account),) if account else ()
        of = (Where("state", "==", state.value),) if state else ()
        page = self._desk.store.query(Query(COLLECTION, tenant, (*on, *of), limit=limit, after=cursor))
        return Listing(tuple(read_hold(document) for document in page.documents), page.cursor)

    def reserved(self, tenant: TenantId, account: AccountCode | None = None, at: datetime | None = None) -> Pending:
        """What open holds reserve on an account, or on all, by account and currency, at one instant (`at`, or now).

        Empty means that no open hold has anything left there.
        """
        return fold_pending(self._desk.store.query(pending_of(tenant, account), at=at).documents)

    def _booking(self, call: Call, document: Document, order: PostOrder, view: View) -> Booking[RecordedEntry]:
        hold = read_hold(document)
        command = _command(call, hold.id, order, hold)
        own = entry_ref(call.tenant, command.id)
        try:
            posting = post(hold, order, call.at)
        except (HoldEnded, HoldExpired, ExceedsHold) as refusal:
            answer = RecordedEntry(command, posted=False, recorded_at=call.at, refusal=None)
            record = (write_entry(call.tenant, command, refusal),)
            return Booking(Outcome(own, "hold.post", answer, record, refusal=refusal))
        entry = JournalEntry(
            command.id,
            posting.lines,
            command.effective_on,
            command.cause,
            command.request_hash,
            command.kind,
            command.reference,
            hold=hold.id,
        )
        apart = elsewhere(posting)
        writes: tuple[Write, ...] = (
            update_hold(document, posting.after),
            *releasing(call.tenant, posting.release, hold.shards),
            *release_guards(call.tenant, apart, view),
        )
        release = tuple(line for line in posting.release if line.account in entry.accounts)
        answer = RecordedEntry(entry.posted_at(call.at), posted=True, recorded_at=call.at, refusal=None)
        return Booking(Outcome(own, "hold.post", answer, writes), entry, release=release)

    def _release(self, call: Call, hold_id: StoredId, state: HoldState) -> Done[Hold]:
        ref = hold_ref(call.tenant, hold_id)
        action = "hold.void" if state is HoldState.VOIDED else "hold.expire"

        def decide(view: View) -> Outcome[Hold]:
            document = _there(view[ref])
            hold = read_hold(document)
            if state is HoldState.EXPIRED and not _due(hold, call.at):
                return Outcome(ref, action, hold)
            after = end(hold, state)
            writes = (
                update_hold(document, after),
                *releasing(call.tenant, hold.open_lines, hold.shards),
                *release_guards(call.tenant, hold.open_lines, view),
            )
            return Outcome(ref, action, after, writes)

        return self._desk.perform(call, (ref,), decide, read_hold)


def _due(hold: Hold, at: datetime) -> bool:
    return hold.state is HoldState.RESERVED and hold.expires_at <= at


def _there(document: Document | None) -> Document:
    if document is None:
        message = "no such hold"
        raise UnknownHold(message, field="id")
    return document


def _reserved_before(call: Call, known: Document) -> Hold:
    """The hold under the same id and request; its refusal is raised again."""
    hold = read_hold(known)
    if not call.asked_before(hold.request_hash):
        message = "this id was used with another request"
        raise EntryIdReused(message, field="Idempotency-Key")
    if hold.refusal is not None:
        raise read_refusal(hold.refusal)
    return hold


def _command(call: Call, hold_id: StoredId, order: PostOrder, hold: Hold | None) -> RefusedCommand:
    """The post before its lines are known: what a refusal of it is recorded as."""
    day = order.effective_on or (hold.effective_on if hold else None) or call.at.date()
    return RefusedCommand(
        call.cause.stored_id("entry"),
        (),
        day,
        str(call.cause),
        call.request_hash,
        reference=hold.reference if hold else "",
        hold=hold_id,
    ).posted_at(call.at)
