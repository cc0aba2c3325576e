"""The catalogue as Python reads it: what is deployed, from the one file that says so."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"


def catalogue() -> Mapping[str, Any]:
    """functions/catalogue.yaml, as written."""
    return cast("Mapping[str, Any]", yaml.safe_load((FUNCTIONS / "catalogue.yaml").read_text(encoding="utf-8")))


def requirement_groups() -> tuple[str, ...]:
    """The groups that functions may name, each a requirements/{group}.in."""
    return tuple(catalogue()["requirement_groups"])


def door_file(function: str) -> Path:
    """Where a function's door stands: functions/{domain}/{function}.py."""
    return FUNCTIONS / str(catalogue()["functions"][function]["domain"]) / f"{function}.py"
