import pytest
from pydantic import ValidationError

from shared.customers.model import Customer, CustomerKind, NewCustomer, PersonalField
from shared.customers.wire import CustomerDisclosure, NewCustomerBody
from shared.faults import Invalid, NotSupported

NAME = "Ada Canary-Lovelace"


def a_body(**changes: str) -> str:
    """A body that adds a customer, values as JSON."""
    fields = {
        "reference": '"C-1"',
        "name": f'"{NAME}"',
        "country": '"DE"',
        "kind": '"business"',
        "currency": '"EUR"',
    } | changes
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"


def test_a_customers_vat_id_is_kept_in_capitals() -> None:
    """So that the same id reads the same everywhere."""
    new = NewCustomerBody.model_validate_json(a_body(vat_id='"de136695976"')).new_customer()
    assert new.customer.vat_id == "DE136695976"


def test_only_what_was_given_is_sealed() -> None:
    """A customer without an e-mail has no e-mail field at all."""
    new = NewCustomerBody.model_validate_json(a_body()).new_customer()
    assert new.personal == {PersonalField.NAME: NAME}


def test_a_customer_to_add_prints_without_its_personal_fields() -> None:
    """It passes through use cases and their tracebacks."""
    new = NewCustomerBody.model_validate_json(a_body()).new_customer()
    assert isinstance(new, NewCustomer)
    assert "Canary" not in repr(new)


def test_a_consumer_has_no_vat_id() -> None:
    """The two kinds are taxed differently."""
    with pytest.raises(Invalid) as refusal:
        Customer("c1", "C-1", "DE", CustomerKind.CONSUMER, "EUR", "DE136695976")
    assert refusal.value.field == "vat_id"


def test_a_customer_counts_in_a_supported_currency() -> None:
    """No minor digits, no invoice."""
    with pytest.raises(NotSupported):
        Customer("c1", "C-1", "DE", CustomerKind.BUSINESS, "XAU")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reference", '"has space"'),
        ("reference", '"a/b"'),
        ("email", '"no-at-sign"'),
        ("kind", '"government"'),
        ("country", '"Germany"'),
        ("vat_id", '"<script>"'),
        ("name", '"a\\u0000b"'),
        ("nickname", '"Ada"'),
    ],
)
def test_a_customer_that_cannot_be_is_refused_at_the_door(field: str, value: str) -> None:
    """Wrong forms and unknown fields."""
    with pytest.raises(ValidationError):
        NewCustomerBody.model_validate_json(a_body(**{field: value}))


@pytest.mark.parametrize("fields", ["[]", '["tax_id"]', '["name","email","name"]'])
def test_a_disclosure_names_fields_that_a_customer_has(fields: str) -> None:
    """One or both of name and e-mail."""
    with pytest.raises(ValidationError):
        CustomerDisclosure.model_validate_json(f'{{"fields":{fields},"purpose":"support"}}')
