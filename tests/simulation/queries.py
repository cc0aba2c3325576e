"""Queries over documents, as Firestore answers them: filters, a total order, cursors, limits, counts and sums."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from shared.gcp.firestore_queries import PbAggregation
from shared.gcp.firestore_values import PbDocument, PbValue, read_value
from shared.ports import Value
from tests.simulation.documents import Documents, Key, Micros, Stored, message_key, name_key, put_instant, sort_key

NAME: Final = "__name__"
STRUCTURED: Final = type(PbAggregation().structured_query)
OPERATOR: Final = STRUCTURED.FieldFilter.Operator.Name
DESCENDING: Final = STRUCTURED.Direction.Value("DESCENDING")

Condition: TypeAlias = Callable[[Stored], bool]

_COMPARING: Final[Mapping[str, Callable[[Key, Key], bool]]] = {
    "EQUAL": lambda ours, theirs: ours == theirs,
    "LESS_THAN": lambda ours, theirs: ours < theirs,
    "LESS_THAN_OR_EQUAL": lambda ours, theirs: ours <= theirs,
    "GREATER_THAN": lambda ours, theirs: ours > theirs,
    "GREATER_THAN_OR_EQUAL": lambda ours, theirs: ours >= theirs,
}


def matching(documents: Documents, parent: str, query: Any, at: Micros | None) -> Iterable[Stored]:
    """The documents of a query at an instant, in its order, from its cursor on, up to its limit."""
    origin = query.from_[0]
    prefix = f"{parent}/" if origin.all_descendants else f"{parent}/{origin.collection_id}/"
    conditions = [_condition(one) for one in filters_of(query.where)]
    among = documents.within(origin.collection_id, prefix, at)
    found = [one for one in among if all(holds(one) for holds in conditions)]
    orders = [(order.field.field_path, order.direction == DESCENDING) for order in query.order_by]
    found = [one for one in found if all(path == NAME or _has(one, path) for path, _ in orders)]
    for path, descending in reversed(orders or [(NAME, False)]):
        found.sort(key=lambda one, path=path: _key(one, path), reverse=descending)  # type: ignore[misc]
    if query.HasField("start_at"):
        found = [one for one in found if _after(one, orders, query.start_at)]
    return found[: query.limit.value] if query.HasField("limit") else found


def selected(state: Stored, query: Any) -> Any:
    """The document, or those of its fields that the query asks for."""
    if not query.select.fields:
        return state.message
    wanted = {one.field_path.strip("`") for one in query.select.fields}
    document = PbDocument(name=state.name)
    for name in wanted & state.fields.keys():
        document.fields[name].CopyFrom(state.message.fields[name])
    put_instant(document.create_time, state.created)
    put_instant(document.update_time, state.updated)
    return document


def aggregate(found: Iterable[Stored], aggregations: Iterable[Any]) -> dict[str, Any]:
    """Counts, no further than asked for, and sums of integers; one beyond 64 bits is a double.

    As in Firestore, a document without a field that is summed is not counted either.
    """
    asked, answers = list(aggregations), dict[str, Any]()
    summed = [one.sum.field.field_path for one in asked if one.WhichOneof("operator") == "sum"]
    states = [state for state in found if all(_has(state, path) for path in summed)]
    for one in asked:
        if one.WhichOneof("operator") == "count":
            count = len(states)
            if one.count.HasField("up_to"):
                count = min(count, one.count.up_to.value)
            answers[one.alias] = PbValue(integer_value=count)
        else:
            answers[one.alias] = _sum(states, one.sum.field.field_path)
    return answers


def _sum(states: Iterable[Stored], path: str) -> Any:
    values = (_value(state, path) for state in states if _has(state, path))
    total = sum(value for value in values if isinstance(value, int) and not isinstance(value, bool))
    fits = -(2**63) <= total < 2**63
    return PbValue(integer_value=total) if fits else PbValue(double_value=float(total))


# --- filters -----------------------------------------------------------------------------


def filters_of(where: Any) -> Iterator[Any]:
    """The single filters of a query's condition."""
    match where.WhichOneof("filter_type"):
        case "composite_filter":
            yield from where.composite_filter.filters
        case None:
            return
        case _:
            yield where


def _condition(one: Any) -> Condition:
    """What a filter asks of a document; the filter is read once, not once a document."""
    if one.WhichOneof("filter_type") == "unary_filter":
        path = one.unary_filter.field.field_path.strip("`")
        return lambda state: path in state.fields and state.fields[path] is None
    path, theirs = one.field_filter.field.field_path.strip("`"), one.field_filter.value
    operator = OPERATOR(one.field_filter.op)
    if operator == "IN":
        among = [sort_key(read_value(value)) for value in theirs.array_value.values]
        return lambda state: state.fields.get(path) is not None and state.key(path) in among
    wanted = sort_key(read_value(theirs))
    if operator == "ARRAY_CONTAINS":
        return lambda state: isinstance(state.fields.get(path), list) and wanted in state.key(path)[1]
    compare = _COMPARING[operator]

    def compares(state: Stored) -> bool:
        if path not in state.fields:
            return False
        key = state.key(path)
        return key[0] == wanted[0] and compare(key, wanted)

    return compares


# --- order -------------------------------------------------------------------------------


def _after(state: Stored, orders: list[tuple[str, bool]], cursor: Any) -> bool:
    """Whether a document comes after a cursor, or at it if the cursor says so."""
    for (path, descending), value in zip(orders, cursor.values, strict=False):
        ours, theirs = _key(state, path), message_key(value)
        if ours != theirs:
            return (ours > theirs) is not descending
    return bool(cursor.before)


def _key(state: Stored, path: str) -> Key:
    return name_key(state.name) if path == NAME else state.key(path.strip("`"))


def _value(state: Stored, path: str) -> Value:
    return state.fields[path.strip("`")]


def _has(state: Stored, path: str) -> bool:
    return path.strip("`") in state.fields
