"""Repairs: totals and shifts that a proof found wrong are set right by a recorded correction, entries never touched.

The correction is the difference, added: postings move totals and entries in one commit and so
never move it, and it stays exact whatever is posted meanwhile. Of two repairs at once one waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, Month
from shared.ledger.records import account_ref, guard_ref, read_account, read_guard
from shared.ledger.refusals import JournalAltered, UnknownAccount, WrongState
from shared.ledger.rules.carry import repaired
from shared.ledger.rules.derived import Fold, adding_shifts, carried_from, shift_correction, together
from shared.ledger.rules.proof_records import Change, Repair, read_repair, write_repair
from shared.ledger.rules.proofs import (
    RIGHT,
    Folded,
    GuardOff,
    Paths,
    correction,
    corrections,
    fold_journal,
    named,
    of_month,
    without_zeros,
)
from shared.ledger.use_cases.snapshots import Snapshot
from shared.listing import Listing
from shared.ports import Create, Document, Query, Ref, Update, View, Where, Write

INSTANTS: Final = 6
"""Instants looked at for two in a row that agree on a difference; a commit in flight shows itself in one at most."""


@dataclass(frozen=True, slots=True)
class _Damage:
    """What must be added, what is there, and the instant at which it was seen."""

    books: Snapshot
    there: Folded
    wrong: Folded
    off: GuardOff = RIGHT
    shifts: Folded = field(default_factory=dict)
    carried: Folded = field(default_factory=dict)
    """What is wrong with what was carried through the month, while it is in use."""

    @property
    def difference(self) -> object:
        """What two instants must agree on."""
        return self.wrong, self.off, self.shifts, self.carried


class Repairs:
    """Explicit corrections of totals and guards, each on record."""

    def __init__(self, desk: Desk) -> None:
        """Read from the desk's store, correct through `desk`."""
        self._desk = desk

    def repair(self, call: Call, code: AccountCode, month: Month | None) -> Done[Repair]:
        """Make an account's month the fold of its entries, or without a month its floor's guard what its totals say.

        Of a month its shifts are made so too; a wrong balance carried through it is not used any more, nor any other.

        Raises:
            UnknownAccount: the chart has no such account.
            WrongState: a guard is to be set right and the account has no floor.
            JournalAltered: an entry of the month is not what its hash says.
            Retryable: another repair, or a change of the floor, came between, or no two instants agreed.
        """
        ref = call.ref("repairs", call.cause.stored_id("repair"))
        turn = call.ref("repair_turns", f"{code}~{month or 'floor'}")
        place, guard = account_ref(call.tenant, code), guard_ref(call.tenant, code)
        seen = self._desk.store.get([ref, turn, place])
        account = _account(code, seen[place])
        damage = None if seen[ref] else self._damage(call.tenant, account, month)

        def decide(view: View) -> Outcome[Repair]:
            known, before = view[ref], view[turn]
            if known is not None:
                return Outcome(ref, "ledger.repair", read_repair(known))
            if damage is None or _version(before) != _version(seen[turn]):
                message = "another repair of the same came between"
                raise Retryable(message)
            fields = {"schema": 1, "version": _version(before) + 1}
            taken: Write = Update(turn, fields, before.version) if before else Create(turn, fields)
            if month is None:
                _same_floor(view[place], seen[place])
                changes, writes = _spent(view, guard, damage)
            else:
                changes, writes = _totals(call.tenant, damage)
            repair = Repair(ref.key, code, month, damage.books.at, changes)
            return Outcome(ref, "ledger.repair", repair, (Create(ref, write_repair(repair)), taken, *writes))

        return self._desk.perform(call, [ref, turn], decide, read_repair)

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Repair]:
        """Recorded repairs, newest first."""
        page = self._desk.store.query(Query("repairs", tenant, order=("-repaired_at",), limit=limit, after=cursor))
        return Listing(tuple(read_repair(document) for document in page.documents), page.cursor)

    def _damage(self, tenant: TenantId, account: Account, month: Month | None) -> _Damage:
        """What two instants in a row agree on: a commit on its way, which a snapshot may show in part, moves on."""
        last: _Damage | None = None
        for _ in range(INSTANTS):
            books = Snapshot(self._desk.store, tenant, self._desk.store.read_time())
            found = _floor(books, account) if month is None else _month(books, account.code, month)
            if last and found.difference == last.difference:
                return found
            last = found
        message = "the books do not stand still enough to be repaired"
        raise Retryable(message)


