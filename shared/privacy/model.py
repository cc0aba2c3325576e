"""Values of personal data: where a field lives, what opens it for, and its silence."""

import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, NoReturn, TypeVar

from shared.identity import TenantId

T = TypeVar("T", bound=str)

SEPARATOR: Final = "|"
KEYSETS: Final = "keysets"
TENANT_KEY: Final = "tenant"
"""The key of the document that keeps a tenant's own keysets; no data subject may be called so."""


class Purpose(Enum):
    """Why personal data is opened: a closed list, because what is written here is audited and never sealed."""

    PAYMENT = "payment"
    PAYSLIP = "payslip"
    INVOICE = "invoice"
    TAX_FILING = "tax_filing"
    CORRECTION = "correction"
    SUPPORT = "support"
    SUBJECT_REQUEST = "subject_request"
    LEGAL_DUTY = "legal_duty"
    AUDIT = "audit"
    SIGNING = "signing"
    """A message of ours is signed with a secret that is kept for its receiver."""


class LookupField(Enum):
    """Fields that can be found by their value: many-valued ones only, never a birth date or a postcode."""

    TAX_ID = "tax_id"
    EMAIL = "email"
    BANK_ACCOUNT = "bank_account"
    VIRTUAL_ACCOUNT = "virtual_account"

    def normalised(self, text: str) -> str:
        """The text as it is compared: one Unicode form, one case, no blanks; numbers without their punctuation."""
        plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
        return plain if self is LookupField.EMAIL else "".join(filter(str.isalnum, plain))


@dataclass(frozen=True, slots=True)
class Place:
    """The document that sealed fields belong to; copied to another document they stay closed."""

    tenant: TenantId
    collection: str
    document: str

    def __post_init__(self) -> None:
        """Refuse a part that could imitate a separator."""
        for part in (self.tenant, self.collection, self.document):
            if not part or SEPARATOR in part:
                message = "a place's parts are not empty and hold no separator"
                raise ValueError(message)

    def associated_data(self, field: str) -> bytes:
        """What a field's ciphertext is bound to: `tenant|collection|document|field`."""
        return SEPARATOR.join((self.tenant, self.collection, self.document, field)).encode()


def keyset_place(tenant: TenantId, subject: str) -> Place:
    """Where a data subject's wrapped keyset lives; its ciphertext is bound to this place."""
    return Place(tenant, KEYSETS, subject)


class Sealed(Generic[T]):
    """Personal data that only its subject's key opens. It says nothing by itself, however it is printed.

    `stored` is what a document keeps.
    """

    __slots__ = ("stored",)

    stored: bytes

    def __init__(self, stored: bytes) -> None:
        object.__setattr__(self, "stored", bytes(stored))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = "sealed data does not change"
        raise AttributeError(message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self.stored == other.stored

    def __hash__(self) -> int:
        return hash(self.stored)

    def __repr__(self) -> str:
        return "Sealed(…)"

    def __str__(self) -> str:
        return "Sealed(…)"

    def __format__(self, _: str) -> str:
        return "Sealed(…)"

    def __reduce__(self) -> NoReturn:
        message = "sealed data travels as `stored`, in a document"
        raise TypeError(message)
