import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from shared.cli.signatures import NoPublicKey, trusted
from shared.identity import TenantId
from shared.ledger.rules.low_s import P256_ORDER, low_s
from shared.ledger.rules.seals import (
    BEGINNING,
    Leaf,
    Seal,
    Window,
    canonical,
    cut,
    instant_of,
    leaf_of,
    micros,
    next_seal,
    plain,
    plain_fields,
    read_leaves,
    read_seal,
    write_leaves,
    write_seal,
)
from shared.ports import Value
from tests.local_keys import LocalSigner

NOW = datetime(2026, 11, 16, 12, 0, 0, 123_456, tzinfo=UTC)
ACME = TenantId("acme")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants them naive
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS | st.binary(max_size=8) | INSTANTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(TEXTS, VALUES, max_size=4)


def typed(value: Any) -> Any:
    """A value with its types told apart: to Python 1 and True are equal, to the store they are not."""
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    return [typed(item) for item in value] if isinstance(value, list) else (type(value), value)


@given(left=FIELDS, right=FIELDS)
def test_two_documents_have_one_spelling_only_when_they_are_the_same(
    left: dict[str, Value], right: dict[str, Value]
) -> None:
    """Every type and every value is told apart from every other."""
    same = canonical(plain_fields(left)) == canonical(plain_fields(right))
    assert same == (typed(left) == typed(right))


@given(fields=FIELDS)
def test_a_file_brings_back_what_was_sealed(fields: dict[str, Value]) -> None:
    """Through JSON and back the leaf is the same; the order of fields does not matter."""
    written = plain_fields(fields)
    read = json.loads(json.dumps(dict(reversed(written.items())), ensure_ascii=False))
    assert leaf_of("e1", 7, read) == leaf_of("e1", 7, written)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        (1, True),
        (0, None),
        ("1", 1),
        ("", None),
        (b"x", "eA=="),
        (b"x", {"$bytes": "eA=="}),
        (NOW, {"$time": micros(NOW)}),
        (NOW, micros(NOW)),
        ({"$bytes": 1}, {"$$bytes": 1}),
        ([], {}),
        ([[]], []),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_what_looks_alike_is_told_apart(value: Value, other: Value) -> None:
    """A type's mark cannot be forged by a map, nor a spelling by another."""
    assert canonical({"x": plain(value)}) != canonical({"x": plain(other)})


def test_a_leaf_covers_id_and_instant_as_well() -> None:
    """Neither can be moved into the other."""
    leaves = {leaf_of(entry, created, {}).hash for entry in ("a", "b", "aa") for created in (1, 2, -1)}
    assert len(leaves) == 9


@given(instant=INSTANTS)
def test_instants_keep_their_microseconds(instant: datetime) -> None:
    """The store's precision, and no float on the way."""
    assert instant_of(micros(instant)) == instant


def test_pages_of_leaves_read_back() -> None:
    """Whatever an id is made of."""
    leaves = (Leaf(1, 'a"\n', b"x" * 32), Leaf(2, "b", b"y" * 32))
    assert read_leaves(write_leaves(leaves)) == leaves
    for text in ("{}1", "[1]", '[["x"]]', '[[1, "a", "zz"]]'):
        with pytest.raises((ValueError, TypeError)):
            read_leaves(text)


# --- seals -------------------------------------------------------------------------------


def a_seal(last: Seal | None = None, count: int = 3) -> Seal:
    """A seal over so many leaves, a minute after the last one."""
    start = last.through if last else NOW
    leaves = tuple(leaf_of(f"e{number}", micros(start) + 1 + number, {}) for number in range(count))
    window = Window(leaves, start + timedelta(minutes=1))
    seal = next_seal(ACME, last, window, page=2, key_version="key/1")
    return seal.signed(LocalSigner().sign(seal.statement))


def test_a_seal_follows_from_the_one_before() -> None:
    """Number, stretch, count and hash."""
    one = a_seal()
    two = a_seal(one, 5)
    assert (one.number, one.after, one.previous, one.cumulative, one.pages) == (1, BEGINNING, "", 3, 2)
    assert (two.number, two.after, two.previous, two.cumulative, two.pages) == (2, one.through, one.hash, 8, 3)


