"""The directory of tenants and their keys as documents.

`directory/{tenant}` is the platform's; `tenants/{tenant}/api_keys/{id}` is the tenant's own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast

from shared.identity import TenantId
from shared.ports import Create, Document, Ref, Update, platform_ref, tenant_ref
from shared.tenants.model import ApiKey, KeyState, Role, Tenant, TenantState

DIRECTORY: Final = "directory"
API_KEYS: Final = "api_keys"


def directory_ref(tenant: TenantId) -> Ref:
    """A tenant's page in the directory."""
    return platform_ref(DIRECTORY, tenant)


def api_key_ref(tenant: TenantId, key_id: str) -> Ref:
    """One of a tenant's keys."""
    return tenant_ref(tenant, API_KEYS, key_id)


def write_tenant(tenant: Tenant, owner_key: ApiKey) -> Create:
    """A tenant's page; it notes its first key's hash, so that whoever wrote the page can tell that it was them."""
    return Create(
        directory_ref(tenant.id),
        {
            "schema": 1,
            "legal_name": tenant.legal_name,
            "country": tenant.country,
            "currency": tenant.currency,
            "registrations": dict(tenant.registrations),
            "state": tenant.state.value,
            "created_at": tenant.created_at,
            "opened_with": owner_key.secret_hash,
        },
    )


def read_tenant(document: Document) -> Tenant:
    """The tenant that a page describes."""
    fields = document.fields
    return Tenant(
        TenantId(document.ref.key),
        legal_name=cast("str", fields["legal_name"]),
        country=cast("str", fields["country"]),
        currency=cast("str", fields["currency"]),
        created_at=cast("datetime", fields["created_at"]),
        registrations=cast("Mapping[str, str]", fields["registrations"]),
        state=TenantState(fields["state"]),
    )


def write_key(key: ApiKey) -> Create:
    """A new key's document."""
    return Create(
        api_key_ref(key.tenant, key.id),
        {
            "schema": 1,
            "principal": key.principal,
            "role": key.role.value,
            "hash": key.secret_hash,
            "state": key.state.value,
            "created_at": key.created_at,
        },
    )


def write_revocation(document: Document, at: datetime) -> Update:
    """The end of a key."""
    return Update(document.ref, {"state": KeyState.REVOKED.value, "revoked_at": at}, document.version)


def read_key(document: Document) -> ApiKey:
    """The key that a document keeps."""
    fields = document.fields
    return ApiKey(
        document.ref.key,
        cast("TenantId", document.ref.tenant),
        principal=cast("str", fields["principal"]),
        role=Role(fields["role"]),
        created_at=cast("datetime", fields["created_at"]),
        secret_hash=cast("bytes", fields["hash"]),
        state=KeyState(fields["state"]),
    )
