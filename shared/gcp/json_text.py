"""JSON on its way out: compact, UTF-8, and never a float."""

import json
from collections.abc import Mapping

from shared.events import Json


def to_json(parts: Mapping[str, Json]) -> bytes:
    """JSON text of a message.

    Raises:
        TypeError: a float, or another type that JSON without fractions does not have.
    """
    return json.dumps(_whole(parts), ensure_ascii=False, separators=(",", ":")).encode()


def _whole(value: Json) -> Json:
    """The value with plain lists and dicts, once it is certain that no float is in it."""
    match value:
        case None | bool() | int() | str():
            return value
        case Mapping():
            return {str(name): _whole(item) for name, item in value.items()}
        case list() | tuple():
            return [_whole(item) for item in value]
    message = f"a message cannot hold a {type(value).__name__}"
    raise TypeError(message)
