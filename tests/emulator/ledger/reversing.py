"""What reverses in the tests: one instance, the same sale, and a wallet that is never overdrawn."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.faults import Refused, Retryable
from shared.identity import StoredId
from shared.ledger.model import Account, AccountType, Floor
from shared.ledger.records import RecordedEntry, create_account
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.reversals import Reversals
from shared.ports import Decision
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale, euros
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping

WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))
SALE = a_sale(12_000)
TRIES = 40


@dataclass
class Desk:
    """One instance's reversals."""

    kept: Bookkeeping
    reversals: Reversals

    def reverse(
        self, key: str, original: StoredId = SALE.id, parts: tuple[int, ...] = (), **order: object
    ) -> RecordedEntry:
        """Reverse all that is left, or the same amount of each of the first lines; again while it is to be retried."""
        asked = tuple(Part(place, euros(amount)) for place, amount in enumerate(parts)) or None
        wanted = ReversalOrder(original, asked, **order)  # type: ignore[arg-type]
        for _ in range(TRIES):
            try:
                return self.reversals.reverse(a_call(key), wanted).answer
            except Retryable:
                continue
        message = f"retried {TRIES} times"
        raise AssertionError(message)

    def left(self, original: StoredId = SALE.id) -> tuple[int, ...]:
        """What is left of an entry, by line."""
        return self.reversals.of(ACME, original, 50, None).left

    def listed(self, original: StoredId = SALE.id) -> dict[str, str]:
        """The reversals of an entry: id and outcome."""
        page = self.reversals.of(ACME, original, 50, None).reversals
        return {one.entry.id: str(one.refusal["code"]) if one.refusal else "posted" for one in page.items}

    def balances(self) -> dict[str, int]:
        """What stands on every account, by code, euro cents."""
        rows = self.kept.reports.trial_balance(ACME, "2026-12").rows
        return {row.account: row.amount for row in rows if row.amount}


def a_desk(settings: Settings, kept: Bookkeeping) -> Desk:
    """The reversals of a tenant with one sale posted by another instance: nothing is remembered, so a commit lands."""
    seller = bookkeeping(settings)
    seller.books.post(a_call("sale"), SALE)
    seller.line.close()
    return Desk(kept, Reversals(kept.desk, kept.books))


def with_wallet(desk: Desk, deposit: int, spent: int) -> StoredId:
    """Open the wallet, put something in, take something out; the deposit's id."""
    desk.kept.store.transact((), lambda _: Decision(None, create_account(ACME, WALLET)))
    put = a_sale(deposit, name="deposit", to="assets:bank", of=WALLET.code)
    desk.kept.books.post(a_call("deposit"), put)
    if spent:
        take = a_sale(spent, name="spent", to=WALLET.code, of="assets:bank")
        desk.kept.books.post(a_call("spent"), take)
    return put.id


def outcome(ask: Callable[[], object]) -> str:
    """What a posting came to: posted, or its refusal; again while it is to be retried."""
    for _ in range(TRIES):
        try:
            ask()
        except Retryable:
            continue
        except Refused as refused:
            return refused.code
        return "posted"
    return "retried too often"


def reversal_id(key: str) -> StoredId:
    """The id that a reversal under a key has."""
    return a_call(key).cause.stored_id("entry")
