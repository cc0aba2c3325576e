"""Holds on the real emulator: the orders that tests give, and that what is reserved adds up whatever happened."""

from datetime import date, datetime, timedelta
from typing import Final, cast

from shared.calls import Call
from shared.identity import StoredId, TenantId
from shared.ledger.model import Account, AccountType, Floor, Line, Side, credit, debit
from shared.ledger.records import create_account, guard_ref, inflow_ref, read_account, read_entry
from shared.ledger.rules.holds import COLLECTION, Hold, HoldState, read_hold
from shared.ledger.rules.pending import fold_lines, fold_pending, pending_of
from shared.ledger.rules.posting import moved
from shared.ledger.use_cases.holds import HoldOrder, Holds
from shared.ports import Decision, Query, Store
from tests.builders import ACME, NOON, a_call, a_sale, euros
from tests.emulator.ledger.conftest import Bookkeeping

WALLET: Final = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))
PURSE: Final = Account("liabilities:purse", AccountType.LIABILITY, "Purse", shards=1, floor=Floor("EUR", 0))
BANK: Final = "assets:bank"
LATER: Final = NOON + timedelta(hours=1)
"""When the holds of tests expire."""
AFTER: Final = LATER + timedelta(seconds=1)


def holds_of(books: Bookkeeping) -> Holds:
    """The holds that an instance keeps."""
    return Holds(books.desk, books.books)


def with_money(books: Bookkeeping, amount: int, account: Account = WALLET) -> None:
    """Open a floored account and put something in."""
    books.store.transact((), lambda _: Decision(None, create_account(ACME, account)))
    if amount:
        name = f"deposit-{account.code}"
        books.books.post(a_call(name), a_sale(amount, name=name, to=BANK, of=account.code))


def out_of(account: Account, amount: int) -> tuple[Line, ...]:
    """Lines that take money from an account to the bank."""
    return (debit(account.code, euros(amount)), credit(BANK, euros(amount)))


def a_hold(amount: int, *, on: date | None = None, until: datetime = LATER) -> HoldOrder:
    """A hold on the wallet's money."""
    return HoldOrder(out_of(WALLET, amount), until, on, "H-1")


def reserved(books: Bookkeeping, amount: int, key: str = "hold") -> StoredId:
    """Hold money of the wallet and say which hold it is."""
    return holds_of(books).reserve(a_call(key), a_hold(amount)).answer.id


def at(key: str, instant: datetime) -> Call:
    """A call at an instant."""
    return a_call(key, at=instant)


def all_holds(store: Store, tenant: TenantId, instant: datetime | None = None) -> tuple[Hold, ...]:
    """Every hold, ended and refused ones too."""
    return tuple(read_hold(document) for document in store.query(Query(COLLECTION, tenant), at=instant).documents)


def assert_reserved_adds_up(store: Store, tenant: TenantId = ACME) -> None:
    """At one instant: pending documents and guards are the fold of open holds, holds are the fold of their entries.

    And no floored account has less than nothing to spend.
    """
    instant = store.read_time()
    holds = all_holds(store, tenant, instant)
    open_lines = [line for hold in holds for line in hold.open_lines]
    assert fold_pending(store.query(pending_of(tenant), at=instant).documents) == fold_lines(open_lines)
    for document in store.query(Query("accounts", tenant), at=instant).documents:
        account = read_account(document)
        if account.floor:
            _assert_guarded(store, tenant, account, moved(open_lines, account)[1], instant)
    _assert_posted(store, tenant, holds, instant)


def _assert_guarded(store: Store, tenant: TenantId, account: Account, held: int, instant: datetime) -> None:
    refs = [guard_ref(tenant, account.code), inflow_ref(tenant, account.code)]
    guard, inflow = (store.get(refs, at=instant)[ref] for ref in refs)
    assert guard is not None
    assert inflow is not None
    limit, spent, received = (cast("int", value) for value in (guard["limit"], guard["spent"], inflow["credits"]))
    assert guard["held"] == held, account.code
    assert limit + received - spent - held >= 0, account.code


def _assert_posted(store: Store, tenant: TenantId, holds: tuple[Hold, ...], instant: datetime) -> None:
    """What a hold has no longer left is what entries posted of it; one that is open has something left."""
    posted: dict[tuple[str, str, Side, str], int] = {}
    for document in store.query(Query("entries", tenant), at=instant).documents:
        recorded = read_entry(document)
        if recorded.posted and recorded.entry.hold:
            _add(posted, recorded.entry.hold, recorded.entry.lines)
    used: dict[tuple[str, str, Side, str], int] = {}
    for hold in holds:
        assert any(hold.left) or hold.state is HoldState.POSTED
        lines = zip(hold.lines, hold.left, strict=True)
        for line, left in lines:
            key = (hold.id, line.account, line.side, line.money.currency)
            used[key] = used.get(key, 0) + line.money.amount - left
    assert posted == {key: amount for key, amount in used.items() if amount}


def _add(sums: dict[tuple[str, str, Side, str], int], hold: str, lines: tuple[Line, ...]) -> None:
    for line in lines:
        key = (hold, line.account, line.side, line.money.currency)
        sums[key] = sums.get(key, 0) + line.money.amount
