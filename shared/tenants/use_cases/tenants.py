"""Tenants are made once, with their books and their owner's key, and looked up by everybody."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.clock import Clock
from shared.desk import Desk, document_at
from shared.expiring import Expiring
from shared.identity import Ids, TenantId
from shared.limits import PAGE_SIZE
from shared.listing import Listing
from shared.ports import Document, Query, View, Write
from shared.tenants.model import PLATFORM, ApiKey, Role, Tenant, hash_secret, new_token
from shared.tenants.records import DIRECTORY, directory_ref, read_tenant, write_key, write_tenant
from shared.tenants.refusals import ReservedTenant, TenantExists, UnknownTenant

PROFILES_CACHED_SECONDS: Final = 60
"""How long an instance may still use a tenant's earlier profile."""

PROFILES_CACHED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Opening:
    """What a tenant needs before its first day: its own keys in the vault, and the documents of its chart."""

    ensure_keys: Callable[[TenantId], None]
    chart: Callable[[TenantId], tuple[Write, ...]]


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant to make, and the person whose key opens it first; `registrations` as in `Tenant`."""

    id: TenantId
    legal_name: str
    country: str
    currency: str
    registrations: Mapping[str, str]
    owner: str

    def tenant(self, at: datetime) -> Tenant:
        """The tenant, made at an instant."""
        return Tenant(self.id, self.legal_name, self.country, self.currency, at, dict(self.registrations))


@dataclass(frozen=True, slots=True)
class Opened:
    """A tenant just made and its owner's key, which is shown to whoever made it and never again."""

    tenant: Tenant
    owner_key: str | None = field(repr=False)


class Tenants:
    """The directory."""

    def __init__(self, desk: Desk, opening: Opening, clock: Clock, ids: Ids) -> None:
        """Write through `desk`; open new books with `opening`; `ids` draws the secrets of keys."""
        self._desk, self._opening, self._ids = desk, opening, ids
        self._profiles: Expiring[TenantId, Tenant] = Expiring(
            clock, seconds=PROFILES_CACHED_SECONDS, size=PROFILES_CACHED
        )

    def create(self, call: Call, new: NewTenant) -> Done[Opened]:
        """Make a tenant: its page, its chart of accounts and its owner's key, all in one commit.

        Asked again, the answer has no key: it was shown once.

        Raises:
            ReservedTenant: the id is the platform's own.
            TenantExists: the id is taken.
            Retryable: keys or store did not answer.
        """
        if new.id == PLATFORM:
            message = "this id is the platform's own"
            raise ReservedTenant(message, field="tenant")
        tenant = new.tenant(call.at)
        token = new_token(tenant.id, call.cause.stored_id("owner_key"), self._ids)
        key = ApiKey(token.id, tenant.id, new.owner, Role.OWNER, call.at, hash_secret(token.secret))
        ref, shown = directory_ref(tenant.id), token.text()
        self._opening.ensure_keys(tenant.id)

        def decide(view: View) -> Outcome[Opened]:
            if view[ref] is not None:
                message = "a tenant has this id"
                raise TenantExists(message, field="tenant", detail={"tenant": tenant.id})
            writes = (write_tenant(tenant, key), write_key(key), *self._opening.chart(tenant.id))
            return Outcome(ref, "tenant.create", Opened(tenant, shown), writes)

        def again(page: Document) -> Opened:
            ours = page["opened_with"] == key.secret_hash
            return Opened(read_tenant(page), shown if ours else None)

        return self._desk.perform(call, [ref], decide, again)

    def profile(self, tenant: TenantId) -> Tenant:
        """A tenant, as known for at most `PROFILES_CACHED_SECONDS`.

        Raises:
            UnknownTenant: the directory has none under this id.
        """
        return self._profiles.get(tenant, lambda: self._read(tenant))

    def page(self, limit: int, cursor: str | None) -> Listing[Tenant]:
        """Tenants in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query(DIRECTORY, limit=limit, after=cursor))
        return Listing(tuple(read_tenant(document) for document in page.documents), page.cursor)

    def ids(self) -> Iterator[TenantId]:
        """The ids of all tenants, read as they are asked for: scheduled jobs enqueue one task for each."""
        listing = self.page(PAGE_SIZE, None)
        yield from (tenant.id for tenant in listing.items)
        while listing.next_cursor:
            listing = self.page(PAGE_SIZE, listing.next_cursor)
            yield from (tenant.id for tenant in listing.items)

    def _read(self, tenant: TenantId) -> Tenant:
        missing = UnknownTenant("no such tenant", field="tenant")
        return read_tenant(document_at(self._desk.store, directory_ref(tenant), missing))
