"""Closing, freezing, resharding, flooring: raise, retire, then answer; killed half way, its task finishes it.

docs/ledger.md, rule 2: the totals to retire are listed by a query made after the raise, and each is
moved to its closed copy in a locked transaction, so that no posting can slip in between.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.events import Json
from shared.faults import IdempotencyKeyReused, Refused, Retryable
from shared.identity import TenantId
from shared.ledger.chart import is_posted_to
from shared.ledger.model import Account, AccountCode, Floor, Month, Period
from shared.ledger.records import (
    account_ref,
    guard_ref,
    inflow_ref,
    operation_ref,
    read_account,
    read_guard,
    read_period,
    write_account,
    write_period,
)
from shared.ledger.refusals import BelowFloor, UnknownAccount, WrongState
from shared.ledger.rules.control import (
    Control,
    Operation,
    Target,
    Terms,
    below,
    closed_ref,
    floor_control,
    merged,
    raised,
    target_ref,
    to_retire,
)
from shared.ledger.rules.operations import read_operation, write_operation
from shared.ledger.rules.posting import available
from shared.ledger.use_cases.settling import Settling
from shared.listing import every
from shared.ports import Create, Decision, Delete, Document, Put, Query, Ref, Update, Value, View, Write

QUEUE: Final = "ledger-operations"
DOOR: Final = "run_ledger_operation"
RETIRE_PAGE: Final = 200
RESUME_AFTER_SECONDS: Final = 60
"""Whoever began an operation finishes it; its task comes after, for the case that they died."""

__all__ = ["Controls", "read_operation", "write_operation"]


class Controls:
    """Control operations on periods and accounts."""

    def __init__(self, desk: Desk) -> None:
        """Decide through `desk`; retire on its store."""
        self._desk = desk
        self._settling = Settling(desk.store)

    def run(
        self,
        call: Call,
        control: Control,
        target: AccountCode | Month,
        terms: Terms | None = None,
        *,
        demand: Callable[[View], None] = lambda _: None,
    ) -> Done[Operation]:
        """Do a control operation to its end and answer only then.

        `demand` raises when what the operation rests on has changed; what it looks at is checked by the raise's commit.

        Raises:
            WrongState: the target's state does not allow it, or it would close an account that Daybook itself posts to.
            UnknownAccount: there is no such account.
            Refused: it turned back once its totals were retired; recorded with the operation.
            Retryable: it is begun and not finished; its task goes on, and the same call finds it done.
        """
        if control is Control.CLOSE_ACCOUNT and is_posted_to(target):  # for good: no year, payroll or invoice would end
            message = "Daybook itself posts to this account: it stays open"
            raise WrongState(message, field="account", detail={"account": target})
        ref = target_ref(call.tenant, control, target)

        def choose(_: Target, view: View) -> Control:
            demand(view)
            return control

        return self._to_its_end(call, self._begin(call, ref, choose, terms or Terms()))

    def set_floor(self, call: Call, code: AccountCode, floor: Floor | None) -> Done[Operation]:
        """Give an account a floor, change its limit, or remove it: whichever brings it there, done to its end.

        Raises:
            FloorCurrency: the account has a floor, postings or holds in another currency.
            BelowFloor: it stands below that floor already.
            WrongState, UnknownAccount, Retryable: as `run`.
        """
        begun = self._begin(
            call, account_ref(call.tenant, code), lambda before, _: _floor_control(before, floor), Terms(floor=floor)
        )
        return self._to_its_end(call, begun)

    def finish(self, tenant: TenantId, operation_id: str) -> Operation:
        """Retire what the operation still leaves alive, decide what is to be decided then, and mark it done.

        Harmless when it is done. An operation that turned back is done, with its refusal.

        Raises:
            Retryable: some totals could not be retired now.
        """
        missing = Retryable("the operation is not there yet")
        ref = operation_ref(tenant, operation_id)
        document = document_at(self._desk.store, ref, missing)
        operation = read_operation(document)
        if operation.done:
            return operation
        self._retire_all(tenant, operation)
        if operation.control.settles:
            return self._settling.settle(tenant, operation)

        def finished(view: View) -> Decision[None]:
            seen = view[ref]
            if seen is None or read_operation(seen).done:
                return Decision(None)
            return Decision(None, (Update(ref, {"done": True}, seen.version),))

        self._desk.store.transact([ref], finished)
        return replace(operation, done=True)

    def _to_its_end(self, call: Call, begun: Done[Operation]) -> Done[Operation]:
        operation = begun.answer if begun.answer.done else self.finish(call.tenant, begun.answer.id)
        if operation.refusal:
            raise operation.refusal
        return Done(operation, begun.replayed)

    def _begin(self, call: Call, ref: Ref, choose: Callable[[Target, View], Control], terms: Terms) -> Done[Operation]:
        operation_id = call.cause.stored_id("operation")
        place = operation_ref(call.tenant, operation_id)

        def decide(view: View) -> Outcome[Operation]:
            known = view[place]
            if known is not None:
                return _begun_before(call, known)
            document = view[ref]
            before = _read_target(ref, document)
            self._wait_for_running(call, document, view)
            control = choose(before, view)
            if control is Control.CHANGE_LIMIT and document is not None:
                return _change_limit(call, document, terms, view)
            after = raised(control, before, terms)
            done = not control.retires
            operation = Operation(operation_id, control, ref.key, after.version, done, call.request_hash, terms)
            writes = (_write_target(ref, after, operation_id, document), Create(place, write_operation(operation)))
            resume: dict[str, Json] = {"operation": operation_id}
            later = call.at + timedelta(seconds=RESUME_AFTER_SECONDS)
            messages = (call.command(QUEUE, DOOR, operation_id, resume, not_before=later),) if control.retires else ()
            return Outcome(place, control.value, operation, writes, messages)

        return self._desk.perform(call, [ref, place], decide, read_operation)

    def _wait_for_running(self, call: Call, document: Document | None, view: View) -> None:
        """A target whose last operation still runs answers when that one is done."""
        last = document.fields.get("operation") if document else None
        if last is None:
            return
        running = view[operation_ref(call.tenant, cast("str", last))]
        if running is not None and not read_operation(running).done:
            message = "another control operation is still running"
            raise Retryable(message)

    def _retire_all(self, tenant: TenantId, operation: Operation) -> None:
        query = Query("totals", tenant, to_retire(operation), limit=RETIRE_PAGE)
        for document in every(self._desk.store, query):
            if below(operation, document):
                self._retire(document.ref)

    def _retire(self, live: Ref) -> None:
        """Move one totals document to its closed copy; gone already means done."""
        closed = closed_ref(live)

        def move(view: View) -> Decision[None]:
            document = view[live]
            if document is None:
                return Decision(None)
            return Decision(None, (Delete(live), Put(closed, merged(document, view[closed]))))

        self._desk.store.transact_locked([live, closed], move)


def _floor_control(before: Target, floor: Floor | None) -> Control:
    if isinstance(before, Period):
        message = "a period has no floor"
        raise TypeError(message)
    return floor_control(before, floor)


def _begun_before(call: Call, known: Document) -> Outcome[Operation]:
    """The operation under the call's own id: begun by this very call, or its cause was used for another request."""
    operation = read_operation(known)
    if not call.asked_before(operation.request_hash):
        message = "this Idempotency-Key was used with another request"
        raise IdempotencyKeyReused(message, field="Idempotency-Key")
    return Outcome(known.ref, operation.control.value, operation)


