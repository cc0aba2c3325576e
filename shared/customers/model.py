"""Customers: who is invoiced, where they are, and what they count in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from shared.faults import Invalid
from shared.money import minor_digits


class CustomerKind(Enum):
    """Whether a customer acts as a taxable person; the two are taxed differently."""

    BUSINESS = "business"
    CONSUMER = "consumer"


class PersonalField(Enum):
    """What of a customer is only ever stored sealed."""

    NAME = "name"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer without its personal fields.

    `reference` is the tenant's own name for it, unique among its customers; it and `vat_id` are
    readable, so neither may hold a person's name. `country` is ISO 3166-1 alpha-2.
    """

    id: str
    reference: str
    country: str
    kind: CustomerKind
    currency: str
    vat_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse a currency that is not supported, and a consumer with a VAT id."""
        minor_digits(self.currency)
        if self.vat_id is not None and self.kind is CustomerKind.CONSUMER:
            message = "a consumer has no VAT id"
            raise Invalid(message, field="vat_id")


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to add; its personal fields are never printed."""

    customer: Customer
    personal: Mapping[PersonalField, str] = field(repr=False)
