"""The scheduled proof: totals recomputed from the journal at one instant, and any difference is an alert."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

import structlog

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Command
from shared.identity import Cause, TenantId, message_id
from shared.ledger.model import JournalEntry
from shared.ledger.rules.reports import TrialBalance, balances, differences, fold_entries
from shared.ledger.use_cases.reports import FIRST_MONTH, LOOKS, Reports
from shared.listing import Listing
from shared.ports import Create, Document, Query, Queue, Value, View

LAST_MONTH: Final = "9999-12"
NAMED_DIFFERENCES: Final = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof of the books found at one instant."""

    id: str
    proven_at: datetime
    entries: int
    accounts: int
    differences: int
    out_of_balance: int

    @property
    def holds(self) -> bool:
        """Totals are the fold of the entries and every currency balances."""
        return not self.differences and not self.out_of_balance


class Proofs:
    """Proofs of every tenant's books."""

    def __init__(self, desk: Desk, reports: Reports, queue: Queue) -> None:
        """Read by `reports`, record through `desk`, ask for proofs by `queue`."""
        self._desk, self._reports, self._queue = desk, reports, queue

    def start(self, tenants: Iterable[TenantId], at: datetime, traceparent: str) -> None:
        """Ask for today's proof of each tenant; asked again today, the queue knows the task.

        Raises:
            Retryable: it is not certain that the queue has them all.
        """
        day = at.date().isoformat()
        for tenant in tenants:
            identity = message_id(tenant, Cause("system", "start_ledger_proofs", day), "prove_ledger", day)
            self._queue.enqueue(Command(identity, tenant, "prove_ledger", "proofs", {"day": day}, traceparent))

    def prove(self, call: Call) -> Done[Proof]:
        """Recompute every total from the entries at one instant and record what was found.

        A difference is logged as an error with the accounts it is about: the alert hangs on it.
        """
        ref = call.ref("proofs", call.cause.stored_id("proof"))
        proof = self._proof(call.tenant, ref.key)

        def decide(view: View) -> Outcome[Proof]:
            known = view[ref] if view.failures else None
            if known is not None:
                return Outcome(ref, "ledger.prove", read_proof(known))
            return Outcome(ref, "ledger.prove", proof, (Create(ref, write_proof(proof)),))

        return self._desk.perform(call, (), decide, read_proof)

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Proof]:
        """Recorded proofs, newest first."""
        page = self._desk.store.query(Query("proofs", tenant, order=("-proven_at",), limit=limit, after=cursor))
        return Listing(tuple(read_proof(document) for document in page.documents), page.cursor)

    def _proof(self, tenant: TenantId, proof_id: str) -> Proof:
        """What stays different at every look at the same instant; what a late commit explains is no difference."""
        at: datetime | None = None
        for _ in range(LOOKS):
            fold, chart, at = self._reports.read(tenant, at)
            journal = _Counted(self._reports.posted(tenant, at))
            found = differences(fold, fold_entries(journal))
            trial = TrialBalance(LAST_MONTH, balances(fold, chart, FIRST_MONTH, LAST_MONTH))
            off = {currency: net for currency, net in trial.out_of_balance.items() if net}
            if not found and not off:
                return Proof(proof_id, at, journal.count, len(chart), 0, 0)
        keys = ["/".join(difference.key) for difference in found[:NAMED_DIFFERENCES]]
        _log.error("ledger_proof_failed", tenant=tenant, differences=keys, out_of_balance=sorted(off))
        return Proof(proof_id, cast("datetime", at), journal.count, len(chart), len(found), len(off))


class _Counted:
    """Entries as they come, counted, and none of them kept: a journal is longer than a memory."""

    def __init__(self, entries: Iterable[JournalEntry]) -> None:
        self._entries = entries
        self.count = 0

    def __iter__(self) -> Iterator[JournalEntry]:
        for entry in self._entries:
            self.count += 1
            yield entry


def write_proof(proof: Proof) -> dict[str, Value]:
    """A proof's fields."""
    return {
        "schema": 1,
        "proven_at": proof.proven_at,
        "entries": proof.entries,
        "accounts": proof.accounts,
        "differences": proof.differences,
        "out_of_balance": proof.out_of_balance,
        "holds": proof.holds,
    }


def read_proof(document: Document) -> Proof:
    """The proof that a document keeps."""
    entries, accounts, found, off = (
        cast("int", document[name]) for name in ("entries", "accounts", "differences", "out_of_balance")
    )
    return Proof(document.ref.key, cast("datetime", document["proven_at"]), entries, accounts, found, off)
