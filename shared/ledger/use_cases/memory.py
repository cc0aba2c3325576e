"""What this process saw of the books: accounts, and totals that were there. Good for the fast path, never for a no."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode
from shared.ports import Ref

ACCOUNTS: Final = 50_000
TOTALS: Final = 200_000


class Memory:
    """Shared by the threads of a process; forgets everything when it is full, which costs a slow path each."""

    def __init__(self) -> None:
        """Know nothing."""
        self._accounts: dict[tuple[TenantId, AccountCode], Account] = {}
        self._totals: set[Ref] = set()

    def cards(self, tenant: TenantId, codes: Iterable[AccountCode]) -> dict[AccountCode, Account]:
        """Those of the accounts that are known, as last seen."""
        return {code: card for code in codes if (card := self._accounts.get((tenant, code)))}

    def note_accounts(self, tenant: TenantId, accounts: Mapping[AccountCode, Account]) -> None:
        """Remember accounts as they were read."""
        if len(self._accounts) > ACCOUNTS:
            self._accounts.clear()
        self._accounts |= {(tenant, code): account for code, account in accounts.items()}

    def unknown_totals(self, refs: frozenset[Ref]) -> frozenset[Ref]:
        """Those of the totals documents that nobody here has seen yet."""
        return refs - self._totals

    def note_totals(self, refs: frozenset[Ref]) -> None:
        """Remember totals documents that were just written."""
        if len(self._totals) > TOTALS:
            self._totals.clear()
        self._totals |= refs

    def forget_totals(self, refs: frozenset[Ref]) -> None:
        """A commit that demanded them failed: they may be retired."""
        self._totals -= refs
