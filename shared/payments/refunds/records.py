"""Refunds, what is under way of a payment's, and the amounts above which they need approval, as documents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

from shared.identity import TenantId
from shared.money import Money
from shared.payments.model import Stage
from shared.payments.records import TALLIES
from shared.payments.refunds.model import Refund, RefundKind, RefundReason, RefundState, Tally
from shared.ports import Document, Ref, Value, tenant_ref

REFUNDS: Final = "refund_requests"

_TEXTS: Final = (
    "payment_id",
    "requested_by",
    "partner",
    "account",
    "payment_reference",
    "invoice_id",
    "customer_id",
    "approved_by",
    "reference",
    "failure",
)
_FIGURES: Final = ("from_unapplied", "from_credit", "net", "tax", "version")


def refund_ref(tenant: TenantId, key: str) -> Ref:
    """A refund that we asked for."""
    return tenant_ref(tenant, REFUNDS, key)


def tally_ref(tenant: TenantId, payment: str) -> Ref:
    """What is under way of a payment's refunds."""
    return tenant_ref(tenant, TALLIES, payment)


def limits_ref(tenant: TenantId) -> Ref:
    """The amounts above which a refund needs another principal's approval."""
    return tenant_ref(tenant, "settings", "refund_approval")


def write_refund(refund: Refund) -> dict[str, Value]:
    """A refund's fields."""
    return {
        "schema": 1,
        "kind": refund.kind.value,
        "reason": refund.reason.value,
        "amount": refund.money.amount,
        "currency": refund.money.currency,
        "requested_at": refund.requested_at,
        "since": refund.since,
        "state": refund.state.value,
        "answered": refund.answered.value if refund.answered else None,
        **{name: cast("str", getattr(refund, name)) for name in _TEXTS},
        **{name: cast("int", getattr(refund, name)) for name in _FIGURES},
    }


def read_refund(document: Document) -> Refund:
    """The refund that a document keeps."""
    fields = document.fields
    texts: dict[str, Any] = {name: fields[name] for name in _TEXTS}
    figures: dict[str, Any] = {name: fields[name] for name in _FIGURES}
    return Refund(
        document.ref.key,
        texts.pop("payment_id"),
        RefundKind(fields["kind"]),
        RefundReason(fields["reason"]),
        Money(cast("int", fields["amount"]), cast("str", fields["currency"])),
        requested_by=texts.pop("requested_by"),
        requested_at=cast("datetime", fields["requested_at"]),
        since=cast("datetime", fields["since"]),
        state=RefundState(fields["state"]),
        answered=Stage(fields["answered"]) if fields["answered"] else None,
        **texts,
        **figures,
    )


def write_tally(tally: Tally) -> dict[str, Value]:
    """A tally's fields."""
    return {
        "schema": 1,
        "asked": {kind.value: amount for kind, amount in tally.asked.items() if amount},
        "flying": {name: state.value for name, state in tally.flying.items()},
    }


def read_tally(payment: str, document: Document | None) -> Tally:
    """The tally that a document keeps; without one nothing is under way."""
    if document is None:
        return Tally(payment)
    asked = cast("Mapping[str, int]", document["asked"])
    flying = cast("Mapping[str, str]", document["flying"])
    return Tally(
        payment,
        {RefundKind(kind): amount for kind, amount in asked.items()},
        {name: RefundState(state) for name, state in flying.items()},
    )


def write_limits(limits: Mapping[str, int]) -> dict[str, Value]:
    """The amounts' fields, by currency."""
    return {"schema": 1, "limits": dict(limits)}


def read_limits(document: Document | None) -> Mapping[str, int]:
    """The amounts that a document keeps; where a currency has none, every refund needs approval."""
    return cast("Mapping[str, int]", document["limits"]) if document else {}
