"""Values to and from Firestore's protobuf: no float gets in, none gets out."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from shared.gcp.messages import Messages
from shared.ports import Document, Fields, Foreign, Ref, Value

_types: Final = Messages("google.cloud.firestore_v1", "document")
PbValue: Final = _types.Value
PbDocument: Final = _types.Document

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_INT64: Final = 2**63
_SIMPLE: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


@lru_cache(maxsize=4_096)
def field_path(*names: str) -> str:
    """A path of field names as Firestore writes it: `d.`06``."""
    return ".".join(name if _SIMPLE.fullmatch(name) else _quoted(name) for name in names)


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


# --- to Firestore ------------------------------------------------------------------------


def write_fields(target: Any, fields: Fields) -> None:
    """Put fields into a protobuf map of values.

    Raises:
        TypeError: a value is of a type that the books do not hold, such as float.
        OverflowError: an integer beyond int64.
        ValueError: an instant without a zone.
    """
    for name, value in fields.items():
        write_value(target[name], value)


def write_value(target: Any, value: Value) -> None:
    """Put one value into a protobuf value; raises as `write_fields` does."""
    if isinstance(value, str):
        target.string_value = value
    elif value is None:
        target.null_value = 0
    elif isinstance(value, bool):
        target.boolean_value = value
    elif isinstance(value, int):
        target.integer_value = checked_integer(value)
    else:
        _write_composite(target, value)


def _write_composite(target: Any, value: Value) -> None:
    if isinstance(value, (list, tuple)):
        array = target.array_value
        array.SetInParent()
        for item in value:
            write_value(array.values.add(), item)
    elif isinstance(value, datetime):
        write_instant(target.timestamp_value, value)
    elif isinstance(value, bytes):
        target.bytes_value = value
    elif isinstance(value, Mapping):
        target.map_value.SetInParent()
        write_fields(target.map_value.fields, value)
    else:
        message = f"a document cannot hold a {type(value).__name__}"
        raise TypeError(message)


def checked_integer(value: int) -> int:
    """An integer that Firestore holds exactly."""
    if not -_INT64 <= value < _INT64:
        message = "an integer beyond 64 bits"
        raise OverflowError(message)
    return int(value)


def write_instant(target: Any, instant: datetime) -> None:
    """Put an instant into a protobuf timestamp, to the microsecond."""
    if instant.tzinfo is None:
        message = "an instant needs a zone"
        raise ValueError(message)
    since = instant - _EPOCH
    seconds, rest = divmod(since, _SECOND)
    target.seconds = seconds
    target.nanos = (rest // _MICROSECOND) * 1_000


# --- from Firestore ----------------------------------------------------------------------


def read_fields(fields: Any, *, as_is: bool = False) -> dict[str, Value]:
    """A protobuf map of values as plain fields; `as_is` makes `Foreign` of what we never write, such as double.

    Raises:
        TypeError: there is such a value, and they are not wanted as they are.
    """
    return {name: read_value(fields[name], as_is=as_is) for name in fields}  # its `items` does this, and slower


def read_value(value: Any, *, as_is: bool = False) -> Value:
    """One protobuf value as a plain one; raises as `read_fields` does."""
    kind = value.WhichOneof("value_type")
    if kind in {"string_value", "integer_value", "boolean_value", "bytes_value"}:
        plain: Value = getattr(value, kind)
        return plain
    if kind == "null_value":
        return None
    if kind == "timestamp_value":
        return read_instant(value.timestamp_value)
    if kind == "map_value":
        return read_fields(value.map_value.fields, as_is=as_is)
    if kind == "array_value":
        return [read_value(item, as_is=as_is) for item in value.array_value.values]
    if as_is:
        return Foreign(kind or "nothing", str(getattr(value, kind)) if kind else "")
    message = f"a document holds a {kind}"
    raise TypeError(message)


def read_instant(timestamp: Any) -> datetime:
    """A protobuf timestamp as an instant in UTC."""
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1_000)


def read_document(found: Any, root_length: int, *, as_is: bool = False) -> Document:
    """A protobuf document; `root_length` is that of the name's part up to `.../documents/`. Raises as `read_fields`."""
    updated = found.update_time
    return Document(
        Ref(found.name[root_length:]),
        read_fields(found.fields, as_is=as_is),
        version=f"{updated.seconds}.{updated.nanos}",
        created_at=read_instant(found.create_time),
    )


def write_version(target: Any, version: str) -> None:
    """Put a document's version into a protobuf timestamp."""
    seconds, _, nanos = version.partition(".")
    target.seconds, target.nanos = int(seconds), int(nanos)


def field_paths(names: Iterable[str]) -> list[str]:
    """Top-level field names as paths."""
    return [field_path(name) for name in names]
