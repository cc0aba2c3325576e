from datetime import timedelta
from typing import Any

import google_crc32c
import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud import kms_v1

from tests.emulator.services.rig import Client, Services

ENCRYPT = kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT
State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState


@pytest.fixture
def kms(services: Services) -> Client:
    """Google's client of Cloud KMS."""
    return services.kms


@pytest.fixture
def ring(kms: Client, location: str) -> str:
    """A key ring of the test's own."""
    name: str = kms.create_key_ring(parent=location, key_ring_id="ring", key_ring={}).name
    return name


@pytest.fixture
def key(kms: Client, ring: str) -> str:
    """A symmetric key with one version."""
    name: str = kms.create_crypto_key(parent=ring, crypto_key_id="key", crypto_key={"purpose": ENCRYPT}).name
    return name


def _turn(kms: Client, version: str, state: int) -> None:
    kms.update_crypto_key_version(
        crypto_key_version={"name": version, "state": state}, update_mask={"paths": ["state"]}
    )


def _crc(content: bytes) -> dict[str, int]:
    return {"value": int(google_crc32c.value(content))}


def test_what_is_encrypted_comes_back(kms: Client, key: str) -> None:
    """The primary version encrypts, the key decrypts, and the plaintext is not in the ciphertext."""
    sealed = kms.encrypt(name=key, plaintext=b"iban of ada")
    opened = kms.decrypt(name=key, ciphertext=sealed.ciphertext)
    assert (opened.plaintext, opened.used_primary) == (b"iban of ada", True)
    assert sealed.name == f"{key}/cryptoKeyVersions/1"
    assert b"ada" not in sealed.ciphertext


def test_the_same_plaintext_never_encrypts_alike(kms: Client, key: str) -> None:
    """Each encryption has a nonce of its own."""
    assert kms.encrypt(name=key, plaintext=b"x").ciphertext != kms.encrypt(name=key, plaintext=b"x").ciphertext


def test_additional_data_must_be_the_same(kms: Client, key: str) -> None:
    """A ciphertext bound to one context opens in no other."""
    bound = {"name": key, "plaintext": b"salary", "additional_authenticated_data": b"acme|employees"}
    ciphertext = kms.encrypt(request=bound).ciphertext
    right = {"name": key, "ciphertext": ciphertext, "additional_authenticated_data": b"acme|employees"}
    assert kms.decrypt(request=right).plaintext == b"salary"
    for wrong in (b"acme|customers", b""):
        with pytest.raises(InvalidArgument):
            kms.decrypt(request=right | {"additional_authenticated_data": wrong})


def test_checksums_go_both_ways(kms: Client, key: str) -> None:
    """A client's right checksums are confirmed, and the answers carry their own."""
    plaintext, additional = b"123456789", b"context"
    sealed = kms.encrypt(
        request={
            "name": key,
            "plaintext": plaintext,
            "plaintext_crc32c": _crc(plaintext),
            "additional_authenticated_data": additional,
            "additional_authenticated_data_crc32c": _crc(additional),
        }
    )
    assert sealed.verified_plaintext_crc32c
    assert sealed.verified_additional_authenticated_data_crc32c
    assert sealed.ciphertext_crc32c == google_crc32c.value(sealed.ciphertext)
    opened = kms.decrypt(
        request={
            "name": key,
            "ciphertext": sealed.ciphertext,
            "ciphertext_crc32c": _crc(sealed.ciphertext),
            "additional_authenticated_data": additional,
        }
    )
    assert opened.plaintext_crc32c == google_crc32c.value(plaintext)


def test_checksums_that_were_not_sent_are_not_confirmed(kms: Client, key: str) -> None:
    """Without checksums the answer says that nothing was verified."""
    sealed = kms.encrypt(name=key, plaintext=b"x")
    assert not sealed.verified_plaintext_crc32c
    assert not sealed.verified_additional_authenticated_data_crc32c


