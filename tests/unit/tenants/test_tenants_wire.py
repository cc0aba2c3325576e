from typing import Any

import pytest
from pydantic import ValidationError

from shared.http.bodies import parse
from shared.http.problems import InvalidFields
from shared.tenants.wire import NewKeyBody, NewTenantBody

BODY = (
    '{"tenant":"acme","legal_name":"Acme Ltd","country":"GB","currency":"GBP","vat_id":"gb980780684",'
    '"tax_registrations":[{"country":"DE","vat_id":"de136695976"}],"owner":"user:ann"}'
)


def test_a_tenants_own_vat_id_is_its_registration_at_home() -> None:
    """All registrations are kept in capitals."""
    new = parse(NewTenantBody, BODY.encode()).new_tenant()
    assert new.registrations == {"GB": "GB980780684", "DE": "DE136695976"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant", '"Acme"'),
        ("tenant", '"a"'),
        ("country", '"gb"'),
        ("currency", '"XXX"'),
        ("owner", '"ann"'),
        ("owner", '"user:"'),
        ("legal_name", '""'),
        ("legal_name", "1"),
    ],
)
def test_a_tenant_that_cannot_be_is_refused_at_the_door(field: str, value: str) -> None:
    """The refusal names the field."""
    fields: dict[str, Any] = {"tenant": '"acme"', "legal_name": '"Acme"', "country": '"GB"', "currency": '"GBP"'}
    fields |= {"owner": '"user:ann"', field: value}
    body = "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"
    with pytest.raises(InvalidFields) as refusal:
        parse(NewTenantBody, body.encode())
    assert refusal.value.field == field


@pytest.mark.parametrize("role", ["platform", "root", "", "OWNER"])
def test_a_key_for_a_role_that_is_not_granted_is_refused_at_the_door(role: str) -> None:
    """The platform's role is no key's."""
    with pytest.raises(ValidationError):
        NewKeyBody.model_validate_json(f'{{"principal":"user:bob","role":"{role}"}}')
