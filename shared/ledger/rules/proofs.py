"""Do the totals say what the journal says? Both folded apart from the code that posts, every sum by its path.

A difference is what must be added to the totals to make them the fold of the entries. A posting
moves both in one commit, so it never moves a difference: what two instants agree on is damage.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, EntryKind, Floor, JournalEntry, Month, Side
from shared.ledger.records import Guard, TotalsKey
from shared.ledger.rules.control import closed_ref
from shared.ledger.rules.pending import Pending, Reserved
from shared.ledger.rules.reports import FoldKey
from shared.ports import Document, FieldPath, Fields, Increment

SUMS: Final = ("debits", "credits", "count")
CORRECTED: Final = 0
"""The version of totals that only repairs write: postings' versions begin at 1, so both are told apart for ever."""

Paths: TypeAlias = Mapping[FieldPath, int]
"""Sums by field: `("debits",)`, `("count",)`, and `("d", "16", "debits")` for a day's; a zero is not named."""

Folded: TypeAlias = Mapping[FoldKey, Paths]

Books: TypeAlias = tuple[Folded, Pending]
"""Totals of all months of an account or more, and what its holds keep in reserve."""


def fold_documents(documents: Iterable[Document]) -> Folded:
    """Totals of all versions and shards, live and closed, added up with their days; a sum that is none is missing."""
    fold: dict[FoldKey, dict[FieldPath, int]] = {}
    for document in documents:
        fields = document.fields
        account, currency, month, kind = (str(fields[name]) for name in ("account", "currency", "month", "kind"))
        fold_sums(fold.setdefault((account, currency, month, kind), {}), fields)
    return without_zeros(fold)


def fold_sums(sums: dict[FieldPath, int], fields: Fields) -> None:
    """Add a document's sums and those of its days; one that is no integer is missing."""
    _add_sums(sums, (), fields)
    days = fields.get("d", {})
    for day, bucket in days.items() if isinstance(days, Mapping) else ():
        _add_sums(sums, ("d", day), cast("Fields", bucket))


def fold_journal(entries: Iterable[JournalEntry]) -> Folded:
    """What the totals must be."""
    fold: dict[FoldKey, dict[FieldPath, int]] = {}
    for entry in entries:
        counted: set[FoldKey] = set()
        for line in entry.lines:
            key = (line.account, line.money.currency, entry.month, entry.kind.value)
            sums = fold.setdefault(key, {})
            side = "debits" if line.side is Side.DEBIT else "credits"
            for path in ((side,), ("d", f"{entry.effective_on.day:02d}", side)):
                sums[path] = sums.get(path, 0) + line.money.amount
            if key not in counted:
                counted.add(key)
                sums["count",] = sums.get(("count",), 0) + 1
    return without_zeros(fold)


def corrections(totals: Folded, journal: Folded) -> Folded:
    """What must be added to the totals to make them the fold of the journal; empty when nothing must."""
    fold: dict[FoldKey, dict[FieldPath, int]] = {}
    for key in sorted(totals.keys() | journal.keys()):
        is_, ought = totals.get(key, {}), journal.get(key, {})
        fold[key] = {path: ought.get(path, 0) - is_.get(path, 0) for path in sorted(is_.keys() | ought.keys())}
    return without_zeros(fold)


def of_account(fold: Folded, account: AccountCode, day: str | None = None) -> Folded:
    """One account's part of a fold, and of that one day's when a day is named (`yyyy-mm-dd`)."""
    mine = {key: sums for key, sums in fold.items() if key[0] == account and (day is None or key[2] == day[:7])}
    if day is None:
        return mine
    bucket = ("d", day[8:])
    return without_zeros({key: {path: sums[path] for path in sums if path[:2] == bucket} for key, sums in mine.items()})


def of_month(fold: Folded, account: AccountCode, month: Month) -> Folded:
    """One account's part of a fold in one month."""
    return {key: sums for key, sums in fold.items() if (key[0], key[2]) == (account, month)}


def balance_of(fold: Folded, account: Account, currency: str) -> int:
    """An account's balance in a currency on its normal side, minor units, over all that a fold holds."""
    net = 0
    for (code, unit, _, _), sums in fold.items():
        if (code, unit) == (account.code, currency):
            net += sums.get(("debits",), 0) - sums.get(("credits",), 0)
    return net if account.type.normal_side is Side.DEBIT else -net


@dataclass(frozen=True, slots=True)
class GuardOff:
    """How much more a floored account's guard must have spent and held to allow what the books allow."""

    spent: int
    held: int


RIGHT: Final = GuardOff(0, 0)


def guard_off(account: Account, floor: Floor, guard: Guard | None, received: int, *, books: Books) -> GuardOff:
    """What is wrong with a guard: `RIGHT` when nothing is.

    Received less spent is the balance, whatever was received and spent before the floor was there;
    held is what open holds would take.
    """
    totals, pending = books
    spent, held = (guard.spent, guard.held) if guard else (0, 0)
    reserved = pending.get((account.code, floor.currency), Reserved()).outgoing(account)
    return GuardOff(received - spent - balance_of(totals, account, floor.currency), reserved - held)


def unlike(reserved: Pending, holds: Pending) -> tuple[tuple[AccountCode, str], ...]:
    """Accounts and currencies of which is reserved what open holds do not say, in order."""
    keys = sorted(reserved.keys() | holds.keys())
    return tuple(key for key in keys if reserved.get(key) != holds.get(key))


def altered(document: Document, entry: JournalEntry) -> bool:
    """Whether an entry is not what its own content hash says, or not where queries look for it by its fields.

    Totals must not be made to follow it.
    """
    found_by = (document["accounts"], document["month"])
    return entry.content_hash != document["content_hash"] or found_by != (list(entry.accounts), entry.month)


def out_of_balance(fold: Folded) -> tuple[str, ...]:
    """Currencies whose debits and credits differ over a whole fold, sorted."""
    nets: dict[str, int] = {}
    for (_, currency, _, _), sums in fold.items():
        nets[currency] = nets.get(currency, 0) + sums.get(("debits",), 0) - sums.get(("credits",), 0)
    return tuple(sorted(currency for currency, net in nets.items() if net))


def correction(tenant: TenantId, key: FoldKey, sums: Paths) -> Increment:
    """The write that sets totals right: into a closed document of its own, so that it permits no posting.

    Readers add it like every retired document; what was damaged stays as it is, and can be looked at.
    """
    account, currency, month, kind = key
    totals = TotalsKey(account, currency, month, EntryKind(kind), CORRECTED, 0)
    return Increment(closed_ref(totals.ref(tenant)), sums, must_exist=False, fields=totals.fields(closed=True))


def named(key: FoldKey) -> str:
    """A difference's place as one word for records and logs."""
    return "/".join(key)


def _add_sums(sums: dict[FieldPath, int], prefix: FieldPath, fields: Fields) -> None:
    for name in SUMS:
        amount = fields.get(name)
        if isinstance(amount, int):
            path = (*prefix, name)
            sums[path] = sums.get(path, 0) + amount


def without_zeros(fold: Mapping[FoldKey, Paths]) -> Folded:
    """A fold that names only what is not zero, so that equal folds are equal."""
    sound = ((key, {path: amount for path, amount in sums.items() if amount}) for key, sums in fold.items())
    return {key: sums for key, sums in sound if sums}