@pytest.mark.parametrize("field", ["plaintext", "additional_authenticated_data"])
def test_a_wrong_checksum_is_refused(kms: Client, key: str, field: str) -> None:
    """Bytes that were changed on the way are not encrypted."""
    request: dict[str, Any] = {"name": key, field: b"bytes", f"{field}_crc32c": _crc(b"other bytes")}
    with pytest.raises(InvalidArgument, match=field):
        kms.encrypt(request=request)


@pytest.mark.parametrize("field", ["plaintext", "additional_authenticated_data"])
def test_64_kib_and_no_more(kms: Client, key: str, field: str) -> None:
    """The limit itself is taken, one byte more is refused."""
    kms.encrypt(request={"name": key, field: b"x" * 65_536})
    with pytest.raises(InvalidArgument):
        kms.encrypt(request={"name": key, field: b"x" * 65_537})


def test_garbage_and_foreign_ciphertexts_are_refused(kms: Client, key: str, ring: str) -> None:
    """What this key did not encrypt, or what was changed since, does not decrypt."""
    other = kms.create_crypto_key(parent=ring, crypto_key_id="other", crypto_key={"purpose": ENCRYPT}).name
    ciphertext = kms.encrypt(name=key, plaintext=b"x").ciphertext
    flipped = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    for name, content in ((key, b"garbage"), (key, flipped), (key, b"g" * 99), (other, ciphertext)):
        with pytest.raises(InvalidArgument):
            kms.decrypt(name=name, ciphertext=content)


def test_rotation_leaves_old_ciphertexts_readable(kms: Client, key: str) -> None:
    """A new primary encrypts from now on; the ciphertext itself says which version made it."""
    old = kms.encrypt(name=key, plaintext=b"old").ciphertext
    second = kms.create_crypto_key_version(parent=key, crypto_key_version={}).name
    assert kms.get_crypto_key(name=key).primary.name.endswith("/1")
    assert kms.update_crypto_key_primary_version(name=key, crypto_key_version_id="2").primary.name == second
    assert kms.encrypt(name=key, plaintext=b"new").name == second
    opened = kms.decrypt(name=key, ciphertext=old)
    assert (opened.plaintext, opened.used_primary) == (b"old", False)


def test_a_disabled_version_neither_encrypts_nor_decrypts_until_enabled_again(kms: Client, key: str) -> None:
    """Disabling is FAILED_PRECONDITION both ways and loses nothing."""
    sealed = kms.encrypt(name=key, plaintext=b"x")
    _turn(kms, sealed.name, State.DISABLED)
    with pytest.raises(FailedPrecondition, match="DISABLED"):
        kms.encrypt(name=key, plaintext=b"y")
    with pytest.raises(FailedPrecondition, match="DISABLED"):
        kms.decrypt(name=key, ciphertext=sealed.ciphertext)
    _turn(kms, sealed.name, State.ENABLED)
    assert kms.decrypt(name=key, ciphertext=sealed.ciphertext).plaintext == b"x"


def test_destruction_waits_thirty_days_and_is_final(services: Services, kms: Client, key: str) -> None:
    """Scheduled it can be called off; when the clock passes the date the material is gone for good."""
    sealed = kms.encrypt(name=key, plaintext=b"x")
    scheduled = kms.destroy_crypto_key_version(name=sealed.name)
    assert scheduled.state == State.DESTROY_SCHEDULED
    left = scheduled.destroy_time - services.clock.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    with pytest.raises(FailedPrecondition):
        kms.decrypt(name=key, ciphertext=sealed.ciphertext)
    services.advance(days=31)
    assert kms.get_crypto_key_version(name=sealed.name).state == State.DESTROYED
    with pytest.raises(FailedPrecondition, match="DESTROYED"):
        kms.decrypt(name=key, ciphertext=sealed.ciphertext)
    with pytest.raises(FailedPrecondition):
        kms.restore_crypto_key_version(name=sealed.name)


