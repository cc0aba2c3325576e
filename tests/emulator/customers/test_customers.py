import base64

import pytest

from shared.identity import TenantId
from shared.ports import Query
from tests.builders import ACME
from tests.emulator.offices import Office

NAME, EMAIL = "Ada Canary-Lovelace", "ada.canary@example.com"


def a_customer(reference: str = "C-1", **changes: object) -> dict[str, object]:
    """A body that adds a customer."""
    body: dict[str, object] = {
        "reference": reference,
        "name": NAME,
        "email": EMAIL,
        "country": "DE",
        "kind": "business",
        "vat_id": "de136695976",
        "currency": "EUR",
    }
    return body | changes


@pytest.fixture
def owner(office: Office) -> str:
    """The key of a tenant's owner."""
    return office.create_tenant()


def test_a_customer_is_answered_without_its_personal_fields(office: Office, owner: str) -> None:
    """They need a disclosure, from the first answer on."""
    added = office.post("/v1/customers", a_customer(), owner)
    assert added.status_code == 201
    assert added.json == office.get(f"/v1/customers/{added.json['id']}", owner).json
    assert added.json["vat_id"] == "DE136695976"
    assert "Ada" not in added.text


def test_a_customer_told_twice_is_added_once(office: Office, owner: str) -> None:
    """A retry finds the customer and its keyset."""
    answers = [office.post("/v1/customers", a_customer(), owner, once="add-1") for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert len(office.documents("customers", ACME)) == 1


def test_a_reference_names_one_customer(office: Office, owner: str) -> None:
    """A second customer under it is refused; another tenant's is not in the way."""
    office.post("/v1/customers", a_customer(), owner)
    taken = office.post("/v1/customers", a_customer(name="Somebody Else"), owner)
    assert (taken.status_code, taken.json["code"]) == (409, "reference_taken")
    assert len(office.documents("customers", ACME)) == 1
    rival = office.create_tenant("rival")
    assert office.post("/v1/customers", a_customer(), rival).status_code == 201


def test_another_tenants_customer_is_not_found(office: Office, owner: str) -> None:
    """Knowing the id is no key."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    rival = office.create_tenant("rival")
    order = {"fields": ["name"], "purpose": "support"}
    assert office.get(f"/v1/customers/{customer}", rival).status_code == 404
    assert office.post(f"/v1/customers/{customer}/disclosures", order, rival).status_code == 404


def test_customers_are_paged_in_a_stable_order(office: Office, owner: str) -> None:
    """Every customer is on one page exactly."""
    added = {office.post("/v1/customers", a_customer(f"C-{number}"), owner).json["id"] for number in range(5)}
    listed: list[str] = []
    cursor = ""
    while True:
        page = office.get(f"/v1/customers?limit=2{cursor}", owner).json
        listed += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert listed == sorted(added)


def test_a_disclosure_shows_what_was_given_and_says_who_asked(office: Office, owner: str) -> None:
    """The record of it has the principal, the purpose and the fields, and nothing of their values."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    order = {"fields": ["name", "email"], "purpose": "subject_request"}
    shown = office.post(f"/v1/customers/{customer}/disclosures", order, owner)
    assert shown.json == {"id": customer, "purpose": "subject_request", "values": {"name": NAME, "email": EMAIL}}
    (record,) = office.documents("disclosures", ACME)
    assert (record["principal"], record["purpose"], record["fields"]) == (
        "user:ann",
        "subject_request",
        ["email", "name"],
    )
    assert "customers.disclose" in {audit["action"] for audit in office.documents("audit", ACME)}


def test_a_disclosure_is_known_by_its_record_when_its_key_is_forgotten(office: Office, owner: str) -> None:
    """Idempotency keys are kept for a month: from then on the same request was answered "come again", for ever."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    path, order = f"/v1/customers/{customer}/disclosures", {"fields": ["name"], "purpose": "support"}
    first = office.post(path, order, owner, once="show-1")
    office.forget("idempotency", ACME)
    again = office.post(path, order, owner, once="show-1")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    office.forget("idempotency", ACME)
    other = office.post(path, {**order, "purpose": "subject_request"}, owner, once="show-1")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert len(office.documents("disclosures", ACME)) == 1


def test_a_disclosure_told_twice_is_recorded_once(office: Office, owner: str) -> None:
    """The data is opened again, not kept in the answer's record."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    order = {"fields": ["name"], "purpose": "support"}
    path = f"/v1/customers/{customer}/disclosures"
    answers = [office.post(path, order, owner, once="show-1").json for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(office.documents("disclosures", ACME)) == 1


@pytest.mark.parametrize("purpose", ["curiosity", "", None])
def test_without_a_purpose_from_the_list_nothing_is_shown(office: Office, owner: str, purpose: str | None) -> None:
    """What is recorded of a disclosure is a closed list, so nobody writes personal data there."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    path = f"/v1/customers/{customer}/disclosures"
    assert office.post(path, {"fields": ["name"], "purpose": purpose}, owner).status_code == 422
    assert office.documents("disclosures", ACME) == []


def test_a_field_that_was_never_given_is_said_to_be_missing(office: Office, owner: str) -> None:
    """A customer without an e-mail has none to show."""
    customer = office.post("/v1/customers", a_customer(email=None), owner).json["id"]
    path = f"/v1/customers/{customer}/disclosures"
    assert office.post(path, {"fields": ["email"], "purpose": "support"}, owner).json["code"] == "not_stated"


def test_an_auditor_reads_customers_and_is_shown_nobody(office: Office, owner: str) -> None:
    """Disclosing is a duty of its own."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    auditor = office.post("/v1/api_keys", {"principal": "user:bob", "role": "auditor"}, owner).json["key"]
    order = {"fields": ["name"], "purpose": "audit"}
    assert office.get(f"/v1/customers/{customer}", auditor).status_code == 200
    assert office.post(f"/v1/customers/{customer}/disclosures", order, auditor).status_code == 403


def test_when_the_kms_key_is_destroyed_customers_stay_and_their_names_are_gone(office: Office, owner: str) -> None:
    """At the latest when the stated time of unwrapped keys is over."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    office.keys.destroyed = True
    office.clock.advance(300)
    order = {"fields": ["name"], "purpose": "support"}
    refused = office.post(f"/v1/customers/{customer}/disclosures", order, owner)
    assert (refused.status_code, refused.json["code"]) == (409, "personal_data_unreadable")
    assert office.get(f"/v1/customers/{customer}", owner).status_code == 200


def test_a_consumer_with_a_vat_id_is_refused(office: Office, owner: str) -> None:
    """A VAT id makes a business; the two are taxed differently."""
    answer = office.post("/v1/customers", a_customer(kind="consumer"), owner)
    assert (answer.status_code, answer.json["field"]) == (422, "vat_id")
    assert office.documents("customers", ACME) == []


def test_no_document_holds_a_name_or_an_address(office: Office, owner: str) -> None:
    """Neither plain nor in base64 nor in UTF-16, in either database."""
    customer = office.post("/v1/customers", a_customer(), owner).json["id"]
    office.post(f"/v1/customers/{customer}/disclosures", {"fields": ["name"], "purpose": "support"}, owner)
    stored = everything(office, ACME)
    assert b"Canary" not in stored
    for canary in canaries():
        assert canary not in stored


def test_the_search_finds_what_is_not_sealed(office: Office, owner: str) -> None:
    """With sealing switched off the same search finds the name, so the search works."""
    office.house.vault._seal = False
    office.post("/v1/customers", a_customer(), owner)
    assert any(canary in everything(office, ACME) for canary in canaries())


def canaries() -> set[bytes]:
    """The planted name and address in every form that is looked for."""
    plain = {text.encode(coding) for text in (NAME, EMAIL) for coding in ("utf-8", "utf-16-le", "utf-16-be")}
    return plain | {base64.b64encode(text).rstrip(b"=")[:-1] for text in plain}


def everything(office: Office, tenant: TenantId) -> bytes:
    """All bytes of all documents of a tenant."""
    found: list[bytes] = []

    def walk(value: object) -> None:
        match value:
            case bytes():
                found.append(value)
            case dict():
                walk(list(value.items()))
            case list() | tuple():
                for part in value:
                    walk(part)
            case _:
                found.append(str(value).encode())

    names = ("customers", "customer_references", "audit", "idempotency", "outbox", "disclosures", "keysets")
    for store in (office.house.store, office.house.keysets_store):
        for name in names:
            for document in store.query(Query(name, tenant)).documents:
                walk((document.ref.path, dict(document.fields)))
    return b"\n".join(found)
