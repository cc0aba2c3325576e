"""What may be asked of the books in any order, and what may become of each commit: drawn by hypothesis."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import grpc
from hypothesis import strategies as st

from shared.calls import Call
from shared.faults import Refused
from shared.gcp.rpc import Method, RpcFailed
from shared.identity import StoredId
from shared.ledger.model import Account, AccountType, EntryKind, Floor, JournalEntry, Line, Side
from shared.ledger.records import entry_ref, operation_ref
from shared.ledger.rules.control import Control
from shared.ledger.rules.holds import PostOrder, hold_ref
from shared.ledger.rules.reversals import ReversalOrder
from shared.ledger.use_cases.batches import Batch, Mode, batch_ref
from shared.ledger.use_cases.holds import PURPOSE, HoldOrder
from shared.money import Money
from shared.ports import Ref
from tests.emulator.ledger.model import Target
from tests.emulator.lines import Commit, Switch, first, lost, lost_then, unsent

BANK, SALES, RENT = "assets:bank", "revenue:sales", "expenses:rent"
WALLET, CASH = "liabilities:wallet", "assets:cash"
CHART: Final = {
    BANK: Account(BANK, AccountType.ASSET, "Bank"),
    SALES: Account(SALES, AccountType.REVENUE, "Sales", shards=2),
    RENT: Account(RENT, AccountType.EXPENSE, "Rent", shards=1),
    WALLET: Account(WALLET, AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0)),
    CASH: Account(CASH, AccountType.ASSET, "Cash", shards=1, floor=Floor("EUR", 40)),
}
NONE: Final = StoredId("")
MONTHS: Final = ("2026-10", "2026-11")


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does."""
    raise Killed


def aborted(_: Commit) -> Any:
    """The store chose another writer."""
    raise RpcFailed(Method("/Commit", None, None), grpc.StatusCode.ABORTED, "contention")


def passes(commit: Commit) -> Any:
    """Nothing happens to it."""
    return commit()


FAULTS: Final[Mapping[str, Switch]] = {
    "lost": lost,
    "unsent": unsent,
    "aborted": aborted,
    "killed before": first(dies),
    "killed after": lost_then(dies),
}
LATE: Final = ("late", "killed, late")
Fault = tuple[str, int] | None
"""What happens to a commit, and how many pass before it."""
Lines = tuple[Line, ...]


# --- what may be asked -------------------------------------------------------------------


def parts(total: int, pieces: int) -> list[int]:
    """A sum in so many positive parts."""
    small = min(pieces, total)
    return [*([1] * (small - 1)), total - small + 1]


@st.composite
def lines(draw: st.DrawFn) -> tuple[Line, ...]:
    """Two to six lines that balance in each of one or two currencies."""
    currencies = draw(st.sampled_from((("EUR",), ("EUR",), ("GBP",), ("EUR", "JPY"))))
    drawn: list[Line] = []
    for currency in currencies:
        total = draw(st.integers(1, 60))
        shape = draw(st.sampled_from(((1, 1), (1, 1), (1, 2), (2, 1)) + (((3, 3),) if len(currencies) == 1 else ())))
        for side, pieces in zip((Side.DEBIT, Side.CREDIT), shape, strict=True):
            drawn += [
                Line(draw(st.sampled_from(tuple(CHART))), side, Money(amount, currency))
                for amount in parts(total, pieces)
            ]
    return tuple(drawn)


purses = st.builds(
    lambda amount, back: (
        Line(BANK if back else WALLET, Side.DEBIT, Money(amount, "EUR")),
        Line(WALLET if back else BANK, Side.CREDIT, Money(amount, "EUR")),
    ),
    st.integers(1, 40),
    st.booleans(),
)
"""Money into the wallet or out of it: where a floor stands."""

drawn = purses | lines()


@dataclass(frozen=True)
class Several:
    """What a batch is made of: new entries, perhaps an entry that was asked for before, perhaps one that cannot be."""

    mode: Mode
    new: tuple[Lines, ...]
    again: int | None
    """Which earlier entry comes first."""
    impossible: bool


@dataclass(frozen=True)
class Order:
    """What one caller wants; exactly one of entry, control, reverse, reserve, use, void, expire and batch."""

    call: Call
    entry: JournalEntry | None = None
    control: Control | None = None
    target: Target = ""
    reverse: ReversalOrder | None = None
    reserve: HoldOrder | None = None
    use: PostOrder | None = None
    void: bool = False
    expire: bool = False
    hold: StoredId = NONE
    """The hold that is used, voided or expired."""
    batch: Batch | None = None
    each: tuple["Order | Refused", ...] = ()
    """The batch's entries as orders of their own; a refusal where no entry could be built."""

    @property
    def key(self) -> str:
        """The name it goes by."""
        return self.call.cause.key

    @property
    def operation(self) -> str:
        """The id of the control operation that it begins."""
        return self.call.cause.stored_id("operation")

    @property
    def id(self) -> StoredId:
        """The id of the entry or hold that it makes."""
        if self.entry:
            return self.entry.id
        if self.batch:
            return self.batch.id
        return self.call.cause.stored_id(PURPOSE if self.reserve else "entry")

    @property
    def linked(self) -> bool:
        """Whether it is a batch that stands and falls together; of any other batch each entry is an order."""
        return self.batch is not None and self.batch.mode is Mode.LINKED

    @property
    def fact(self) -> Ref:
        """The document that says what it came to."""
        tenant = self.call.tenant
        if self.batch:
            return batch_ref(tenant, self.id)
        if self.control:
            return operation_ref(tenant, self.operation)
        if self.void:
            return self.call.trace
        if self.expire:
            return hold_ref(tenant, self.hold)
        return hold_ref(tenant, self.id) if self.reserve else entry_ref(tenant, self.id)


days = st.builds(date, st.just(2026), st.sampled_from((10, 11, 11)), st.sampled_from((1, 16, 28)))
kinds = st.sampled_from((EntryKind.REGULAR, EntryKind.REGULAR, EntryKind.ADJUSTING))
controls = st.one_of(
    st.tuples(st.sampled_from((Control.FREEZE, Control.UNFREEZE)), st.sampled_from(tuple(CHART))),
    st.tuples(st.sampled_from((Control.SOFT_CLOSE, Control.HARD_CLOSE, Control.REOPEN)), st.sampled_from(MONTHS)),
)
faults = st.one_of(st.none(), st.none(), st.tuples(st.sampled_from((*FAULTS, *LATE)), st.sampled_from((0, 0, 1, 2))))
who = st.integers(0, 1)
which = st.integers(0, 10**6)
several = st.builds(
    Several,
    st.sampled_from(Mode),
    st.lists(drawn, min_size=1, max_size=3).map(tuple),
    st.none() | st.none() | which,
    st.booleans(),
)


def killed(_: Commit) -> Any:
    """Whoever commits dies first."""
    raise Killed


def killed_after(commit: Commit) -> Any:
    """Whoever commits dies when it has landed."""
    commit()
    raise Killed
