import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.identity import _base32, stored_id


@given(st.binary(max_size=64))
def test_our_quick_base32_is_that_of_rfc_4648(data: bytes) -> None:
    """Ids stay what they were when they were made by the standard library."""
    assert _base32(data) == base64.b32encode(data).decode().rstrip("=").lower()


@given(st.lists(st.text(), max_size=5))
def test_a_stored_id_is_the_hash_of_its_parts_each_after_its_length(parts: list[str]) -> None:
    """No part can run over into the next."""
    framed = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
    assert stored_id(*parts) == base64.b32encode(hashlib.sha256(framed).digest()).decode().rstrip("=").lower()
