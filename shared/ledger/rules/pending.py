"""What holds keep in reserve, by account, shard and currency; without a month, for a hold may outlive its own.

`pending/{account}~{shard}` is created by the first hold that reserves there and stays for ever: whatever
releases demands that it exists. Its sums are what open holds have left, so all zero means none is open.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, Line, Side
from shared.ledger.rules.posting import SUM_FIELD
from shared.ports import Document, FieldPath, Fields, Increment, Query, Ref, Where, tenant_ref

COLLECTION: Final = "pending"

Shards: TypeAlias = Mapping[AccountCode, int]
"""Of each account of a hold, the shard of the pending document it reserved in: resharding does not move it."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """What open holds may still debit and credit, minor units."""

    debits: int = 0
    credits: int = 0

    def __add__(self, other: "Reserved") -> "Reserved":
        """Both together."""
        return Reserved(self.debits + other.debits, self.credits + other.credits)

    def outgoing(self, account: Account) -> int:
        """What is no longer available of the account's balance: what holds would take from its normal side.

        Available = posted balance less this; what holds would bring in does not count before it is posted.
        """
        return self.credits if account.type.normal_side is Side.DEBIT else self.debits


Pending: TypeAlias = Mapping[tuple[AccountCode, str], Reserved]
"""By account and currency, without those that nothing is reserved of."""


def pending_ref(tenant: TenantId, code: AccountCode, shard: int) -> Ref:
    """Where one shard of an account's reserved sums is kept."""
    return tenant_ref(tenant, COLLECTION, f"{code}~{shard}")


def pending_of(tenant: TenantId, code: AccountCode | None = None) -> Query:
    """The pending documents of an account, or of all; read them at one instant."""
    return Query(COLLECTION, tenant, (Where("account", "==", code),) if code else ())


def reserving(tenant: TenantId, lines: Iterable[Line], shards: Shards) -> tuple[Increment, ...]:
    """Reserve lines; this creates the documents that are not there, so the accounts' states must be checked."""
    return tuple(
        Increment(
            pending_ref(tenant, code, shards[code]),
            amounts,
            must_exist=False,
            fields={"schema": 1, "account": code, "shard": shards[code]},
        )
        for code, amounts in _sums(lines, 1).items()
    )


def releasing(tenant: TenantId, lines: Iterable[Line], shards: Shards) -> tuple[Increment, ...]:
    """Give back what lines reserved, where they reserved it."""
    return tuple(
        Increment(pending_ref(tenant, code, shards[code]), amounts, must_exist=True)
        for code, amounts in _sums(lines, -1).items()
    )


def fold_pending(documents: Iterable[Document]) -> Pending:
    """All shards added up."""
    fold: dict[tuple[AccountCode, str], Reserved] = {}
    for document in documents:
        code = cast("str", document["account"])
        for currency, sums in cast("Mapping[str, Fields]", document["reserved"]).items():
            debits, credits_ = (cast("int", sums.get(name, 0)) for name in ("debits", "credits"))
            fold[code, currency] = fold.get((code, currency), Reserved()) + Reserved(debits, credits_)
    return {key: reserved for key, reserved in fold.items() if reserved != Reserved()}


def fold_lines(lines: Iterable[Line]) -> Pending:
    """What the pending documents must say of the lines that open holds have left."""
    fold: dict[tuple[AccountCode, str], Reserved] = {}
    for line in lines:
        amount = line.money.amount
        key = (line.account, line.money.currency)
        reserved = Reserved(debits=amount) if line.side is Side.DEBIT else Reserved(credits=amount)
        fold[key] = fold.get(key, Reserved()) + reserved
    return fold


def _sums(lines: Iterable[Line], sign: int) -> dict[AccountCode, dict[FieldPath, int]]:
    sums: dict[AccountCode, dict[FieldPath, int]] = {}
    for line in lines:
        path = ("reserved", line.money.currency, SUM_FIELD[line.side])
        amounts = sums.setdefault(line.account, {})
        amounts[path] = amounts.get(path, 0) + sign * line.money.amount
    return sums
