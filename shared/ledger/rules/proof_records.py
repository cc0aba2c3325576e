"""Proofs and repairs as documents: what was found wrong with the books, and what was set right."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from shared.ledger.model import AccountCode, Month
from shared.ports import Document, Value


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof of the books found at one instant; one that was asked for and not made yet has none."""

    id: str
    proven_at: datetime | None
    entries: int = 0
    accounts: int = 0
    differences: int = 0
    out_of_balance: int = 0
    floors: int = 0
    """Floored accounts whose guard allows something else than their totals."""
    altered: int = 0
    """Entries that contradict their own content hash."""
    reserved: int = 0
    """Accounts' currencies of which is reserved what open holds do not say."""
    shifts: int = 0
    """Accounts' months whose shifts are not what entries of two days make them."""
    carried: int = 0
    """Balances carried forward, in use, that are not the fold of the entries through their month."""
    left_out: int = 0
    """Accounts' months too long for a sample: the whole proof covers them."""
    scope: str = "whole"
    named: tuple[str, ...] = ()
    """The first of what is wrong: `account/currency/month/kind` (also of kind `shifts` or `carried`), `guards/account`,
    `pending/account/currency`, `entries/id`."""

    @property
    def holds(self) -> bool:
        """All that is derived is the fold of the entries, floors allow what the books allow, currencies balance."""
        wrong = (self.differences, self.out_of_balance, self.floors, self.altered, self.reserved)
        return self.proven_at is not None and not any((*wrong, self.shifts, self.carried))


@dataclass(frozen=True, slots=True)
class Change:
    """One sum that a repair set right: `debits`, `count`, `d.16.credits`, or a guard's `spent`."""

    place: str
    """`account/currency/month/kind` (also of kind `shifts` or `carried`), or `guards/account`."""
    field: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Repair:
    """What an explicit repair changed, seen at one instant; nothing when nothing was wrong."""

    id: str
    account: AccountCode
    month: Month | None
    """None when it was the account's floor that was set right."""
    repaired_at: datetime
    changes: tuple[Change, ...]


def write_proof(proof: Proof) -> dict[str, Value]:
    """A proof's fields; one that is only asked for has no instant, so that lists by instant leave it out."""
    fields: dict[str, Value] = {
        "schema": 3,
        "scope": proof.scope,
        "entries": proof.entries,
        "accounts": proof.accounts,
        "differences": proof.differences,
        "out_of_balance": proof.out_of_balance,
        "floors": proof.floors,
        "altered": proof.altered,
        "reserved": proof.reserved,
        "shifts": proof.shifts,
        "carried": proof.carried,
        "left_out": proof.left_out,
        "named": list(proof.named),
        "holds": proof.holds,
    }
    return fields if proof.proven_at is None else {**fields, "proven_at": proof.proven_at}


def read_proof(document: Document) -> Proof:
    """The proof that a document keeps."""
    fields = document.fields

    def number(name: str) -> int:
        return cast("int", fields.get(name, 0))

    return Proof(
        document.ref.key,
        cast("datetime | None", fields.get("proven_at")),
        entries=number("entries"),
        accounts=number("accounts"),
        differences=number("differences"),
        out_of_balance=number("out_of_balance"),
        floors=number("floors"),
        altered=number("altered"),
        reserved=number("reserved"),
        shifts=number("shifts"),
        carried=number("carried"),
        left_out=number("left_out"),
        scope=cast("str", fields.get("scope", "whole")),
        named=tuple(cast("list[str]", fields.get("named", []))),
    )


def write_repair(repair: Repair) -> dict[str, Value]:
    """A repair's fields."""
    changes: list[Value] = [
        {"place": one.place, "field": one.field, "before": one.before, "after": one.after} for one in repair.changes
    ]
    return {
        "schema": 1,
        "account": repair.account,
        "month": repair.month,
        "repaired_at": repair.repaired_at,
        "changes": changes,
    }


def read_repair(document: Document) -> Repair:
    """The repair that a document keeps."""
    fields = document.fields
    changes = tuple(
        Change(
            cast("str", one["place"]), cast("str", one["field"]), cast("int", one["before"]), cast("int", one["after"])
        )
        for one in cast("list[Mapping[str, Value]]", fields["changes"])
    )
    at = cast("datetime", fields["repaired_at"])
    return Repair(document.ref.key, cast("str", fields["account"]), cast("str | None", fields["month"]), at, changes)
