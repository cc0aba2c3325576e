"""The vault: keys are unwrapped once for a stated time, and everything sealed goes through here.

A keyset is written before the fact that it seals, in another database, so the two cannot share a
transaction. That is safe in this order: ids come from the cause, so a retry finds the keyset that
the first attempt left, and a keyset whose fact was never written opens nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar, cast

from shared.clock import Clock
from shared.expiring import Expiring
from shared.identity import TenantId
from shared.keys import Keys
from shared.ports import Create, Decision, Document, Ref, Store, View
from shared.privacy.crypto import (
    Cipher,
    TenantKey,
    decrypt,
    new_subject_key,
    new_tenant_key,
    open_subject_key,
    open_tenant_key,
)
from shared.privacy.model import LookupField, Place, Purpose, Sealed
from shared.privacy.records import (
    lookup_document_ref,
    read_subject_keyset,
    read_tenant_keyset,
    subject_keyset_ref,
    tenant_keyset_ref,
    write_subject_keyset,
    write_tenant_keyset,
)
from shared.privacy.refusals import NotText, PersonalDataUnreadable

T = TypeVar("T", bound=str)

KEYS_CACHED_SECONDS: Final = 300
"""How long an instance may still open data after a key was destroyed, disabled or shredded."""

TENANT_KEYS_CACHED: Final = 500
SUBJECT_KEYS_CACHED: Final = 5_000

UNSEALED: Final = b"plain:"
"""Marks values kept in the clear, which only the test of the plaintext check does."""


class Sealer:
    """Seals and opens the fields of one data subject."""

    __slots__ = ("_cipher", "_tenant")

    def __init__(self, tenant: TenantId, cipher: Cipher) -> None:
        self._tenant, self._cipher = tenant, cipher

    def seal(self, place: Place, field: str, text: T) -> Sealed[T]:
        """Close a text so that only this subject's key opens it, in this field of this document.

        Raises:
            NotText: the text cannot be written in UTF-8.
        """
        return Sealed(self._cipher.encrypt(_encoded(text), self._bound(place, field)))

    def open(self, place: Place, field: str, sealed: Sealed[T], purpose: Purpose) -> T:
        """Open what `seal` closed. `purpose` is the caller's to record (`Disclosures`) or to be covered by an audit.

        Raises:
            PersonalDataUnreadable: it was sealed for another subject or place, or is damaged.
        """
        if not isinstance(purpose, Purpose):
            message = "personal data is opened for a purpose"
            raise TypeError(message)
        return cast("T", decrypt(self._cipher, sealed.stored, self._bound(place, field)).decode())

    def _bound(self, place: Place, field: str) -> bytes:
        if place.tenant != self._tenant:
            message = "the place belongs to another tenant"
            raise PersonalDataUnreadable(message)
        return place.associated_data(field)


class Vault:
    """Holds no data: it makes keysets, unwraps them and hands out sealers.

    KMS is asked when a tenant is made and when an instance meets a tenant again after
    `KEYS_CACHED_SECONDS`: never once a person.
    """

    def __init__(self, store: Store, keys: Keys, clock: Clock, *, seal: bool = True) -> None:
        """Keep keysets in `store`, the second database. With `seal=False` values stay readable: for one test only."""
        self._store, self._keys, self._clock, self._seal = store, keys, clock, seal
        self._tenants: Expiring[TenantId, TenantKey] = Expiring(
            clock, seconds=KEYS_CACHED_SECONDS, size=TENANT_KEYS_CACHED
        )
        self._subjects: Expiring[Ref, Cipher] = Expiring(clock, seconds=KEYS_CACHED_SECONDS, size=SUBJECT_KEYS_CACHED)

    def ensure_tenant(self, tenant: TenantId) -> None:
        """Make a tenant's keys unless they are there.

        Raises:
            Retryable: the platform's key or the store did not answer.
        """
        ref = tenant_keyset_ref(tenant)
        if self._store.get([ref])[ref] is None:
            self._create([write_tenant_keyset(tenant, new_tenant_key(tenant, self._keys), self._clock.now())])

    def create_subject(self, tenant: TenantId, subject: str) -> Sealer:
        """A sealer for a new data subject; asked again, the keyset that is there already.

        Raises:
            PersonalDataUnreadable: the tenant's key cannot be unwrapped.
            Retryable: the platform's key or the store did not answer.
        """
        return self.create_subjects(tenant, (subject,))[subject]

    def create_subjects(self, tenant: TenantId, subjects: Iterable[str]) -> Mapping[str, Sealer]:
        """Sealers for many new data subjects: one commit for all their keysets; those that are there stay.

        Raises:
            PersonalDataUnreadable: the tenant's key cannot be unwrapped.
            Retryable: the platform's key or the store did not answer.
        """
        key, at = self._tenant_key(tenant), self._clock.now()
        made = {subject: new_subject_key(tenant, subject, key) for subject in subjects}
        there = self._create([write_subject_keyset(tenant, subject, one, at) for subject, one in made.items()])
        refs = {subject: subject_keyset_ref(tenant, subject) for subject in made}
        kept = {
            ref: read_subject_keyset(there[ref]) if ref in there else made[subject] for subject, ref in refs.items()
        }
        ciphers = {ref: open_subject_key(tenant, ref.key, wrapped, key) for ref, wrapped in kept.items()}
        self._subjects.put(ciphers)
        return {subject: self._sealer(tenant, ciphers[ref]) for subject, ref in refs.items()}

    def sealer(self, tenant: TenantId, subject: str) -> Sealer:
        """The sealer of a data subject.

        Raises:
            PersonalDataUnreadable: its keyset is gone, or a key above it is.
            Retryable: the platform's key or the store did not answer.
        """
        return self.sealers(tenant, (subject,))[subject]

    def sealers(self, tenant: TenantId, subjects: Iterable[str]) -> Mapping[str, Sealer]:
        """The sealers of many data subjects; those not known are read in one go.

        Raises:
            PersonalDataUnreadable: a keyset is gone, or a key above it is.
            Retryable: the platform's key or the store did not answer.
        """
        refs = {subject: subject_keyset_ref(tenant, subject) for subject in subjects}
        ciphers = {ref: self._subjects.peek(ref) for ref in refs.values()}
        if cold := [ref for ref, cipher in ciphers.items() if cipher is None]:
            key = self._tenant_key(tenant)
            loaded = {
                ref: open_subject_key(tenant, ref.key, read_subject_keyset(_there(document)), key)
                for ref, document in self._store.get(cold).items()
            }
            self._subjects.put(loaded)
            ciphers |= loaded
        return {subject: self._sealer(tenant, cast("Cipher", ciphers[ref])) for subject, ref in refs.items()}

    def lookup_ref(self, tenant: TenantId, field: LookupField, text: str) -> Ref:
        """The document that notes who has this value of a field: created with the fact, it makes the value unique.

        Raises:
            PersonalDataUnreadable: the tenant's key cannot be unwrapped.
            Retryable: the platform's key or the store did not answer.
        """
        return lookup_document_ref(tenant, field, self._tenant_key(tenant).blind_index(field, text))

    def _tenant_key(self, tenant: TenantId) -> TenantKey:
        ref = tenant_keyset_ref(tenant)

        def load() -> TenantKey:
            return open_tenant_key(tenant, read_tenant_keyset(_there(self._store.get([ref])[ref])), self._keys)

        return self._tenants.get(tenant, load)

    def _sealer(self, tenant: TenantId, cipher: Cipher) -> Sealer:
        return Sealer(tenant, cipher if self._seal else _Unsealed())

    def _create(self, creations: Sequence[Create]) -> Mapping[Ref, Document]:
        """Write documents, each unless it is there; those that were there before."""

        def decide(view: View) -> Decision[Mapping[Ref, Document]]:
            if not view.failures:
                return Decision({}, tuple(creations))
            view.need([one.ref for one in creations])
            there = {one.ref: document for one in creations if (document := view[one.ref])}
            # a keyset never changes; one that is shredded meanwhile is as if it were shredded right after
            return Decision(there, tuple(one for one in creations if one.ref not in there), frozenset(there))

        return self._store.transact((), decide)


class _Unsealed:
    """Keeps everything readable, so that the check that looks for plaintext can be seen to find it."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        del associated_data
        return UNSEALED + plaintext

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        del associated_data
        return ciphertext.removeprefix(UNSEALED)


def _there(document: Document | None) -> Document:
    if document is None:
        message = "a keyset is gone, and with it what it sealed"
        raise PersonalDataUnreadable(message)
    return document


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    message = "the text is not Unicode"
    raise NotText(message)