@given(instants=st.lists(st.integers(1, 12), max_size=30).map(sorted), size=st.integers(1, 7))
def test_a_stretch_is_cut_between_instants(instants: list[int], size: int) -> None:
    """Nothing is lost or doubled; every part ends where the next begins, and none parts what was committed at once."""
    leaves = [Leaf(created, f"{number:02d}", b"x") for number, created in enumerate(instants)]
    end = instant_of(20)
    windows = list(cut(leaves, end, size))
    assert [leaf for window in windows for leaf in window.leaves] == leaves
    assert windows[-1].through == end
    edges = [0, *(micros(window.through) for window in windows)]
    for window, after, through in zip(windows, edges, edges[1:], strict=False):
        assert all(after < leaf.created <= through for leaf in window.leaves)
    at_once = max(map(instants.count, instants), default=0)
    assert all(len(window.leaves) <= size + at_once for window in windows)


def test_a_seal_reads_back_from_its_document_and_from_its_record() -> None:
    """Both ways out of the books."""
    seal = a_seal()
    assert read_seal(write_seal(seal)) == seal
    assert Seal.of_json(json.loads(json.dumps(seal.as_json()))) == seal


def another(value: Value) -> Value:
    """A value of the same kind."""
    match value:
        case int():
            return value + 1
        case datetime():
            return value + timedelta(1)
    return f"{value}x"


@pytest.mark.parametrize("name", [name for name in write_seal(a_seal()) if name not in {"schema", "signature"}])
def test_every_field_is_signed_and_chained(name: str) -> None:
    """Another value of any field is another statement, and another hash; a value of another kind is no seal."""
    fields = write_seal(a_seal())
    other = another(fields[name])
    changed = read_seal({**fields, name: other})
    assert changed.statement != a_seal().statement
    assert changed.hash != read_seal(fields).hash
    with pytest.raises(TypeError):
        read_seal({**fields, name: None})


def test_the_signature_is_chained_too() -> None:
    """Two signatures of one statement are two seals."""
    seal = a_seal()
    assert seal.signed(b"another").hash != seal.hash


# --- signatures --------------------------------------------------------------------------


def test_one_of_several_keys_is_enough() -> None:
    """A PEM file may hold the keys of several versions, and words around them."""
    first, second, stranger = LocalSigner(), LocalSigner(), LocalSigner()

    def sign(signer: LocalSigner) -> bytes:
        return low_s(signer.sign(b"statement"))

    is_signed = trusted(f"keys of acme\n{first.public_key()}\n{second.public_key()}")
    for signer in (first, second):
        assert is_signed(b"statement", sign(signer))
        assert not is_signed(b"another", sign(signer))
    assert not is_signed(b"statement", sign(stranger))
    assert not is_signed(b"statement", b"garbled")


def test_a_signature_rewritten_without_the_key_is_none() -> None:
    """(r, n - s) verifies as (r, s) does: another seal's hash, and so another head, by nobody's key."""
    signer = LocalSigner()
    is_signed = trusted(signer.public_key())
    low = low_s(signer.sign(b"statement"))
    r, s = decode_dss_signature(low)
    high = encode_dss_signature(r, P256_ORDER - s)
    assert is_signed(b"statement", low)
    assert low_s(high) == low
    assert not is_signed(b"statement", high)
    assert not is_signed(b"statement", encode_dss_signature(r, 0))
    for spelt in (b"\x30\x81" + low[1:], low + b"\x00", low[:-1], b""):
        assert not is_signed(b"statement", spelt)


def test_what_is_no_key_of_this_kind_is_refused() -> None:
    """Nothing, half of one, an RSA key, another curve: better said than silently untrusted."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - this test alone
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415 - as above

    others = (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1()))
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    texts = [one.public_key().public_bytes(serialization.Encoding.PEM, spki).decode() for one in others]
    half = LocalSigner().public_key().replace("M", "N", 1)
    for text in ("", "no key", half, *texts):
        with pytest.raises(NoPublicKey):
            trusted(text)
