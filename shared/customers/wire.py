"""Customers on the wire."""

from typing import Annotated, Self

from pydantic import Field

from shared.customers.model import Customer, CustomerKind, NewCustomer, PersonalField
from shared.privacy import Purpose
from shared.wire import Country, Currency, Identifier, PageQuery, ShortText, Wire

VatId = Annotated[str, Field(pattern=r"^[A-Za-z0-9 .+*-]{1,24}$", examples=["DE136695976"])]
"""A VAT id with its country's prefix; whether it is well formed there is tax's to judge when it is invoiced."""

Email = Annotated[str, Field(pattern=r"^[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}$", examples=["ann@example.com"])]
"""An e-mail address, roughly: only a message that arrives proves one."""


class NewCustomerBody(Wire):
    """A customer to add; name and e-mail are sealed before anything is stored."""

    reference: Annotated[Identifier, Field(examples=["C-1042"])]
    name: ShortText
    email: Email | None = None
    country: Country
    kind: CustomerKind
    vat_id: VatId | None = None
    currency: Currency

    def new_customer(self) -> NewCustomer:
        """The customer asked for; a VAT id is kept in capitals.

        Raises:
            Invalid: a consumer with a VAT id.
        """
        personal = {PersonalField.NAME: self.name}
        if self.email:
            personal[PersonalField.EMAIL] = self.email
        vat_id = self.vat_id.upper() if self.vat_id else None
        return NewCustomer(Customer("", self.reference, self.country, self.kind, self.currency, vat_id), personal)


class CustomerAnswer(Wire):
    """A customer without personal fields: those need a disclosure."""

    id: str
    reference: str
    country: str
    kind: CustomerKind
    currency: str
    vat_id: str | None

    @classmethod
    def of(cls, customer: Customer) -> Self:
        """The customer on the wire."""
        return cls(
            id=customer.id,
            reference=customer.reference,
            country=customer.country,
            kind=customer.kind,
            currency=customer.currency,
            vat_id=customer.vat_id,
        )


class CustomerPath(Wire):
    """The customer in the path."""

    id: Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]


class CustomerQuery(PageQuery):
    """Which page."""


class CustomerDisclosure(Wire):
    """Which personal fields are asked for, and what for; both are recorded."""

    fields: Annotated[tuple[PersonalField, ...], Field(min_length=1, max_length=2)]
    purpose: Purpose
