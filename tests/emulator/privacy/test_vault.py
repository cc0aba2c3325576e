from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import counters
from shared.faults import Retryable
from shared.gcp.firestore import FirestoreStore
from shared.identity import TenantId
from shared.ports import Decision, Delete, Ref
from shared.privacy import LookupField, PersonalDataUnreadable, Place, Purpose, Vault
from shared.privacy.records import subject_keyset_ref, tenant_keyset_ref
from shared.privacy.vault import KEYS_CACHED_SECONDS
from shared.settings import Settings
from tests.builders import ACME
from tests.emulator.offices import SteppedClock
from tests.local_keys import LocalKeys

RIVAL = TenantId("rival")
NAME = "Ada Canary-Lovelace"


class Instances:
    """Several instances of one deployment: each its own vault, over one database and one platform key."""

    def __init__(self, store: FirestoreStore) -> None:
        self.store, self.keys, self.clock = store, LocalKeys(), SteppedClock()

    def start(self) -> Vault:
        """A fresh instance, with nothing in memory."""
        return Vault(self.store, self.keys, self.clock)

    def delete(self, ref: Ref) -> None:
        """Remove a keyset."""
        self.store.transact((), lambda _: Decision(None, (Delete(ref),)))


@pytest.fixture
def instances(settings: Settings) -> Instances:
    """A deployment with two tenants."""
    deployment = Instances(FirestoreStore(settings, settings.keysets_database))
    for tenant in (ACME, RIVAL):
        deployment.start().ensure_tenant(tenant)
    deployment.keys.operations = 0
    return deployment


def sealed_names(vault: Vault, subjects: Iterable[str]) -> dict[str, bytes]:
    """Each new subject's name, sealed."""
    return {
        subject: vault.create_subject(ACME, subject).seal(Place(ACME, "employees", subject), "name", NAME).stored
        for subject in subjects
    }


def test_a_subject_made_twice_has_one_keyset(instances: Instances) -> None:
    """A retry, on another instance too, finds the key that the first attempt left."""
    place = Place(ACME, "employees", "e1")
    first = instances.start().create_subject(ACME, "e1")
    sealed = first.seal(place, "name", NAME)
    again = instances.start().create_subject(ACME, "e1")
    assert again.open(place, "name", sealed, Purpose.PAYSLIP) == NAME


def test_subjects_made_at_once_agree_on_one_keyset(instances: Instances) -> None:
    """Whoever loses the race uses the winner's key."""
    place = Place(ACME, "employees", "e1")
    with ThreadPoolExecutor(4) as pool:
        sealers = list(pool.map(lambda _: instances.start().create_subject(ACME, "e1"), range(4)))
    sealed = sealers[0].seal(place, "name", NAME)
    assert {sealer.open(place, "name", sealed, Purpose.PAYSLIP) for sealer in sealers} == {NAME}


def test_a_tenants_keys_are_made_once(instances: Instances) -> None:
    """Making them again neither asks KMS nor replaces them."""
    before = instances.store.get([tenant_keyset_ref(ACME)])
    instances.start().ensure_tenant(ACME)
    assert instances.keys.operations == 0
    assert instances.store.get([tenant_keyset_ref(ACME)]) == before


def test_a_hundred_people_cost_one_kms_operation(instances: Instances) -> None:
    """KMS is asked by tenant and instance, never by person."""
    subjects = [f"e{number}" for number in range(100)]
    sealed_names(instances.start(), subjects)
    assert instances.keys.operations == 1
    instances.start().sealers(ACME, subjects)
    assert instances.keys.operations == 2


def test_many_subjects_are_read_in_one_go(instances: Instances) -> None:
    """A payroll chunk costs two reads' round trips, warm none."""
    subjects = [f"e{number}" for number in range(25)]
    sealed_names(instances.start(), subjects)
    vault = instances.start()
    cost = counters.begin()
    vault.sealers(ACME, subjects)
    assert (cost.reads, cost.rpcs) == (26, 2)
    vault.sealers(ACME, subjects)
    assert cost.rpcs == 2


