"""What a ciphertext is made of: a mark, the key it belongs to, the version's number, a nonce, AES-256-GCM.

The header is bound into the authentication, so a ciphertext moved to another key or version fails.
The real service's format is secret; only "decrypt finds the version in the ciphertext" is common.
"""

import hashlib
import os
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = struct.Struct(">4s8sI")
MARK = b"DBK1"
NONCE_BYTES = 12
KEY_BITS = 256


class Unreadable(Exception):
    """Not a ciphertext of this key, or not with this additional data, or not whole."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A ciphertext taken apart; `header` includes the version number."""

    header: bytes
    version: int
    nonce: bytes
    sealed: bytes


def new_material() -> bytes:
    """A fresh AES-256 key."""
    return AESGCM.generate_key(KEY_BITS)


def seal(plaintext: bytes, additional: bytes, place: tuple[str, int], material: bytes) -> bytes:
    """Encrypt under the version `place` (key name, version number)."""
    key, version = place
    header = HEADER.pack(MARK, _fingerprint(key), version)
    nonce = os.urandom(NONCE_BYTES)
    return header + nonce + AESGCM(material).encrypt(nonce, plaintext, header + additional)


def open_envelope(ciphertext: bytes, key: str) -> Envelope:
    """Take a ciphertext of `key` apart.

    Raises:
        Unreadable: it is not one.
    """
    if len(ciphertext) < HEADER.size + NONCE_BYTES:
        raise Unreadable
    header, rest = ciphertext[: HEADER.size], ciphertext[HEADER.size :]
    mark, fingerprint, version = HEADER.unpack(header)
    if mark != MARK or fingerprint != _fingerprint(key):
        raise Unreadable
    return Envelope(header, version, rest[:NONCE_BYTES], rest[NONCE_BYTES:])


def unseal(envelope: Envelope, additional: bytes, material: bytes) -> bytes:
    """Decrypt.

    Raises:
        Unreadable: another additional data, or a changed ciphertext.
    """
    try:
        return AESGCM(material).decrypt(envelope.nonce, envelope.sealed, envelope.header + additional)
    except InvalidTag as broken:
        raise Unreadable from broken


def _fingerprint(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()[:8]
