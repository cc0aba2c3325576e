from dataclasses import replace
from typing import Final

import pytest
from google.cloud import kms_v1

from shared.gcp.firestore import FirestoreStore
from shared.gcp.kms import KmsKeys
from shared.privacy import PersonalDataUnreadable, Place, Purpose, Vault
from shared.settings import Settings
from tests.builders import ACME
from tests.emulator.offices import SteppedClock
from tests.emulator.services.rig import Services

State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
NAME: Final = "Ada Canary-Lovelace"
PLACE: Final = Place(ACME, "employees", "e1")


class Deployment:
    """Vaults over Firestore and Cloud KMS, both spoken to as in production."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self.kms = services.kms
        self._settings = replace(settings, kms_endpoint=f"127.0.0.1:{services._grpc_port}")
        ring, _, key = settings.kms_key.rpartition("/cryptoKeys/")
        parent, _, ring_id = ring.rpartition("/keyRings/")
        purpose = kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT
        self.kms.create_key_ring(parent=parent, key_ring_id=ring_id, key_ring={})
        self.kms.create_crypto_key(parent=ring, crypto_key_id=key, crypto_key={"purpose": purpose})
        self.first_version = f"{settings.kms_key}/cryptoKeyVersions/1"

    def start(self) -> Vault:
        """A fresh instance."""
        store = FirestoreStore(self._settings, self._settings.keysets_database)
        return Vault(store, KmsKeys(self._settings), SteppedClock())

    def rotate(self) -> None:
        """Make a new version and let it encrypt from now on."""
        key = self.first_version.rpartition("/cryptoKeyVersions/")[0]
        version = self.kms.create_crypto_key_version(parent=key, crypto_key_version={}).name
        self.kms.update_crypto_key_primary_version(name=key, crypto_key_version_id=version.rpartition("/")[2])

    def turn(self, state: int) -> None:
        """Switch the first version off or on."""
        wanted = {"name": self.first_version, "state": state}
        self.kms.update_crypto_key_version(crypto_key_version=wanted, update_mask={"paths": ["state"]})


@pytest.fixture
def deployment(settings: Settings, kms_services: Services) -> Deployment:
    """A deployment with a key and one tenant."""
    made = Deployment(settings, kms_services)
    made.start().ensure_tenant(ACME)
    return made


def test_data_sealed_before_a_rotation_opens_after_it(deployment: Deployment) -> None:
    """A ciphertext knows the version that made it."""
    sealed = deployment.start().create_subject(ACME, "e1").seal(PLACE, "name", NAME)
    deployment.rotate()
    assert deployment.start().sealer(ACME, "e1").open(PLACE, "name", sealed, Purpose.PAYSLIP) == NAME


def test_a_disabled_version_closes_the_data_until_it_is_enabled(deployment: Deployment) -> None:
    """Disabling is the rehearsal of destruction."""
    sealed = deployment.start().create_subject(ACME, "e1").seal(PLACE, "name", NAME)
    deployment.turn(State.DISABLED)
    with pytest.raises(PersonalDataUnreadable):
        deployment.start().sealer(ACME, "e1")
    deployment.turn(State.ENABLED)
    assert deployment.start().sealer(ACME, "e1").open(PLACE, "name", sealed, Purpose.PAYSLIP) == NAME


def test_a_destroyed_version_makes_the_data_unreadable(deployment: Deployment) -> None:
    """No instance that starts after it opens anything of the tenant again."""
    deployment.start().create_subject(ACME, "e1").seal(PLACE, "name", NAME)
    deployment.kms.destroy_crypto_key_version(name=deployment.first_version)
    with pytest.raises(PersonalDataUnreadable) as refusal:
        deployment.start().sealer(ACME, "e1")
    assert refusal.value.code == "personal_data_unreadable"