def _change_limit(call: Call, document: Document, terms: Terms, view: View) -> Outcome[Operation]:
    """Move a floor through the guard, unchanged since read; lowered below what is left, it is refused on the record.

    The inflow may be stale: that only understates what is left. No totals are retired and the version
    stays, for the limit is read from the guard by whoever spends.
    """
    account, floor = read_account(document), cast("Floor", terms.floor)
    raised(Control.CHANGE_LIMIT, account)
    guard_at, inflow_at = guard_ref(call.tenant, account.code), inflow_ref(call.tenant, account.code)
    view.need((guard_at, inflow_at))
    guard = read_guard(cast("Document", view[guard_at]))
    left = available(call.tenant, account, guard, view) - guard.limit + floor.limit
    refusal = _below(account) if floor.limit < guard.limit and left < 0 else None
    operation = Operation(
        call.cause.stored_id("operation"),
        Control.CHANGE_LIMIT,
        account.code,
        account.version,
        done=True,
        request_hash=call.request_hash,
        terms=terms,
        refusal=refusal,
    )
    place = operation_ref(call.tenant, operation.id)
    writes: tuple[Write, ...] = (Create(place, write_operation(operation)),)
    if refusal is None:
        limit: dict[str, Value] = {"limit": floor.limit, "version": guard.version + 1}
        after = _write_target(document.ref, replace(account, floor=floor), operation.id, document)
        writes = (*writes, after, Update(guard_at, limit, guard.document.version))
    loose = frozenset({inflow_at})
    return Outcome(place, operation.control.value, operation, writes, loose=loose, refusal=refusal)


def _below(account: Account) -> Refused:
    message = "the account's balance less what is held stands below this floor"
    return BelowFloor(message, field="floor", detail={"account": account.code})


def _read_target(ref: Ref, document: Document | None) -> Target:
    if ref.collection == "periods":
        return read_period(document) if document else Period(ref.key, version=0)
    if document is None:
        message = "the chart has no such account"
        raise UnknownAccount(message, field="account", detail={"account": ref.key})
    return read_account(document)


def _write_target(ref: Ref, target: Target, operation_id: str, document: Document | None) -> Write:
    fields: dict[str, Value] = write_account(target) if isinstance(target, Account) else write_period(target)
    fields["operation"] = operation_id
    return Update(ref, fields, document.version) if document else Create(ref, fields)
