import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.rules.merkle import (
    EMPTY_ROOT,
    Tree,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_by_proof,
    root_of,
)

# RFC 6962's reference vectors, as Certificate Transparency's own tests have them.
INPUTS = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    bytes(range(0x60, 0x70)),
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = st.lists(st.binary(min_size=0, max_size=8), min_size=1, max_size=40)


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_rfc_6962s(size: int) -> None:
    """The vectors that every implementation is held to."""
    assert root_of([leaf_hash(content) for content in INPUTS[:size]]).hex() == ROOTS[size - 1]


def test_no_leaves_have_the_hash_of_nothing() -> None:
    """RFC 6962, section 2.1."""
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_three_leaves_by_hand() -> None:
    """The first two are one subtree, the third stands beside it."""
    one, two, three = (leaf_hash(content) for content in (b"a", b"b", b"c"))
    assert one == hashlib.sha256(b"\x00a").digest()
    assert root_of([one, two, three]) == node_hash(node_hash(one, two), three)
    assert node_hash(one, two) == hashlib.sha256(b"\x01" + one + two).digest()


def test_a_node_is_no_leaf() -> None:
    """The hash of a leaf that holds a node's content is another."""
    one, two = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(one + two) != node_hash(one, two)


@given(contents=LEAVES, data=st.data())
def test_every_altered_leaf_changes_the_root(contents: list[bytes], data: st.DataObject) -> None:
    """One bit anywhere."""
    index = data.draw(st.integers(0, len(contents) - 1))
    leaves = [leaf_hash(content) for content in contents]
    altered = list(leaves)
    altered[index] = leaf_hash(contents[index] + b"!")
    assert root_of(leaves) != root_of(altered)


@given(contents=LEAVES, data=st.data())
def test_a_removed_added_or_moved_leaf_changes_the_root(contents: list[bytes], data: st.DataObject) -> None:
    """Order and number count; only equal leaves can change places."""
    leaves = [leaf_hash(content) for content in contents]
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert root_of(leaves) != root_of(leaves[:index] + leaves[index + 1 :])
    assert root_of(leaves) != root_of([*leaves[:index], leaf_hash(b"new"), *leaves[index:]])
    moved = [*leaves[:index], *leaves[index + 1 :], leaves[index]]
    assert (root_of(leaves) == root_of(moved)) == (leaves == moved)


@given(contents=LEAVES)
def test_a_tree_that_grows_has_the_root_of_all_its_leaves_at_every_size(contents: list[bytes]) -> None:
    """Adding keeps nothing but one hash a level, and is the same tree as splitting."""
    tree, leaves = Tree(), list[bytes]()
    for content in contents:
        leaves.append(leaf_hash(content))
        tree.add(leaves[-1])
        assert tree.root() == _by_splitting(leaves)
    assert tree.size == len(contents)


@given(contents=LEAVES)
def test_every_leafs_proof_leads_to_the_root_and_no_other_does(contents: list[bytes]) -> None:
    """RFC 6962, section 2.1.1."""
    leaves = [leaf_hash(content) for content in contents]
    root = root_of(leaves)
    for index, leaf in enumerate(leaves):
        path = inclusion_proof(leaves, index)
        assert root_by_proof(leaf, index, len(leaves), path) == root
        assert root_by_proof(leaf_hash(b"another"), index, len(leaves), path) != root
        assert root_by_proof(leaf, index, len(leaves), (*path, root)) is None
        assert len(path) <= len(leaves).bit_length()


def test_there_is_no_proof_of_a_leaf_that_is_not_there() -> None:
    """Beyond the last, before the first."""
    leaves = [leaf_hash(b"a")]
    for index in (-1, 1):
        with pytest.raises(IndexError):
            inclusion_proof(leaves, index)
        assert root_by_proof(leaves[0], index, 1, ()) is None


def _by_splitting(leaves: list[bytes]) -> bytes:
    """The definition: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(_by_splitting(leaves[:split]), _by_splitting(leaves[split:]))
