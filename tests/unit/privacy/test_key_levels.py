import pytest

from shared.faults import Retryable
from shared.identity import TenantId
from shared.privacy import LookupField, PersonalDataUnreadable, Place, Sealer
from shared.privacy.crypto import TenantKey, new_subject_key, new_tenant_key, open_subject_key, open_tenant_key
from shared.privacy.model import Purpose
from tests.builders import ACME
from tests.local_keys import LocalKeys

RIVAL = TenantId("rival")
NAME = "Ada Canary-Lovelace"
CARD = Place(ACME, "customers", "c1")


def opened_tenant_key(tenant: TenantId = ACME) -> TenantKey:
    """A tenant's keys, made and unwrapped."""
    keys = LocalKeys()
    return open_tenant_key(tenant, new_tenant_key(tenant, keys), keys)


def a_sealer(subject: str = "c1", tenant: TenantId = ACME) -> Sealer:
    """The sealer of one data subject."""
    key = opened_tenant_key(tenant)
    return Sealer(tenant, open_subject_key(tenant, subject, new_subject_key(tenant, subject, key), key))


def test_what_was_sealed_opens_again() -> None:
    """The subject's own key opens a field in its own place."""
    sealer = a_sealer()
    assert sealer.open(CARD, "name", sealer.seal(CARD, "name", NAME), Purpose.INVOICE) == NAME


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (Place(RIVAL, "customers", "c1"), "name"),
        (Place(ACME, "employees", "c1"), "name"),
        (Place(ACME, "customers", "c2"), "name"),
        (CARD, "email"),
    ],
)
def test_a_sealed_field_opens_nowhere_else(place: Place, field: str) -> None:
    """Moved to another tenant, collection, document or field, a ciphertext stays closed."""
    sealer = a_sealer()
    sealed = sealer.seal(CARD, "name", NAME)
    with pytest.raises(PersonalDataUnreadable):
        sealer.open(place, field, sealed, Purpose.INVOICE)


def test_another_subjects_key_opens_nothing() -> None:
    """Each data subject has a key of its own."""
    sealed = a_sealer("c1").seal(CARD, "name", NAME)
    with pytest.raises(PersonalDataUnreadable):
        a_sealer("c2").open(CARD, "name", sealed, Purpose.INVOICE)


def test_a_damaged_ciphertext_is_refused() -> None:
    """One changed bit is noticed."""
    sealer = a_sealer()
    sealed = bytearray(sealer.seal(CARD, "name", NAME).stored)
    sealed[-1] ^= 1
    with pytest.raises(PersonalDataUnreadable):
        sealer.open(CARD, "name", type(sealer.seal(CARD, "name", NAME))(bytes(sealed)), Purpose.INVOICE)


def test_a_subjects_keyset_is_bound_to_its_subject_and_tenant() -> None:
    """A wrapped keyset copied under another subject does not open."""
    key = opened_tenant_key()
    wrapped = new_subject_key(ACME, "c1", key)
    for tenant, subject in ((ACME, "c2"), (RIVAL, "c1")):
        with pytest.raises(PersonalDataUnreadable):
            open_subject_key(tenant, subject, wrapped, key)


def test_a_tenants_keyset_is_bound_to_its_tenant() -> None:
    """One tenant's wrapped key under another tenant's name does not open, though one platform key wraps both."""
    keys = LocalKeys()
    kept = new_tenant_key(ACME, keys)
    with pytest.raises(PersonalDataUnreadable):
        open_tenant_key(RIVAL, kept, keys)


def test_a_destroyed_platform_key_makes_a_tenants_key_unreadable() -> None:
    """Without the key that never leaves KMS nothing below it opens."""
    keys = LocalKeys()
    kept = new_tenant_key(ACME, keys)
    keys.destroyed = True
    with pytest.raises(PersonalDataUnreadable) as refusal:
        open_tenant_key(ACME, kept, keys)
    assert refusal.value.code == "personal_data_unreadable"


def test_a_silent_key_service_is_tried_again_later() -> None:
    """An outage is no refusal: the data is not gone."""
    keys = LocalKeys()
    kept = new_tenant_key(ACME, keys)
    keys.silent = True
    with pytest.raises(Retryable):
        open_tenant_key(ACME, kept, keys)


def test_equal_values_meet_in_one_lookup_however_they_are_written() -> None:
    """Case, blanks, punctuation and Unicode form do not make another tax id."""
    key = opened_tenant_key()
    written = ("AB 12 34 56 C", "ab123456c", "AB-12-34-56-C", "\uff21\uff22123456\uff23")
    assert len({key.blind_index(LookupField.TAX_ID, text) for text in written}) == 1


def test_a_lookup_says_nothing_across_fields_and_tenants() -> None:
    """The same text under another field or tenant has another index."""
    ours, theirs = opened_tenant_key(), opened_tenant_key(RIVAL)
    indexes = {
        ours.blind_index(LookupField.TAX_ID, "123"),
        ours.blind_index(LookupField.BANK_ACCOUNT, "123"),
        theirs.blind_index(LookupField.TAX_ID, "123"),
    }
    assert len(indexes) == 3


def test_a_lookup_survives_the_keys_being_unwrapped_again() -> None:
    """The index is a function of the kept key, not of the process."""
    keys = LocalKeys()
    kept = new_tenant_key(ACME, keys)
    first, second = (open_tenant_key(ACME, kept, keys).blind_index(LookupField.EMAIL, "a@b.example") for _ in range(2))
    assert first == second
