"""Signatures checked with public keys alone: whoever verifies needs nothing else of Daybook's."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.ledger.rules.low_s import is_low_s

_PEM: Final = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class NoPublicKey(ValueError):
    """A text holds no public key that signs seals."""


def trusted(pem: str) -> Callable[[bytes, bytes], bool]:
    """Tells whether (statement, signature) is by one of the public keys of a PEM text: EC P-256 with SHA-256, low s.

    Raises:
        NoPublicKey: it holds none, or another kind.
    """
    keys = [_read(text) for text in _PEM.findall(pem)]
    if not keys:
        message = "no public key (PEM) is in there"
        raise NoPublicKey(message)

    def is_signed(statement: bytes, signature: bytes) -> bool:
        return _by_any(keys, statement, signature)

    return is_signed


def _read(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except ValueError as error:
        message = "a public key cannot be read"
        raise NoPublicKey(message) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        message = "seals are signed with EC P-256, and this is another kind of key"
        raise NoPublicKey(message)
    return key


def _by_any(keys: Iterable[ec.EllipticCurvePublicKey], statement: bytes, signature: bytes) -> bool:
    if not is_low_s(signature):  # rewritten, without the key: the same (r, s) to the key, and another seal
        return False
    for key in keys:
        try:
            key.verify(signature, statement, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        return True
    return False
