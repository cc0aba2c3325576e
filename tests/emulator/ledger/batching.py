"""Batches, as tests make and read them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.calls import Call, Done
from shared.faults import Refused, Retryable
from shared.identity import Cause
from shared.ledger.model import Account, AccountType, Floor, JournalEntry
from shared.ledger.records import RecordedEntry, create_account
from shared.ledger.use_cases.batches import Batch, Batches, BatchResult, Mode
from shared.ledger.use_cases.together import Posting, Result
from shared.ports import Decision, Query
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping

WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))
BOTH = pytest.mark.parametrize("mode", list(Mode))


def a_withdrawal(amount: int, name: str) -> JournalEntry:
    """Money taken out of the wallet."""
    return a_sale(amount, name=name, to=WALLET.code, of="assets:bank")


def a_deposit(amount: int, name: str) -> JournalEntry:
    """Money put into the wallet."""
    return a_sale(amount, name=name, to="assets:bank", of=WALLET.code)


def sales(number: int, *, start: int = 0) -> list[JournalEntry]:
    """So many sales of one cent."""
    return [a_sale(1, name=f"sale-{start + one}") for one in range(number)]


def a_batch(mode: Mode, entries: Sequence[JournalEntry], key: str = "batch") -> tuple[Call, Batch]:
    """A batch under a key, each entry under a call of its own."""
    call = a_call(key)
    postings = tuple(
        Posting(replace(call, cause=Cause("api", "entry", entry.cause)), entry, audited=False) for entry in entries
    )
    return call, Batch(call.cause.stored_id("batch"), mode, postings)


def post(kept: Bookkeeping, mode: Mode, entries: Sequence[JournalEntry], key: str = "batch") -> Done[BatchResult]:
    """Post a batch through an instance."""
    return batches(kept).post(*a_batch(mode, entries, key))


def batches(kept: Bookkeeping) -> Batches:
    """The batches of an instance."""
    return Batches(kept.desk, kept.books)


def outcomes(done: Done[BatchResult]) -> list[str]:
    """What became of each: posted, a refusal's code, or retry."""
    return [outcome(result) for result in done.answer.results]


def outcome(result: Result | Refused) -> str:
    """What became of one."""
    if isinstance(result, Refused):
        return result.code
    match result.outcome:
        case Refused() as refusal:
            return refusal.code
        case Retryable():
            return "retry"
        case RecordedEntry():
            return "posted"


def with_wallet(kept: Bookkeeping, deposit: int) -> None:
    """Open the wallet and put something in."""
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, WALLET)))
    if deposit:
        kept.books.post(a_call("deposit"), a_deposit(deposit, "deposit"))


def journal(kept: Bookkeeping) -> int:
    """Entries in the journal, posted and refused."""
    return kept.store.aggregate(Query("entries", ACME))["count"]


def in_wallet(kept: Bookkeeping) -> int:
    """What the wallet holds, by its totals."""
    rows = kept.reports.trial_balance(ACME, "2026-11").rows
    return sum(row.amount for row in rows if row.account == WALLET.code)
