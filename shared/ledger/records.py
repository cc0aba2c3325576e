"""The ledger's values as documents, and where each is kept (docs/ledger.md, "Documents")."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from shared.desk import write_refusal
from shared.faults import Refused
from shared.identity import StoredId, TenantId
from shared.ledger.entry_data import read_entry_data, write_entry_data
from shared.ledger.line_text import read_lines, write_lines
from shared.ledger.model import (
    Account,
    AccountCode,
    AccountState,
    AccountType,
    EntryKind,
    Floor,
    JournalEntry,
    Month,
    Period,
    PeriodState,
    RefusedCommand,
    Reverses,
)
from shared.ports import Create, Document, FieldPath, Fields, Increment, Ref, Update, Value, tenant_ref

CLOSED = "~closed"


def entry_ref(tenant: TenantId, entry_id: StoredId) -> Ref:
    """A journal entry, posted or refused."""
    return tenant_ref(tenant, "entries", entry_id)


def account_ref(tenant: TenantId, code: AccountCode) -> Ref:
    """An account of the chart."""
    return tenant_ref(tenant, "accounts", code)


def period_ref(tenant: TenantId, month: Month) -> Ref:
    """A month of the books."""
    return tenant_ref(tenant, "periods", month)


def guard_ref(tenant: TenantId, code: AccountCode) -> Ref:
    """What a floored account has spent."""
    return tenant_ref(tenant, "guards", code)


def inflow_ref(tenant: TenantId, code: AccountCode) -> Ref:
    """What a floored account has received."""
    return tenant_ref(tenant, "inflows", code)


def reversals_ref(tenant: TenantId, entry_id: StoredId) -> Ref:
    """What is left to reverse of a posted entry, by line."""
    return tenant_ref(tenant, "reversals", entry_id)


def side_ref(tenant: TenantId, code: AccountCode) -> Ref:
    """The first of an account's shifts, of no month and no sums: it tells who reads them the account's side."""
    return tenant_ref(tenant, "shifts", code)


def operation_ref(tenant: TenantId, operation: str) -> Ref:
    """A control operation."""
    return tenant_ref(tenant, "ops", operation)


@dataclass(frozen=True, slots=True)
class TotalsKey:
    """The six parts of a totals document's name; they are its fields too, so that queries find it."""

    account: AccountCode
    currency: str
    month: Month
    kind: EntryKind
    version: int
    shard: int

    def ref(self, tenant: TenantId) -> Ref:
        """Where the live document is kept; while it exists, its account and month take postings."""
        name = f"{self.account}~{self.currency}~{self.month}~{self.kind.value}~v{self.version}~{self.shard}"
        return tenant_ref(tenant, "totals", name)

    def fields(self, *, closed: bool = False) -> dict[str, Value]:
        """The document's fields without its sums."""
        return {
            "schema": 1,
            "account": self.account,
            "currency": self.currency,
            "month": self.month,
            "kind": self.kind.value,
            "version": self.version,
            "shard": self.shard,
            "closed": closed,
        }

    def increment(self, tenant: TenantId, sums: Mapping[FieldPath, int], *, must_exist: bool) -> Increment:
        """Move the totals: with `must_exist` only where posting is permitted."""
        return Increment(self.ref(tenant), sums, must_exist, {} if must_exist else self.fields())


def write_entry(tenant: TenantId, entry: JournalEntry, refusal: Refused | None) -> Create:
    """The entry's document: created once, never changed."""
    fields: dict[str, Value] = {
        "schema": 1,
        "outcome": "refused" if refusal else "posted",
        "lines": write_lines(entry.lines),
        "accounts": list(entry.accounts),
        "effective_on": entry.effective_on.isoformat(),
        "posted_on": entry.posting_day.isoformat(),
        "month": entry.month,
        "kind": entry.kind.value,
        "cause": entry.cause,
        "reference": entry.reference,
        "request_hash": entry.request_hash,
        "content_hash": entry.content_hash,
    }
    if entry.reverses:
        fields["reverses"] = entry.reverses.entry
        fields["reversed_lines"] = list(entry.reverses.lines)
    if entry.hold:
        fields["hold"] = entry.hold
    fields |= write_entry_data(entry.data)
    if refusal:
        fields["refusal"] = write_refusal(refusal)
    return Create(entry_ref(tenant, entry.id), fields, stamped=("recorded_at",))


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """A journal entry as the books keep it: posted or refused, and when it was written."""

    entry: JournalEntry
    posted: bool
    recorded_at: datetime
    refusal: Fields | None


