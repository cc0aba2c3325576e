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
from werkzeug.wrappers import Request

from shared.http.problems import InvalidFields, malformed

NESTING: Final = 16
"""Deepest nesting of a body; our deepest model needs five."""

ERRORS_TOLD: Final = 20
"""Field errors named in one answer."""

_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_json(body: bytes, *, whole_numbers: bool = False) -> Any:
    """The JSON value of a body; numbers with fractions are Decimal, or refused when only whole ones are wanted.

    Raises:
        Malformed: it is not JSON, or JSON with one of the traps.
    """
    try:
        value = json.loads(
            body.decode(),
            parse_float=_no_such_number if whole_numbers else Decimal,
            parse_constant=_no_such_number,
            object_pairs_hook=_no_double_keys,
        )
    except (ValueError, RecursionError):
        message = "the body is not JSON that can be read in one way only"
        raise malformed(message) from None
    _check_nesting(value)
    return value


def parse(model: type[ModelT], body: bytes, *, whole_numbers: bool = False) -> ModelT:
    """A body as its model; `whole_numbers` for models that hold free JSON.

    Raises:
        Malformed: it is not JSON.
        InvalidFields: a field is wrong, missing or unknown.
    """
    read_json(body, whole_numbers=whole_numbers)
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
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    if errors[0]["type"] == "json_invalid":
        return malformed("the body is not JSON that can be read in one way only")
    inside = {one["loc"][:depth] for one in errors for depth in range(len(one["loc"]))}
    # pydantic calls a list too short when some of its items are wrong: they are what is told
    told = [one for one in errors if one["type"] != "too_short" or one["loc"] not in inside][:ERRORS_TOLD]
    return InvalidFields([{"field": ".".join(map(_name, one["loc"])), "code": one["type"]} for one in told])


def _name(part: int | str) -> str:
    return str(part) if isinstance(part, int) or _FIELD.fullmatch(part) else "?"


def _no_such_number(_: str) -> NoReturn:
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
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        if depth > NESTING:
            message = f"a body nests at most {NESTING} levels"
            raise malformed(message)
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
