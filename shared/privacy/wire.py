"""Disclosures on the wire; each domain says which of its fields can be asked for."""

from typing import Self

from shared.privacy.disclosures import Disclosed
from shared.privacy.model import Purpose
from shared.wire import Wire


class DisclosureAnswer(Wire):
    """Personal fields, opened."""

    id: str
    purpose: Purpose
    values: dict[str, str]

    @classmethod
    def of(cls, disclosed: Disclosed) -> Self:
        """The fields on the wire."""
        return cls(id=disclosed.subject, purpose=disclosed.purpose, values=dict(disclosed.values))
