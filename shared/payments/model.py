"""Events as we understand them, payments, and the states both go through."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from shared.money import Money


class EventKind(Enum):
    """What an event tells, in our words."""

    PAYMENT_PENDING = "payment_pending"
    """The payer or the bank has begun it; no money is here yet."""
    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_FAILED = "payment_failed"
    """Failed, cancelled or expired: no money came."""
    PAYMENT_REVERSED = "payment_reversed"
    """The bank took back so much of what had been paid, without a dispute: a direct debit that failed late, say."""
    REFUND_SUCCEEDED = "refund_succeeded"
    """One refund, by its own amount."""
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    OTHER = "other"
    """Known or unknown to the partner, but nothing for the books: kept and acknowledged."""
    UNREADABLE = "unreadable"
    """Proven bytes that make no event: kept in quarantine."""


@dataclass(frozen=True, slots=True)
class PartnerEvent:
    """One partner's event without anything personal; `money` is what was received, refunded, disputed or paid out."""

    partner: str
    id: str
    type: str
    kind: EventKind
    occurred_at: datetime
    account: str = ""
    """Which of our accounts with the partner it is of, where the partner says: ids are only unique within one."""
    payment: str = ""
    """The partner's own id of the payment; of a payout none."""
    object: str = ""
    """The partner's own id of the refund, dispute or payout."""
    money: Money | None = None
    fee: Money | None = None
    """What the partner keeps of it, where the event says."""
    invoice_id: str = ""
    """Our invoice, when the partner carries its id back to us."""
    reference: str = ""
    """The number of our invoice, where payer or partner names it, or the numbers with blanks between; nothing else."""
    round: int = 0
    """Of a dispute: how far up the partner decides it; what a later round says stands over all earlier ones."""
    paid_to: str = field(default="", repr=False)
    """The number of the virtual account that the money came to. It is never stored: see `StoredEvent.account`."""


class EventState(Enum):
    """Where an event of the inbox stands. Every state but the first is final, unless an operator replays it."""

    RECEIVED = "received"
    APPLIED = "applied"
    STALE = "stale"
    """An event of the same payment had said so, or more, before."""
    KEPT = "kept"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    REPLAYED = "replayed"
    """It was kept without being understood; it is by now, and is in the inbox under its own id."""


class Stage(Enum):
    """How far a payment, refund, dispute or payout has come with the partner."""

    PENDING = "pending"
    FAILED = "failed"
    VOID = "void"
    """A refund or payout that failed, and that nothing told of as done: no money has moved."""
    SUCCEEDED = "succeeded"
    REVERSED = "reversed"
    OPEN = "open"
    WON = "won"
    LOST = "lost"
    PAID = "paid"