def test_threads_of_a_cold_instance_ask_kms_once(instances: Instances) -> None:
    """They wait for the one that asked first."""
    vault = instances.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: vault.create_subject(ACME, f"e{number}"), range(8)))
    assert instances.keys.operations == 1


def test_another_tenants_sealer_opens_nothing(instances: Instances) -> None:
    """Even for a subject of the same id, even in a place of the first tenant."""
    place = Place(ACME, "employees", "e1")
    vault = instances.start()
    sealed = vault.create_subject(ACME, "e1").seal(place, "name", NAME)
    theirs = vault.create_subject(RIVAL, "e1")
    for where in (place, Place(RIVAL, "employees", "e1")):
        with pytest.raises(PersonalDataUnreadable):
            theirs.open(where, "name", sealed, Purpose.PAYSLIP)


def test_a_destroyed_kms_key_is_felt_within_the_stated_time(instances: Instances) -> None:
    """A warm instance opens until its keys are due, and not a second longer; a cold one not at all."""
    vault = instances.start()
    sealed_names(vault, ["e1"])
    instances.keys.destroyed = True
    instances.clock.advance(KEYS_CACHED_SECONDS - 1)
    vault.sealer(ACME, "e1")
    with pytest.raises(PersonalDataUnreadable):
        instances.start().sealer(ACME, "e1")
    instances.clock.advance(1)
    with pytest.raises(PersonalDataUnreadable):
        vault.sealer(ACME, "e1")


def test_a_silent_kms_is_tried_again_later(instances: Instances) -> None:
    """Nothing is said to be gone that is only out of reach."""
    sealed_names(instances.start(), ["e1"])
    instances.keys.silent = True
    vault = instances.start()
    with pytest.raises(Retryable):
        vault.sealer(ACME, "e1")
    instances.keys.silent = False
    vault.sealer(ACME, "e1")


def test_a_deleted_keyset_shreds_its_subject_alone(instances: Instances) -> None:
    """Within the stated time everywhere; the others stay readable."""
    sealed_names(instances.start(), ["e1", "e2"])
    instances.delete(subject_keyset_ref(ACME, "e1"))
    vault = instances.start()
    vault.sealer(ACME, "e2")
    with pytest.raises(PersonalDataUnreadable):
        vault.sealer(ACME, "e1")


def test_a_subject_made_anew_after_shredding_is_sealed_under_its_new_key(instances: Instances) -> None:
    """An instance that still remembers the old key does not use it."""
    place = Place(ACME, "employees", "e1")
    vault = instances.start()
    vault.create_subject(ACME, "e1")
    instances.delete(subject_keyset_ref(ACME, "e1"))
    sealed = vault.create_subject(ACME, "e1").seal(place, "name", NAME)
    assert instances.start().sealer(ACME, "e1").open(place, "name", sealed, Purpose.PAYSLIP) == NAME


def test_a_tenant_without_keys_seals_nothing(instances: Instances) -> None:
    """There is no quiet way around the vault."""
    with pytest.raises(PersonalDataUnreadable):
        instances.start().create_subject(TenantId("nobody"), "e1")


def test_no_subject_takes_the_place_of_the_tenants_own_keys(instances: Instances) -> None:
    """The one reserved name is refused."""
    with pytest.raises(ValueError, match="own keys"):
        instances.start().create_subject(ACME, "tenant")


def test_one_value_has_one_lookup_in_every_instance(instances: Instances) -> None:
    """So a document that must not exist makes a tax id unique."""
    first, second = (instances.start().lookup_ref(ACME, LookupField.TAX_ID, text) for text in ("QQ 12 34", "qq1234"))
    assert first == second
    assert first.path.startswith("tenants/acme/lookups/tax_id~")
    assert first != instances.start().lookup_ref(RIVAL, LookupField.TAX_ID, "qq1234")
