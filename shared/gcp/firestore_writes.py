"""Writes as Firestore commits them, and the preconditions that make a commit serialisable with what was read.

The measured facts this leans on are docs/ledger.md M1 to M4: an update with an EMPTY field mask checks
without changing, an ABSENT one replaces the document. So the mask is absent only for a whole document.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, assert_never

from shared.gcp.firestore_values import checked_integer, field_path, field_paths, write_fields, write_version
from shared.gcp.messages import Messages
from shared.ports import Absent, Check, Create, Delete, Document, Increment, Put, Ref, Update, Write

_types: Final = Messages("google.cloud.firestore_v1", "write")
PbWrite: Final = _types.Write
_REQUEST_TIME: Final = _types.DocumentTransform.FieldTransform.ServerValue.Value("REQUEST_TIME")

_VERSIONED: Final = (Update, Check, Delete)


# --- which writes ------------------------------------------------------------------------


def with_checks(
    writes: Iterable[Write], read: Mapping[Ref, Document | None], loose: Collection[Ref]
) -> list[tuple[Write, str | None]]:
    """One write a document, each with the version it must be unchanged since (None: its own precondition says all).

    In the order of their names, in which the emulator locks: that spares it a tenth of its time. Every document that
    was read, exists and is not `loose` is held to its version: by the write to it, or by a check that is added.

    Raises:
        ValueError: two writes to one document that do not come to one.
    """
    joined = _joined(writes)
    versions = {ref: seen.version for ref, seen in read.items() if seen is not None and ref not in loose}
    planned = [(write, _version_of(write) or versions.get(ref)) for ref, write in joined.items()]
    planned += [(Check(ref, version), version) for ref, version in versions.items() if ref not in joined]
    return sorted(planned, key=_name)


def _name(planned: tuple[Write, str | None]) -> str:
    return planned[0].ref.path


def _version_of(write: Write) -> str | None:
    return write.version if isinstance(write, _VERSIONED) else None


def _joined(writes: Iterable[Write]) -> dict[Ref, Write]:
    joined: dict[Ref, Write] = {}
    for write in writes:
        other = joined.get(write.ref)
        joined[write.ref] = write if other is None else _join(other, write)
    return joined


def _join(first: Write, second: Write) -> Write:
    """Two writes to one document as one: increments add up, and a check adds its demand to an increment or a check."""
    match first, second:
        case Increment(), Increment():
            amounts = dict(first.amounts)
            for path, amount in second.amounts.items():
                amounts[path] = amounts.get(path, 0) + amount
            must_exist = first.must_exist or second.must_exist
            return Increment(first.ref, amounts, must_exist, {**first.fields, **second.fields})
        case Check(), Check() if first.version is None or second.version in {None, first.version}:
            return first if second.version is None else second
        case (Increment() as increment, Check(version=None)) | (Check(version=None), Increment() as increment):
            return replace(increment, must_exist=True)
        case (Update() as update, Check(version=version)) | (Check(version=version), Update() as update) if version in {
            None,
            update.version,
        }:
            return update
    message = f"two writes to {first.ref.path}: {type(first).__name__} and {type(second).__name__}"
    raise ValueError(message)


# --- how each is written -----------------------------------------------------------------


def put_write(target: Any, root: str, write: Write, version: str | None) -> None:
    """Fill one protobuf write; `root` is the name's part up to `.../documents/`."""
    name = root + write.ref.path
    match write:
        case Create():
            _put_document(target, name, write)
            target.current_document.exists = False
            return
        case Increment():
            _put_increments(target, name, write)
        case Delete():
            target.delete = name
        case Absent():
            target.delete = name
            target.current_document.exists = False
            return
        case Put():
            _put_document(target, name, write)
        case Update():
            _put_document(target, name, write)
            _mask(target, write.fields)
        case Check():
            target.update.name = name
            _mask(target, ())
        case _:
            assert_never(write)
    _demand(target, write, version)


def _demand(target: Any, write: Write, version: str | None) -> None:
    if version is not None:
        write_version(target.current_document.update_time, version)
    elif isinstance(write, Check) or (isinstance(write, Increment) and write.must_exist):
        target.current_document.exists = True


def _put_document(target: Any, name: str, write: Create | Put | Update) -> None:
    document = target.update
    document.name = name
    write_fields(document.fields, write.fields)
    if isinstance(write, Create):
        for stamped in write.stamped:
            transform = target.update_transforms.add()
            transform.field_path = field_path(stamped)
            transform.set_to_server_value = _REQUEST_TIME


def _put_increments(target: Any, name: str, write: Increment) -> None:
    document, add = target.update, target.update_transforms.add
    document.name = name
    fields = {} if write.must_exist else write.fields
    write_fields(document.fields, fields)
    _mask(target, fields)
    for path, amount in write.amounts.items():
        transform = add()
        transform.field_path = field_path(*path)
        transform.increment.integer_value = checked_integer(amount)


def _mask(target: Any, names: Iterable[str]) -> None:
    """Name the fields to replace; an empty mask is present all the same, or the document would be wiped."""
    target.update_mask.SetInParent()
    target.update_mask.field_paths.extend(field_paths(names))
