"""Which queries Firestore would answer: those that an index of Terraform's serves, or one that it keeps by itself.

The emulator answers every query, so without this a missing index would be seen in production only.
Rules: https://firebase.google.com/docs/firestore/query-data/index-overview
"""

from functools import cache
from typing import Any

from tests.infra.configuration import MODULES, blocks
from tests.simulation.queries import DESCENDING, NAME, OPERATOR, filters_of


def served(query: Any) -> bool:
    """Whether an index, or several that end alike, hold what a query compares and are in its order."""
    origin = query.from_[0]
    collection, group = origin.collection_id, origin.all_descendants
    equal = {path for one in filters_of(query.where) if (path := _equality(one))}
    order = [
        f"{'-' if one.direction == DESCENDING else ''}{one.field.field_path.strip('`')}"
        for one in query.order_by
        if one.field.field_path != NAME
    ]
    if group or (len(order) == 1 and not equal):
        return all(_by_itself(collection, one, group=group) for one in (*equal, *order))
    if not order:
        return all(_by_itself(collection, one, group=False) for one in equal)
    prefixes = [set(one[: -len(order)]) for one in _composites(collection) if one[-len(order) :] == order]
    fitting = [prefix for prefix in prefixes if prefix <= equal]
    return bool(fitting) and set().union(*fitting) == equal


def _equality(one: Any) -> str:
    """The field of a filter that leaves one value of it, `@` before it for one value of an array; else nothing."""
    if one.WhichOneof("filter_type") == "unary_filter":
        return str(one.unary_filter.field.field_path).strip("`")
    path = str(one.field_filter.field.field_path).strip("`")
    match OPERATOR(one.field_filter.op):
        case "EQUAL" | "IN":
            return path
        case "ARRAY_CONTAINS":
            return f"@{path}"
        case _:
            return ""


def _by_itself(collection: str, path: str, *, group: bool) -> bool:
    """Whether a field has an index of its own that serves; within a tenant all have unless Terraform says otherwise."""
    said = _books()["fields"].get(f"{collection}.{path.lstrip('@-')}")
    if said is None:
        return not group
    wanted = "DESCENDING" if path.startswith("-") else "ASCENDING"
    return not path.startswith("@") and wanted in said.get("group_orders" if group else "orders", [])


@cache
def _books() -> dict[str, Any]:
    books: dict[str, Any] = blocks(MODULES / "house")["module"]["books"]
    return books


@cache
def _composites(collection: str) -> list[list[str]]:
    return [one["fields"] for one in _books()["indexes"].values() if one["collection"] == collection]
