"""The platform's key on a laptop: the port `Keys` for tests, AES-256-GCM in this process, its operations counted."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.faults import Retryable
from shared.ports import KeyDestroyed

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