def read_entry(document: Document) -> RecordedEntry:
    """The entry that a document keeps."""
    fields = document.fields
    lines = read_lines(cast("list[str]", fields["lines"]))
    make = JournalEntry if lines else RefusedCommand
    entry = make(
        StoredId(document.ref.key),
        lines,
        date.fromisoformat(cast("str", fields["effective_on"])),
        cast("str", fields["cause"]),
        cast("str", fields["request_hash"]),
        EntryKind(fields["kind"]),
        cast("str", fields["reference"]),
        reverses=_read_reverses(fields),
        hold=cast("StoredId | None", fields.get("hold")),
        posted_on=date.fromisoformat(cast("str", fields.get("posted_on") or fields["effective_on"])),
        data=read_entry_data(fields),
    )
    refusal = cast("Fields | None", fields.get("refusal"))
    return RecordedEntry(entry, fields["outcome"] == "posted", cast("datetime", fields["recorded_at"]), refusal)


def _read_reverses(fields: Fields) -> Reverses | None:
    original = cast("str | None", fields.get("reverses"))
    if original is None:
        return None
    return Reverses(StoredId(original), tuple(cast("list[int]", fields["reversed_lines"])))


def write_account(account: Account) -> dict[str, Value]:
    """An account's fields."""
    floor = account.floor
    return {
        "schema": 1,
        "type": account.type.value,
        "name": account.name,
        "state": account.state.value,
        "version": account.version,
        "shards": account.shards,
        "floor": {"currency": floor.currency, "limit": floor.limit} if floor else None,
        "currencies": list(account.currencies),
        "metadata": dict(account.metadata),
        "declared_rate": None if account.declared_rate is None else str(account.declared_rate),
        "within": list(ancestors(account.code)),
    }


def ancestors(code: AccountCode) -> tuple[AccountCode, ...]:
    """An account and those above it in the hierarchy: `assets`, `assets:bank`, `assets:bank:eur`."""
    parts = code.split(":")
    return tuple(":".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def read_account(document: Document) -> Account:
    """The account that a document keeps."""
    fields = document.fields
    floor = cast("Fields | None", fields["floor"])
    return Account(
        code=document.ref.key,
        type=AccountType(fields["type"]),
        name=cast("str", fields["name"]),
        state=AccountState(fields["state"]),
        version=cast("int", fields["version"]),
        shards=cast("int", fields["shards"]),
        floor=Floor(cast("str", floor["currency"]), cast("int", floor["limit"])) if floor else None,
        currencies=tuple(cast("list[str]", fields.get("currencies", ()))),
        metadata=cast("dict[str, str]", fields.get("metadata", {})),
        declared_rate=Decimal(rate) if (rate := cast("str | None", fields.get("declared_rate"))) else None,
    )


def create_account(tenant: TenantId, account: Account) -> tuple[Create, ...]:
    """The documents of a new account: a floored one is born with its guard and inflow."""
    side: dict[str, Value] = {
        "schema": 1,
        "account": account.code,
        "month": "",
        "currency": "",
        "side": account.type.normal_side.value,
    }
    writes = [
        Create(account_ref(tenant, account.code), write_account(account)),
        Create(side_ref(tenant, account.code), side),
    ]
    if account.floor:
        guard = {"schema": 1, "limit": account.floor.limit, "spent": 0, "held": 0, "version": 1}
        writes.append(Create(guard_ref(tenant, account.code), guard))
        writes.append(Create(inflow_ref(tenant, account.code), {"schema": 1, "credits": 0}))
    return tuple(writes)


def write_period(period: Period) -> dict[str, Value]:
    """A period's fields."""
    return {"schema": 1, "state": period.state.value, "version": period.version}


def read_period(document: Document) -> Period:
    """The period that a document keeps."""
    return Period(document.ref.key, PeriodState(document["state"]), cast("int", document["version"]))


@dataclass(frozen=True, slots=True)
class Guard:
    """What bounds a floored account: available = limit + received - spent - held."""

    document: Document
    limit: int
    spent: int
    held: int
    version: int

    def moved(self, *, spent: int = 0, held: int = 0) -> Update:
        """So much more spent and held, unchanged since read: one write a commit for both."""
        fields: dict[str, Value] = {"spent": self.spent + spent, "version": self.version + 1}
        if held:
            fields["held"] = self.held + held
        return Update(self.document.ref, fields, self.document.version)


def read_guard(document: Document) -> Guard:
    """The guard that a document keeps."""
    limit, spent, held, version = (cast("int", document[name]) for name in ("limit", "spent", "held", "version"))
    return Guard(document, limit, spent, held, version)
