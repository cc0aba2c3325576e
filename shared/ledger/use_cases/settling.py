"""The end of a transition: once an account's totals are retired, it is closed or given its floor, or turns back.

Its closed totals and pending documents are read at one instant. No command changes them while the
transition lasts, so they are still true when the commit finds account and operation as they were.
"""

from dataclasses import replace

from shared.desk import write_refusal
from shared.faults import Retryable
from shared.identity import TenantId
from shared.ledger.model import AccountCode
from shared.ledger.records import account_ref, operation_ref, read_account, write_account
from shared.ledger.rules.control import Operation
from shared.ledger.rules.operations import read_operation
from shared.ledger.rules.pending import fold_pending, pending_of
from shared.ledger.rules.settling import Standing, posted, settle
from shared.listing import every
from shared.ports import Decision, Query, Store, Update, View, Where


class Settling:
    """Decides what becomes of accounts in transition."""

    def __init__(self, store: Store) -> None:
        """Read and commit on `store`."""
        self._store = store

    def settle(self, tenant: TenantId, operation: Operation) -> Operation:
        """Bring an operation whose totals are retired to its end; one that is at its end is answered as it is.

        Raises:
            Retryable: contention or silence outlasted the attempts.
        """
        standing = self._standing(tenant, operation.target)
        account_at, place = account_ref(tenant, operation.target), operation_ref(tenant, operation.id)

        def decide(view: View) -> Decision[Operation]:
            seen, document = view[place], view[account_at]
            if seen is None or document is None:
                message = "the operation or its account is not there"
                raise Retryable(message)
            running = read_operation(seen)
            if running.done:
                return Decision(running)
            settled = settle(tenant, running, read_account(document), standing)
            refusal = write_refusal(settled.refusal) if settled.refusal else None
            writes = (
                Update(account_at, write_account(settled.account), document.version),
                Update(place, {"done": True, "refusal": refusal}, seen.version),
                *settled.writes,
            )
            return Decision(replace(running, done=True, refusal=settled.refusal), writes)

        return self._store.transact([place, account_at], decide)

    def _standing(self, tenant: TenantId, code: AccountCode) -> Standing:
        """What stands on an account, live and closed totals of all versions and what holds reserve, at one instant."""
        at = self._store.read_time()
        totals = posted(every(self._store, Query("totals", tenant, (Where("account", "==", code),)), at=at))
        pending = fold_pending(every(self._store, pending_of(tenant, code), at=at))
        return Standing(totals, {currency: reserved for (_, currency), reserved in pending.items()})
