"""The tax question and its answer as JSON."""

import copy
import json
from typing import Any, Final

import pytest
from pydantic import ValidationError

from shared.tax.use_cases import Taxes
from shared.tax.wire import NewTaxCalculation, TaxCalculationAnswer
from tests.unit.tax.questions import IDS

BODY: Final[dict[str, Any]] = {
    "seller": {"country": "GB", "registrations": {"GB": IDS["GB"]}},
    "buyer": {"country": "GB", "kind": "consumer"},
    "supply": "service",
    "date": "2026-11-16",
    "currency": "GBP",
    "lines": [{"description": "Consulting", "quantity": "2.5", "unit_price": 9_999, "category": "standard"}],
}


def changed(path: str, value: object) -> str:
    """The body with one value set at a dotted path, as JSON."""
    body = copy.deepcopy(BODY)
    *above, last = path.split(".")
    place: Any = body
    for step in above:
        place = place[int(step)] if step.isdigit() else place[step]
    place[last] = value
    return json.dumps(body)


def test_the_answer_names_its_figures_and_their_source() -> None:
    """Amounts are minor units with their currency, rates are text, and every rate says how old it is."""
    question = NewTaxCalculation.model_validate_json(json.dumps(BODY)).question()
    answer = json.loads(TaxCalculationAnswer.of(Taxes().calculate(question)).model_dump_json())
    assert answer["lines"] == [{"net": {"amount": 24_998, "currency": "GBP"}, "vat_code": "S", "rate": "20"}]
    assert answer["breakdown"] == [
        {
            "treatment": "domestic",
            "country": "GB",
            "vat_code": "S",
            "rate": "20",
            "base": {"amount": 24_998, "currency": "GBP"},
            "tax": {"amount": 5_000, "currency": "GBP"},
            "note": None,
        }
    ]
    assert answer["gross"] == {"amount": 29_998, "currency": "GBP"}
    (source,) = answer["rate_sources"]
    assert (source["valid_from"], source["rate_as_of"]) == ("2011-01-04", "2025-09-01")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lines.0.quantity", 2.5),
        ("lines.0.quantity", 2),
        ("lines.0.quantity", "2e1"),
        ("lines.0.quantity", "0"),
        ("lines.0.quantity", "0.1234567"),
        ("lines.0.unit_price", 99.5),
        ("lines.0.unit_price", "99"),
        ("lines.0.unit_price", True),
        ("lines.0.unit_price", -1),
        ("lines.0.category", "luxury"),
        ("lines", []),
        ("lines", BODY["lines"] * 101),
        ("currency", "XXX"),
        ("date", "16/11/2026"),
        ("date", 20_261_116),
        ("supply", "gift"),
        ("buyer.kind", "robot"),
        ("buyer.country", "United Kingdom"),
        ("buyer.vat_id", ""),
        ("buyer.name", "Ann"),
        ("seller.registrations", {"GB": 5}),
        ("prices_include_tax", "yes"),
    ],
)
def test_a_body_of_wrong_types_or_unknown_fields_is_refused(path: str, value: object) -> None:
    """Nothing is bent into shape, and no float reaches a figure."""
    with pytest.raises(ValidationError):
        NewTaxCalculation.model_validate_json(changed(path, value))
