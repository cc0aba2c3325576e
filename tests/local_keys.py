"""The platform's keys on a laptop: the ports `Keys` and `Signer` for tests, in this process, operations counted."""

import os
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.faults import Retryable
from shared.keys import KeyDestroyed

NONCE_BYTES: Final = 12


class LocalKeys:
    """One key that can be destroyed or fall silent; `operations` counts what a bill would."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))
        self.operations = 0
        self.destroyed = False
        self.silent = False

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Wrap under the key."""
        self._used()
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._key.encrypt(nonce, plaintext, associated_data)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Unwrap what `encrypt` made."""
        self._used()
        try:
            return self._key.decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], associated_data)
        except InvalidTag:
            message = "the key does not open this"
            raise KeyDestroyed(message) from None

    def _used(self) -> None:
        self.operations += 1
        if self.silent:
            message = "the key service did not answer"
            raise Retryable(message)
        if self.destroyed:
            message = "the key version is destroyed"
            raise KeyDestroyed(message)


class LocalSigner:
    """The key that signs seals, in this process: EC P-256 with SHA-256."""

    def __init__(self, key_version: str = "local/cryptoKeyVersions/1") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.key_version = key_version
        self.then: Callable[[], object] = lambda: None
        """What happens right after the next signature."""

    def sign(self, statement: bytes) -> bytes:
        """Sign."""
        signature = self._key.sign(statement, ec.ECDSA(hashes.SHA256()))
        then, self.then = self.then, lambda: None
        then()
        return signature

    def public_key(self) -> str:
        """PEM."""
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
