"""Queries as Firestore asks them: the order is always total, so that a cursor names one place in it.

A cursor is base64 of JSON holding the order's values and the document's path. It is not signed:
it can only point within the collection that the query names anyway.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.faults import Malformed
from shared.gcp.firestore_values import checked_integer, field_path, read_value, write_value
from shared.gcp.messages import Messages
from shared.ports import Document, Fields, Query, Ref, Value, Where, is_key

_types: Final = Messages("google.cloud.firestore_v1", "query")
_Structured: Final = _types.StructuredQuery
PbAggregation: Final = _types.StructuredAggregationQuery
_OPERATORS: Final = {
    sign: _Structured.FieldFilter.Operator.Value(name)
    for sign, name in {
        "==": "EQUAL",
        "<": "LESS_THAN",
        "<=": "LESS_THAN_OR_EQUAL",
        ">": "GREATER_THAN",
        ">=": "GREATER_THAN_OR_EQUAL",
        "in": "IN",
        "array_contains": "ARRAY_CONTAINS",
    }.items()
}
_INEQUALITIES: Final = frozenset({"<", "<=", ">", ">="})
_AND: Final = _Structured.CompositeFilter.Operator.Value("AND")
_UP: Final = _Structured.Direction.Value("ASCENDING")
_DOWN: Final = _Structured.Direction.Value("DESCENDING")
_IS_NULL: Final = _Structured.UnaryFilter.Operator.Value("IS_NULL")
_NAME: Final = "__name__"


def parent_path(query: Query) -> str:
    """Where the collection hangs, relative to the database: `tenants/acme`, or nothing for the platform's own.

    Raises:
        ValueError: a group query for one tenant; a sweep names none.
    """
    if query.group and query.tenant is not None:
        message = "a collection group has no tenant"
        raise ValueError(message)
    return "" if query.tenant is None else f"tenants/{query.tenant}"


def order_of(query: Query) -> tuple[str, ...]:
    """The fields of the order: those named, then those of inequalities, ascending, as Google's clients do it."""
    named = [name.removeprefix("-") for name in query.order]
    implied = sorted({where.field for where in query.where if where.operator in _INEQUALITIES} - set(named))
    return (*query.order, *implied)


def put_query(target: Any, query: Query, *, root: str, limit: int | None) -> None:
    """Fill a protobuf query in its total order, from the cursor on, up to `limit` documents.

    Raises:
        Malformed: the cursor is not one of this query.
    """
    order = order_of(query)
    put_conditions(target, query)
    _put_order(target, _NAME, descending=bool(order) and order[-1].startswith("-"))
    if query.only:
        for name in dict.fromkeys((*query.only, *(name.removeprefix("-") for name in order))):
            target.select.fields.add().field_path = field_path(name)
    if query.after is not None:
        _put_cursor(target.start_at, query, root)
    if limit is not None:
        target.limit.value = limit


def put_conditions(target: Any, query: Query) -> None:
    """Fill the collection, the conditions and the order of fields: all of an aggregation.

    A count has an order too: without one Firestore looks for an index that is ascending by what is compared, where the
    query's own may be descending.
    """
    origin = target.from_.add()
    origin.collection_id, origin.all_descendants = query.collection, query.group
    if len(query.where) == 1:
        _put_filter(target.where, query.where[0])
    elif query.where:
        composite = target.where.composite_filter
        composite.op = _AND
        for where in query.where:
            _put_filter(composite.filters.add(), where)
    for name in order_of(query):
        _put_order(target, name.removeprefix("-"), descending=name.startswith("-"))


def _put_filter(target: Any, where: Where) -> None:
    if where.value is None and where.operator == "==":
        target.unary_filter.op = _IS_NULL
        target.unary_filter.field.field_path = field_path(where.field)
        return
    condition = target.field_filter
    condition.field.field_path = field_path(where.field)
    condition.op = _OPERATORS[where.operator]
    write_value(condition.value, where.value)


