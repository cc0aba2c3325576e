from shared.identity import TenantId
from shared.ledger.chart import opening_chart
from tests.builders import ACME
from tests.emulator.offices import Office, a_tenant


def test_a_tenant_is_made_with_its_books_and_its_owners_key(office: Office) -> None:
    """The owner's key opens the tenant from the first answer on, and the chart of accounts is there."""
    key = office.create_tenant()
    assert office.get("/v1/api_keys", key).json["items"][0]["role"] == "owner"
    accounts = {write.ref.key for write in opening_chart(ACME) if write.ref.collection == "accounts"}
    assert len(office.documents("accounts", ACME)) == len(accounts) > 0


def test_a_tenants_registrations_are_kept_in_capitals_with_its_own_among_them(office: Office) -> None:
    """Its own VAT id counts as its registration at home."""
    office.create_tenant()
    profile = office.house.tenants.profile(ACME)
    assert dict(profile.registrations) == {"GB": "GB980780684", "DE": "DE136695976"}


def test_a_tenant_asked_for_twice_is_made_once_and_its_key_shown_once(office: Office) -> None:
    """A repeated request is answered as the first was, without the key."""
    first = office.post("/v1/tenants", a_tenant(), once="make-acme")
    again = office.post("/v1/tenants", a_tenant(), once="make-acme")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json | {"owner_key": None}
    assert len(office.documents("api_keys", ACME)) == 1


def test_an_id_belongs_to_one_tenant(office: Office) -> None:
    """Another request for a taken id is refused and changes nothing."""
    office.create_tenant()
    answer = office.post("/v1/tenants", a_tenant() | {"legal_name": "Usurper Ltd"})
    assert (answer.status_code, answer.json["code"]) == (409, "tenant_exists")
    assert [page["legal_name"] for page in office.documents("directory")] == ["Acme Ltd"]


def test_no_tenant_is_called_as_the_platform(office: Office) -> None:
    """The platform's name in a key means the platform alone."""
    answer = office.post("/v1/tenants", a_tenant("platform"))
    assert (answer.status_code, answer.json["code"]) == (422, "reserved_tenant")
    assert office.documents("directory") == []


def test_without_the_platforms_kms_key_no_tenant_is_made(office: Office) -> None:
    """A tenant whose data could not be sealed does not begin; the request can come again."""
    office.keys.silent = True
    assert office.post("/v1/tenants", a_tenant(), once="make-acme").status_code == 503
    assert office.documents("directory") == []
    office.keys.silent = False
    assert office.post("/v1/tenants", a_tenant(), once="make-acme").status_code == 201


def test_the_directory_is_paged_in_a_stable_order(office: Office) -> None:
    """Every tenant is on one page exactly, and scheduled jobs see them all."""
    for name in ("cargo", "acme", "bravo"):
        office.create_tenant(name)
    first = office.get("/v1/tenants?limit=2").json
    rest = office.get(f"/v1/tenants?limit=2&cursor={first['next_cursor']}").json
    assert [item["tenant"] for item in first["items"] + rest["items"]] == ["acme", "bravo", "cargo"]
    assert list(office.house.tenants.ids()) == [TenantId(name) for name in ("acme", "bravo", "cargo")]


def test_a_profile_is_read_once_for_its_time(office: Office) -> None:
    """Invoicing asks for it on every issue."""
    office.create_tenant()
    profiles = office.house.tenants
    assert profiles.profile(ACME) is profiles.profile(ACME)
    office.clock.advance(60)
    assert profiles.profile(ACME) == profiles.profile(ACME)
