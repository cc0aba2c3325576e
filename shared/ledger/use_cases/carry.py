"""Carrying balances forward: after a month is hard closed, each account's balance through it becomes one document.

Claim, read, write, finish: the claim says which months at which versions it rests on, everything after it demands
that the chain is unchanged, and only the finish makes the documents count. Begun again it starts from the last stop;
what a dead one wrote is written over with the same figures, and what it writes late fails.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import structlog

from shared.desk import Desk
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.model import AccountCode, Month
from shared.ledger.rules.balances import in_balance, standing
from shared.ledger.rules.carry import (
    COLLECTION,
    Chain,
    carried_ref,
    chain_ref,
    closed_months,
    read_chain,
    write_carried,
    write_chain,
)
from shared.ledger.rules.reports import Sums
from shared.ledger.use_cases.balances import LOOKS, Moment, moment
from shared.ports import Create, Decision, Document, Put, Query, Store, Update, View, Where, Write

CHUNK: Final = 250
"""Accounts a commit: about 100 kB."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What is carried, on which version of the chain's document everything is written."""

    through: Month
    version: str


class CarryForward:
    """Carries the balances of a tenant forward."""

    def __init__(self, desk: Desk) -> None:
        """Read and write by the desk's store."""
        self._store: Store = desk.store

    def carry(self, tenant: TenantId) -> Month | None:
        """Carry all balances through the last month before the first open one; that month, None without any.

        Raises:
            Retryable: a close has not come to its end, somebody else carries, or the store is silent.
        """
        claimed = self._claim(tenant)
        if not claimed.running:
            return max(claimed.stops, default=None)
        books = moment(self._store, tenant)
        claim = self._check(books, claimed)
        sums = _by_account(self._fold(books, claim.through))
        accounts = iter(sums.items())
        while chunk := dict(islice(accounts, CHUNK)):
            self._write(tenant, claim, tuple(_carried(tenant, claim.through, chunk)))
        self._finish(tenant, claim)
        _log.info("ledger_carried_forward", tenant=tenant, through=claim.through, accounts=len(sums))
        return claim.through

    def _claim(self, tenant: TenantId) -> Chain:
        """The chain after the claim; without anything running when all closed months are carried."""
        periods = moment(self._store, tenant).periods
        ref = chain_ref(tenant)

        def decide(view: View) -> Decision[Chain]:
            document = view[ref]
            seen = read_chain(document)
            months = closed_months(periods)
            if not months or seen.stop(periods, max(months)) == max(months):
                return Decision(Chain(stops=tuple(months)[-1:]))
            chain = seen.claimed(periods)
            if chain == seen:
                return Decision(chain)
            fields = write_chain(chain)
            write: Write = Update(ref, fields, document.version) if document else Create(ref, fields)
            return Decision(chain, (write,))

        return self._store.transact([ref], decide)

    @staticmethod
    def _check(books: Moment, claimed: Chain) -> _Claim:
        """The claim as the snapshot holds it: everything that is carried is read from this one snapshot."""
        document = books.documents[chain_ref(books.tenant)]
        if document is None or books.chain != claimed or closed_months(books.periods) != claimed.running:
            message = "the months that are carried forward have changed"
            raise Retryable(message)
        return _Claim(max(claimed.running), document.version)

    @staticmethod
    def _fold(books: Moment, through: Month) -> Mapping[tuple[AccountCode, str], Sums]:
        """All accounts through the end of a month, once nothing can land in it any more and everything balances."""
        base = books.chain.stop(books.periods, through)
        for _ in range(LOOKS):
            totals = tuple(books.totals(None, through, after=base))
            if any(document["closed"] is False for document in totals):
                message = "a close has not come to its end"
                raise Retryable(message)
            carried: tuple[Document, ...] = ()
            if base:
                carried = tuple(books.all(Query(COLLECTION, books.tenant, (Where("month", "==", base),))))
            fold = standing(carried, totals, None)
            if in_balance(fold):
                return fold
        message = "the totals to be carried forward do not balance"
        _log.error("ledger_carry_out_of_balance", tenant=books.tenant, through=through)
        raise Retryable(message)

    def _write(self, tenant: TenantId, claim: _Claim, writes: tuple[Write, ...]) -> None:
        """Write under the claim: the chain is checked unchanged by the same commit."""
        ref = chain_ref(tenant)

        def decide(view: View) -> Decision[None]:
            _claimed(view[ref], claim)
            return Decision(None, writes)

        self._store.transact([ref], decide)

    def _finish(self, tenant: TenantId, claim: _Claim) -> None:
        ref = chain_ref(tenant)

        def decide(view: View) -> Decision[None]:
            document = view[ref]
            chain = read_chain(document)
            if view.failures and not chain.running and claim.through in chain.stops:
                return Decision(None)
            seen = _claimed(document, claim)
            return Decision(None, (Update(ref, write_chain(chain.finished()), seen.version),))

        self._store.transact([ref], decide)


def _claimed(document: Document | None, claim: _Claim) -> Document:
    if document is None or document.version != claim.version:
        message = "somebody else carries forward"
        raise Retryable(message)
    return document


def _by_account(fold: Mapping[tuple[AccountCode, str], Sums]) -> dict[AccountCode, dict[str, Sums]]:
    accounts: dict[AccountCode, dict[str, Sums]] = {}
    for (account, currency), sums in sorted(fold.items()):
        accounts.setdefault(account, {})[currency] = sums
    return accounts


def _carried(tenant: TenantId, through: Month, sums: Mapping[AccountCode, Mapping[str, Sums]]) -> Iterator[Put]:
    """Repeating them is harmless: under one claim they are always the same."""
    for account, amounts in sums.items():
        yield Put(carried_ref(tenant, account, through), write_carried(account, through, amounts))
