import pytest

from shared import counters
from shared.faults import Unauthenticated
from shared.http.access import ROLES
from shared.tenants.model import Role
from tests.builders import ACME, NOON
from tests.emulator.offices import PLATFORM_KEY, Office

AUDITOR = {"principal": "user:bob", "role": "auditor"}


def test_every_role_of_the_access_table_can_be_held() -> None:
    """The table and the keys speak of the same roles."""
    assert {role.value for role in Role} == ROLES.keys()


def test_a_key_says_whose_it_is(office: Office) -> None:
    """Tenant, principal and role come from the key alone."""
    key = office.create_tenant()
    credential = office.house.credentials.authenticate(key, NOON)
    assert (credential.tenant, credential.principal, credential.role) == (ACME, "user:ann", "owner")


def test_a_known_key_costs_no_read(office: Office) -> None:
    """Warm requests pay nothing for their key."""
    key = office.create_tenant()
    office.house.credentials.authenticate(key, NOON)
    cost = counters.begin()
    office.house.credentials.authenticate(key, NOON)
    assert cost.rpcs == 0


@pytest.mark.parametrize(
    "forge",
    [
        lambda key: key[:-1] + ("a" if key[-1] != "a" else "b"),
        lambda key: key.replace("db_acme_", "db_rival_"),
        lambda key: key.replace("db_acme_", "db_platform_"),
        lambda key: key.replace("db_acme_", "db_acme/x_"),
        lambda key: key.upper(),
        lambda key: key + "a",
        lambda _key: PLATFORM_KEY[:-1],
        lambda _key: "nonsense",
    ],
)
def test_a_key_that_is_not_exactly_right_opens_nothing(office: Office, forge: object) -> None:
    """Every wrong key gets the same refusal."""
    key = office.create_tenant()
    office.create_tenant("rival")
    assert callable(forge)
    with pytest.raises(Unauthenticated) as refusal:
        office.house.credentials.authenticate(forge(key), NOON)
    assert refusal.value.message == "the API key opens nothing here"


def test_a_revoked_key_stops_at_once_where_it_is_not_known_and_in_a_minute_everywhere(office: Office) -> None:
    """An instance that knows the key takes it for its stated time and no longer."""
    owner = office.create_tenant()
    granted = office.post("/v1/api_keys", AUDITOR, owner).json
    assert office.get("/v1/api_keys", granted["key"]).status_code == 200
    revoked = office.post(f"/v1/api_keys/{granted['id']}/revoke", {}, owner)
    assert (revoked.status_code, revoked.json["state"]) == (200, "revoked")
    office.clock.advance(59)
    assert office.get("/v1/api_keys", granted["key"]).status_code == 200
    office.clock.advance(1)
    assert office.get("/v1/api_keys", granted["key"]).status_code == 401


def test_revoking_twice_revokes_once(office: Office) -> None:
    """The second request changes nothing and is no error."""
    owner = office.create_tenant()
    granted = office.post("/v1/api_keys", AUDITOR, owner).json
    paths = [office.post(f"/v1/api_keys/{granted['id']}/revoke", {}, owner) for _ in range(2)]
    assert [answer.json["state"] for answer in paths] == ["revoked", "revoked"]
    assert sum(record["action"] == "api_key.revoke" for record in office.documents("audit", ACME)) == 1


def test_a_key_is_shown_once_and_kept_as_a_hash(office: Office) -> None:
    """A replayed answer and a list have no secret, and no document holds one."""
    owner = office.create_tenant()
    first = office.post("/v1/api_keys", AUDITOR, owner, once="bobs-key")
    again = office.post("/v1/api_keys", AUDITOR, owner, once="bobs-key")
    secret = first.json["key"].rsplit("_", 1)[-1]
    assert again.json == first.json | {"key": None}
    stored = [*office.documents("api_keys", ACME), *office.documents("idempotency", ACME)]
    assert secret not in repr(stored) + office.get("/v1/api_keys", owner).text


def test_the_platforms_key_opens_no_tenants_business(office: Office) -> None:
    """It makes tenants and keys; customers are not its own."""
    office.create_tenant()
    assert office.get("/v1/customers").status_code == 403


def test_a_tenants_key_makes_no_tenants(office: Office) -> None:
    """The directory is the platform's."""
    owner = office.create_tenant()
    assert office.get("/v1/tenants", owner).status_code == 403
    assert office.post("/v1/tenants", {}, owner).status_code == 403


def test_only_the_owner_makes_keys(office: Office) -> None:
    """Nobody widens their own reach."""
    owner = office.create_tenant()
    for role in ("accountant", "payroll_preparer", "payroll_approver", "auditor"):
        held = office.post("/v1/api_keys", {"principal": "user:bob", "role": role}, owner).json["key"]
        assert office.post("/v1/api_keys", {"principal": "user:bob", "role": "owner"}, held).status_code == 403


def test_no_key_carries_the_platforms_role(office: Office) -> None:
    """Not even the platform can make one."""
    office.create_tenant()
    order = {"tenant": "acme", "principal": "user:bob", "role": "platform"}
    assert office.post("/v1/api_keys", order).status_code == 422


def test_a_tenant_reaches_no_other_tenants_keys(office: Office) -> None:
    """Neither by naming the tenant nor by knowing a key's id."""
    acme, rival = office.create_tenant(), office.create_tenant("rival")
    key_id = office.get("/v1/api_keys", acme).json["items"][0]["id"]
    assert office.post("/v1/api_keys", AUDITOR | {"tenant": "acme"}, rival).status_code == 403
    assert office.get("/v1/api_keys?tenant=acme", rival).status_code == 403
    assert office.post(f"/v1/api_keys/{key_id}/revoke", {}, rival).status_code == 404
    assert office.post(f"/v1/api_keys/{key_id}/revoke", {"tenant": "acme"}, rival).status_code == 403
    assert office.get("/v1/api_keys", acme).status_code == 200


def test_the_platform_makes_keys_for_the_tenant_it_names(office: Office) -> None:
    """It must name one, and one that exists."""
    office.create_tenant()
    made = office.post("/v1/api_keys", AUDITOR | {"tenant": "acme"})
    assert (made.status_code, made.json["tenant"]) == (201, "acme")
    assert office.post("/v1/api_keys", AUDITOR).json["code"] == "tenant_missing"
    assert office.post("/v1/api_keys", AUDITOR | {"tenant": "nobody"}).json["code"] == "unknown_tenant"
