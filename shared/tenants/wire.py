"""Tenants and API keys on the wire."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from shared.faults import Invalid
from shared.identity import TenantId
from shared.tenants.model import ApiKey, KeyState, Role, Tenant, TenantState
from shared.tenants.use_cases.keys import Granted, KeyOrder
from shared.tenants.use_cases.tenants import NewTenant, Opened
from shared.wire import Country, Currency, PageQuery, Principal, ShortText, Wire, by_rule
from shared.wire import Tenant as TenantText

VatId = Annotated[str, Field(pattern=r"^[A-Za-z0-9 .+*-]{1,24}$", examples=["GB980780684"])]
"""A VAT id with its country's prefix; whether it is well formed there is tax's to judge."""


def _granted(role: Role) -> Role:
    if role is Role.PLATFORM:
        message = "nobody grants the platform's own role"
        raise Invalid(message, field="role")
    return role


GrantedRole = Annotated[Role, by_rule(_granted)]
"""Every role but the platform's own."""


class TaxRegistration(Wire):
    """A country where the tenant is registered for VAT, and its id there."""

    country: Country
    vat_id: VatId


class NewTenantBody(Wire):
    """A tenant to make; `owner` is the person who gets its first API key."""

    tenant: TenantText
    legal_name: ShortText
    country: Country
    currency: Currency
    vat_id: VatId | None = None
    tax_registrations: Annotated[tuple[TaxRegistration, ...], Field(max_length=50)] = ()
    owner: Annotated[Principal, Field(examples=["user:ann"])]

    def new_tenant(self) -> NewTenant:
        """The tenant asked for; its own VAT id counts as its registration at home, and all are kept in capitals."""
        home = {self.country: self.vat_id} if self.vat_id else {}
        stated = {entry.country: entry.vat_id for entry in self.tax_registrations} | home
        registrations = {country: vat_id.upper() for country, vat_id in stated.items()}
        return NewTenant(TenantId(self.tenant), self.legal_name, self.country, self.currency, registrations, self.owner)


class TenantQuery(PageQuery):
    """Which page of the directory."""


class TenantAnswer(Wire):
    """A tenant."""

    tenant: str
    legal_name: str
    country: str
    currency: str
    tax_registrations: tuple[TaxRegistration, ...]
    state: TenantState
    created_at: datetime

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        """The tenant on the wire."""
        return cls(
            tenant=tenant.id,
            legal_name=tenant.legal_name,
            country=tenant.country,
            currency=tenant.currency,
            tax_registrations=tuple(
                TaxRegistration(country=country, vat_id=vat_id)
                for country, vat_id in sorted(tenant.registrations.items())
            ),
            state=tenant.state,
            created_at=tenant.created_at,
        )


class OpenedAnswer(TenantAnswer):
    """A tenant just made. `owner_key` is shown once: an answer that is given again has null."""

    owner_key: str | None = None

    @classmethod
    def of(cls, opened: Opened) -> Self:  # type: ignore[override]  # made from the tenant and its key
        """The tenant and its owner's key on the wire."""
        plain = TenantAnswer.of(opened.tenant)
        return cls(**dict(plain), owner_key=opened.owner_key)


class NewKeyBody(Wire):
    """A key to make; only the platform names the tenant."""

    tenant: TenantText | None = None
    principal: Annotated[Principal, Field(examples=["user:bob", "client:shop"])]
    role: GrantedRole

    def order(self) -> KeyOrder:
        """The key asked for."""
        return KeyOrder(self.principal, Role(self.role), _tenant(self.tenant))


class RevokeKeyBody(Wire):
    """A key to end; only the platform names the tenant."""

    tenant: TenantText | None = None

    def reached(self) -> TenantId | None:
        """The tenant named."""
        return _tenant(self.tenant)


class KeyPath(Wire):
    """The key in the path."""

    id: Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]


class KeyQuery(PageQuery):
    """Keys of the caller's tenant, or of the one that the platform names."""

    tenant: TenantText | None = None

    def reached(self) -> TenantId | None:
        """The tenant named."""
        return _tenant(self.tenant)


class KeyAnswer(Wire):
    """A key without its secret."""

    id: str
    tenant: str
    principal: str
    role: Role
    state: KeyState
    created_at: datetime

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """The key on the wire."""
        return cls(
            id=key.id,
            tenant=key.tenant,
            principal=key.principal,
            role=key.role,
            state=key.state,
            created_at=key.created_at,
        )


class GrantedAnswer(KeyAnswer):
    """A key just made. `key` is shown once: an answer that is given again has null."""

    key: str | None = None

    @classmethod
    def of(cls, granted: Granted) -> Self:  # type: ignore[override]  # made from the key and its token
        """The key and what its holder presents on the wire."""
        return cls(**dict(KeyAnswer.of(granted.key)), key=granted.token)


def _tenant(text: str | None) -> TenantId | None:
    return TenantId(text) if text else None
