"""What else is derived from entries: shifts and carried balances, recomputed apart from the code that writes them.

Both are kept as folds like those of totals, under a kind of their own (`SHIFTS`, `CARRIED`), so that a difference is
named and reckoned in the same way.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from shared.identity import TenantId
from shared.ledger.model import JournalEntry, Month, Side, month_of
from shared.ledger.rules.proofs import SUMS, Folded, Paths, fold_sums, without_zeros
from shared.ledger.rules.reports import FoldKey
from shared.ledger.rules.shifts import COLLECTION
from shared.ports import Document, FieldPath, Increment, Value, tenant_ref

SHIFTS: Final = "shifts"
CARRIED: Final = "carried"
REPAIRED: Final = "repaired"
"""Where a repair of shifts goes: a shard of its own, which no posting writes."""
REPAIRED_SHARD: Final = -1

Fold: TypeAlias = dict[FoldKey, dict[FieldPath, int]]


def fold_shift_documents(documents: Iterable[Document]) -> Folded:
    """Shifts of all shards added up; the documents that only say an account's side are left out."""
    fold: Fold = {}
    for document in documents:
        if document.fields.get("month"):
            account, currency, month = (str(document[name]) for name in ("account", "currency", "month"))
            fold_sums(fold.setdefault((account, currency, month, SHIFTS), {}), document.fields)
    return without_zeros(fold)


def adding_shifts(entries: Iterable[JournalEntry], fold: Fold) -> Iterator[JournalEntry]:
    """Pass entries on, adding to `fold` what shifts must hold: more on the posting day, less on the effective one."""
    for entry in entries:
        if entry.posting_day != entry.effective_on:
            for line in entry.lines:
                side = "debits" if line.side is Side.DEBIT else "credits"
                for day, sign in ((entry.posting_day, 1), (entry.effective_on, -1)):
                    sums = fold.setdefault((line.account, line.money.currency, month_of(day), SHIFTS), {})
                    for path in ((side,), ("d", f"{day.day:02d}", side)):
                        sums[path] = sums.get(path, 0) + sign * line.money.amount
        yield entry


def fold_carried(documents: Iterable[Document]) -> Folded:
    """Carried balances by account, currency and the month they go through; a sum that is no integer is missing."""
    fold: Fold = {}
    for document in documents:
        carried = document.fields.get("sums")
        for currency, amounts in carried.items() if isinstance(carried, Mapping) else ():
            key = (str(document["account"]), str(currency), str(document["month"]), CARRIED)
            fold_sums(fold.setdefault(key, {}), amounts if isinstance(amounts, Mapping) else {})
    return without_zeros(fold)


def carried_from(fold: Folded, stops: Iterable[Month]) -> Folded:
    """What must be carried through each of these months, by a fold of all months: all kinds of entries, no days."""
    running: dict[tuple[str, str], dict[FieldPath, int]] = {}
    months, expected = sorted(fold, key=lambda key: key[2]), dict[FoldKey, Paths]()
    place = 0
    for stop in sorted(stops):
        while place < len(months) and months[place][2] <= stop:
            account, currency, _, _ = months[place]
            sums = running.setdefault((account, currency), {})
            for name in SUMS:
                sums[name,] = sums.get((name,), 0) + fold[months[place]].get((name,), 0)
            place += 1
        expected |= {(account, currency, stop, CARRIED): dict(sums) for (account, currency), sums in running.items()}
    return without_zeros(expected)


def together(fold: Folded, more: Folded) -> Folded:
    """Two folds added up."""
    keys = fold.keys() | more.keys()
    return without_zeros(
        {
            key: {
                path: fold.get(key, {}).get(path, 0) + more.get(key, {}).get(path, 0)
                for path in fold.get(key, {}).keys() | more.get(key, {}).keys()
            }
            for key in keys
        }
    )


def shift_correction(tenant: TenantId, key: FoldKey, sums: Paths) -> Increment:
    """The write that sets shifts right: into a document that no posting writes; what was damaged stays as it is."""
    account, currency, month, _ = key
    fields: dict[str, Value] = {
        "schema": 1,
        "account": account,
        "currency": currency,
        "month": month,
        "shard": REPAIRED_SHARD,
    }
    ref = tenant_ref(tenant, COLLECTION, f"{account}~{currency}~{month}~{REPAIRED}")
    return Increment(ref, sums, must_exist=False, fields=fields)
