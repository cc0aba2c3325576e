"""Orders that allocate a payment to invoices: their values and documents.

`allocations/{id}` says what was ordered, by whom, and whether it was undone; it is never written over. What is left of
it stands on the payment, for money that goes back takes from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Final, cast

from shared.identity import TenantId
from shared.ledger.exchange import ExchangeRate
from shared.money import Money
from shared.payments.model import Share
from shared.payments.records import read_share, write_share
from shared.ports import Document, Fields, Ref, Value, tenant_ref

ALLOCATIONS: Final = "allocations"
WRITE_OFF_LIMITS: Final = "write_off_limits"


class Basis(Enum):
    """Why a payment is allocated to these invoices."""

    ORDER = "order"
    """A person or a system of the tenant said so."""
    REFERENCE = "reference"
    """The payment's reference named them."""
    AMOUNT = "amount"
    """It was the only open invoice of its customer over exactly this amount."""


class AllocationState(Enum):
    """Whether an allocation was undone."""

    MADE = "made"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Slice:
    """So much of an invoice to settle, in the invoice's currency; with `write_off` its rest is written off."""

    invoice_id: str
    amount: Money
    write_off: bool = False


@dataclass(frozen=True, slots=True)
class KeptRate:
    """The exchange rate that an allocation used: one unit of the invoices' currency in the payment's, on a day."""

    rate: ExchangeRate
    published_on: date


@dataclass(frozen=True, slots=True)
class Allocation:
    """A payment allocated to invoices of one customer, as it was when it was made."""

    id: str
    payment_id: str
    customer_id: str
    basis: Basis
    taken: Money
    shares: tuple[Share, ...]
    entry_id: str
    principal: str
    made_at: datetime
    kept_rate: KeptRate | None = None
    state: AllocationState = AllocationState.MADE
    undone_by: str = ""
    undone_at: datetime | None = None
    undo_entry_id: str = ""


def allocation_ref(tenant: TenantId, key: str) -> Ref:
    """An allocation."""
    return tenant_ref(tenant, ALLOCATIONS, key)


def write_off_limit_ref(tenant: TenantId, currency: str) -> Ref:
    """The most that may be written off of an invoice in a currency."""
    return tenant_ref(tenant, WRITE_OFF_LIMITS, currency)


def read_limit(document: Document | None) -> int:
    """A limit, minor units; nothing may be written off where none was set."""
    return cast("int", document["amount"]) if document else 0


def write_allocation(allocation: Allocation) -> dict[str, Value]:
    """A new allocation's fields."""
    kept = allocation.kept_rate
    return {
        "schema": 1,
        "payment_id": allocation.payment_id,
        "customer_id": allocation.customer_id,
        "basis": allocation.basis.value,
        "taken": allocation.taken.amount,
        "currency": allocation.taken.currency,
        "shares": [write_share(share) for share in allocation.shares],
        "entry_id": allocation.entry_id,
        "principal": allocation.principal,
        "made_at": allocation.made_at,
        "rate": _write_rate(kept) if kept else None,
        **write_undoing(allocation),
    }


def write_undoing(allocation: Allocation) -> dict[str, Value]:
    """The only fields of an allocation that ever change, once."""
    return {
        "state": allocation.state.value,
        "undone_by": allocation.undone_by,
        "undone_at": allocation.undone_at,
        "undo_entry_id": allocation.undo_entry_id,
    }


def read_allocation(document: Document) -> Allocation:
    """The allocation that a document keeps."""
    fields = document.fields
    payment, customer, currency, entry, principal, undone_by, undo_entry = (
        cast("str", fields[name])
        for name in ("payment_id", "customer_id", "currency", "entry_id", "principal", "undone_by", "undo_entry_id")
    )
    rate = cast("Fields | None", fields["rate"])
    return Allocation(
        document.ref.key,
        payment,
        customer,
        Basis(fields["basis"]),
        Money(cast("int", fields["taken"]), currency),
        tuple(read_share(share) for share in cast("Sequence[Fields]", fields["shares"])),
        entry,
        principal,
        cast("datetime", fields["made_at"]),
        _read_rate(rate) if rate else None,
        AllocationState(fields["state"]),
        undone_by,
        cast("datetime | None", fields["undone_at"]),
        undo_entry,
    )


def _write_rate(kept: KeptRate) -> Mapping[str, Value]:
    rate = kept.rate
    return {
        "base": rate.base,
        "quote": rate.quote,
        "rate": rate.text,
        "source": rate.source,
        "published_on": kept.published_on.isoformat(),
    }


def _read_rate(fields: Fields) -> KeptRate:
    base, quote, rate, source, day = (
        cast("str", fields[name]) for name in ("base", "quote", "rate", "source", "published_on")
    )
    return KeptRate(ExchangeRate(base, quote, Decimal(rate), source), date.fromisoformat(day))
