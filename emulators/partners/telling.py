"""What happened with a partner, before the partner puts it into its own words, and what every partner can do."""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from emulators.processes import CloudFault
from shared.money import Money
from shared.payments.model import EventKind
from shared.payments.partners.adapter import Secret

Event: TypeAlias = dict[str, Any]
"""An event as its partner writes it in JSON."""

T = TypeVar("T")


class NoSuchEvent(CloudFault):
    """The partner has no event that tells this."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, as partners carry it along: it must never come out of the seal."""

    name: str = ""
    email: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """What a partner tells of: `id` is what the event's own id is made of, the other ids are the partner's.

    `fee` is told where the partner's events tell fees.
    """

    kind: EventKind
    id: str
    at: datetime
    money: Money
    payment: str = ""
    object: str = ""
    fee: Money | None = None
    invoice_id: str = ""
    reference: str = ""
    payer: Payer = Payer()


class Partner(Protocol):
    """How one partner words its events and signs what it delivers."""

    @property
    def kinds(self) -> Collection[EventKind]:
        """What its events can tell."""
        ...

    @property
    def fees(self) -> Collection[EventKind]:
        """Of which kinds its events say what it keeps."""
        ...

    def event(self, told: Happening) -> Event:
        """The event in the partner's own words.

        Raises:
            NoSuchEvent: it has none for this.
        """
        ...

    def body(self, events: Sequence[Event], secret: Secret) -> bytes:
        """The body of a delivery; only partners that send batches take more than one event."""
        ...

    def headers(self, body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
        """The headers that prove a body, names in lower case."""
        ...


def worded(words: Mapping[EventKind, T], told: Happening, partner: str) -> T:
    """The partner's word for what happened.

    Raises:
        NoSuchEvent: it has none.
    """
    if told.kind in words:
        return words[told.kind]
    message = f"{partner} has no event that tells {in_words(told.kind)}; it tells {', '.join(map(in_words, words))}"
    raise NoSuchEvent(message)


def in_words(kind: EventKind) -> str:
    """A kind as it is announced and typed: `payment.succeeded`."""
    return kind.value.replace("_", ".", 1)


def instant(at: datetime) -> str:
    """An instant in ISO 8601, in UTC."""
    return at.astimezone(UTC).isoformat()


def hmac_of(key: bytes, signed: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(key, signed, hashlib.sha256).digest()


def in_base64(value: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(value).decode()
