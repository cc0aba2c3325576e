"""Customers as documents.

`customers/{id}` holds the customer, personal fields sealed under a key of its own; the reference
is taken by a document that must not exist.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast

from shared.customers.model import Customer, CustomerKind, PersonalField
from shared.identity import TenantId, stored_id
from shared.ports import Create, Document, Ref, Value, tenant_ref
from shared.privacy import Place, Sealed

CUSTOMERS: Final = "customers"


def customer_ref(tenant: TenantId, customer_id: str) -> Ref:
    """A customer."""
    return tenant_ref(tenant, CUSTOMERS, customer_id)


def reference_ref(tenant: TenantId, reference: str) -> Ref:
    """Who has a reference."""
    return tenant_ref(tenant, "customer_references", stored_id("customer_reference", reference))


def customer_place(tenant: TenantId, customer_id: str) -> Place:
    """What a customer's sealed fields are bound to; the customer is its own data subject."""
    return Place(tenant, CUSTOMERS, customer_id)


def write_customer(
    tenant: TenantId, customer: Customer, sealed: Mapping[PersonalField, Sealed[str]], at: datetime
) -> tuple[Create, Create]:
    """A new customer and its hold on its reference."""
    personal: dict[str, Value] = {field.value: data.stored for field, data in sealed.items()}
    fields: dict[str, Value] = {
        "schema": 1,
        "reference": customer.reference,
        "country": customer.country,
        "kind": customer.kind.value,
        "currency": customer.currency,
        "vat_id": customer.vat_id,
        "sealed": personal,
        "created_at": at,
    }
    return (
        Create(customer_ref(tenant, customer.id), fields),
        Create(reference_ref(tenant, customer.reference), {"schema": 1, "customer_id": customer.id}),
    )


def read_customer(document: Document) -> Customer:
    """The customer that a document keeps, without its personal fields."""
    fields = document.fields
    return Customer(
        document.ref.key,
        reference=cast("str", fields["reference"]),
        country=cast("str", fields["country"]),
        kind=CustomerKind(fields["kind"]),
        currency=cast("str", fields["currency"]),
        vat_id=cast("str | None", fields["vat_id"]),
    )


def read_sealed(document: Document) -> dict[PersonalField, Sealed[str]]:
    """A customer's personal fields, still sealed; those never given are absent."""
    personal = cast("Mapping[str, bytes]", document["sealed"])
    return {PersonalField(name): Sealed(stored) for name, stored in personal.items()}
