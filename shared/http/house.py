"""What the frame asks of the house: settings, time, chance, secrets, and who holds a key."""

from datetime import datetime
from typing import Protocol

from shared.clock import Clock
from shared.identity import Ids, TenantId
from shared.keys import Secrets
from shared.settings import Settings


class Credential(Protocol):
    """What an API key proves (`shared.tenants` makes them): whose it is and what it may do."""

    @property
    def tenant(self) -> TenantId:
        """The tenant it opens; `platform` for the platform's own key."""
        ...

    @property
    def principal(self) -> str:
        """Who holds it: `user:...`, `client:...` or `system:...`."""
        ...

    @property
    def role(self) -> str:
        """A role of `shared.http.access.ROLES`."""
        ...


class Credentials(Protocol):
    """The register of API keys."""

    def authenticate(self, bearer_token: str, at: datetime) -> Credential:
        """Whose key this is.

        Raises:
            Unauthenticated: it is unknown, revoked, expired or no key at all.
            Retryable: it cannot be told now.
        """
        ...


class FrameHouse(Protocol):
    """The parts of the house that the frame uses itself."""

    @property
    def settings(self) -> Settings:
        """Where the world is."""
        ...

    @property
    def clock(self) -> Clock:
        """The house's time."""
        ...

    @property
    def ids(self) -> Ids:
        """The house's chance."""
        ...

    @property
    def secrets(self) -> Secrets:
        """The house's secrets; the frame reads `request-hash`."""
        ...

    @property
    def credentials(self) -> Credentials:
        """The register of API keys; private doors and webhooks never ask for it."""
        ...