def _month(books: Snapshot, code: AccountCode, month: Month) -> _Damage:
    mine, within = Where("account", "==", code), Where("month", "==", month)
    due: Fold = {}
    totals, shifts = books.totals(mine, within), books.shifts(mine, within)
    journal = fold_journal(adding_shifts(books.journal_of(code, month), due))
    if books.altered:
        message = "an entry is not what its content hash says"
        raise JournalAltered(message, detail={"entry": books.altered[0]})
    wrong = corrections(totals, of_month(journal, code, month))
    off = corrections(shifts, of_month(without_zeros(due), code, month))
    carried, right = _carried(books, (code, month), wrong)
    there = {**totals, **shifts, **carried}
    return _Damage(books, there, wrong, shifts=off, carried=corrections(carried, right))


def _carried(books: Snapshot, place: tuple[AccountCode, Month], wrong: Folded) -> tuple[Folded, Folded]:
    """What is carried through a month, if it may be used, and what all totals through it come to once set right."""
    code, month = place
    if month not in books.stops():
        return {}, {}
    mine = Where("account", "==", code)
    totals = together(books.totals(mine, Where("month", "<=", month)), wrong)
    return books.carried((month,), mine), carried_from(totals, (month,))


def _floor(books: Snapshot, account: Account) -> _Damage:
    totals, reserved = books.totals(Where("account", "==", account.code)), books.reserved(account.code)
    return _Damage(books, totals, {}, books.guards_off([account], (totals, reserved)).get(account.code, RIGHT))


def _totals(tenant: TenantId, damage: _Damage) -> tuple[tuple[Change, ...], tuple[Write, ...]]:
    """A correction for each currency and kind of entry, and what changes by it."""
    changes: list[Change] = []
    for key, sums in (*damage.wrong.items(), *damage.shifts.items(), *damage.carried.items()):
        before: Paths = damage.there.get(key, cast("Mapping[tuple[str, ...], int]", {}))
        for path, amount in sums.items():
            is_ = before.get(path, 0)
            changes.append(Change(named(key), ".".join(path), is_, is_ + amount))
    writes: list[Write] = [correction(tenant, key, sums) for key, sums in damage.wrong.items()]
    writes += [shift_correction(tenant, key, sums) for key, sums in damage.shifts.items()]
    if damage.wrong or damage.carried:
        writes.append(repaired(tenant))
    return tuple(changes), tuple(writes)


def _spent(view: View, guard: Ref, damage: _Damage) -> tuple[tuple[Change, ...], tuple[Write, ...]]:
    """The guard with what it should have spent and held, unchanged since read."""
    kept, off = read_guard(view.named(guard)), damage.off
    sums = (("spent", kept.spent, off.spent), ("held", kept.held, off.held))
    changes = tuple(Change(f"guards/{guard.key}", name, is_, is_ + more) for name, is_, more in sums if more)
    return changes, (kept.moved(spent=off.spent, held=off.held),) if changes else ()


def _same_floor(now: Document | None, seen: Document | None) -> None:
    """See that the floor is the one whose guard was looked at: adding one sets its guard anew.

    Raises:
        WrongState: there is none.
        Retryable: the account was changed since.
    """
    if now is None or read_account(now).floor is None:
        message = "the account has no floor"
        raise WrongState(message, field="account")
    if seen is None or now.version != seen.version:
        message = "the account was changed meanwhile"
        raise Retryable(message)


def _account(code: AccountCode, document: Document | None) -> Account:
    if document is None:
        message = "the chart has no such account"
        raise UnknownAccount(message, field="account", detail={"account": code})
    return read_account(document)


def _version(turn: Document | None) -> int:
    return cast("int", turn["version"]) if turn else 0
