"""Seals: each covers the entries of one stretch of the store's time, and the seal before it.

A leaf covers everything about an entry's document: its id, the instant of its commit and every field
as it is stored, so that one changed byte anywhere is found. Leaves stand in the order of their commit.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from shared.identity import TenantId
from shared.ledger.rules.merkle import Tree, leaf_hash
from shared.ports import Fields, Foreign, Value

SCHEMA: Final = 1
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What the first seal begins after."""

LOOK_BACK: Final = timedelta(minutes=10)
"""An entry's `recorded_at` is that much before its commit at most: no commit stays on its way for so long."""

SURE_PAGES: Final = 16
"""Pages that are looked for though one is gone: no commit holds as many. An altered seal may claim any number."""

_MICROSECOND: Final = timedelta(microseconds=1)
_STATEMENT: Final = b"daybook seal\n"
_TAG: Final = "$"
_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

Plain: TypeAlias = "str | int | bool | list[Plain] | dict[str, Plain] | None"
"""A document's value as JSON without fractions; see `plain`."""


# --- instants and values as text ---------------------------------------------------------


def micros(instant: datetime) -> int:
    """Microseconds since 1970: the precision that the store keeps."""
    return (instant - BEGINNING) // _MICROSECOND


def instant_of(count: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return BEGINNING + count * _MICROSECOND


def plain(value: Value) -> Plain:
    """A stored value as JSON, one for one: `{"$time": microseconds}`, `{"$bytes": base64}`, other `$` keys doubled.

    What the books never write is spelled with its kind, `{"$double_value": "1.5"}`, so that it is one more alteration
    that can be named. Text stays as it is stored: two spellings of one character (NFC, NFD) are two texts here.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return {"$time": micros(value)}
        case bytes():
            return {"$bytes": b64encode(value).decode("ascii")}
        case Foreign():
            return {_TAG + value.kind: value.text}
        case Mapping():
            return {(_TAG + name if name.startswith(_TAG) else name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value]


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NotBase64 as error:
        message = "bytes that are no base64"
        raise ValueError(message) from error


def canonical(fields: Mapping[str, Any]) -> bytes:
    """The one spelling of plain fields: sorted keys, no spaces, UTF-8."""
    return _encode(fields).encode()


# --- leaves ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """An entry under a seal: when its document was committed (microseconds), its id, its hash."""

    created: int
    id: str
    hash: bytes


def leaf_of(entry_id: str, created: int, fields: Mapping[str, Any]) -> Leaf:
    """The leaf of an entry's document, its fields given plain."""
    framed = [canonical_text(entry_id), created.to_bytes(8, "big", signed=True), canonical(fields)]
    return Leaf(created, entry_id, leaf_hash(b"".join(framed)))


def canonical_text(text: str) -> bytes:
    """Text with its length before it, so that nothing in it can be taken for what follows."""
    encoded = text.encode()
    return len(encoded).to_bytes(8, "big") + encoded


def plain_fields(fields: Fields) -> dict[str, Plain]:
    """A document's fields, plain."""
    return {(_TAG + name if name.startswith(_TAG) else name): plain(value) for name, value in fields.items()}


def root_over(leaves: Iterable[Leaf]) -> bytes:
    """The Merkle root over leaves, in the order given."""
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf.hash)
    return tree.root()


def write_leaves(leaves: Iterable[Leaf]) -> str:
    """Leaves as JSON text, for a page."""
    return json.dumps(leaves_list(leaves), separators=(",", ":"))


def leaves_list(leaves: Iterable[Leaf]) -> list[list[Any]]:
    """Leaves as JSON."""
    return [[leaf.created, leaf.id, leaf.hash.hex()] for leaf in leaves]


def read_leaves(text: str) -> tuple[Leaf, ...]:
    """The leaves of a page.

    Raises:
        ValueError, TypeError: the text is no page of leaves.
    """
    return tuple(read_leaves_list(json.loads(text)))


def read_leaves_list(rows: Iterable[Iterable[Any]]) -> list[Leaf]:
    """Leaves as `leaves_list` wrote them; raises as `read_leaves` does."""
    return [Leaf(int(created), str(entry_id), bytes.fromhex(digest)) for created, entry_id, digest in rows]


