"""What the emulated partners know: payments, refunds, disputes and payouts, and which key made which refund.

Things are kept once, in no partner's words; each partner's file says them in its own.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Self

from shared.payments.model import Thing


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: the path in parts, without the version of the API."""

    method: str
    parts: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body."""

    status: int
    said: Any


@dataclass(slots=True)
class Known:
    """A thing that a partner knows; `status` is the partner's own word, amounts are in minor units."""

    partner: str
    thing: Thing
    id: str
    amount: int
    currency: str
    status: str
    payment: str = ""
    fee: int = 0
    refunded: int = 0
    created_at: str = "2026-11-16T12:00:00+00:00"
    said: dict[str, Any] = field(default_factory=dict)
    """What else the partner says of it, in its own words."""

    @classmethod
    def of(cls, fed: dict[str, Any]) -> Self:
        """A thing from JSON; `thing` is its kind's name."""
        return cls(**fed | {"thing": Thing(fed["thing"])})


class TooMuch(Exception):
    """More would go back than is left."""


@dataclass(slots=True)
class Things:
    """All that the partners know."""

    known: dict[tuple[str, Thing, str], Known] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[str, Known]] = field(default_factory=dict)
    """By partner and idempotency key: the hash of the request, and the refund that it made."""

    def feed(self, thing: Known) -> None:
        """Let a partner know of a thing, or of how it stands now."""
        self.known[thing.partner, thing.thing, thing.id] = thing

    def find(self, partner: str, thing: Thing, identity: str) -> Known | None:
        """What a partner knows under an id."""
        return self.known.get((partner, thing, identity))

    def refunds_of(self, partner: str, payment: str) -> list[Known]:
        """All refunds of a payment."""
        return [one for one in self.known.values() if (one.partner, one.payment) == (partner, payment)]

    def made_by(self, partner: str, key: str) -> tuple[str, Known] | None:
        """What a key made, and of which request."""
        return self.keys.get((partner, key)) if key else None

    def give_back(self, payment: Known, amount: int, status: str, *, key: str, body: bytes) -> Known:
        """Make a refund, and remember the key that made it.

        Raises:
            TooMuch: it is more than is left.
        """
        if not 0 < amount <= payment.amount - payment.refunded:
            raise TooMuch
        payment.refunded += amount
        number = len(self.keys) + 1
        refund = Known(
            payment.partner, Thing.REFUND, f"{payment.id}_r{number}", amount, payment.currency, status, payment.id
        )
        self.feed(refund)
        self.keys[payment.partner, key or refund.id] = (fingerprint(body), refund)
        return refund


def fingerprint(body: bytes) -> str:
    """Tells two requests apart."""
    return hashlib.sha256(body).hexdigest()
