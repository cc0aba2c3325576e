"""Tenants, the keys that open their books, and what such a key looks like."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from shared.faults import Unauthenticated
from shared.identity import Ids, TenantId

PLATFORM: Final = TenantId("platform")
"""What the platform's own key names in the place of a tenant; no tenant can be called so."""

SECRET_BYTES: Final = 20
"""160 random bits: enough that a plain SHA-256 of them cannot be searched."""

_TOKEN: Final = re.compile(r"db_([a-z][a-z0-9]{1,30})_([a-z2-7]{1,64})_([a-z2-7]{1,64})")


class TenantState(Enum):
    """Where a tenant stands."""

    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A business whose books are kept: its name on invoices, where it is established, what it counts in.

    `registrations` maps a country (ISO 3166-1 alpha-2) to the tenant's VAT id there.
    """

    id: TenantId
    legal_name: str
    country: str
    currency: str
    created_at: datetime
    registrations: Mapping[str, str] = field(default_factory=dict)
    state: TenantState = TenantState.ACTIVE


class Role(Enum):
    """What a key's holder does; `shared.http.access` says what each may."""

    PLATFORM = "platform"
    OWNER = "owner"
    ACCOUNTANT = "accountant"
    PAYROLL_PREPARER = "payroll_preparer"
    PAYROLL_APPROVER = "payroll_approver"
    AUDITOR = "auditor"


class KeyState(Enum):
    """Whether a key opens; a revoked one never does again."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: whose it is and a hash of its secret, never the secret."""

    id: str
    tenant: TenantId
    principal: str
    role: Role
    created_at: datetime
    secret_hash: bytes = field(repr=False)
    state: KeyState = KeyState.ACTIVE

    def opens(self, secret: str) -> bool:
        """Whether this is the key's secret and the key is not revoked; takes the same time for every secret."""
        return hmac.compare_digest(self.secret_hash, hash_secret(secret)) and self.state is KeyState.ACTIVE


@dataclass(frozen=True, slots=True)
class Credential:
    """What a key proves."""

    tenant: TenantId
    principal: str
    role: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Token:
    """A key as its holder presents it: `db_{tenant}_{id}_{secret}`."""

    tenant: TenantId
    id: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Take a key apart.

        Raises:
            Unauthenticated: it has not the form of one.
        """
        match = _TOKEN.fullmatch(text)
        if match is None:
            raise not_a_key()
        return cls(TenantId(match[1]), match[2], match[3])

    def text(self) -> str:
        """The key in one line, to be shown once."""
        return f"db_{self.tenant}_{self.id}_{self.secret}"


def new_token(tenant: TenantId, key_id: str, ids: Ids) -> Token:
    """A key with a fresh secret."""
    return Token(tenant, key_id, ids.token(SECRET_BYTES))


def hash_secret(secret: str) -> bytes:
    """SHA-256 of a key's secret."""
    return hashlib.sha256(secret.encode()).digest()


def not_a_key() -> Unauthenticated:
    """One refusal for every key that does not open, so that nobody learns which part was right."""
    message = "the API key opens nothing here"
    return Unauthenticated(message, field="Authorization")
