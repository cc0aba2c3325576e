"""Builders with defaults: a test names only what its law is about."""

from datetime import UTC, date, datetime
from typing import Any

from shared.calls import Call
from shared.identity import Cause, StoredId, TenantId, stored_id
from shared.ledger.model import EntryKind, JournalEntry, credit, debit
from shared.money import Money

ACME = TenantId("acme")
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
TODAY = date(2026, 11, 16)
SALES = "revenue:sales"


def a_call(key: str = "key-1", **changes: Any) -> Call:
    """A call by a person under an Idempotency-Key, at noon."""
    values: dict[str, Any] = {
        "tenant": ACME,
        "principal": "user:ann",
        "cause": Cause("api", "POST /v1/things", key),
        "request_id": "request-1",
        "request_hash": "hash-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "at": NOON,
    }
    return Call(**(values | changes))


def euros(amount: int) -> Money:
    """So many euro cents."""
    return Money(amount, "EUR")


def a_sale(amount: int = 12_000, *, to: str = "assets:receivable", of: str = SALES, **changes: Any) -> JournalEntry:
    """A balanced two-line entry: debit receivable, credit sales; changed by name, on, kind, request_hash."""
    name = changes.get("name", "sale-1")
    return JournalEntry(
        entry_id(name),
        (debit(to, euros(amount)), credit(of, euros(amount))),
        changes.get("on", TODAY),
        name,
        changes.get("request_hash", "hash-1"),
        changes.get("kind", EntryKind.REGULAR),
    )


def entry_id(name: str) -> StoredId:
    """The id that a named cause gives."""
    return stored_id("test", name)
