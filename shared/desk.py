"""The desk: where a decision under a call becomes one commit, once.

The fact, its audit record, its idempotency record and its outbox rows are written together; a
call that comes again is answered from what the first one left, and its messages go out again.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar, cast

from shared.calls import Call, Done, Outcome
from shared.faults import Detail, Fault, IdempotencyKeyReused, Kind, Refused
from shared.limits import IDEMPOTENCY_DAYS
from shared.outbox import Outbox, read_row, row
from shared.ports import Create, Decision, Document, Fields, Ref, Store, Value, View, Write

T = TypeVar("T")


class RecordedRefusal(Refused):
    """A refusal read back from its record: the same code, kind and words as when it was made."""

    def __init__(
        self, code: str, kind: Kind, message: str, *, field: str | None = None, detail: Detail | None = None
    ) -> None:
        """Rebuild the refusal."""
        super().__init__(message, field=field, detail=detail)
        self.code = code
        self.kind = kind


class Desk:
    """Performs decisions under calls."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        """Write to `store`; send through `outbox`."""
        self.store = store
        self.outbox = outbox

    def perform(
        self,
        call: Call,
        refs: Sequence[Ref],
        decide: Callable[[View], Outcome[T]],
        again: Callable[[Document], T],
    ) -> Done[T]:
        """Do once what the call asks, or answer what it was answered before.

        `refs` are read first; `decide` may ask the view for more. `again` rebuilds the answer from
        the fact. With no `refs` the first attempt reads nothing: the commit's must-not-exist asks.
        A call that is not `once` leaves no idempotency record: its `decide` finds its own trace
        (the fact, under an id from the cause).

        Raises:
            IdempotencyKeyReused: the cause came before with another request.
            Refused: by `decide`, or recorded earlier under this cause.
            Retryable: contention or silence outlasted the attempts.
        """

        def decision(view: View) -> Decision[Done[T] | Refused]:
            return _decision(call, decide, again, view)

        first = [call.trace, *refs] if call.once and refs else list(refs)
        result = self.store.transact(first, decision)
        if isinstance(result, Refused):
            raise result
        self.outbox.dispatch(result.messages)
        return result


def document_at(store: Store, ref: Ref, missing: Fault) -> Document:
    """The document of a place, as it is now; `missing` is raised where there is none."""
    document = store.get([ref])[ref]
    if document is None:
        raise missing
    return document


def _decision(
    call: Call, decide: Callable[[View], Outcome[T]], again: Callable[[Document], T], view: View
) -> Decision[Done[T] | Refused]:
    """Look for the call's own trace first, then decide; a refusal is only given once the trace was looked for."""
    if call.once and (view.failures or view.has_read(call.trace)):
        trace = view[call.trace]
        if trace is not None:
            return Decision(_replay(call, trace, view, again))
    try:
        outcome = decide(view)
    except Refused:
        if call.once:
            view.need((call.trace,))
        raise
    return _to_write(call, outcome)


def _replay(call: Call, trace: Document, view: View, again: Callable[[Document], T]) -> Done[T] | Refused:
    if not call.asked_before(cast("str", trace["request_hash"])):
        message = "this Idempotency-Key was used with another request"
        raise IdempotencyKeyReused(message, field="Idempotency-Key")
    refusal = trace.fields["refusal"]
    if refusal is not None:
        return read_refusal(cast("Fields", refusal))
    fact_ref = Ref(cast("str", trace["fact"]))
    rows = [call.ref("outbox", key) for key in cast("list[str]", trace["outbox"])]
    view.need((fact_ref, *rows))
    fact = view.named(fact_ref)
    waiting = tuple(read_row(document) for document in map(view.__getitem__, rows) if document is not None)
    return Done(again(fact), replayed=True, messages=waiting)


def _to_write(call: Call, outcome: Outcome[T]) -> Decision[Done[T] | Refused]:
    if not outcome.writes and outcome.refusal is None and not (outcome.joined and call.once):
        return Decision(Done(outcome.answer, replayed=True, messages=outcome.messages))
    writes = recorded(call, outcome)
    if call.once:
        writes.append(_trace(call, outcome))
    answer: Done[T] | Refused = outcome.refusal or Done(outcome.answer, messages=outcome.messages)
    return Decision(answer, tuple(writes), outcome.loose)


def recorded(call: Call, outcome: Outcome[T]) -> list[Write]:
    """What an outcome writes, with its audit record and the rows of its messages: all in the fact's commit."""
    return [*outcome.writes, audit_record(call, outcome), *(row(message, call.at) for message in outcome.messages)]


def audit_record(call: Call, outcome: Outcome[T]) -> Create:
    """Who did what, when and why, to be written in the commit of what was done."""
    return Create(
        call.ref("audit", call.cause.stored_id(f"audit {outcome.action} {outcome.fact.path}")),
        {
            "schema": 1,
            "principal": call.principal,
            "action": outcome.action,
            "object": outcome.fact.path,
            "cause": str(call.cause),
            "request_id": call.request_id,
            "reason": call.reason,
            "refused": outcome.refusal.code if outcome.refusal else None,
            "at": call.at,
        },
        stamped=("recorded_at",),
    )


def _trace(call: Call, outcome: Outcome[T]) -> Create:
    return Create(
        call.trace,
        {
            "schema": 1,
            "request_hash": call.request_hash,
            "fact": outcome.fact.path,
            "outbox": [message.id for message in outcome.messages],
            "refusal": write_refusal(outcome.refusal) if outcome.refusal else None,
            "expires_at": call.at + timedelta(days=IDEMPOTENCY_DAYS),
        },
    )


def write_refusal(refusal: Refused) -> dict[str, Value]:
    """A refusal as fields, to be recorded."""
    return {
        "code": refusal.code,
        "kind": refusal.kind.value,
        "message": refusal.message,
        "field": refusal.field,
        "detail": dict(refusal.detail),
    }


def read_refusal(fields: Fields) -> RecordedRefusal:
    """The refusal that `write_refusal` recorded."""
    return RecordedRefusal(
        cast("str", fields["code"]),
        Kind(fields["kind"]),
        cast("str", fields["message"]),
        field=cast("str | None", fields["field"]),
        detail=cast("Detail", fields["detail"]),
    )
