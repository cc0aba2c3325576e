"""Whose key this is: asked by every request, answered without a read while it is known.

A key that does not open is never remembered, and every such key gets the same refusal.
"""

import hmac
from datetime import datetime
from typing import Final

from shared.clock import Clock
from shared.expiring import Expiring
from shared.keys import SecretMissing, Secrets
from shared.ports import Ref, Store
from shared.tenants.model import PLATFORM, ApiKey, Credential, KeyState, Role, Token, not_a_key
from shared.tenants.records import api_key_ref, read_key

KEYS_CACHED_SECONDS: Final = 60
"""How long an instance may still take a key after it was revoked."""

KEYS_CACHED: Final = 10_000

PLATFORM_KEY: Final = "platform-key"
"""The secret that holds the platform's own key, newest version first."""

PLATFORM_PRINCIPAL: Final = "system:platform"


class Credentials:
    """The register of keys, as the door frame asks it."""

    def __init__(self, store: Store, secrets: Secrets, clock: Clock) -> None:
        """Read tenants' keys from `store`, the platform's from `secrets`."""
        self._store, self._secrets = store, secrets
        self._known: Expiring[Ref, ApiKey] = Expiring(clock, seconds=KEYS_CACHED_SECONDS, size=KEYS_CACHED)

    def authenticate(self, bearer_token: str, at: datetime) -> Credential:
        """Whose key this is.

        Raises:
            Unauthenticated: it is unknown, revoked, or no key at all.
            Retryable: store or secrets did not answer.
        """
        del at  # part of the frame's question; no key expires by itself
        token = Token.parse(bearer_token)
        if token.tenant == PLATFORM:
            return self._platform(token)
        ref = api_key_ref(token.tenant, token.id)
        key = self._known.get(ref, lambda: self._read(ref))
        if not key.opens(token.secret):
            raise not_a_key()
        return Credential(key.tenant, key.principal, key.role.value, key.id)

    def _platform(self, token: Token) -> Credential:
        presented = token.text().encode()
        matches = [hmac.compare_digest(presented, kept) for kept in self._platform_keys()]
        if not any(matches):
            raise not_a_key()
        return Credential(PLATFORM, PLATFORM_PRINCIPAL, Role.PLATFORM.value, token.id)

    def _platform_keys(self) -> tuple[bytes, ...]:
        """All live platform keys; none at a door that may not read the secret."""
        try:
            return self._secrets.versions(PLATFORM_KEY)
        except SecretMissing:
            return ()

    def _read(self, ref: Ref) -> ApiKey:
        document = self._store.get([ref])[ref]
        key = read_key(document) if document else None
        if key is None or key.state is KeyState.REVOKED:
            raise not_a_key()
        return key
