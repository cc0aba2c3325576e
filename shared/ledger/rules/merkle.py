"""Merkle trees as in RFC 6962, section 2.1: one root for many leaves, and short proofs that a leaf is under it.

Leaf and node hashes begin with different bytes, so that no node can be passed off as a leaf. A tree
of n leaves splits at the largest power of two below n; the root of no leaves is the hash of nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """SHA-256 over 0x00 and the leaf's content: 32 bytes."""
    return hashlib.sha256(LEAF + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 over 0x01 and both children's hashes: 32 bytes."""
    return hashlib.sha256(NODE + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A tree that leaves are added to one by one; it keeps one hash a level, whatever its size."""

    size: int = 0
    _peaks: list[tuple[int, bytes]] = field(default_factory=list)
    """Roots of the perfect subtrees so far: their heights fall from left to right."""

    def add(self, leaf: bytes) -> None:
        """Add a leaf by its hash, right of all others."""
        height, node = 0, leaf
        while self._peaks and self._peaks[-1][0] == height:
            _, left = self._peaks.pop()
            height, node = height + 1, node_hash(left, node)
        self._peaks.append((height, node))
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves added so far: 32 bytes."""
        if not self._peaks:
            return EMPTY_ROOT
        *others, (_, node) = self._peaks
        for _, left in reversed(others):
            node = node_hash(left, node)
        return node


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in their order."""
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes beside the way from a leaf to the root, from the leaf's own level upwards.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        message = f"no leaf {index} among {len(leaves)}"
        raise IndexError(message)
    first, last, path = 0, len(leaves), list[bytes]()
    while last - first > 1:
        split = first + _split(last - first)
        if index < split:
            path.append(root_of(leaves[split:last]))
            last = split
        else:
            path.append(root_of(leaves[first:split]))
            first = split
    return tuple(reversed(path))


def root_by_proof(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to; None when its length does not fit index and size."""
    if not 0 <= index < size:
        return None
    sides = list[bool]()
    first, last = 0, size
    while last - first > 1:
        split = first + _split(last - first)
        is_left = index < split
        sides.append(is_left)
        first, last = (first, split) if is_left else (split, last)
    if len(sides) != len(path):
        return None
    node = leaf
    for is_left, beside in zip(reversed(sides), path, strict=True):
        node = node_hash(node, beside) if is_left else node_hash(beside, node)
    return node


def _split(size: int) -> int:
    """The largest power of two below a size above one."""
    return int(1 << ((size - 1).bit_length() - 1))
