"""What an adapter of a partner does: prove the pieces of a delivery, then say in our words what one of them tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.payments.model import PartnerEvent


@dataclass(frozen=True, slots=True)
class Secret:
    """One live secret of a webhook endpoint, or the public key where a partner signs with a private one."""

    key_id: str
    value: bytes = field(repr=False)
    url: str = ""
    """The endpoint's address as the partner knows it, where it signs that too."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes that tell one event, and the key that proves them."""

    raw: bytes = field(repr=False)
    key_id: str


@dataclass(frozen=True, slots=True)
class Proven:
    """What a delivery proves: usually one piece, for partners that send batches many."""

    pieces: tuple[Piece, ...]
    forged: int = 0
    """Pieces that no live secret signed, where each is signed by itself."""


class Adapter(Protocol):
    """How one partner signs and words its events."""

    def prove(self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Secret], at: datetime) -> Proven:
        """The pieces of a body that a live secret signed; every secret is tried, in constant time.

        `secrets` are the newest first; header names are in lower case.

        Raises:
            BadSignature: none signed it, or the header is not as the partner makes it.
            OutsideReplayWindow: it was signed too long ago, or in the future.
        """
        ...

    def parse(self, raw: bytes, at: datetime) -> PartnerEvent:
        """What a proven piece says; `at` stands for its time where the partner signs none.

        Raises:
            NotAnEvent: the bytes are not in the partner's format.
        """
        ...
