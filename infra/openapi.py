"""One OpenAPI document of the whole API, put together from what each door serves of itself.

`python -m infra.openapi` writes docs/openapi.json; a house test holds it to the doors.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any, Final

from emulators.catalogue import parse_catalogue
from infra.imports import ROOT

DOCUMENT: Final = ROOT / "docs" / "openapi.json"


def whole_api() -> dict[str, Any]:
    """Every API door's paths and schemas together.

    Raises:
        ValueError: two doors call different schemas by one name.
    """
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    security: dict[str, Any] = {}
    for door in _documents():
        paths |= door["paths"]
        security |= door["components"]["securitySchemes"]
        for name, schema in door["components"]["schemas"].items():
            if schemas.setdefault(name, schema) != schema:
                message = f"two doors call different schemas {name}"
                raise ValueError(message)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Daybook", "version": "1", "description": "The doors of Daybook's API, one document."},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": security},
    }


def text() -> str:
    """The document as it is kept."""
    return json.dumps(whole_api(), indent=1, ensure_ascii=False) + "\n"


def _documents() -> list[dict[str, Any]]:
    catalogue = parse_catalogue((ROOT / "functions" / "catalogue.yaml").read_text(encoding="utf-8"))
    return [_api(ROOT / function.file) for function in catalogue.functions if "api" in function.requirements]


def _api(path: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(f"door_{path.stem}", path)
    if spec is None or spec.loader is None:
        message = f"the door {path.stem} cannot be loaded"
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    document: dict[str, Any] = module.api.openapi()
    return document


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
