"""The chart of accounts: opened from a template, grown by request, listed."""

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.identity import TenantId
from shared.ledger.model import Account, Period
from shared.ledger.records import account_ref, create_account, read_account, read_period
from shared.ledger.refusals import AccountExists
from shared.ports import Query, View


class Chart:
    """The accounts and periods of every tenant."""

    def __init__(self, desk: Desk) -> None:
        """Write through `desk`, read from its store."""
        self._desk = desk

    def open_account(self, call: Call, account: Account) -> Done[Account]:
        """Add an account, born with its floor if it has one.

        Raises:
            AccountExists: the code is taken.
        """
        ref = account_ref(call.tenant, account.code)

        def decide(view: View) -> Outcome[Account]:
            if view[ref] is not None:
                message = "the chart has this account already"
                raise AccountExists(message, field="code", detail={"account": account.code})
            return Outcome(ref, "account.open", account, create_account(call.tenant, account))

        return self._desk.perform(call, [ref], decide, read_account)

    def accounts(self, tenant: TenantId) -> tuple[Account, ...]:
        """The whole chart, by code."""
        return tuple(read_account(document) for document in self._desk.store.query(Query("accounts", tenant)).documents)

    def periods(self, tenant: TenantId) -> tuple[Period, ...]:
        """Every month that was posted to or closed, in order."""
        return tuple(read_period(document) for document in self._desk.store.query(Query("periods", tenant)).documents)
