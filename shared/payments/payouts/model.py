"""A payout's statement: the lines that a partner says it is made of, and how they add up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from shared.faults import Invalid
from shared.limits import PAYOUT_PAGE_ITEMS, PAYOUT_PAGES
from shared.money import Money
from shared.payments.model import Stage


class ItemKind(Enum):
    """What a line of a payout is."""

    PAYMENT = "payment"
    REFUND = "refund"
    REVERSAL = "reversal"
    """A payment that the bank took back."""
    DISPUTE = "dispute"
    FEE = "fee"
    """A fee of no one payment."""
    RESERVE = "reserve"
    """Held back, or let go."""
    ADJUSTMENT = "adjustment"
    """Anything else: it is posted by people, who know what it is."""


class Found(Enum):
    """What we know of a line."""

    KNOWN = "known"
    """Payment, refund or dispute are in the books with the same amount; or it is of none."""
    UNKNOWN = "unknown"
    DIFFERS = "differs"
    """It is in the books with another amount."""
    PAID_BEFORE = "paid_before"
    """Another payout brought it, or took it, or this one a second time."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a payout: `money` is what it adds to it, negative where it takes, and `fee` what is kept of that.

    `reference` is the partner's own id of the payment, refund or dispute; other kinds need none.
    """

    kind: ItemKind
    reference: str
    money: Money
    fee: Money

    def __post_init__(self) -> None:
        """One currency, and a reference where it is about something."""
        if self.fee.currency != self.money.currency:
            message = "a line and its fee are in one currency"
            raise Invalid(message, field="fee")
        if self.kind in ABOUT_SOMETHING and not self.reference:
            message = f"a {self.kind.value} has the partner's id of it"
            raise Invalid(message, field="reference")


ABOUT_SOMETHING: Final = frozenset({ItemKind.PAYMENT, ItemKind.REVERSAL, ItemKind.REFUND, ItemKind.DISPUTE})
"""Kinds of lines that are about something that a partner's events tell of, too."""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Some of a payout's lines, in their partner's order; `cursor` is where the partner's next page begins."""

    number: int
    items: tuple[Item, ...]
    last: bool
    cursor: str = ""

    def __post_init__(self) -> None:
        """Pages count from 1 and are bounded."""
        if not 1 <= self.number <= PAYOUT_PAGES:
            message = f"pages are counted from 1 to {PAYOUT_PAGES}"
            raise Invalid(message, field="page")
        if len(self.items) > PAYOUT_PAGE_ITEMS:
            message = f"a page has at most {PAYOUT_PAGE_ITEMS} lines"
            raise Invalid(message, field="items")


@dataclass(frozen=True, slots=True)
class Statement:
    """A payout and what is known by now of what it is made of.

    `sums` is what the lines of each kind add, `fees` what was kept of them; `found` counts lines by what we know of
    them. A statement that is `closed` has all its pages.
    """

    payout_id: str
    partner: str
    account: str
    reference: str
    money: Money
    stage: Stage
    fee: int = 0
    """What the payout's own events told that the partner keeps for it: it is posted."""
    fee_found: int = 0
    """How much of that the lines have told again."""
    pages: int = 0
    items: int = 0
    sums: Mapping[ItemKind, int] = field(default_factory=dict)
    fees: int = 0
    found: Mapping[Found, int] = field(default_factory=dict)
    cursor: str = ""
    closed: bool = False
    version: int = 0

    @property
    def explained(self) -> int:
        """What the lines add up to."""
        return sum(self.sums.values()) - self.fees

    @property
    def difference(self) -> int:
        """What the bank got more than the lines say; less, where it is negative."""
        return self.money.amount - self.explained

    @property
    def ties(self) -> bool:
        """Whether every line is known and all of them are the one amount that came to the bank."""
        strange = sum(number for found, number in self.found.items() if found is not Found.KNOWN)
        return self.closed and not self.difference and not strange


@dataclass(frozen=True, slots=True)
class SettledItem:
    """A line as it was taken in, with our own id of what it is about."""

    item: Item
    object_id: str
    found: Found
