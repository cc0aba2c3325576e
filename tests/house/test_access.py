import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.http.access import ACCOUNTS, CALLERS, PREFIXES, ROUTES
from shared.http.api import Api

HOUSE = Path(__file__).parents[2]
CATALOGUE: dict[str, Any] = yaml.safe_load((HOUSE / "functions/catalogue.yaml").read_text(encoding="utf-8"))
FUNCTIONS: dict[str, dict[str, Any]] = CATALOGUE["functions"]
API_DOORS = {name: spec["trigger"]["http"] for name, spec in FUNCTIONS.items() if "api" in spec["requirements"]}


def test_callers_of_private_doors_are_the_catalogues() -> None:
    """What the code lets in is what the platform is told to let in."""
    assert {name: list(callers) for name, callers in CALLERS.items()} == {
        name: spec["callers"] for name, spec in FUNCTIONS.items() if "http" not in spec["trigger"]
    }
    assert dict(ACCOUNTS) == CATALOGUE["callers"]


def test_prefixes_of_api_doors_are_the_catalogues() -> None:
    """A door answers where the load balancer looks for it."""
    assert dict(PREFIXES) == API_DOORS


def _door(name: str) -> Api:
    path = HOUSE / "functions" / FUNCTIONS[name]["domain"] / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"house_door_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    api = module.api
    assert isinstance(api, Api)
    return api


@pytest.mark.parametrize("name", API_DOORS)
def test_a_door_serves_exactly_its_routes_of_the_access_table(name: str) -> None:
    """No route without a scope, no scope for a route that nobody serves."""
    prefix = API_DOORS[name]
    of_table = {(method, rule) for method, rule in ROUTES if rule == prefix or rule.startswith(f"{prefix}/")}
    assert {(route.method, route.rule) for route in _door(name).routes} == of_table