class Thing(Enum):
    """What a partner tells events of."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"


class PaymentState(Enum):
    """How far a payment has come, and how much of it is still with us."""

    PENDING = "pending"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    REVERSED = "reversed"
    """The bank took it back, or a part of it, after it had succeeded."""


@dataclass(frozen=True, slots=True)
class Share:
    """What is left of an allocation on one invoice.

    `taken` is of the payment, in its currency; it settles `settled` of the invoice, minor units of `currency`, the
    invoice's. With it `written_off` of the invoice's rest. `gain` is the realised exchange difference in `books`, the
    currency of the books: below zero a loss.
    """

    allocation: str
    invoice_id: str
    customer_id: str
    currency: str
    taken: int
    settled: int
    written_off: int = 0
    gain: int = 0
    books: str = ""

    def __post_init__(self) -> None:
        """Refuse a share that took nothing; where currencies differ, a minor unit may settle less than one."""
        if self.taken <= 0 or min(self.settled, self.written_off) < 0:
            message = f"a share of {self.allocation} takes nothing"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that a partner took for us, or is about to.

    `matched` went to invoices; `unapplied` went to none. Together they are what was received and neither refunded nor
    reversed. Of what is matched, `shares` were allocated by orders, the earliest first; the rest, `own`, went to the
    invoice that the payment itself named (what settles it, and any excess held for its customer).
    """

    id: str
    partner: str
    reference: str
    currency: str
    stage: Stage
    occurred_at: datetime
    invoice_id: str = ""
    customer_id: str = ""
    account: str = ""
    """Which of our accounts with the partner it is of, where the partner has several."""
    received: int = 0
    matched: int = 0
    unapplied: int = 0
    refunded: int = 0
    reversal_told: int = 0
    """The most that a reversal named."""
    reversed: int = 0
    """How much of that it took: what refunds leave of the payment, if that is less."""
    fee_told: int = 0
    """What the partner has told in all that it keeps of it; once a payout brought it, what that payout's line says."""
    fee_currency: str = ""
    """The currency of that, where it is not the payment's own."""
    reversal_fee: int = 0
    """What the partner has told that it keeps for having it taken back."""
    reversal_payout_id: str = ""
    """The payout that it was taken out of, when it was taken back."""
    payout_id: str = ""
    """The payout that brought it to the bank, once the partner has told what that payout is made of."""
    shares: tuple[Share, ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        """Money received is somewhere, and no more comes back than came."""
        if self.matched + self.unapplied != self.received - self.refunded - self.reversed:
            message = f"payment {self.id} does not add up"
            raise ValueError(message)
        if min(self.matched, self.own, self.unapplied, self.refunded, self.reversed) < 0:
            message = f"payment {self.id} has a negative part"
            raise ValueError(message)

    @property
    def money(self) -> Money:
        """What was received."""
        return Money(self.received, self.currency)

    @property
    def fee(self) -> Money:
        """What the partner has told that it keeps of it."""
        return Money(self.fee_told, self.fee_currency or self.currency)

    @property
    def own(self) -> int:
        """What of it is matched to the invoice that the payment itself named."""
        return self.matched - sum(share.taken for share in self.shares)

    @property
    def customer(self) -> str:
        """Whose payment it is: as it said itself, or as its allocations say; empty while nobody knows."""
        return self.customer_id or (self.shares[0].customer_id if self.shares else "")

    @property
    def state(self) -> PaymentState:
        """From the stage, and once it succeeded from the amounts."""
        if self.stage is not Stage.SUCCEEDED:
            return PaymentState(self.stage.value)
        if not self.refunded:
            return PaymentState.SUCCEEDED
        return PaymentState.REFUNDED if self.refunded == self.received else PaymentState.PARTLY_REFUNDED


@dataclass(frozen=True, slots=True)
class Tracked:
    """A refund, dispute or payout as its partner tells of it; a payout is of no one payment."""

    id: str
    thing: Thing
    partner: str
    reference: str
    payment_id: str
    money: Money
    stage: Stage
    occurred_at: datetime
    account: str = ""
    """Which of our accounts with the partner it is of, where the partner says."""
    fee: int = 0
    """What its events have told in all that the partner keeps for it, in its own currency."""
    fee_of_lines: int = 0
    """What lines of payouts have told of that, or beyond it; what both tell is kept once."""
    fee_of_payout: int = 0
    """How much of that the last payout told."""
    payout_id: str = ""
    """The last payout that brought it, or took it."""
    paid_out: int = 0
    """What payouts have brought of it in all, below zero what they have taken: all of it, or nothing."""
    round: int = 0
    order: str = ""
    """The refund that we asked for, if it is ours: that one knows how it stands; `stage` says which fees were told."""
    version: int = 1


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
    key_id: str
    """Which of the endpoint's secrets signed it."""
    waits_from: datetime
    """When it came or was last replayed: since then it waits for what it is about."""
    replays: int = 0
    """How often an operator has set it applying again."""
    late: bool = False
    """It was replayed after its month was closed: its entry is effective on the day of the replay."""
    refused: str = ""
    entry_id: str = ""
    account: str = ""
    """The blind index of the virtual account that the money came to."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a customer can be shown for a payment."""

    payment_id: str
    invoice_id: str
    customer_id: str
    money: Money
    issued_at: datetime