def test_a_restored_version_is_disabled_first(services: Services, kms: Client, key: str) -> None:
    """Calling destruction off brings the version back disabled; enabled, it decrypts."""
    sealed = kms.encrypt(name=key, plaintext=b"x")
    kms.destroy_crypto_key_version(name=sealed.name)
    assert kms.restore_crypto_key_version(name=sealed.name).state == State.DISABLED
    services.advance(days=31)
    _turn(kms, sealed.name, State.ENABLED)
    assert kms.decrypt(name=key, ciphertext=sealed.ciphertext).plaintext == b"x"


def test_a_key_keeps_what_its_maker_said(services: Services, kms: Client, ring: str) -> None:
    """Rotation, labels and the wait before destruction are kept as given."""
    described = {
        "purpose": ENCRYPT,
        "rotation_period": timedelta(days=90),
        "next_rotation_time": services.clock.now() + timedelta(days=9_000),
        "labels": {"for": "personal-data"},
        "destroy_scheduled_duration": timedelta(days=2),
    }
    name = kms.create_crypto_key(parent=ring, crypto_key_id="described", crypto_key=described).name
    kept = kms.get_crypto_key(name=name)
    assert kept.rotation_period == timedelta(days=90)
    assert kept.destroy_scheduled_duration == timedelta(days=2)
    assert dict(kept.labels) == {"for": "personal-data"}


def test_a_key_rotates_by_itself_when_its_time_comes(services: Services, kms: Client, ring: str) -> None:
    """After the rotation time a new version is primary, and the next rotation is one period later."""
    first = services.clock.now() + timedelta(days=10)
    described = {"purpose": ENCRYPT, "rotation_period": timedelta(days=90), "next_rotation_time": first}
    name = kms.create_crypto_key(parent=ring, crypto_key_id="rotating", crypto_key=described).name
    old = kms.encrypt(name=name, plaintext=b"old").ciphertext
    services.advance(days=11)
    key = kms.get_crypto_key(name=name)
    assert key.primary.name == f"{name}/cryptoKeyVersions/2"
    assert key.next_rotation_time - first == timedelta(days=90)
    assert kms.decrypt(name=name, ciphertext=old).plaintext == b"old"


def test_names_are_unique_and_must_exist(kms: Client, ring: str, key: str, location: str) -> None:
    """A ring or key twice is ALREADY_EXISTS, one that is not there NOT_FOUND, a bad id INVALID_ARGUMENT."""
    with pytest.raises(AlreadyExists):
        kms.create_key_ring(parent=location, key_ring_id="ring", key_ring={})
    with pytest.raises(AlreadyExists):
        kms.create_crypto_key(parent=ring, crypto_key_id="key", crypto_key={"purpose": ENCRYPT})
    with pytest.raises(NotFound):
        kms.get_crypto_key(name=f"{ring}/cryptoKeys/none")
    with pytest.raises(NotFound):
        kms.get_crypto_key_version(name=f"{key}/cryptoKeyVersions/9")
    with pytest.raises(InvalidArgument):
        kms.create_key_ring(parent=location, key_ring_id="no spaces", key_ring={})
    assert [found.name for found in kms.list_crypto_keys(parent=ring)] == [key]


@pytest.mark.parametrize(
    ("purpose", "algorithm"), [("ASYMMETRIC_DECRYPT", 0), ("MAC", 0), ("ASYMMETRIC_SIGN", "RSA_SIGN_PSS_2048_SHA256")]
)
def test_other_keys_are_not_emulated(kms: Client, ring: str, purpose: str, algorithm: str | int) -> None:
    """Another purpose or algorithm is refused, not made into something else."""
    other = {"purpose": purpose, "version_template": {"algorithm": algorithm}}
    with pytest.raises(MethodNotImplemented):
        kms.create_crypto_key(parent=ring, crypto_key_id="other", crypto_key=other)
