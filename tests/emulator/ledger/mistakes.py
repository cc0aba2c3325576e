"""What the tests of the model's mistakes give and look at."""

from typing import Any

from shared.ledger.model import Account, AccountType, JournalEntry
from shared.ledger.records import account_ref, create_account, read_account
from shared.ports import Decision, Query, Where
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.lines import Commit

NOVEMBER, DECEMBER, BANK, RECEIVABLE = "2026-11", "2026-12", "assets:bank", "assets:receivable"
WALLET, PURSE = "liabilities:wallet", "liabilities:purse"


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does."""
    raise Killed


def passes(commit: Commit) -> Any:
    """Nothing happens to it."""
    return commit()


def post(books: Bookkeeping, name: str, entry: JournalEntry | None = None) -> bool:
    """Post a sale of a cent, or another entry under the name."""
    return books.books.post(a_call(name), entry or a_sale(1, name=name)).answer.posted


def spends(name: str, amount: int, account: str = WALLET, **changes: Any) -> JournalEntry:
    """Money taken out of an account to the bank."""
    return a_sale(amount, name=name, to=account, of=BANK, **changes)


def pays(name: str, amount: int, account: str = WALLET, **changes: Any) -> JournalEntry:
    """Money put into an account from the bank."""
    return a_sale(amount, name=name, to=BANK, of=account, **changes)


def a_purse(books: Bookkeeping) -> None:
    """An account of ours to someone, without a floor."""
    purse = Account(PURSE, AccountType.LIABILITY, "Purse", shards=1)
    books.store.transact((), lambda _: Decision(None, create_account(ACME, purse)))


def warm(books: Bookkeeping) -> str:
    """Post once, and say a name whose entry goes the fast path to the very same totals."""
    assert post(books, "warm")
    shard = a_sale(name="warm").shard(64)
    return next(name for name in map(str, range(10_000)) if a_sale(name=name).shard(64) == shard)


def live(books: Bookkeeping, field: str, value: str) -> int:
    """Totals documents that would still permit a posting."""
    where = (Where("closed", "==", value=False), Where(field, "==", value))
    return len(books.store.query(Query("totals", ACME, where)).documents)


def balance(books: Bookkeeping, account: str) -> int:
    """What stands on an account, euro cents."""
    return sum(row.amount for row in books.reports.trial_balance(ACME, DECEMBER).rows if row.account == account)


def read_account_of(books: Bookkeeping, code: str) -> Account:
    """An account as it stands."""
    ref = account_ref(ACME, code)
    document = books.store.get([ref])[ref]
    assert document is not None
    return read_account(document)
