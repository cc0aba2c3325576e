"""Orders to the books that tests of control operations give: entries, accounts, and what stands afterwards."""

from typing import Any, Final, cast

from shared.ledger.model import Account, AccountType, EntryKind, Floor, JournalEntry, Line, credit, debit
from shared.ledger.records import account_ref, read_account
from shared.ledger.use_cases.accounts import Chart
from shared.money import Money
from shared.ports import Query, Where
from tests.builders import ACME, TODAY, a_call, entry_id
from tests.emulator.ledger.conftest import Bookkeeping

WALLET: Final = "liabilities:wallet"
TRANSIT: Final = "assets:transit"
BANK: Final = "assets:bank"
SALES: Final = "revenue:sales"


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does: no handler of ours runs for it."""
    raise Killed


def an_entry(name: str, *lines: Line, kind: EntryKind = EntryKind.REGULAR) -> JournalEntry:
    """Lines under a name of their own, effective on the tests' day."""
    return JournalEntry(entry_id(name), lines, TODAY, name, "hash-1", kind)


def money(amount: int, currency: str = "EUR") -> Money:
    """So many minor units."""
    return Money(amount, currency)


def pays(name: str, amount: int, currency: str = "EUR", *, of: str = BANK, to: str = WALLET) -> JournalEntry:
    """Debit `of`, credit `to`: the wallet of a customer grows."""
    return an_entry(name, debit(of, money(amount, currency)), credit(to, money(amount, currency)))


def spends(name: str, amount: int, currency: str = "EUR") -> JournalEntry:
    """Debit the wallet: it shrinks."""
    return pays(name, amount, currency, of=WALLET, to=SALES)


def open_wallet(kept: Bookkeeping, floor: Floor | None = None, **changes: Any) -> None:
    """A liability that customers' money stands on."""
    account = Account(WALLET, AccountType.LIABILITY, "Wallet", floor=floor, **changes)
    Chart(kept.desk).open_account(a_call("open wallet"), account)


def post(kept: Bookkeeping, entry: JournalEntry) -> None:
    """Post under a call of the entry's own name."""
    kept.books.post(a_call(entry.cause), entry)


def account_of(kept: Bookkeeping, code: str = WALLET) -> Account:
    """The account as it is kept."""
    document = kept.store.get([account_ref(ACME, code)])[account_ref(ACME, code)]
    assert document is not None
    return read_account(document)


def live_totals(kept: Bookkeeping, field: str, value: str, below: int | None = None) -> int:
    """Totals documents that would still permit a posting; of versions below one."""
    live = (Where("closed", "==", value=False), Where(field, "==", value))
    documents = kept.store.query(Query("totals", ACME, live)).documents
    return sum(below is None or cast("int", document["version"]) < below for document in documents)
