"""The three levels of keys, in Tink: the platform's key wraps a tenant's, that wraps each data subject's.

Tink draws its own randomness: key material is the one chance that must not be an argument.
Its errors are turned into ours without their cause, so that no trace can hold what they held.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Protocol, TypeVar, cast

from shared.identity import TenantId, keyed_hash
from shared.keys import KeyDestroyed, Keys
from shared.privacy.model import TENANT_KEY, LookupField, keyset_place
from shared.privacy.refusals import PersonalDataUnreadable

T = TypeVar("T")

LOOKUP_KEY_BYTES = 32


class Cipher(Protocol):
    """Encrypts and decrypts bytes bound to associated data (Tink's `Aead`, and a tenant's or subject's key)."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Ciphertext that opens only with the same associated data."""
        ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """The plaintext."""
        ...


class Prf(Protocol):
    """A keyed function whose answers nobody can guess without the key (Tink's `Prf`)."""

    def compute(self, data: bytes, size: int, /) -> bytes:
        """So many pseudorandom bytes for an input."""
        ...


@dataclass(frozen=True, slots=True)
class TenantKeyset:
    """A tenant's keys as stored: the sealing key under the platform's key, the lookup key under the sealing key."""

    sealing: bytes
    lookup: bytes


class TenantKey:
    """A tenant's keys, unwrapped."""

    __slots__ = ("_lookup", "cipher")

    def __init__(self, cipher: Cipher, lookup: Prf) -> None:
        self.cipher = cipher
        self._lookup = lookup

    def blind_index(self, field: LookupField, text: str) -> str:
        """A keyed hash of a normalised value, hex, under a key of this tenant and field alone."""
        field_key = self._lookup.compute(field.value.encode(), LOOKUP_KEY_BYTES)
        return keyed_hash(field_key, field.normalised(text).encode())


def new_tenant_key(tenant: TenantId, keys: Keys) -> TenantKeyset:
    """Make a tenant's keys; one KMS operation.

    Raises:
        Retryable: the platform's key did not answer.
    """
    place = keyset_place(tenant, TENANT_KEY)
    tink = _tink()
    sealing = tink.new_keyset_handle(tink.aead.aead_key_templates.AES256_GCM)
    lookup = tink.new_keyset_handle(tink.prf.prf_key_templates.HKDF_SHA256)
    wrap = tink.proto_keyset_format.serialize_encrypted
    return TenantKeyset(
        sealing=_quiet(lambda: wrap(sealing, keys, place.associated_data("sealing"))),
        lookup=_quiet(lambda: wrap(lookup, sealing.primitive(tink.aead.Aead), place.associated_data("lookup"))),
    )


def open_tenant_key(tenant: TenantId, kept: TenantKeyset, keys: Keys) -> TenantKey:
    """Unwrap a tenant's keys; one KMS operation.

    Raises:
        PersonalDataUnreadable: the platform's key is destroyed or disabled, or these are not this tenant's.
        Retryable: the platform's key did not answer.
    """
    place = keyset_place(tenant, TENANT_KEY)
    tink = _tink()
    unwrap = tink.proto_keyset_format.parse_encrypted
    sealing = _quiet(lambda: unwrap(kept.sealing, keys, place.associated_data("sealing")).primitive(tink.aead.Aead))
    lookup = _quiet(lambda: unwrap(kept.lookup, sealing, place.associated_data("lookup")).primitive(tink.prf.PrfSet))
    return TenantKey(cast("Cipher", sealing), cast("Prf", lookup.primary()))


def new_subject_key(tenant: TenantId, subject: str, tenant_key: TenantKey) -> bytes:
    """Make a data subject's keyset, wrapped for this tenant and subject alone."""
    tink = _tink()
    handle = tink.new_keyset_handle(tink.aead.aead_key_templates.AES256_GCM)
    bound = keyset_place(tenant, subject).associated_data("sealing")
    return cast("bytes", tink.proto_keyset_format.serialize_encrypted(handle, tenant_key.cipher, bound))


def open_subject_key(tenant: TenantId, subject: str, wrapped: bytes, tenant_key: TenantKey) -> Cipher:
    """Unwrap a data subject's keyset.

    Raises:
        PersonalDataUnreadable: it was wrapped for another tenant or subject, or is damaged.
    """
    tink = _tink()
    bound = keyset_place(tenant, subject).associated_data("sealing")
    handle = _quiet(lambda: tink.proto_keyset_format.parse_encrypted(wrapped, tenant_key.cipher, bound))
    return cast("Cipher", handle.primitive(tink.aead.Aead))


def decrypt(cipher: Cipher, ciphertext: bytes, associated_data: bytes) -> bytes:
    """Open a ciphertext.

    Raises:
        PersonalDataUnreadable: it was made with another key or for another place, or is damaged.
    """
    return _quiet(lambda: cipher.decrypt(ciphertext, associated_data))


def _quiet(do: Callable[[], T]) -> T:
    """What `do` returns; a key or ciphertext that does not fit becomes one silent refusal."""
    tink = _tink()
    try:
        return do()
    except (KeyDestroyed, tink.TinkError):
        pass
    message = "the personal data cannot be read any more"
    raise PersonalDataUnreadable(message)


@cache
def _tink() -> ModuleType:
    """Tink, loaded when the first key is needed: 0.1 s that a cold door may never pay."""
    import tink  # noqa: PLC0415 - lazy on purpose
    from tink import aead, prf  # noqa: PLC0415 - lazy on purpose

    aead.register()
    prf.register()
    return cast("ModuleType", tink)