# --- seals -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seal:
    """What is signed: entries with `after` < commit <= `through`, under `root`; `previous` chains it.

    `cumulative` counts the entries under this seal and all before it, `counted` those that the store
    held at `through`'s reading: they differ only when sealed entries were removed or added.
    """

    tenant: TenantId
    number: int
    after: datetime
    through: datetime
    count: int
    root: str
    previous: str
    cumulative: int
    counted: int
    pages: int
    key_version: str
    signature: bytes = b""

    @property
    def statement(self) -> bytes:
        """The bytes that are signed: every field but the signature, in one spelling."""
        return _STATEMENT + canonical({"schema": SCHEMA, **self._facts})

    @property
    def _facts(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "number": self.number,
            "after": micros(self.after),
            "through": micros(self.through),
            "count": self.count,
            "root": self.root,
            "previous": self.previous,
            "cumulative": self.cumulative,
            "counted": self.counted,
            "pages": self.pages,
            "key_version": self.key_version,
        }

    @property
    def hash(self) -> str:
        """SHA-256 over statement and signature, hex: what the next seal names as its previous."""
        return hashlib.sha256(canonical_text(self.statement.decode()) + self.signature).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The seal as a record of an export."""
        return {"kind": "seal", **self._facts, "signature": b64encode(self.signature).decode("ascii")}

    @classmethod
    def of_json(cls, record: Mapping[str, Any]) -> "Seal":
        """The seal that a record keeps.

        Raises:
            KeyError, TypeError, ValueError: a field is missing, or none that a seal has.
        """
        return read_seal(
            {
                **record,
                "after": instant_of(record["after"]),
                "through": instant_of(record["through"]),
                "signature": _bytes(record["signature"]),
            }
        )

    def signed(self, signature: bytes) -> "Seal":
        """The seal with its signature."""
        return replace(self, signature=signature)


@dataclass(frozen=True, slots=True)
class Window:
    """The entries that the next seal covers: leaves in their order, and through which instant they are all.

    `seen` is how many documents were read that say they were recorded within `LOOK_BACK` before the window or
    later: what the store must count there. None where nothing is to be counted.
    """

    leaves: tuple[Leaf, ...]
    through: datetime
    seen: int | None = None


def cut(leaves: Sequence[Leaf], through: datetime, size: int) -> Iterator[Window]:
    """Leaves of a stretch, in their order, as windows of about `size`: between two instants, never within one."""
    begun = 0
    while len(leaves) - begun > size:
        end = begun + size
        while end < len(leaves) and leaves[end].created == leaves[end - 1].created:
            end += 1
        if end == len(leaves):
            break
        yield Window(tuple(leaves[begun:end]), instant_of(leaves[end - 1].created))
        begun = end
    yield Window(tuple(leaves[begun:]), through)


def next_seal(tenant: TenantId, last: Seal | None, window: Window, *, page: int, key_version: str) -> Seal:
    """The seal after `last`, not signed yet; `page` leaves stand on a page."""
    count = len(window.leaves)
    cumulative = count + (last.cumulative if last else 0)
    return Seal(
        tenant,
        number=last.number + 1 if last else 1,
        after=last.through if last else BEGINNING,
        through=window.through,
        count=count,
        root=root_over(window.leaves).hex(),
        previous=last.hash if last else "",
        cumulative=cumulative,
        counted=cumulative,
        pages=-(-count // page),
        key_version=key_version,
    )


def leaves_records(number: int, pages: int, read: Callable[[int], list[list[Any]] | None]) -> Iterator[dict[str, Any]]:
    """The pages of a seal's leaves as records of an export; `read` gives none for what somebody took or garbled.

    Such a page goes out empty: the root tells whoever verifies.
    """
    for page in range(pages):
        leaves = read(page)
        if leaves is None and page >= SURE_PAGES:
            return
        yield {"kind": "leaves", "seal": number, "page": page, "leaves": leaves or []}


def write_seal(seal: Seal) -> dict[str, Value]:
    """A seal's fields."""
    return {
        "schema": SCHEMA,
        "tenant": seal.tenant,
        "number": seal.number,
        "after": seal.after,
        "through": seal.through,
        "count": seal.count,
        "root": seal.root,
        "previous": seal.previous,
        "cumulative": seal.cumulative,
        "counted": seal.counted,
        "pages": seal.pages,
        "key_version": seal.key_version,
        "signature": seal.signature,
    }


def read_seal(fields: Fields) -> Seal:
    """The seal that fields keep.

    Raises:
        KeyError, TypeError: a field is missing, or of another kind.
    """
    numbers = {name: _kept(fields, name, int) for name in ("number", "count", "cumulative", "counted", "pages")}
    texts = {name: _kept(fields, name, str) for name in ("root", "previous", "key_version")}
    instants = {name: _kept(fields, name, datetime) for name in ("after", "through")}
    signature = _kept(fields, "signature", bytes)
    return Seal(TenantId(_kept(fields, "tenant", str)), **numbers, **texts, **instants, signature=signature)


def _kept(fields: Fields, name: str, kind: type[Any]) -> Any:
    value = fields[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        message = f"a seal's {name} is no {kind.__name__}"
        raise TypeError(message)
    return value
