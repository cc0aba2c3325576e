"""Batches and dry runs on the wire.

An entry's id comes from its own `key`, whatever batch brings it: sent again in another batch, an independent one
finds it there and a linked one is refused. Without a key its place in this batch names it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Final, Literal, Self

from pydantic import Field

from shared.calls import Call
from shared.faults import Detail, Refused, Retryable
from shared.identity import Cause, StoredId
from shared.ledger.records import RecordedEntry
from shared.ledger.use_cases.batches import Batch, BatchResult, Mode
from shared.ledger.use_cases.dry_run import DryRun, DryRunResult
from shared.ledger.use_cases.together import Posting, Result
from shared.ledger.wire.memos import NewEntryWithMemo
from shared.wire import Identifier, Wire

DRY_RUN: Final = "/dry_run"
"""What the path of a dry run ends with, after the path of what it is a dry run of."""

Hashes = Callable[[bytes], tuple[str, ...]]
"""The keyed hashes of a request, newest first, under the keys that are still live."""


class NewBatchEntry(NewEntryWithMemo):
    """A journal entry of a batch; `key` names it among all of the tenant's batches, for ever."""

    key: Identifier | None = None

    def posting(self, call: Call, place: int, hashes: Hashes) -> Posting:
        """The posting asked for, under a cause and hashes that are this entry's own.

        Raises:
            Refused: no such entry can be built.
        """
        key = f"{call.tenant}:{self.key}" if self.key else f"{call.cause.key}#{place}"
        endpoint = call.cause.endpoint.removesuffix(DRY_RUN)  # a key names the entry that the batch itself would post
        asked = f"{call.principal}\n{self.model_dump_json(exclude_unset=True)}"
        newest, *earlier = hashes(asked.encode())
        own = replace(
            call,
            cause=Cause(call.cause.namespace, endpoint, key),
            request_hash=newest,
            earlier_hashes=tuple(earlier),
        )
        return Posting(own, self.entry(own).posted_at(call.at), audited=False)


class NewBatch(Wire):
    """Entries to post in one request: `linked`, all or nothing, or `independent`, each answered for itself."""

    mode: Literal["linked", "independent"]
    entries: Annotated[tuple[NewBatchEntry, ...], Field(min_length=1)]

    def batch(self, call: Call, hashes: Hashes) -> Batch:
        """The batch asked for.

        Raises:
            BatchTooLarge: more entries or lines than one commit takes.
            RepeatedEntry: two entries have one key.
            Refused: an entry of a linked batch cannot be built; `field` names it.
        """
        mode = Mode(self.mode)
        places = tuple(_place(mode, entry, (call, place, hashes)) for place, entry in enumerate(self.entries))
        return Batch(call.cause.stored_id("batch"), mode, places)

    def memos(self, batch: Batch) -> dict[StoredId, str]:
        """The memos of those entries of `batch`, made from this, that could be built and have one."""
        asked = zip(batch.places, self.entries, strict=True)
        return {place.entry.id: one.memo for place, one in asked if isinstance(place, Posting) and one.memo is not None}


def _place(mode: Mode, entry: NewBatchEntry, at: tuple[Call, int, Hashes]) -> Posting | Refused:
    """The posting, or of an independent batch why there is none: a bad one fails alone."""
    try:
        return entry.posting(*at)
    except Refused as refusal:
        if mode is Mode.INDEPENDENT:
            return refusal
        refusal.field = f"entries.{at[1]}.{refusal.field}" if refusal.field else f"entries.{at[1]}"
        raise


class RefusalWire(Wire):
    """Why not: a stable code, words for people, the field at fault, and what it was about."""

    code: str
    detail: str
    field: str | None
    context: dict[str, str | int | None]

    @classmethod
    def of(cls, fault: Refused | Retryable) -> Self:
        """The fault on the wire."""
        context: Detail = fault.detail
        return cls(code=fault.code, detail=fault.message, field=fault.field, context=dict(context))


class BatchEntryAnswer(Wire):
    """What became of one entry; `id` is null where no entry could be built, and `retryable` means send it again."""

    index: int
    id: str | None
    outcome: Literal["posted", "refused", "retryable"]
    replayed: bool
    refusal: RefusalWire | None

    @classmethod
    def of(cls, index: int, result: Result | Refused) -> Self:
        """One result on the wire."""
        if isinstance(result, Refused):
            return cls(index=index, id=None, outcome="refused", replayed=False, refusal=RefusalWire.of(result))
        fault = result.outcome if isinstance(result.outcome, Refused | Retryable) else None
        return cls(
            index=index,
            id=result.entry.id,
            outcome=_outcome(result),
            replayed=result.replayed,
            refusal=RefusalWire.of(fault) if fault else None,
        )


def _outcome(result: Result) -> Literal["posted", "refused", "retryable"]:
    match result.outcome:
        case Refused():
            return "refused"
        case Retryable():
            return "retryable"
        case RecordedEntry():
            return "posted"


class BatchAnswer(Wire):
    """A batch and its entries, in the order in which they were sent."""

    id: str
    mode: Literal["linked", "independent"]
    entries: tuple[BatchEntryAnswer, ...]

    @classmethod
    def of(cls, batch: BatchResult) -> Self:
        """The result on the wire."""
        entries = tuple(BatchEntryAnswer.of(index, result) for index, result in enumerate(batch.results))
        return cls(id=batch.id, mode=batch.mode.value, entries=entries)


class DryEntryAnswer(Wire):
    """What posting an entry would come to: posted, refused and why, or found in the journal already."""

    would: Literal["post", "refuse", "replay"]
    refusal: RefusalWire | None

    @classmethod
    def of(cls, result: DryRunResult) -> Self:
        """One verdict on the wire."""
        return cls(would=result.would.value, refusal=RefusalWire.of(result.refusal) if result.refusal else None)


class DryRunAnswer(Wire):
    """What the request would come to now, and what could then be taken from its accounts with a floor, minor units."""

    entries: tuple[DryEntryAnswer, ...]
    available: dict[str, int]

    @classmethod
    def of(cls, run: DryRun) -> Self:
        """The dry run on the wire."""
        return cls(entries=tuple(map(DryEntryAnswer.of, run.results)), available=dict(run.available))
