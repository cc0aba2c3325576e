"""API keys are made for a principal, shown once, listed without their secrets and revoked for good.

Who may ask is the access table's business; here a tenant's key reaches only its own tenant.
"""

from dataclasses import dataclass, field, replace

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.identity import Ids, TenantId
from shared.listing import Listing
from shared.ports import Document, Query, View
from shared.tenants.model import PLATFORM, ApiKey, KeyState, Role, hash_secret, new_token
from shared.tenants.records import API_KEYS, api_key_ref, directory_ref, read_key, write_key, write_revocation
from shared.tenants.refusals import OtherTenant, RoleNotGranted, TenantMissing, UnknownKey, UnknownTenant


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """A key to make; the platform names the tenant, a tenant's own need not."""

    principal: str
    role: Role
    tenant: TenantId | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A key and, for whoever made it and never again, what its holder presents."""

    key: ApiKey
    token: str | None = field(repr=False)


class ApiKeys:
    """The keys of every tenant."""

    def __init__(self, desk: Desk, ids: Ids) -> None:
        """Write through `desk`; `ids` draws the secrets."""
        self._desk, self._ids = desk, ids

    def create(self, call: Call, order: KeyOrder) -> Done[Granted]:
        """Make a key. Asked again, the answer has no token: it was shown once.

        Raises:
            RoleNotGranted: the platform's role, which no key of a tenant carries.
            TenantMissing: the platform asks and names no tenant.
            OtherTenant: a tenant asks for another.
            UnknownTenant: there is no such tenant.
        """
        tenant = reach(call, order.tenant)
        if order.role is Role.PLATFORM:
            message = "no key of a tenant carries the platform's role"
            raise RoleNotGranted(message, field="role")
        token = new_token(tenant, call.cause.stored_id("api_key"), self._ids)
        key = ApiKey(token.id, tenant, order.principal, order.role, call.at, hash_secret(token.secret))
        ref, page = api_key_ref(tenant, key.id), directory_ref(tenant)

        def decide(view: View) -> Outcome[Granted]:
            if view[page] is None:
                message = "no such tenant"
                raise UnknownTenant(message, field="tenant")
            return Outcome(ref, "api_key.create", Granted(key, token.text()), (write_key(key),))

        def again(document: Document) -> Granted:
            kept = read_key(document)
            return Granted(kept, token.text() if kept.secret_hash == key.secret_hash else None)

        return self._desk.perform(call, [page], decide, again)

    def revoke(self, call: Call, key_id: str, tenant: TenantId | None = None) -> Done[ApiKey]:
        """End a key. Instances that know it take it for at most `KEYS_CACHED_SECONDS` more.

        Raises:
            UnknownKey: the tenant has none under this id.
            TenantMissing, OtherTenant: as for `create`.
        """
        ref = api_key_ref(reach(call, tenant), key_id)

        def decide(view: View) -> Outcome[ApiKey]:
            document = view[ref]
            if document is None:
                message = "no such API key"
                raise UnknownKey(message, field="id")
            ended = replace(read_key(document), state=KeyState.REVOKED)
            already = read_key(document).state is KeyState.REVOKED
            writes = () if already else (write_revocation(document, call.at),)
            return Outcome(ref, "api_key.revoke", ended, writes)

        return self._desk.perform(call, [ref], decide, read_key)

    def page(self, call: Call, tenant: TenantId | None, limit: int, cursor: str | None) -> Listing[ApiKey]:
        """A tenant's keys in the order of their ids, a page at a time.

        Raises:
            TenantMissing, OtherTenant: as for `create`.
        """
        page = self._desk.store.query(Query(API_KEYS, reach(call, tenant), limit=limit, after=cursor))
        return Listing(tuple(read_key(document) for document in page.documents), page.cursor)


def reach(call: Call, tenant: TenantId | None) -> TenantId:
    """The tenant that a call means: its own, or the one that the platform names.

    Raises:
        TenantMissing: the platform names none.
        OtherTenant: a tenant names another.
    """
    if call.tenant == PLATFORM:
        if tenant is None:
            message = "the platform says which tenant it means"
            raise TenantMissing(message, field="tenant")
        return tenant
    if tenant not in {None, call.tenant}:
        message = "a tenant's key reaches no other tenant"
        raise OtherTenant(message, field="tenant")
    return call.tenant
