"""A refund that we ask for, the one table of its states, and what is under way of a payment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Final

from shared.faults import Invalid
from shared.money import Money
from shared.payments.model import Stage
from shared.payments.refunds.refusals import WrongRefundState


class RefundKind(Enum):
    """What is given back."""

    INVOICE = "invoice"
    """What was paid for the invoice: the sale is taken back in the same proportion, with its tax."""
    CREDIT = "credit"
    """What the customer has to their credit, or what found no invoice: no sale is touched."""


class RefundReason(Enum):
    """Why money is given back."""

    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    REQUESTED_BY_CUSTOMER = "requested_by_customer"
    NOT_DELIVERED = "not_delivered"
    DEFECTIVE = "defective"
    PRICING_ERROR = "pricing_error"
    OVERPAYMENT = "overpayment"


class RefundState(Enum):
    """Where a refund stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    """Its money is reserved: it stands on `liabilities:refunds_payable`."""
    SENDING = "sending"
    """The partner may have been asked; what it answered is not known yet."""
    SENT = "sent"
    """The partner has taken it on, and has still to say that it is done."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The partner did not take it on, or it did not reach the payer: what it had moved is moved back."""
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Happening(Enum):
    """What moves a refund from state to state."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    SEND = "send"
    ACCEPT = "accept"
    CONFIRM = "confirm"
    FAIL = "fail"


_AWAITING, _APPROVED, _SENDING = RefundState.AWAITING_APPROVAL, RefundState.APPROVED, RefundState.SENDING

TRANSITIONS: Final[Mapping[RefundState, Mapping[Happening, RefundState]]] = {
    _AWAITING: {
        Happening.APPROVE: _APPROVED,
        Happening.REJECT: RefundState.REJECTED,
        Happening.CANCEL: RefundState.CANCELLED,
    },
    _APPROVED: {Happening.SEND: _SENDING, Happening.CANCEL: RefundState.CANCELLED},
    _SENDING: {Happening.ACCEPT: RefundState.SENT, Happening.FAIL: RefundState.FAILED},
    RefundState.SENT: {Happening.CONFIRM: RefundState.SUCCEEDED, Happening.FAIL: RefundState.FAILED},
    RefundState.SUCCEEDED: {Happening.FAIL: RefundState.FAILED},  # it came back from the payer's bank
    RefundState.FAILED: {},
    RefundState.REJECTED: {},
    RefundState.CANCELLED: {},
}
"""From each state, by each happening that it allows, to the state that follows. A refund begins as awaiting approval,
or as approved where its amount needs none.
"""

IN_FLIGHT: Final = (_APPROVED, _SENDING, RefundState.SENT)
"""States in which its money is reserved and has not left the partner."""


def require_positive(money: Money) -> Money:
    """An amount that can be given back.

    Raises:
        Invalid: it is not above zero.
    """
    if money.amount <= 0:
        message = "a refund's amount is positive"
        raise Invalid(message, field="amount")
    return money


def approval_limits(limits: Iterable[Money]) -> dict[str, int]:
    """The amounts up to which a refund needs no approval, minor units by currency.

    Raises:
        Invalid: one is negative, or a currency is named twice.
    """
    found: dict[str, int] = {}
    for limit in limits:
        if limit.amount < 0 or limit.currency in found:
            message = "each currency has one limit, and none is negative"
            raise Invalid(message, field="limits", detail={"currency": limit.currency})
        found[limit.currency] = limit.amount
    return found


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of one payment that is to be given back.

    `from_unapplied` and `from_credit` say where the money of a credit comes from; `net` and `tax` what an invoice's
    refund takes back of the sale. All are minor units, and zero until it is approved.
    """

    id: str
    payment_id: str
    kind: RefundKind
    reason: RefundReason
    money: Money
    requested_by: str
    requested_at: datetime
    since: datetime
    """When it came into its state."""
    partner: str = ""
    account: str = ""
    payment_reference: str = ""
    """The partner's own id of the payment."""
    invoice_id: str = ""
    customer_id: str = ""
    state: RefundState = RefundState.AWAITING_APPROVAL
    approved_by: str = ""
    """The principal who approved it; none where its amount needed no approval."""
    from_unapplied: int = 0
    from_credit: int = 0
    net: int = 0
    tax: int = 0
    reference: str = ""
    """The partner's own id of the refund, once it has taken it on."""
    answered: Stage | None = None
    """How it stood when the partner took it on."""
    failure: str = ""
    """The code that says why it failed."""
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse to give back nothing, or less."""
        require_positive(self.money)

    def moved(self, happening: Happening, at: datetime) -> "Refund":
        """The refund in the state that follows.

        Raises:
            WrongRefundState: its state does not allow the happening.
        """
        following = TRANSITIONS[self.state].get(happening)
        if following is None:
            message = f"a refund that is {self.state.value} does not take: {happening.value}"
            raise WrongRefundState(message, field="state", detail={"state": self.state.value})
        return replace(self, state=following, since=at, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class Tally:
    """What is under way of one payment's refunds.

    `asked` awaits approval, by kind; `flying` are the refunds whose money is reserved, and how far each has come.
    """

    payment_id: str
    asked: Mapping[RefundKind, int] = field(default_factory=dict)
    flying: Mapping[str, RefundState] = field(default_factory=dict)

    def with_asked(self, kind: RefundKind, amount: int) -> "Tally":
        """So much more (or less) awaits approval."""
        return replace(self, asked={**self.asked, kind: self.asked.get(kind, 0) + amount})

    def with_refund(self, refund: Refund) -> "Tally":
        """A refund has come to its state."""
        others = {name: state for name, state in self.flying.items() if name != refund.id}
        return replace(self, flying=others | ({refund.id: refund.state} if refund.state in IN_FLIGHT else {}))

    @property
    def unanswered(self) -> bool:
        """Whether the partner may have done one of ours without our knowing its name yet."""
        return RefundState.SENDING in self.flying.values()