def _put_order(target: Any, name: str, *, descending: bool) -> None:
    order = target.order_by.add()
    order.field.field_path = name if name == _NAME else field_path(name)
    order.direction = _DOWN if descending else _UP


# --- cursors -----------------------------------------------------------------------------


def cursor_after(query: Query, document: Document) -> str:
    """Where the page after this document starts; the document must carry the order's fields."""
    values = [_to_json(document.fields[name.removeprefix("-")]) for name in order_of(query)]
    text = json.dumps([*values, document.ref.path], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


def _put_cursor(target: Any, query: Query, root: str) -> None:
    values, path = _read_cursor(query)
    for value in values:
        write_value(target.values.add(), value)
    target.values.add().reference_value = f"{root}{path}"
    target.before = False


def _read_cursor(query: Query) -> tuple[list[Value], str]:
    try:
        padded = (query.after or "") + "=" * (-len(query.after or "") % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True), parse_float=_no_float)
        values, path = [_from_json(part) for part in parts[:-1]], parts[-1]
    except (binascii.Error, ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise _foreign_cursor() from error
    if len(values) != len(order_of(query)) or not _is_within(query, path):
        raise _foreign_cursor()
    return values, path


def _is_within(query: Query, path: object) -> bool:
    if not isinstance(path, str) or not path.isprintable():
        return False
    parts = path.split("/")
    if not all(map(is_key, parts)) or len(parts) % 2:
        return False
    return Ref(path).collection == query.collection and (query.group or "/".join(parts[:-2]) == parent_path(query))


def _foreign_cursor() -> Malformed:
    message = "the cursor does not belong to this list"
    return Malformed(message, field="cursor")


def _no_float(text: str) -> None:
    raise ValueError(text)


def _to_json(value: Value) -> str | int | bool | list[str] | None:
    if isinstance(value, datetime):
        return ["at", value.isoformat()]
    if value is None or isinstance(value, str | int):
        return value
    message = f"no cursor can hold a {type(value).__name__}"
    raise TypeError(message)


def _from_json(value: Any) -> Value:
    if isinstance(value, list):
        _, text = value
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError(text)
        return instant.astimezone(UTC)
    if isinstance(value, int):
        return value if isinstance(value, bool) else checked_integer(value)
    if isinstance(value, str):
        return value.encode().decode()  # no half of a surrogate pair
    if value is None:
        return None
    raise TypeError


# --- answers -----------------------------------------------------------------------------


def without_extras(query: Query, document: Document) -> Fields:
    """The fields that the query asked for; its order may have fetched more."""
    return {name: document.fields[name] for name in query.only if name in document.fields}


def put_aggregations(target: Any, sums: Sequence[str], *, up_to: int | None = None) -> None:
    """Ask for the count (`count`, no further than `up_to`) and each sum (`sum_0` on, in the order of `sums`)."""
    count = target.aggregations.add()
    count.alias = "count"
    count.count.SetInParent()
    if up_to is not None:
        count.count.up_to.value = up_to
    for number, name in enumerate(sums):
        aggregation = target.aggregations.add()
        aggregation.alias = f"sum_{number}"
        aggregation.sum.field.field_path = field_path(name)


def read_aggregations(fields: Mapping[str, Any], sums: Sequence[str]) -> dict[str, int]:
    """The count under `count` and each sum under its field's name.

    Raises:
        OverflowError: a sum left int64, where Firestore answers a double.
    """
    answer = {"count": _integer(fields["count"])}
    return answer | {name: _integer(fields[f"sum_{number}"]) for number, name in enumerate(sums)}


def _integer(value: Any) -> int:
    if value.WhichOneof("value_type") != "integer_value":
        message = "a sum is no 64-bit integer"
        raise OverflowError(message)
    number = read_value(value)
    return number if isinstance(number, int) else 0
