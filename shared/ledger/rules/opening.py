"""Opening balances: what a tenant brings along, put against one equity account in as many entries as it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.calls import Call
from shared.faults import Invalid
from shared.ledger.model import Account, AccountCode, AccountType, JournalEntry, Side
from shared.ledger.rules.closing import balanced_chunks
from shared.money import Money

OPENING_BALANCES: Final = Account("equity:opening_balances", AccountType.EQUITY, "Opening balances", shards=1)


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """One account's balance in one currency, on one side."""

    account: AccountCode
    side: Side
    money: Money


def opening_entries(call: Call, on: date, rows: Sequence[OpeningRow]) -> tuple[JournalEntry, ...]:
    """The entries that bring the rows in, effective on a day; the same request always makes the same ones.

    Raises:
        Invalid: an account is there twice in one currency, or is the one that all are put against.
    """
    seen: set[tuple[AccountCode, str]] = set()
    nets: dict[str, list[tuple[AccountCode, int]]] = {}
    for place, row in enumerate(rows):
        key = (row.account, row.money.currency)
        if key in seen or row.account == OPENING_BALANCES.code:
            message = "an account has one opening balance in a currency, and the balancing account none"
            raise Invalid(message, field=f"rows.{place}")
        seen.add(key)
        # an opening balance is what the lines must come to, so it is undone from the other side
        net = -row.money.amount if row.side is Side.DEBIT else row.money.amount
        nets.setdefault(row.money.currency, []).append((row.account, net))
    return tuple(
        JournalEntry(
            call.cause.stored_id(f"opening balances {currency} {place}"),
            lines,
            on,
            str(call.cause),
            call.request_hash,
            reference="opening balances",
        )
        for currency, amounts in sorted(nets.items())
        for place, lines in enumerate(balanced_chunks(amounts, currency, OPENING_BALANCES.code))
    )
