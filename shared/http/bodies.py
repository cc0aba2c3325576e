"""Bytes become a checked model in two steps: JSON without traps, then a strict model that tells which field is wrong.

Traps refused here: other encodings than UTF-8, a key said twice, NaN and Infinity, nesting
without end. A number with a fraction is a Decimal, never a float.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request

from shared.http.problems import InvalidFields, WrongMediaType, malformed, too_large

NESTING: Final = 16
"""Deepest nesting of a body; our deepest model needs five."""

ERRORS_TOLD: Final = 20
"""Field errors named in one answer."""

_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_bytes(request: Request, limit_bytes: int) -> bytes:
    """The request's body, as sent.

    Raises:
        TooLarge: it announces, or brings, more than the limit.
        Malformed: it brings less than it announces.
        WrongMediaType: it is compressed.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        message = "bodies are sent without Content-Encoding"
        raise WrongMediaType(message, field="Content-Encoding")
    if (request.content_length or 0) > limit_bytes:
        raise too_large(limit_bytes)
    try:
        body = request.stream.read(limit_bytes + 1)
    except ClientDisconnected:
        message = "the body ended before its Content-Length"
        raise malformed(message) from None
    if len(body) > limit_bytes:
        raise too_large(limit_bytes)
    return body


def read_json(body: bytes) -> Any:
    """The JSON value of a body, numbers with fractions as Decimal.

    Raises:
        Malformed: it is not JSON, or JSON with one of the traps.
    """
    try:
        value = json.loads(
            body.decode(), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_double_keys
        )
    except (ValueError, RecursionError):
        message = "the body is not JSON that can be read in one way only"
        raise malformed(message) from None
    _check_nesting(value)
    return value


def require_json(request: Request) -> None:
    """Refuse a body that does not call itself JSON.

    Raises:
        WrongMediaType: the Content-Type is missing or another one.
    """
    if request.mimetype != "application/json":
        message = "the body must be application/json"
        raise WrongMediaType(message, field="Content-Type")


def parse(model: type[ModelT], body: bytes) -> ModelT:
    """A body as its model.

    Raises:
        Malformed: it is not JSON.
        InvalidFields: a field is wrong, missing or unknown.
    """
    read_json(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None


def parse_strings(model: type[ModelT], values: Mapping[str, str]) -> ModelT:
    """Path or query parameters as their model.

    Raises:
        InvalidFields: a parameter is wrong, missing or unknown.
    """
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise _invalid(error) from None


def query_values(request: Request) -> dict[str, str]:
    """The query's parameters.

    Raises:
        InvalidFields: one is given twice.
    """
    values = request.args.to_dict(flat=False)
    twice = [{"field": _name(key), "code": "repeated"} for key, given in values.items() if len(given) > 1]
    if twice:
        raise InvalidFields(twice[:ERRORS_TOLD])
    return {key: given[0] for key, given in values.items()}


def _invalid(error: ValidationError) -> Exception:
    """Where and why, never what: the value may be personal data."""
    told = error.errors(include_url=False, include_context=False, include_input=False)[:ERRORS_TOLD]
    if told[0]["type"] == "json_invalid":
        return malformed("the body is not JSON that can be read in one way only")
    return InvalidFields([{"field": ".".join(map(_name, one["loc"])), "code": one["type"]} for one in told])


def _name(part: int | str) -> str:
    return str(part) if isinstance(part, int) or _FIELD.fullmatch(part) else "?"


def _no_constant(_: str) -> NoReturn:
    message = "no such number"
    raise ValueError(message)


def _no_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        message = "a key is given twice"
        raise ValueError(message)
    return fields


def _check_nesting(value: Any) -> None:
    level, depth = [value], 0
    while level := [inner for outer in level for inner in _inside(outer)]:
        depth += 1
        if depth > NESTING:
            message = f"a body nests at most {NESTING} levels"
            raise malformed(message)


def _inside(value: Any) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []
