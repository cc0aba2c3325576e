import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import google_crc32c
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.cloud import kms_v1

from emulators.addresses import LOOPBACK
from shared.faults import Retryable
from shared.gcp.kms_signing import KmsSigner
from shared.gcp.patience import Patience
from shared.gcp.rpc import Method, Rpc
from shared.keys import KeyDestroyed
from shared.settings import Settings, read_settings
from tests.emulator.services.rig import Client, Services

State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
SIGNS = {"purpose": "ASYMMETRIC_SIGN", "version_template": {"algorithm": "EC_SIGN_P256_SHA256"}}
IMPATIENT = Patience(total_seconds=1, jitter=lambda: 0)


@pytest.fixture
def kms(services: Services) -> Client:
    """Google's client of Cloud KMS."""
    return services.kms


@pytest.fixture
def version(kms: Client, location: str) -> str:
    """The first version of a key that signs."""
    ring = kms.create_key_ring(parent=location, key_ring_id="ring", key_ring={}).name
    key = kms.create_crypto_key(parent=ring, crypto_key_id="seals", crypto_key=SIGNS).name
    return f"{key}/cryptoKeyVersions/1"


@pytest.fixture
def settings(services: Services, version: str) -> Settings:
    """Settings that name the key."""
    names = ("PROJECT", "REGION", "KMS_KEY", "DOORS_URL")
    endpoint = f"{LOOPBACK}:{services._grpc_port}"
    changes = {"DAYBOOK_SEAL_KEY_VERSION": version, "DAYBOOK_KMS_ENDPOINT": endpoint}
    return read_settings({f"DAYBOOK_{name}": "x" for name in names} | changes)


def check(pem: str, signature: bytes, statement: bytes) -> None:
    """Check a signature as anybody would."""
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, statement, ec.ECDSA(hashes.SHA256()))


def turn(kms: Client, version: str, state: int) -> None:
    """Switch a version off or on."""
    kms.update_crypto_key_version(
        crypto_key_version={"name": version, "state": state}, update_mask={"paths": ["state"]}
    )


# --- the service -------------------------------------------------------------------------


def test_what_is_signed_is_checked_with_the_public_key_alone(kms: Client, version: str) -> None:
    """Anybody's library checks it; another statement does not pass."""
    digest = hashlib.sha256(b"statement").digest()
    answer = kms.asymmetric_sign(name=version, digest={"sha256": digest})
    pem = kms.get_public_key(name=version).pem
    check(pem, answer.signature, b"statement")
    with pytest.raises(InvalidSignature):
        check(pem, answer.signature, b"another")
    assert answer.name == version


def test_checksums_go_both_ways(kms: Client, version: str) -> None:
    """A right checksum is confirmed, a wrong one refused, and none is not confirmed."""
    digest = hashlib.sha256(b"statement").digest()
    request: dict[str, Any] = {"name": version, "digest": {"sha256": digest}}
    right = kms.asymmetric_sign(request=request | {"digest_crc32c": {"value": google_crc32c.value(digest)}})
    assert right.verified_digest_crc32c
    assert right.signature_crc32c == google_crc32c.value(right.signature)
    assert not kms.asymmetric_sign(request=request).verified_digest_crc32c
    with pytest.raises(InvalidArgument):
        kms.asymmetric_sign(request=request | {"digest_crc32c": {"value": 1}})


def test_only_a_whole_sha256_digest_is_signed(kms: Client, version: str) -> None:
    """Another digest, or half of one, is refused."""
    for digest in ({"sha256": b"short"}, {"sha512": b"x" * 64}):
        with pytest.raises(InvalidArgument):
            kms.asymmetric_sign(name=version, digest=digest)


def test_a_version_that_is_off_or_missing_signs_nothing(kms: Client, version: str) -> None:
    """As for keys that encrypt."""
    digest = {"sha256": hashlib.sha256(b"x").digest()}
    turn(kms, version, State.DISABLED)
    with pytest.raises(FailedPrecondition):
        kms.asymmetric_sign(name=version, digest=digest)
    with pytest.raises(NotFound):
        kms.asymmetric_sign(name=f"{version}1", digest=digest)


def test_a_key_does_what_its_purpose_says_and_no_more(kms: Client, version: str, location: str) -> None:
    """One that signs does not encrypt and has no primary; one that encrypts does not sign."""
    key = version.rpartition("/cryptoKeyVersions/")[0]
    encrypts = kms.create_crypto_key(
        parent=f"{location}/keyRings/ring", crypto_key_id="wraps", crypto_key={"purpose": "ENCRYPT_DECRYPT"}
    ).name
    calls: tuple[Callable[[], object], ...] = (
        lambda: kms.encrypt(name=version, plaintext=b"x"),
        lambda: kms.update_crypto_key_primary_version(name=key, crypto_key_version_id="1"),
        lambda: kms.asymmetric_sign(name=f"{encrypts}/cryptoKeyVersions/1", digest={"sha256": b"x" * 32}),
        lambda: kms.get_public_key(name=f"{encrypts}/cryptoKeyVersions/1"),
        lambda: kms.create_crypto_key(
            parent=f"{location}/keyRings/ring", crypto_key_id="vague", crypto_key={"purpose": "ASYMMETRIC_SIGN"}
        ),
    )
    for call in calls:
        with pytest.raises(InvalidArgument):
            call()


def test_the_key_is_the_same_after_a_restart(services: Services, kms: Client, version: str) -> None:
    """What was signed before is checked after."""
    pem = kms.get_public_key(name=version).pem
    services.kill()
    services.restart()
    assert services.kms.get_public_key(name=version).pem == pem


# --- the house's adapter -----------------------------------------------------------------


def test_the_house_signs_and_shows_its_public_key(settings: Settings, version: str) -> None:
    """The port, over the wire."""
    signer = KmsSigner(settings)
    check(signer.public_key(), signer.sign(b"statement"), b"statement")
    assert signer.key_version == version


def test_a_disabled_version_is_told_from_silence(settings: Settings, kms: Client, version: str) -> None:
    """Off is off; nobody there is to be asked again."""
    turn(kms, version, State.DISABLED)
    with pytest.raises(KeyDestroyed):
        KmsSigner(settings).sign(b"x")
    rpc = Rpc("", f"{LOOPBACK}:1", patience=IMPATIENT)
    with pytest.raises(Retryable):
        KmsSigner(settings, rpc=rpc).sign(b"x")
    rpc.close()


class _Flipping(Rpc):
    """A line on which the answers' first bit flips, so many times."""

    times = 1

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        answer = super().send(method, request, timeout_seconds)
        if self.times:
            self.times -= 1
            if method.path.endswith("GetPublicKey"):
                answer.pem = "x" + answer.pem[1:]
            else:
                answer.signature = bytes([answer.signature[0] ^ 1]) + answer.signature[1:]
        return answer


def test_a_bit_that_flips_on_the_way_is_asked_for_again(settings: Settings) -> None:
    """Both answers carry checksums, and both are looked at."""
    line = _Flipping("", settings.kms_endpoint)
    signer = KmsSigner(settings, rpc=line)
    signature = signer.sign(b"statement")
    line.times = 1
    check(signer.public_key(), signature, b"statement")
    line.times = 1_000
    line.patience = IMPATIENT
    with pytest.raises(Retryable):
        signer.sign(b"statement")
    line.close()


def test_without_a_key_version_nothing_signs(settings: Settings) -> None:
    """A house that was not told is no silent house."""
    with pytest.raises(ValueError, match="DAYBOOK_SEAL_KEY_VERSION"):
        KmsSigner(replace(settings, seal_key_version="")).sign(b"x")
