"""Refunds on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from shared.payments.refunds.model import (
    Refund,
    RefundKind,
    RefundReason,
    RefundState,
    approval_limits,
    require_positive,
)
from shared.payments.use_cases.refunds import RefundOrder
from shared.payments.wire import ObjectId
from shared.wire import MoneyWire, PageQuery, Wire, by_rule


def _positive(money: MoneyWire) -> MoneyWire:
    require_positive(money.money())
    return money


Positive = Annotated[MoneyWire, by_rule(_positive)]
"""An amount above zero."""


class NewRefund(Wire):
    """A refund to ask for: so much of a payment, as which kind, and why."""

    payment_id: ObjectId
    amount: Positive
    kind: RefundKind
    reason: RefundReason

    def order(self) -> RefundOrder:
        """The refund asked for."""
        return RefundOrder(self.payment_id, self.kind, self.reason, self.amount.money())


class RefundPath(Wire):
    """The refund in the path."""

    id: ObjectId


class RefundQuery(PageQuery):
    """Refunds of a state, of a payment, or all."""

    state: RefundState | None = None
    payment_id: ObjectId | None = None

    def where(self) -> dict[str, str]:
        """The conditions asked for."""
        state = {"state": self.state.value} if self.state else {}
        return state | ({"payment_id": self.payment_id} if self.payment_id else {})


class RefundAnswer(Wire):
    """A refund that we asked for.

    `net` and `tax` are what it takes back of the invoice's sale; `from_credit` and `from_unapplied` where the money of
    a credit comes from; all zero until it is approved. `failure` is the partner's word, or ours, for why it failed.
    """

    id: str
    payment_id: str
    invoice_id: str | None
    customer_id: str | None
    partner: str
    kind: RefundKind
    reason: RefundReason
    amount: MoneyWire
    state: RefundState
    net: MoneyWire
    tax: MoneyWire
    from_credit: MoneyWire
    from_unapplied: MoneyWire
    requested_by: str
    requested_at: datetime
    approved_by: str | None
    reference: str | None
    failure: str | None
    since: datetime

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """The refund on the wire."""
        net, tax, from_credit, from_unapplied = (
            MoneyWire(amount=amount, currency=refund.money.currency)
            for amount in (refund.net, refund.tax, refund.from_credit, refund.from_unapplied)
        )
        return cls(
            id=refund.id,
            payment_id=refund.payment_id,
            invoice_id=refund.invoice_id or None,
            customer_id=refund.customer_id or None,
            partner=refund.partner,
            kind=refund.kind,
            reason=refund.reason,
            amount=MoneyWire.of(refund.money),
            state=refund.state,
            net=net,
            tax=tax,
            from_credit=from_credit,
            from_unapplied=from_unapplied,
            requested_by=refund.requested_by,
            requested_at=refund.requested_at,
            approved_by=refund.approved_by or None,
            reference=refund.reference or None,
            failure=refund.failure or None,
            since=refund.since,
        )


Reference = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]
"""A partner's own id of a refund."""


class Resolution(Wire):
    """What people found at the partner: its id of the refund, or null where it never made one."""

    reference: Reference | None


class RefundTask(Wire):
    """A refund to bring on."""

    refund: ObjectId


class Limits(Wire):
    """The amounts up to which a refund needs no approval, one a currency; one that is not named needs it always."""

    limits: Annotated[tuple[MoneyWire, ...], Field(max_length=50)]

    def by_currency(self) -> dict[str, int]:
        """Minor units by currency."""
        return approval_limits([limit.money() for limit in self.limits])

    @classmethod
    def of(cls, limits: Mapping[str, int]) -> Self:
        """The limits on the wire."""
        return cls(limits=tuple(MoneyWire(amount=amount, currency=name) for name, amount in sorted(limits.items())))
