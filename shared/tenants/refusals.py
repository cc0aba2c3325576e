"""Why a tenant or a key is not made, found or taken."""

from shared.faults import Conflict, Forbidden, Invalid, NotFound


class TenantExists(Conflict):
    """The id belongs to a tenant already."""

    code = "tenant_exists"


class ReservedTenant(Invalid):
    """The id is the platform's own."""

    code = "reserved_tenant"


class UnknownTenant(NotFound):
    """The directory has no such tenant."""

    code = "unknown_tenant"


class UnknownKey(NotFound):
    """The tenant has no such API key."""

    code = "unknown_key"


class RoleNotGranted(Invalid):
    """No API key carries this role: the platform's own key is a secret, not a document."""

    code = "role_not_granted"


class TenantMissing(Invalid):
    """The platform must say which tenant it means."""

    code = "tenant_missing"


class OtherTenant(Forbidden):
    """A tenant's key reaches no other tenant."""

    code = "other_tenant"
