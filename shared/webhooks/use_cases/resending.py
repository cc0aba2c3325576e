"""Deliveries are sent again: one at once, or a range page by page, each page in one commit with how far it has come."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Command
from shared.faults import Refused
from shared.identity import Cause, TenantId
from shared.limits import WEBHOOK_RESEND_PAGE, WEBHOOK_RESENDS
from shared.ports import Create, Document, Query, Ref, Update, View, Where, Write
from shared.webhooks.model import Delivery, Endpoint, Range, Resend, ResendState
from shared.webhooks.records import (
    DELIVERIES,
    delivery_ref,
    endpoint_ref,
    read_delivery,
    read_endpoint,
    read_resend,
    resend_ref,
    write_pages,
    write_progress,
    write_resend,
)
from shared.webhooks.refusals import EmptyRange, EndpointDisabled, RangeTooLarge, UnknownDelivery, UnknownResend
from shared.webhooks.rules.settling import begin_again
from shared.webhooks.use_cases.endpoints import there
from shared.webhooks.use_cases.fan_out import deliver, waiting

QUEUE: Final = "webhook-resends"
DOOR: Final = "resend_webhooks"
ACTION: Final = "webhook.resend_page"


class Resending:
    """Sends deliveries of every tenant again."""

    def __init__(self, desk: Desk) -> None:
        """Write through `desk`, look for deliveries in its store."""
        self._desk = desk

    def one(self, call: Call, endpoint_id: str, delivery: str) -> Done[Delivery]:
        """Send a delivery again now, whatever became of it, in a new round of attempts.

        Raises:
            UnknownDelivery: the endpoint has none under this id.
            EndpointDisabled: a disabled endpoint is sent nothing.
            PayloadTooLarge: there is nothing to send.
            DeliveryTooOld: it was made too long ago.
            TooManyAttempts: it was tried too often.
        """
        ref, endpoint = delivery_ref(call.tenant, delivery), endpoint_ref(call.tenant, endpoint_id)

        def decide(view: View) -> Outcome[Delivery]:
            document = view[ref]
            if document is None or document["endpoint"] != endpoint_id:
                message = "no such delivery to this endpoint"
                raise UnknownDelivery(message, field="delivery")
            _check_enabled(read_endpoint(there(view[endpoint])))
            after, write, command = _again(call, document)
            return Outcome(ref, "webhook.resend", after, (write,), (command,))

        return self._desk.perform(call, [ref, endpoint], decide, read_delivery)

    def begin(self, call: Call, wanted: Range) -> Done[Resend]:
        """Begin to send a range again, newest first.

        Raises:
            UnknownEndpoint: there is none under this id.
            EndpointDisabled: a disabled endpoint is sent nothing.
            EmptyRange: it ends before it begins, or goes beyond now.
            RangeTooLarge: more deliveries are in it than are sent again at once.
        """
        key = call.cause.stored_id("webhook_resend")
        ref, endpoint = resend_ref(call.tenant, key), endpoint_ref(call.tenant, wanted.endpoint)
        counted = self._desk.store.aggregate(_query(call.tenant, wanted, WEBHOOK_RESENDS + 1))["count"]

        def decide(view: View) -> Outcome[Resend]:
            _check_enabled(read_endpoint(there(view[endpoint])))
            _check_range(call, wanted, counted)
            resend = Resend(key, wanted)
            command = _page_command(call, resend)
            created = Create(ref, write_resend(resend, call.at))
            return Outcome(ref, "webhook.resend_range", resend, (created,), (command,))

        return self._desk.perform(call, [endpoint], decide, read_resend)

    def resend(self, tenant: TenantId, endpoint_id: str, resend: str) -> Resend:
        """How far a range has come.

        Raises:
            UnknownResend: the endpoint has none under this id.
        """
        ref = resend_ref(tenant, resend)
        document = self._desk.store.get([ref])[ref]
        if document is None or document["endpoint"] != endpoint_id:
            message = "no such resend to this endpoint"
            raise UnknownResend(message, field="resend")
        return read_resend(document)

    def page(self, call: Call, resend: str, number: int) -> Done[Resend]:
        """Send a page of a range again and ask for the next one, once; a page that was sent is not sent again.

        Raises:
            Retryable: contention or silence outlasted the attempts.
        """
        call = replace(call, cause=Cause("system", DOOR, f"{resend}.{number}"))
        ref = resend_ref(call.tenant, resend)
        before = _read(self._desk.store.get([ref])[ref])
        endpoint = endpoint_ref(call.tenant, before.range.endpoint)
        found, cursor = self._found(call.tenant, before) if _awaits(before, number) else ((), None)

        def decide(view: View) -> Outcome[Resend]:
            document = view[ref]
            now = _read(document)
            if document is None or now != before or not _awaits(now, number):
                again = waiting(call, document, view) if document else ()
                return Outcome(ref, ACTION, now, messages=again)
            if not read_endpoint(there(view[endpoint])).enabled:
                stopped = replace(now, state=ResendState.STOPPED, pages=number)
                return Outcome(ref, ACTION, stopped, (Update(ref, write_pages(stopped, ()), document.version),))
            return _sent(call, document, replace(now, pages=number, cursor=cursor), [view[one] for one in found])

        return self._desk.perform(call, [ref, endpoint, *found], decide, read_resend)

    def _found(self, tenant: TenantId, resend: Resend) -> tuple[tuple[Ref, ...], str | None]:
        """The deliveries of the next page, and where the one after it starts."""
        query = replace(_query(tenant, resend.range, WEBHOOK_RESEND_PAGE), order=("-created_at",), after=resend.cursor)
        page = self._desk.store.query(query)
        return tuple(document.ref for document in page.documents), page.cursor


def _query(tenant: TenantId, wanted: Range, limit: int) -> Query:
    where = [
        Where("endpoint", "==", wanted.endpoint),
        Where("created_at", ">=", wanted.since),
        Where("created_at", "<", wanted.until),
    ]
    if wanted.state:
        where.append(Where("state", "==", wanted.state.value))
    return Query(DELIVERIES, tenant, tuple(where), order=("-created_at",), limit=limit)


def _sent(call: Call, document: Document, resend: Resend, page: Sequence[Document | None]) -> Outcome[Resend]:
    wanted, writes, commands, left_out = resend.range.state, list[Write](), list[Command](), 0
    for delivery in page:
        if delivery is None or (wanted and read_delivery(delivery).state is not wanted):
            continue
        try:
            _, write, command = _again(call, delivery)
        except Refused:
            left_out += 1
        else:
            writes.append(write)
            commands.append(command)
    after = replace(
        resend,
        state=ResendState.RUNNING if resend.cursor else ResendState.DONE,
        resent=resend.resent + len(commands),
        left_out=resend.left_out + left_out,
    )
    if after.state is ResendState.RUNNING:
        commands.append(_page_command(call, after))
    progress = write_pages(after, [command.id for command in commands])
    update = Update(document.ref, progress, document.version)
    return Outcome(document.ref, ACTION, after, (*writes, update), tuple(commands))


def _again(call: Call, document: Document) -> tuple[Delivery, Update, Command]:
    """A delivery at the start of a new round, as it is written, and the command for its first attempt."""
    after = begin_again(read_delivery(document), call.at)
    command = deliver(call, after)
    return after, Update(document.ref, write_progress(after, (command.id,)), document.version), command


def _page_command(call: Call, resend: Resend) -> Command:
    return call.command(QUEUE, DOOR, resend.id, {"resend": resend.id, "page": resend.pages + 1})


def _awaits(resend: Resend, number: int) -> bool:
    return resend.state is ResendState.RUNNING and resend.pages == number - 1


def _check_enabled(endpoint: Endpoint) -> None:
    if not endpoint.enabled:
        message = "the endpoint is disabled; enable it first"
        raise EndpointDisabled(message)


def _check_range(call: Call, wanted: Range, counted: int) -> None:
    if not wanted.since < wanted.until <= call.at:
        message = "a range begins before it ends, and ends by now"
        raise EmptyRange(message, field="until")
    if counted > WEBHOOK_RESENDS:
        message = f"more than {WEBHOOK_RESENDS} deliveries are in this range; take a shorter one"
        raise RangeTooLarge(message, field="since", detail={"limit": WEBHOOK_RESENDS})


def _read(document: Document | None) -> Resend:
    if document is None:
        message = "the resend is gone"
        raise LookupError(message)
    return read_resend(document)
