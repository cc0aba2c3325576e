"""Keys and secrets as the domains see them: their material stays with the services that guard it."""

from typing import Protocol

from shared.faults import Fault


class Keys(Protocol):
    """The key that never leaves its service (Cloud KMS)."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Wrap up to 64 KiB under the primary version of the platform's key.

        Raises:
            Retryable: no answer, or one whose checksum is wrong.
        """
        ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Unwrap what `encrypt` made.

        Raises:
            Retryable: no answer, or one whose checksum is wrong.
            KeyDestroyed: the key version is disabled or destroyed, or the ciphertext is not for this key and data.
        """
        ...


class Signer(Protocol):
    """The key that signs seals and never leaves its service (Cloud KMS, EC P-256 with SHA-256)."""

    @property
    def key_version(self) -> str:
        """The resource name of the key's version that signs."""
        ...

    def sign(self, statement: bytes) -> bytes:
        """The signature of a statement, DER.

        Raises:
            Retryable: no answer, or one whose checksum is wrong.
            KeyDestroyed: the key version is disabled or destroyed.
        """
        ...

    def public_key(self) -> str:
        """What signatures are checked with: PEM.

        Raises:
            Retryable, KeyDestroyed: as `sign`.
        """
        ...


class KeyDestroyed(Fault):
    """The wrapping key cannot open this any more."""

    code = "key_destroyed"


class Secrets(Protocol):
    """Named secrets (Secret Manager; files on a laptop)."""

    def versions(self, name: str) -> tuple[bytes, ...]:
        """All live values of a secret, newest first, cached for a stated time.

        Raises:
            SecretMissing: there is no such secret, or it has no live version.
            Retryable: no answer in time.
        """
        ...


class SecretMissing(Fault):
    """A secret that the configuration names is not there."""

    code = "secret_missing"
