"""Keysets and lookups as documents, and where each is kept.

`keysets` live in the second database, whose recovery window is short: a keyset deleted there is
gone for good when that window ends. Lookups live beside the facts.
"""

from datetime import datetime
from typing import cast

from shared.identity import TenantId
from shared.ports import Create, Document, Ref, Value, tenant_ref
from shared.privacy.crypto import TenantKeyset
from shared.privacy.model import KEYSETS, TENANT_KEY, LookupField


def tenant_keyset_ref(tenant: TenantId) -> Ref:
    """Where a tenant's own keys are kept, wrapped by the platform's key."""
    return tenant_ref(tenant, KEYSETS, TENANT_KEY)


def subject_keyset_ref(tenant: TenantId, subject: str) -> Ref:
    """Where a data subject's keyset is kept, wrapped by the tenant's key.

    Raises:
        ValueError: the subject's id would be the place of the tenant's own keys.
    """
    if subject == TENANT_KEY:
        message = "no data subject has the id of the tenant's own keys"
        raise ValueError(message)
    return tenant_ref(tenant, KEYSETS, subject)


def write_tenant_keyset(tenant: TenantId, keyset: TenantKeyset, at: datetime) -> Create:
    """A tenant's keys, made once."""
    fields: dict[str, Value] = {"schema": 1, "sealing": keyset.sealing, "lookup": keyset.lookup, "created_at": at}
    return Create(tenant_keyset_ref(tenant), fields)


def read_tenant_keyset(document: Document) -> TenantKeyset:
    """The keys that a document keeps."""
    return TenantKeyset(cast("bytes", document["sealing"]), cast("bytes", document["lookup"]))


def write_subject_keyset(tenant: TenantId, subject: str, wrapped: bytes, at: datetime) -> Create:
    """A data subject's keyset, made once."""
    return Create(subject_keyset_ref(tenant, subject), {"schema": 1, "sealing": wrapped, "created_at": at})


def read_subject_keyset(document: Document) -> bytes:
    """The wrapped keyset that a document keeps."""
    return cast("bytes", document["sealing"])


def lookup_document_ref(tenant: TenantId, field: LookupField, index: str) -> Ref:
    """Where the data subject with this value of a field is noted; its name is all that is known of the value."""
    return tenant_ref(tenant, "lookups", f"{field.value}~{index}")
