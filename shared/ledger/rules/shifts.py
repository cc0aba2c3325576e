"""The posted-date view: what to add to the effective-date view, kept only where the two days of an entry differ.

An entry effective on E and posted on P counts from E on in one view and from P on in the other. So the amounts
are added on P and taken away on E in `shifts/{account}~{currency}~{month}~{shard}`, laid out like totals:

    as posted by D = totals of effective days up to D + shifts of days up to D

It holds whichever of the two days comes first, and takes one document of each account, or two when the days lie
in two months. Shifts are never a permission to post: a plain increment, which creates, in the posting's own
commit. No control operation moves them, so a document has neither version nor closed copy.
"""

import zlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from shared.identity import StoredId, TenantId
from shared.ledger.model import Account, AccountCode, JournalEntry, Month, Side, month_of
from shared.ports import FieldPath, Increment, Value, tenant_ref

COLLECTION: Final = "shifts"
_SUM_FIELD: Final = {Side.DEBIT: "debits", Side.CREDIT: "credits"}


def shifts(
    tenant: TenantId, entries: Iterable[JournalEntry], accounts: Mapping[AccountCode, Account], lead: StoredId
) -> tuple[Increment, ...]:
    """What posting entries in one commit adds to the shifts; nothing of those posted on their effective day.

    `lead` names the commit: its hash is the shard, as it is that of the totals.
    """
    hashed = zlib.crc32(lead.encode())
    return tuple(
        _increment(tenant, (code, currency, month, hashed % accounts[code].shards), amounts)
        for (code, currency, month), amounts in amounts_of(entries).items()
    )


def amounts_of(entries: Iterable[JournalEntry]) -> dict[tuple[AccountCode, str, Month], dict[FieldPath, int]]:
    """What the shifts must hold of entries: by account, currency and month, the month's and the days' sums.

    Sums that cancel are left out, such as a month's own when both days lie in it.
    """
    sums: dict[tuple[AccountCode, str, Month], dict[FieldPath, int]] = {}
    for entry in entries:
        if entry.posting_day == entry.effective_on:
            continue
        for line in entry.lines:
            side = _SUM_FIELD[line.side]
            for day, amount in _moves(entry, line.money.amount):
                amounts = sums.setdefault((line.account, line.money.currency, month_of(day)), {})
                for path in ((side,), ("d", f"{day.day:02d}", side)):
                    amounts[path] = amounts.get(path, 0) + amount
    sound = {key: {path: amount for path, amount in amounts.items() if amount} for key, amounts in sums.items()}
    return {key: amounts for key, amounts in sound.items() if amounts}


def _moves(entry: JournalEntry, amount: int) -> tuple[tuple[date, int], tuple[date, int]]:
    return (entry.posting_day, amount), (entry.effective_on, -amount)


def _increment(
    tenant: TenantId, place: tuple[AccountCode, str, Month, int], amounts: Mapping[FieldPath, int]
) -> Increment:
    account, currency, month, shard = place
    fields: dict[str, Value] = {"schema": 1, "account": account, "currency": currency, "month": month, "shard": shard}
    return Increment(
        tenant_ref(tenant, COLLECTION, f"{account}~{currency}~{month}~{shard}"),
        amounts,
        must_exist=False,
        fields=fields,
    )
