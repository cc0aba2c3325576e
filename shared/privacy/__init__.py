"""Personal data: sealed at the door, opened for a purpose, unreadable once its keys are gone."""

from shared.privacy.disclosures import Disclosed, Disclosures
from shared.privacy.model import LookupField, Place, Purpose, Sealed
from shared.privacy.refusals import PersonalDataUnreadable
from shared.privacy.vault import Sealer, Vault

__all__ = [
    "Disclosed",
    "Disclosures",
    "LookupField",
    "PersonalDataUnreadable",
    "Place",
    "Purpose",
    "Sealed",
    "Sealer",
    "Vault",
]
