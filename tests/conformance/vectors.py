"""Signatures that were made elsewhere, by partner; each file says where."""

import json
from pathlib import Path
from typing import Any


def vector_of(partner: str) -> dict[str, Any]:
    """The published vector of a partner."""
    path = Path(__file__).parent / "data" / "webhooks" / f"{partner}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
