"""One call: who asks, why, when, and what a decision under it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from shared.events import Announcement, Command, Json, Message
from shared.faults import Refused
from shared.identity import Cause, TenantId, message_id
from shared.ports import Ref, Write, tenant_ref

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """What every use case is told about the request it serves.

    `principal` is a person (`user:ann`), a client's system (`client:erp`), a partner (`partner:stripe`) or
    one of our own doors (`system:apply_payment_event`).
    `request_hash` is a keyed hash of the request as received; it decides "the same again", together
    with `earlier_hashes`, under the older keys that are still live.
    `once` says that the cause is an Idempotency-Key, whose record must be kept.
    """

    tenant: TenantId
    principal: str
    cause: Cause
    request_id: str
    request_hash: str
    traceparent: str
    at: datetime
    reason: str = ""
    once: bool = False
    earlier_hashes: tuple[str, ...] = ()

    def asked_before(self, recorded_hash: str) -> bool:
        """Whether a recorded request is this one, though its hash may be under an older key."""
        return recorded_hash == self.request_hash or recorded_hash in self.earlier_hashes

    @property
    def trace(self) -> Ref:
        """Where this call's idempotency record is kept."""
        return self.ref("idempotency", self.cause.stored_id())

    def because(self, reason: str) -> "Call":
        """The same call with a reason for the audit record."""
        return replace(self, reason=reason)

    def ref(self, collection: str, key: str) -> Ref:
        """The place of one of this tenant's documents."""
        return tenant_ref(self.tenant, collection, key)

    def command(
        self, queue: str, door: str, subject: str, body: Mapping[str, Json], *, not_before: datetime | None = None
    ) -> Command:
        """A command that follows from this call; the same call never sends two to one door about one subject."""
        return Command(
            message_id(self.tenant, self.cause, door, subject),
            self.tenant,
            door,
            queue,
            body,
            self.traceparent,
            not_before,
        )

    def announcement(
        self, topic: str, kind: str, subject: str, subject_version: int, data: Mapping[str, Json]
    ) -> Announcement:
        """An announcement that follows from this call."""
        identity = message_id(self.tenant, self.cause, kind, f"{subject}~{subject_version}")
        return Announcement(
            identity, self.tenant, topic, kind, subject, subject_version, self.at, data, self.traceparent
        )


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a decision under a call comes to.

    `fact` is the document that the answer can be read from again; `action` is what the audit
    record says was done to it (`invoice.issue`). Without writes nothing is recorded: the answer
    was given before, unless the call `joined` what another one began.
    """

    fact: Ref
    action: str
    answer: T
    writes: tuple[Write, ...] = ()
    messages: tuple[Message, ...] = ()
    loose: frozenset[Ref] = frozenset()
    """Documents read that may be stale without harm; say why where they are named."""
    refusal: Refused | None = None
    """A refusal that is itself a fact: it is written, audited, and then raised."""
    joined: bool = False
    """The call is recorded though it writes no fact: once what it joined is over, it would be answered otherwise."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """An answer, whether it had been given before, and the messages that go out (again) with it."""

    answer: T
    replayed: bool = False
    messages: tuple[Message, ...] = ()
