"""Payouts and their lines on the wire."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field

from shared.limits import PAYOUT_PAGE_ITEMS, PAYOUT_PAGES
from shared.payments.model import Stage
from shared.payments.partners.reading import LONGEST_ID, text
from shared.payments.payouts.model import Found, Item, ItemKind, SettledItem, Statement, StatementPage
from shared.payments.wire import ObjectId
from shared.wire import MoneyWire, Wire


def _named(reference: str) -> str:
    return text(reference) if reference else ""


Reference = Annotated[str, Field(max_length=LONGEST_ID), AfterValidator(_named)]
"""Whatever a partner's events may name a thing by; nothing where a line is of none."""


class KindAnswer(Wire):
    """What the lines of one kind add to a payout."""

    kind: ItemKind
    sum: MoneyWire


class FoundAnswer(Wire):
    """How many lines are known, unknown, differ, or were paid before."""

    found: Found
    items: int


class PayoutAnswer(Wire):
    """Money that a partner sent to the bank, and what it says that is made of.

    `explained` is the sum of all lines less their fees, `difference` what the bank got more than that. It ties when all
    lines are there, each is known with its amount, and there is no difference.
    """

    id: str
    partner: str
    reference: str
    stage: Stage
    amount: MoneyWire
    sums: tuple[KindAnswer, ...]
    fees: MoneyWire
    explained: MoneyWire
    difference: MoneyWire
    items: tuple[FoundAnswer, ...]
    pages: int
    closed: bool
    ties: bool

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The payout on the wire."""
        currency = statement.money.currency
        return cls(
            id=statement.payout_id,
            partner=statement.partner,
            reference=statement.reference,
            stage=statement.stage,
            amount=MoneyWire.of(statement.money),
            sums=tuple(
                KindAnswer(kind=kind, sum=MoneyWire(amount=statement.sums[kind], currency=currency))
                for kind in ItemKind
                if kind in statement.sums
            ),
            fees=MoneyWire(amount=statement.fees, currency=currency),
            explained=MoneyWire(amount=statement.explained, currency=currency),
            difference=MoneyWire(amount=statement.difference, currency=currency),
            items=tuple(
                FoundAnswer(found=found, items=statement.found[found]) for found in Found if found in statement.found
            ),
            pages=statement.pages,
            closed=statement.closed,
            ties=statement.ties,
        )


class ItemAnswer(Wire):
    """A line of a payout: what it adds, the fee that is kept of that, and our own id of what it is about."""

    kind: ItemKind
    reference: str | None
    amount: MoneyWire
    fee: MoneyWire
    object_id: str | None
    found: Found

    @classmethod
    def of(cls, settled: SettledItem) -> Self:
        """The line on the wire."""
        return cls(
            kind=settled.item.kind,
            reference=settled.item.reference or None,
            amount=MoneyWire.of(settled.item.money),
            fee=MoneyWire.of(settled.item.fee),
            object_id=settled.object_id or None,
            found=settled.found,
        )


class ItemsAnswer(Wire):
    """A page of a payout's lines."""

    items: tuple[ItemAnswer, ...]

    @classmethod
    def of(cls, items: tuple[SettledItem, ...]) -> Self:
        """The page on the wire."""
        return cls(items=tuple(map(ItemAnswer.of, items)))


class PayoutPath(Wire):
    """The payout in the path."""

    id: ObjectId


class PayoutPagePath(PayoutPath):
    """A page of its lines."""

    number: Annotated[int, Field(ge=1, le=PAYOUT_PAGES)]


class NewItem(Wire):
    """A line of a payout as its partner tells it: what it adds (negative where it takes), and the fee kept of that."""

    kind: ItemKind
    reference: Reference = ""
    amount: MoneyWire
    fee: MoneyWire

    def item(self) -> Item:
        """The line."""
        return Item(self.kind, self.reference, self.amount.money(), self.fee.money())


class NewPage(Wire):
    """The next page of a payout's lines, for partners that cannot be asked: from their settlement file."""

    page: Annotated[int, Field(ge=1, le=PAYOUT_PAGES)]
    items: Annotated[tuple[NewItem, ...], Field(max_length=PAYOUT_PAGE_ITEMS)]
    last: bool

    def content(self) -> StatementPage:
        """The page."""
        return StatementPage(self.page, tuple(item.item() for item in self.items), self.last)
