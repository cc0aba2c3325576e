"""Documents with their past: what a snapshot of any instant holds, and the order that queries see."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

from shared.gcp.firestore_values import PbDocument, read_value, write_fields
from shared.ports import Fields, Value

Micros: TypeAlias = int
"""Microseconds since 1970, as the server counts them."""


@dataclass(frozen=True)
class Stored:
    """One state of one document, from `updated` on."""

    name: str
    fields: Fields
    created: Micros
    updated: Micros
    _keys: dict[str, "Key"] = field(default_factory=dict, compare=False, repr=False)

    def key(self, name: str) -> "Key":
        """A field's value in the order of values, worked out once: a state never changes."""
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = sort_key(self.fields[name])
        return key

    @cached_property
    def message(self) -> Any:
        """The document as an answer carries it."""
        document = PbDocument(name=self.name)
        write_fields(document.fields, self.fields)
        put_instant(document.create_time, self.created)
        put_instant(document.update_time, self.updated)
        return document

    @property
    def collection(self) -> str:
        """The id of the collection it is in."""
        return self.name.rsplit("/", 2)[-2]


@dataclass
class Documents:
    """Every document's states, oldest first; None where it was deleted."""

    past: dict[str, list[tuple[Micros, Stored | None]]] = field(default_factory=dict)
    by_collection: dict[str, dict[str, None]] = field(default_factory=dict)

    def get(self, name: str, at: Micros | None = None) -> Stored | None:
        """The state of a document at an instant, or now."""
        states = self.past.get(name)
        if not states:
            return None
        for since, state in reversed(states):
            if at is None or since <= at:
                return state
        return None

    def put(self, name: str, state: Stored | None, at: Micros) -> None:
        """A document's new state."""
        if name not in self.past:
            self.by_collection.setdefault(name.rsplit("/", 2)[-2], {})[name] = None
        self.past.setdefault(name, []).append((at, state))

    def within(self, collection: str, prefix: str, at: Micros | None = None) -> Iterator[Stored]:
        """The documents of a collection whose names begin so."""
        for name in self.by_collection.get(collection, ()):
            if name.startswith(prefix):
                state = self.get(name, at)
                if state is not None:
                    yield state

    def now(self) -> Mapping[str, Stored]:
        """Every document that exists."""
        return {name: states[-1][1] for name, states in self.past.items() if states[-1][1] is not None}


# --- order -------------------------------------------------------------------------------

Key: TypeAlias = tuple[Any, ...]

_KINDS: Final = {type(None): 0, bool: 1, int: 2, datetime: 3, str: 4, bytes: 5, list: 7, dict: 8}


def sort_key(value: Value) -> Key:
    """Firestore's order of values: by kind, then within it; strings by their UTF-8 bytes."""
    kind = _KINDS[type(value)]
    match value:
        case None:
            return (kind,)
        case str():
            return (kind, value.encode())
        case dict():
            return (kind, tuple((name.encode(), sort_key(value[name])) for name in sorted(value)))
        case list():
            return (kind, tuple(map(sort_key, value)))
        case _:
            return (kind, value)


def message_key(value: Any) -> Key:
    """The same of a protobuf value, which may also be a reference: by the segments of its path."""
    if value.WhichOneof("value_type") == "reference_value":
        return name_key(value.reference_value)
    return sort_key(read_value(value))


def name_key(name: str) -> Key:
    """A document's name in the order of values."""
    return (6, tuple(part.encode() for part in name.split("/")))


# --- instants ----------------------------------------------------------------------------


def put_instant(target: Any, at: Micros) -> None:
    """Fill a protobuf timestamp."""
    target.seconds, target.nanos = at // 1_000_000, at % 1_000_000 * 1_000


def instant(timestamp: Any) -> Micros:
    """A protobuf timestamp in microseconds."""
    return int(timestamp.seconds) * 1_000_000 + int(timestamp.nanos) // 1_000
