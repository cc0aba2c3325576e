"""Proofs: totals and guards recomputed from the journal at one instant, and any difference is an alert.

The whole journal every night and on demand; in between samples, which go round all entries and all
totals a few at a time, so that damage to any account and month is found without reading it all.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, zip_longest
from typing import Final, cast

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.identity import StoredId, TenantId
from shared.ledger.model import AccountCode, Month
from shared.ledger.records import account_ref, read_account
from shared.ledger.refusals import UnknownProof
from shared.ledger.rules.derived import Fold, adding_shifts, carried_from
from shared.ledger.rules.proof_records import Proof, read_proof, write_proof
from shared.ledger.rules.proofs import (
    Folded,
    GuardOff,
    corrections,
    fold_journal,
    named,
    of_account,
    out_of_balance,
    unlike,
    without_zeros,
)
from shared.ledger.use_cases.balances import LOOKS
from shared.ledger.use_cases.snapshots import POSTED, Snapshot
from shared.listing import Listing
from shared.ports import Create, Document, Fields, Put, Query, Queue, Ref, Update, Value, View, Where, Write, tenant_ref
from shared.rounds import Round

QUEUE: Final = "proofs"
DOOR: Final = "prove_ledger"
WHOLE_ROUND: Final = Round("start_ledger_proofs", DOOR, QUEUE, "day")
SAMPLE_ROUND: Final = Round("start_ledger_samples", DOOR, QUEUE, "sample")
SAMPLES: Final = "samples"
"""Where samples are recorded, apart from proofs of the whole."""
NAMED_DIFFERENCES: Final = 20
SAMPLE_DOCUMENTS: Final = 2
"""Entries, and totals documents, whose accounts and months a sample proves."""
SAMPLE_SLICES: Final = 6
"""Accounts' months a sample proves at most."""
SAMPLE_ENTRIES: Final = 1_000
"""Entries of a month that a sample reads; of a longer month it proves one day, of a longer day nothing."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Slice:
    """An account's month; `day` (yyyy-mm-dd) is proven instead where the month is too long."""

    account: AccountCode
    month: Month
    day: str


@dataclass(slots=True)
class _Findings:
    wrong: Folded = field(default_factory=dict)
    off: tuple[str, ...] = ()
    guards: dict[AccountCode, GuardOff] = field(default_factory=dict)
    reserved: tuple[tuple[AccountCode, str], ...] = ()
    altered: tuple[StoredId, ...] = ()
    shifts: Folded = field(default_factory=dict)
    carried: Folded = field(default_factory=dict)
    accounts: int = 0
    left_out: int = 0

    @property
    def anything(self) -> bool:
        derived = self.shifts or self.carried
        return bool(self.wrong or self.off or self.guards or self.reserved or self.altered or derived)

    @property
    def places(self) -> tuple[str, ...]:
        """What is wrong, a word each."""
        names = [named(key) for fold in (self.wrong, self.shifts, self.carried) for key in fold]
        names += [*(f"guards/{code}" for code in self.guards), *(f"entries/{key}" for key in self.altered)]
        return (*names, *(f"pending/{code}/{currency}" for code, currency in self.reserved))


