"""Bringing a tenant's balances in: entry by entry, each once, and the answer says of each what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.faults import IdempotencyKeyReused, Refused
from shared.identity import Cause
from shared.ledger.model import JournalEntry
from shared.ledger.records import account_ref
from shared.ledger.refusals import AccountExists
from shared.ledger.rules.opening import OPENING_BALANCES, OpeningRow, opening_entries
from shared.ledger.use_cases.accounts import Chart
from shared.ledger.use_cases.posting import Books
from shared.ports import Create, Value, View


@dataclass(frozen=True, slots=True)
class OpeningEntry:
    """One entry of opening balances: posted, or why not."""

    entry: JournalEntry
    refusal: Refused | None


class OpeningBalances:
    """Opening balances of tenants that migrate in."""

    def __init__(self, desk: Desk, books: Books, chart: Chart) -> None:
        """Post by `books`; open the balancing account in `chart` when it is missing."""
        self._desk, self._books, self._chart = desk, books, chart

    def post(self, call: Call, on: date, rows: Sequence[OpeningRow]) -> Done[tuple[OpeningEntry, ...]]:
        """Post all rows; under the same cause again nothing is posted twice. An entry that is refused stands alone.

        Raises:
            Invalid: a row is there twice.
            IdempotencyKeyReused: the cause was used with other rows.
            Refused: every entry was; recorded under their ids, the first one raised.
            Retryable: some may be posted; the same call goes on.
        """
        entries = opening_entries(call, on, rows)
        begun = self._begin(call, len(entries))
        self._open_account(call)
        answers = tuple(self._post(call, entry) for entry in entries)
        if (refusal := answers[0].refusal) and all(answer.refusal for answer in answers):
            raise refusal
        return Done(answers, begun.replayed)

    def _begin(self, call: Call, entries: int) -> Done[str]:
        """Bind the cause to its rows before the first entry: another request under it must not add to them."""
        ref = call.ref("openings", call.cause.stored_id("opening balances"))

        def decide(view: View) -> Outcome[str]:
            known = view[ref]
            if known is None:
                fields: dict[str, Value] = {"schema": 1, "request_hash": call.request_hash, "entries": entries}
                return Outcome(ref, "opening_balances.post", ref.key, (Create(ref, fields),))
            if not call.asked_before(cast("str", known["request_hash"])):
                message = "this Idempotency-Key was used with another request"
                raise IdempotencyKeyReused(message, field="Idempotency-Key")
            return Outcome(ref, "opening_balances.post", ref.key)

        return self._desk.perform(call, [ref], decide, lambda document: document.ref.key)

    def _post(self, call: Call, entry: JournalEntry) -> OpeningEntry:
        try:
            return OpeningEntry(self._books.post(call, entry).answer.entry, None)
        except Refused as refusal:
            return OpeningEntry(entry, refusal)

    def _open_account(self, call: Call) -> None:
        """The account that all are put against; every chart may have it, none must."""
        ref = account_ref(call.tenant, OPENING_BALANCES.code)
        if self._desk.store.get([ref])[ref] is not None:
            return
        cause = Cause("system", "opening_balances", f"{call.tenant}:account")
        try:
            self._chart.open_account(replace(call, cause=cause, once=False), OPENING_BALANCES)
        except AccountExists:
            return
