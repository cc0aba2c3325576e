"""The outbox: messages are facts first, sent after, and sent again until it is certain.

A row is created in the fact's own commit. It is sent before the door answers and removed in
batches later; what a crash leaves behind, the sweep sends. Everybody who listens may hear twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, cast

import structlog

from shared.clock import Clock
from shared.events import Announcement, Command, Json, Message
from shared.faults import Retryable
from shared.identity import StoredId, TenantId
from shared.limits import OUTBOX_AGE_SECONDS
from shared.listing import pages
from shared.ports import (
    Bus,
    Create,
    Decision,
    Delete,
    Document,
    Query,
    Queue,
    Ref,
    Store,
    Value,
    View,
    Where,
    tenant_ref,
)

REMOVE_AFTER_ROWS: Final = 20
SWEEP_PAGE: Final = 100
SWEEP_PAGES: Final = 50
REMOVE_AFTER_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


def row_ref(message: Message) -> Ref:
    """Where a message's row is kept."""
    return tenant_ref(message.tenant, "outbox", message.id)


def row(message: Message, at: datetime) -> Create:
    """The row that keeps a message until it is certain to have been sent."""
    fields: dict[str, Value] = {
        "schema": 1,
        "tenant": message.tenant,
        "traceparent": message.traceparent,
        "created_at": at,
    }
    match message:
        case Command():
            fields |= {
                "kind": "command",
                "door": message.door,
                "queue": message.queue,
                "body": message.body,
                "not_before": message.not_before,
            }
        case Announcement():
            fields |= {
                "kind": "announcement",
                "topic": message.topic,
                "type": message.type,
                "subject": message.subject,
                "subject_version": message.subject_version,
                "occurred_at": message.occurred_at,
                "data": message.data,
            }
    return Create(row_ref(message), fields)


def read_row(document: Document) -> Message:
    """The message that a row keeps."""
    fields = document.fields
    identity, tenant = StoredId(document.ref.key), TenantId(cast("str", fields["tenant"]))
    traceparent = cast("str", fields["traceparent"])
    if fields["kind"] == "command":
        return Command(
            identity,
            tenant,
            door=cast("str", fields["door"]),
            queue=cast("str", fields["queue"]),
            body=cast("dict[str, Json]", fields["body"]),
            traceparent=traceparent,
            not_before=cast("datetime | None", fields["not_before"]),
        )
    return Announcement(
        identity,
        tenant,
        topic=cast("str", fields["topic"]),
        type=cast("str", fields["type"]),
        subject=cast("str", fields["subject"]),
        subject_version=cast("int", fields["subject_version"]),
        occurred_at=cast("datetime", fields["occurred_at"]),
        data=cast("dict[str, Json]", fields["data"]),
        traceparent=traceparent,
    )


class Outbox:
    """Sends rows and removes them; one for each process, shared by its threads."""

    def __init__(self, store: Store, queue: Queue, bus: Bus, clock: Clock) -> None:
        """Send commands to `queue` and announcements to `bus`."""
        self._store, self._queue, self._bus, self._clock = store, queue, bus, clock
        self._lock = Lock()
        self._sent: list[Ref] = []
        self._sent_since: datetime | None = None

    def dispatch(self, messages: Sequence[Message]) -> None:
        """Send messages whose rows are committed; what cannot be sent stays for the sweep, so this never fails."""
        silent: set[str] = set()
        sent = [row_ref(message) for message in messages if self._send(message, silent)]
        if self._note(sent):
            self.remove_sent()

    def hand_over(self, command: Command) -> None:
        """Send a command that no row keeps: only where whoever sends it comes again until it is taken.

        Raises:
            Retryable: it is not certain that the queue has it.
        """
        self._queue.enqueue(command)

    def sweep(self, at: datetime) -> int:
        """Send the rows of all tenants that are older than OUTBOX_AGE_SECONDS; returns how many went out.

        Rows that cannot go out do not stand in the way of younger ones.
        """
        old = Where("created_at", "<", at - timedelta(seconds=OUTBOX_AGE_SECONDS))
        query = Query("outbox", where=(old,), order=("created_at",), limit=SWEEP_PAGE, group=True)
        gone, silent = 0, set[str]()
        for page in pages(self._store, query, most=SWEEP_PAGES):
            gone += self._resend(page.documents, silent)
        return gone

    def _resend(self, documents: Sequence[Document], silent: set[str]) -> int:
        """Send rows that were left behind and remove them at once; returns how many went out."""
        sent = []
        for document in documents:
            try:
                message = read_row(document)
            except (KeyError, TypeError, ValueError) as error:
                _log.error("outbox_row_unreadable", row=document.ref.path, exception=type(error).__name__)
                continue
            if self._send(message, silent):
                sent.append(document.ref)
        self._remove(sent)
        return len(sent)

    def remove_sent(self) -> None:
        """Remove the rows of all that was sent so far."""
        with self._lock:
            sent, self._sent, self._sent_since = self._sent, [], None
        self._remove(sent)

    def _note(self, sent: Sequence[Ref]) -> bool:
        """Keep in mind what was sent; whether it is worth a commit to remove it."""
        now = self._clock.now()
        with self._lock:
            self._sent += sent
            since = self._sent_since = self._sent_since or (now if sent else None)
            waited = since is not None and (now - since).total_seconds() > REMOVE_AFTER_SECONDS
            return waited or len(self._sent) >= REMOVE_AFTER_ROWS

    def _remove(self, sent: Sequence[Ref]) -> None:
        """Remove the rows that were sent, in one commit; a failure leaves them to the sweep, which is harmless."""
        if not sent:
            return
        removal = Decision(None, tuple(Delete(ref) for ref in dict.fromkeys(sent)))

        def remove(_: View) -> Decision[None]:
            return removal

        try:
            self._store.transact((), remove, attempts=1)
        except Retryable:
            _log.info("outbox_rows_left", rows=len(sent))

    def _send(self, message: Message, silent: set[str]) -> bool:
        """Hand over one message; whoever did not answer before, in `silent`, is not waited for again."""
        destination = f"queue {message.queue}" if isinstance(message, Command) else f"topic {message.topic}"
        if destination in silent:
            return False
        try:
            match message:
                case Command():
                    self._queue.enqueue(message)
                case Announcement():
                    self._bus.publish(message)
        except Retryable as fault:
            silent.add(destination)
            _log.warning("outbox_send_failed", message_id=message.id, tenant=message.tenant, code=fault.code)
            return False
        except Exception as error:  # noqa: BLE001 - the fact is committed: its answer must not depend on who hears of it
            _log.error(
                "outbox_send_impossible",
                message_id=message.id,
                tenant=message.tenant,
                destination=destination,
                exception=type(error).__name__,
            )
            return False
        return True
