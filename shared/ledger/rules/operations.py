"""Control operations as documents: what was asked, which version it raised, and how it ended."""

from decimal import Decimal
from typing import cast

from shared.desk import read_refusal, write_refusal
from shared.ledger.model import Floor
from shared.ledger.rules.control import Control, Operation, Terms
from shared.ports import Document, Fields, Value


def write_operation(operation: Operation) -> dict[str, Value]:
    """An operation's fields."""
    return {
        "schema": 1,
        "control": operation.control.value,
        "target": operation.target,
        "version": operation.version,
        "done": operation.done,
        "request_hash": operation.request_hash,
        "terms": _write_terms(operation.terms),
        "refusal": write_refusal(operation.refusal) if operation.refusal else None,
    }


def read_operation(document: Document) -> Operation:
    """The operation that a document keeps."""
    fields = document.fields
    refusal = cast("Fields | None", fields.get("refusal"))
    return Operation(
        document.ref.key,
        Control(fields["control"]),
        cast("str", fields["target"]),
        cast("int", fields["version"]),
        done=cast("bool", fields["done"]),
        request_hash=cast("str", fields["request_hash"]),
        terms=_read_terms(cast("Fields", fields.get("terms", {}))),
        refusal=read_refusal(refusal) if refusal else None,
    )


def _write_terms(terms: Terms) -> dict[str, Value]:
    floor = terms.floor
    return {
        "shards": terms.shards,
        "rate": None if terms.rate is None else str(terms.rate),
        "floor": {"currency": floor.currency, "limit": floor.limit} if floor else None,
        "currencies": list(terms.currencies),
    }


def _read_terms(fields: Fields) -> Terms:
    rate = cast("str | None", fields.get("rate"))
    floor = cast("Fields | None", fields.get("floor"))
    return Terms(
        shards=cast("int | None", fields.get("shards")),
        rate=None if rate is None else Decimal(rate),
        floor=Floor(cast("str", floor["currency"]), cast("int", floor["limit"])) if floor else None,
        currencies=tuple(cast("list[str]", fields.get("currencies", []))),
    )
