"""Events as we understand them, payments, and the states both go through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from shared.money import Money


class EventKind(Enum):
    """What an event tells, in our words."""

    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_REFUNDED = "payment_refunded"
    OTHER = "other"
    """Known or unknown to the partner, but nothing for the books: kept and acknowledged."""
    UNREADABLE = "unreadable"
    """Verified bytes that make no event: kept in quarantine."""


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """One partner's event without anything personal.

    `money` is what was received, or for a refund the *cumulative* amount refunded of the payment.
    """

    partner: str
    id: str
    type: str
    kind: EventKind
    occurred_at: datetime
    payment: str = ""
    """The partner's own id of the payment."""
    money: Money | None = None
    invoice_id: str = ""
    """Our invoice, when the partner carries its id back to us."""


class EventState(Enum):
    """Where an event of the inbox stands. Every state but the first is final."""

    RECEIVED = "received"
    APPLIED = "applied"
    STALE = "stale"
    """An event of the same payment had said so, or more, before."""
    KEPT = "kept"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


FIRST_STATE: Mapping[EventKind, EventState] = {
    EventKind.PAYMENT_SUCCEEDED: EventState.RECEIVED,
    EventKind.PAYMENT_REFUNDED: EventState.RECEIVED,
    EventKind.OTHER: EventState.KEPT,
    EventKind.UNREADABLE: EventState.QUARANTINED,
}
"""What becomes of an event when it is stored; only received ones have something to apply."""


class PaymentState(Enum):
    """How much of a payment is still with us."""

    SUCCEEDED = "succeeded"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that a partner took for us.

    `matched` went to the invoice (what settles it, and any excess held for its customer); `unapplied`
    found no invoice. Together they are what was received and not refunded.
    """

    id: str
    partner: str
    reference: str
    invoice_id: str
    customer_id: str
    currency: str
    received: int
    matched: int
    unapplied: int
    refunded: int
    occurred_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        """Money received is somewhere, and no more comes back than came."""
        if self.matched + self.unapplied != self.received - self.refunded:
            message = f"payment {self.id} does not add up"
            raise ValueError(message)
        if min(self.matched, self.unapplied, self.refunded) < 0:
            message = f"payment {self.id} has a negative part"
            raise ValueError(message)

    @property
    def money(self) -> Money:
        """What was received."""
        return Money(self.received, self.currency)

    @property
    def state(self) -> PaymentState:
        """From the amounts alone."""
        if not self.refunded:
            return PaymentState.SUCCEEDED
        return PaymentState.REFUNDED if self.refunded == self.received else PaymentState.PARTLY_REFUNDED


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the inbox: what it says, and where it stands.

    `entry_id` is the journal entry that it caused, posted or refused by the ledger (which keeps its
    reason there); `refused` is the code of a refusal that the event itself earned.
    """

    key: str
    event: PartnerEvent
    state: EventState
    received_at: datetime
    secret_index: int
    refused: str = ""
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a customer can be shown for a payment."""

    payment_id: str
    invoice_id: str
    customer_id: str
    money: Money
    issued_at: datetime


class Partner(Protocol):
    """How one partner signs and words its events."""

    def verify(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[bytes], at: datetime) -> int:
        """The index of the secret that signed these bytes.

        Raises:
            BadSignature: none did.
            OutsideReplayWindow: it was signed too long ago, or in the future.
        """
        ...

    def parse(self, raw: bytes) -> PartnerEvent:
        """What the verified bytes say.

        Raises:
            NotAnEvent: the bytes are not in the partner's format.
        """
        ...