class Proofs:
    """Proofs of every tenant's books."""

    def __init__(self, desk: Desk, queue: Queue) -> None:
        """Read from the desk's store, record through `desk`, ask for proofs by `queue`."""
        self._desk, self._queue = desk, queue

    # --- asking

    def start(self, tenants: Iterable[TenantId], at: datetime, traceparent: str) -> None:
        """Ask for today's proof of each tenant; asked again today, the queue knows the task.

        Raises:
            Retryable: it is not certain that the queue has them all.
        """
        WHOLE_ROUND.ask(self._queue, tenants, at.date().isoformat(), traceparent)

    def start_samples(self, tenants: Iterable[TenantId], at: datetime, traceparent: str) -> None:
        """Ask for a sample of each tenant's books; asked again in the same minute, the queue knows the task.

        Raises:
            Retryable: it is not certain that the queue has them all.
        """
        SAMPLE_ROUND.ask(self._queue, tenants, f"{at:%Y-%m-%dT%H:%M}", traceparent)

    def ask(self, call: Call) -> Done[Proof]:
        """Ask for a whole proof; its task makes it, under the id that is answered."""
        ref = call.ref("proofs", call.cause.stored_id("proof"))
        asked = Proof(ref.key, None)

        def decide(view: View) -> Outcome[Proof]:
            known = view[ref] if view.failures else None
            if known is not None:
                return Outcome(ref, "ledger.ask_proof", read_proof(known))
            task = call.command(QUEUE, DOOR, ref.key, {"proof": ref.key})
            return Outcome(ref, "ledger.ask_proof", asked, (Create(ref, write_proof(asked)),), (task,))

        return self._desk.perform(call, (), decide, read_proof)

    # --- proving

    def carry_out(self, call: Call, *, proof: str | None = None, sample: bool = False) -> Done[Proof]:
        """What a task asks for: a sample, the proof that was asked for under an id, or the day's."""
        return self.sample(call) if sample else self.prove(call, proof)

    def prove(self, call: Call, proof_id: str | None = None) -> Done[Proof]:
        """Recompute every total from the entries at one instant and record what was found.

        A difference is logged as an error that names it: the alert hangs on it.
        """
        ref = call.ref("proofs", proof_id or call.cause.stored_id("proof"))
        return self._record(call, ref, "ledger.prove", self._proof(call.tenant, ref.key, "whole", _whole))

    def sample(self, call: Call) -> Done[Proof]:
        """Prove the accounts and months of the next few entries and totals, round and round."""
        ref, turn = call.ref(SAMPLES, call.cause.stored_id("proof")), call.ref("rotations", SAMPLES)
        rotation = self._desk.store.get([turn])[turn]
        slices, after = self._slices(call, rotation.fields if rotation else {})

        def look(books: Snapshot) -> _Findings:
            return _sampled(books, slices)

        proof = self._proof(call.tenant, ref.key, "sample", look)
        return self._record(call, ref, "ledger.prove_sample", proof, Put(turn, after))

    def _record(self, call: Call, ref: Ref, action: str, proof: Proof, *more: Write) -> Done[Proof]:
        def decide(view: View) -> Outcome[Proof]:
            known = view[ref]
            if known is None:
                return Outcome(ref, action, proof, (Create(ref, write_proof(proof)), *more))
            if read_proof(known).proven_at is not None:
                return Outcome(ref, action, read_proof(known))
            return Outcome(ref, action, proof, (Update(ref, write_proof(proof), known.version), *more))

        return self._desk.perform(call, (ref,), decide, read_proof)

    def _proof(self, tenant: TenantId, proof_id: str, scope: str, look: Callable[[Snapshot], _Findings]) -> Proof:
        """What stays different at every look at the same instant; what a late commit explains is no difference."""
        at = self._desk.store.read_time()
        for _ in range(LOOKS):
            books = Snapshot(self._desk.store, tenant, at)
            found = look(books)
            if not found.anything:
                break
        proof = Proof(
            proof_id,
            at,
            books.entries,
            found.accounts,
            differences=len(found.wrong),
            out_of_balance=len(found.off),
            floors=len(found.guards),
            altered=len(found.altered),
            reserved=len(found.reserved),
            shifts=len(found.shifts),
            carried=len(found.carried),
            left_out=found.left_out,
            scope=scope,
            named=found.places[:NAMED_DIFFERENCES],
        )
        if found.anything:
            off = list(found.off)
            _log.error("ledger_proof_failed", tenant=tenant, scope=scope, differences=proof.named, out_of_balance=off)
        return proof

    def _slices(self, call: Call, rotation: Fields) -> tuple[tuple[Slice, ...], dict[str, Value]]:
        """Accounts' months of the next few entries and totals, and where the next sample goes on.

        Entries find totals that are gone, totals find those that no entry made; entries lie in
        the order of hashes, so that a few in a row are few at random.
        """
        led_to: list[list[Slice]] = []
        after: dict[str, Value] = {"schema": 1}
        for collection, where in (("totals", ()), ("entries", (POSTED,))):
            cursor = cast("str | None", rotation.get(collection))
            query = Query(collection, call.tenant, where, limit=SAMPLE_DOCUMENTS, after=cursor, as_is=True)
            page = self._desk.store.query(query)
            after[collection] = page.cursor
            led_to += [_slices_of(document, str(call.cause)) for document in page.documents]
        found: dict[tuple[AccountCode, Month], Slice] = {}
        for one in chain.from_iterable(zip_longest(*led_to)):
            if one is not None:
                found.setdefault((one.account, one.month), one)
        return tuple(found.values())[:SAMPLE_SLICES], after

    # --- reading

    def proof(self, tenant: TenantId, proof_id: str) -> Proof:
        """One proof.

        Raises:
            UnknownProof: there is none under this id.
        """
        missing = UnknownProof("no such proof", field="id")
        return read_proof(document_at(self._desk.store, tenant_ref(tenant, "proofs", proof_id), missing))

    def page(self, tenant: TenantId, limit: int, cursor: str | None, *, collection: str = "proofs") -> Listing[Proof]:
        """Proofs of the whole that were made, or `SAMPLES`, newest first."""
        page = self._desk.store.query(Query(collection, tenant, order=("-proven_at",), limit=limit, after=cursor))
        return Listing(tuple(read_proof(document) for document in page.documents), page.cursor)


