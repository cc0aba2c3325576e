"""What an entry carries beside its lines: codes in clear, a memo that only its key opens, exchange rates.

Each is part of the entry's content only when it is there, so an entry without them hashes as it always did.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, cast

from shared.faults import Invalid
from shared.ledger.exchange import ExchangeRate
from shared.limits import ENTRY_METADATA
from shared.ports import Fields, Value

KEY: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
"""Firestore keeps names that begin and end with `__` for itself, within maps too."""
CODE: Final = re.compile(r"[A-Za-z0-9 ._:/#-]{0,64}")
MEMO: Final = "memo"
"""The memo's name as a field: what its ciphertext is bound to, and what a disclosure asks for."""


@dataclass(frozen=True, slots=True)
class EntryData:
    """`metadata` are codes by key, kept in clear and never about a person; `memo` is ciphertext, empty for none."""

    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    memo: bytes = field(default=b"", repr=False)
    rates: tuple[ExchangeRate, ...] = ()

    def __post_init__(self) -> None:
        """Refuse metadata that are no codes, or too many."""
        check_metadata(self.metadata, ENTRY_METADATA)

    def content(self) -> dict[str, object]:
        """What of it an entry's content hash covers.

        The memo counts by its ciphertext: that can be verified without a key, and also when the key is gone.
        """
        content: dict[str, object] = {}
        if self.metadata:
            content["metadata"] = dict(self.metadata)
        if self.memo:
            content["memo"] = hashlib.sha256(self.memo).hexdigest()
        if self.rates:
            content["rates"] = [[rate.base, rate.quote, rate.text, rate.source] for rate in self.rates]
        return content


def check_metadata(metadata: Mapping[str, str], most: int) -> None:
    """Check metadata of an entry or an account: at most so many keys, codes only, never free text.

    Raises:
        Invalid: too many, or no codes.
    """
    if len(metadata) > most:
        message = f"there are at most {most} metadata keys"
        raise Invalid(message, field="metadata")
    for key, value in metadata.items():
        if not KEY.fullmatch(key) or not CODE.fullmatch(value):
            message = "metadata are codes of up to 64 characters under keys of up to 40 (a-z 0-9 _, no _ first)"
            raise Invalid(message, field="metadata")


NOTHING: Final = EntryData()
"""What most entries carry."""


def memo_text(text: str) -> str:
    """A memo as it is sealed: composed (NFC), so that what looks the same is kept the same."""
    return unicodedata.normalize("NFC", text)


def write_entry_data(data: EntryData) -> dict[str, Value]:
    """The fields of what is there; none of what is not."""
    fields: dict[str, Value] = {}
    if data.metadata:
        fields["metadata"] = dict(data.metadata)
    if data.memo:
        fields[MEMO] = data.memo
    if data.rates:
        fields["rates"] = [
            {"base": rate.base, "quote": rate.quote, "rate": rate.text, "source": rate.source} for rate in data.rates
        ]
    return fields


def read_entry_data(fields: Fields) -> EntryData:
    """What `write_entry_data` wrote."""
    if not fields.keys() & {"metadata", MEMO, "rates"}:
        return NOTHING
    rates = tuple(
        ExchangeRate(
            cast("str", rate["base"]),
            cast("str", rate["quote"]),
            Decimal(cast("str", rate["rate"])),
            cast("str", rate["source"]),
        )
        for rate in cast("list[Fields]", fields.get("rates", ()))
    )
    metadata = cast("Mapping[str, str]", fields.get("metadata", {}))
    return EntryData(metadata, cast("bytes", fields.get(MEMO, b"")), rates)
