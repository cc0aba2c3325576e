from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from shared import counters
from shared.listing import Listing
from shared.money import Money
from shared.wire import (
    Country,
    Currency,
    DecimalText,
    Identifier,
    MoneyWire,
    PageAnswer,
    Period,
    Principal,
    Tenant,
    Text,
    Wire,
)


class Amounts(Wire):
    """One field of each sort that is not plain."""

    quantity: DecimalText = Decimal(1)
    period: Period = "2026-11"
    country: Country = "GB"
    currency: Currency = "GBP"
    tenant: Tenant = "acme"
    principal: Principal = "user:ann"
    id: Identifier = "a"
    text: Text = "a"


def read(**fields: Any) -> Amounts:
    """The model of a JSON body with these fields."""
    return Amounts.model_validate_json(Amounts.model_construct(**fields).model_dump_json(exclude_unset=True))


def test_money_travels_as_minor_units_and_currency() -> None:
    """Out and in again is the same amount, negative ones too."""
    wire = MoneyWire.of(Money(-1050, "EUR"))
    assert wire.model_dump_json() == '{"amount":-1050,"currency":"EUR"}'
    assert MoneyWire.model_validate_json(wire.model_dump_json()).money() == Money(-1050, "EUR")


@pytest.mark.parametrize("text", ["2", "-0.125", "0.10", "123456789012345.1234567890"])
def test_a_decimal_travels_as_text_digit_for_digit(text: str) -> None:
    """No digit is lost and no exponent appears."""
    amounts = Amounts.model_validate_json(f'{{"quantity": "{text}"}}')
    assert amounts.quantity == Decimal(text)
    assert amounts.model_dump(mode="json")["quantity"] == text


@pytest.mark.parametrize(
    "json", ['"1e3"', '"NaN"', '"Infinity"', '"+1"', '" 1"', '"1_0"', '"1."', '".5"', '"\u0661"', "1", "1.5"]
)
def test_what_is_not_plainly_a_decimal_is_refused(json: str) -> None:
    """Neither a JSON number nor what only Python would read."""
    with pytest.raises(ValidationError):
        Amounts.model_validate_json(f'{{"quantity": {json}}}')


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("period", "2026-13", "string_pattern_mismatch"),
        ("period", "2026-11\n", "string_pattern_mismatch"),
        ("country", "gb", "string_pattern_mismatch"),
        ("currency", "XXX", "not_supported"),
        ("tenant", "Acme", "invalid"),
        ("principal", "ann", "string_pattern_mismatch"),
        ("id", "a/b", "string_pattern_mismatch"),
        ("id", "", "string_pattern_mismatch"),
        ("text", "bell\u0007", "unprintable_text"),
        ("text", "x" * 2001, "string_too_long"),
    ],
)
def test_a_value_outside_its_rule_is_refused_with_a_code(field: str, value: str, code: str) -> None:
    """The kernel's own rules speak through field errors."""
    with pytest.raises(ValidationError) as caught:
        read(**{field: value})
    assert [error["type"] for error in caught.value.errors()] == [code]


def test_a_page_maps_every_item() -> None:
    """A listing of values becomes a page of answers."""
    page = PageAnswer[MoneyWire].of(Listing((Money(1, "EUR"), Money(2, "JPY")), "next"))
    assert page.items == (MoneyWire(amount=1, currency="EUR"), MoneyWire(amount=2, currency="JPY"))
    assert page.next_cursor == "next"


def test_operations_are_counted_from_the_beginning_of_a_request() -> None:
    """Each `begin` starts at zero; what is counted shows in the object it gave."""
    first = counters.begin()
    counters.current().reads += 2
    second = counters.begin()
    counters.current().reads += 1
    assert (first.reads, second.reads) == (2, 1)