def _slices_of(document: Document, chance: str) -> list[Slice]:
    """What a document leads to; of an entry's accounts another comes first each time, so that none is always last."""
    fields, month = document.fields, cast("str", document["month"])
    if "accounts" in fields:
        accounts, day = cast("list[str]", fields["accounts"]), cast("str", fields["effective_on"])
        first = zlib.crc32(chance.encode()) % max(1, len(accounts))
        return [Slice(account, month, day) for account in (*accounts[first:], *accounts[:first])]
    days = sorted(cast("Fields", fields.get("d", {}))) or ["01"]
    day = days[zlib.crc32(chance.encode()) % len(days)]
    return [Slice(cast("str", fields["account"]), month, f"{month}-{day}")]


def _whole(books: Snapshot) -> _Findings:
    totals, chart, stops = books.totals(as_is=True), books.chart(), books.stops()
    due: Fold = {}
    journal = fold_journal(adding_shifts(books.journal(), due))
    reserved = books.reserved()
    return _Findings(
        corrections(totals, journal),
        out_of_balance(totals),
        books.guards_off(chart.values(), (totals, reserved)),
        unlike(reserved, books.held()),
        tuple(books.altered),
        corrections(books.shifts(), without_zeros(due)),
        corrections(books.carried(stops), carried_from(journal, stops)),
        len(chart),
    )


def _sampled(books: Snapshot, slices: Iterable[Slice]) -> _Findings:
    found = _Findings()
    codes = dict.fromkeys(one.account for one in slices)
    for one in slices:
        wrong = _slice(books, one)
        found.left_out += wrong is None
        found.wrong = {**found.wrong, **(wrong or {})}
    refs = {code: account_ref(books.tenant, code) for code in codes}
    read = books.store.get(list(refs.values()), at=books.at)
    accounts = [read_account(document) for document in read.values() if document is not None]
    for account in accounts:
        if account.floor:
            totals = books.totals(Where("account", "==", account.code), as_is=True)
            reserved = books.reserved(account.code)
            found.guards |= books.guards_off([account], (totals, reserved))
    found.accounts, found.altered = len(codes), tuple(dict.fromkeys(books.altered))
    return found


def _slice(books: Snapshot, one: Slice) -> Folded | None:
    """What is wrong with an account's month, or with one day of a long one; None when the day is too long as well."""
    mine = Where("accounts", "array_contains", one.account)
    day, when = None, Where("month", "==", one.month)
    if books.has_more_than(SAMPLE_ENTRIES, mine, when):
        day, when = one.day, Where("effective_on", "==", one.day)
        if books.has_more_than(SAMPLE_ENTRIES, mine, when):
            return None
    totals = books.totals(Where("account", "==", one.account), Where("month", "==", one.month), as_is=True)
    journal = fold_journal(books.journal(mine, when))
    return corrections(of_account(totals, one.account, day), of_account(journal, one.account, day))
