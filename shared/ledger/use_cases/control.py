"""Closing and freezing: raise, retire, then answer; killed half way, its task finishes it.

docs/ledger.md, rule 2: the totals to retire are listed by a query made after the raise, and each is
moved to its closed copy in a locked transaction, so that no posting can slip in between.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final, cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Json
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, Month, Period
from shared.ledger.records import operation_ref, read_account, read_period, write_account, write_period
from shared.ledger.refusals import UnknownAccount
from shared.ledger.rules.control import (
    Control,
    Operation,
    Target,
    below,
    closed_ref,
    merged,
    raised,
    target_ref,
    to_retire,
)
from shared.ports import Create, Decision, Delete, Document, Put, Query, Ref, Update, Value, View, Write

QUEUE: Final = "ledger-operations"
DOOR: Final = "run_ledger_operation"
RETIRE_PAGE: Final = 200
RESUME_AFTER_SECONDS: Final = 60
"""Whoever began an operation finishes it; its task comes after, for the case that they died."""


class Controls:
    """Control operations on periods and accounts."""

    def __init__(self, desk: Desk) -> None:
        """Decide through `desk`; retire on its store."""
        self._desk = desk

    def run(self, call: Call, control: Control, target: AccountCode | Month) -> Done[Operation]:
        """Do a control operation to its end and answer only then.

        Raises:
            WrongState: the target's state does not allow it.
            UnknownAccount: there is no such account.
            Retryable: it is begun and not finished; its task goes on, and the same call finds it done.
        """
        done = self._begin(call, control, target)
        operation = done.answer if done.answer.done else self.finish(call.tenant, done.answer.id)
        return Done(operation, done.replayed)

    def finish(self, tenant: TenantId, operation_id: str) -> Operation:
        """Retire what the operation still leaves alive, and mark it done; harmless when it is.

        Raises:
            Retryable: some totals could not be retired now.
        """
        ref = operation_ref(tenant, operation_id)
        document = self._desk.store.get([ref])[ref]
        if document is None:
            message = "the operation is not there yet"
            raise Retryable(message)
        operation = read_operation(document)
        if operation.done:
            return operation
        self._retire_all(tenant, operation)

        def finished(view: View) -> Decision[None]:
            seen = view[ref]
            if seen is None or read_operation(seen).done:
                return Decision(None)
            return Decision(None, (Update(ref, {"done": True}, seen.version),))

        self._desk.store.transact([ref], finished)
        return replace(operation, done=True)

    def _begin(self, call: Call, control: Control, target: AccountCode | Month) -> Done[Operation]:
        ref = target_ref(call.tenant, control, target)
        operation_id = call.cause.stored_id("operation")
        place = operation_ref(call.tenant, operation_id)

        def decide(view: View) -> Outcome[Operation]:
            document = view[ref]
            before = _read_target(control, target, document)
            self._wait_for_running(call, document, view)
            after = raised(control, before)
            operation = Operation(
                operation_id, control, target, after.version, done=not control.retires, request_hash=call.request_hash
            )
            writes = (_write_target(ref, after, operation_id, document), Create(place, write_operation(operation)))
            resume: dict[str, Json] = {"operation": operation_id}
            later = call.at + timedelta(seconds=RESUME_AFTER_SECONDS)
            messages = (call.command(QUEUE, DOOR, operation_id, resume, not_before=later),) if control.retires else ()
            return Outcome(place, control.value, operation, writes, messages)

        return self._desk.perform(call, [ref], decide, read_operation)

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
        cursor: str | None = None
        while True:
            page = self._desk.store.query(replace(query, after=cursor))
            for document in page.documents:
                if below(operation, document):
                    self._retire(document.ref)
            cursor = page.cursor
            if cursor is None:
                return

    def _retire(self, live: Ref) -> None:
        """Move one totals document to its closed copy; gone already means done."""
        closed = closed_ref(live)

        def move(view: View) -> Decision[None]:
            document = view[live]
            if document is None:
                return Decision(None)
            return Decision(None, (Delete(live), Put(closed, merged(document, view[closed]))))

        self._desk.store.transact_locked([live, closed], move)


def _read_target(control: Control, target: AccountCode | Month, document: Document | None) -> Target:
    if control.is_period:
        return read_period(document) if document else Period(target, version=0)
    if document is None:
        message = "the chart has no such account"
        raise UnknownAccount(message, field="account", detail={"account": target})
    return read_account(document)


def _write_target(ref: Ref, target: Target, operation_id: str, document: Document | None) -> Write:
    fields: dict[str, Value] = write_account(target) if isinstance(target, Account) else write_period(target)
    fields["operation"] = operation_id
    return Update(ref, fields, document.version) if document else Create(ref, fields)


def write_operation(operation: Operation) -> dict[str, Value]:
    """An operation's fields."""
    return {
        "schema": 1,
        "control": operation.control.value,
        "target": operation.target,
        "version": operation.version,
        "done": operation.done,
        "request_hash": operation.request_hash,
    }


def read_operation(document: Document) -> Operation:
    """The operation that a document keeps."""
    fields = document.fields
    return Operation(
        document.ref.key,
        Control(fields["control"]),
        cast("str", fields["target"]),
        cast("int", fields["version"]),
        done=cast("bool", fields["done"]),
        request_hash=cast("str", fields["request_hash"]),
    )
