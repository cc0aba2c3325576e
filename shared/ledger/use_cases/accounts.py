"""The chart of accounts: opened from a template, grown by request, listed a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.identity import TenantId
from shared.ledger.model import Account, AccountCode, Period
from shared.ledger.records import account_ref, create_account, read_account, read_period
from shared.ledger.refusals import AccountExists, AccountNotFound
from shared.listing import Listing
from shared.ports import Create, Document, Query, View, Where


@dataclass(frozen=True, slots=True)
class TemplateApplied:
    """The codes of a template's accounts that were missing and are open now."""

    opened: tuple[AccountCode, ...]


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

    def apply_template(self, call: Call, template: Sequence[Account]) -> Done[TemplateApplied]:
        """Open those accounts of a template that the chart lacks; what is there stays as it is.

        Raises:
            AccountExists: an account of the chart has another type than the template's.
        """
        wanted = {account_ref(call.tenant, account.code): account for account in template}
        place = call.ref("templates", call.cause.stored_id("template"))

        def decide(view: View) -> Outcome[TemplateApplied]:
            known = view[place]
            if known is not None:
                return Outcome(place, "chart.apply_template", _read_applied(known))
            missing: list[Account] = []
            for ref, account in wanted.items():
                document = view[ref]
                if document is None:
                    missing.append(account)
                elif read_account(document).type is not account.type:
                    message = "the chart has this account with another type"
                    raise AccountExists(message, field="accounts", detail={"account": account.code})
            applied = TemplateApplied(tuple(sorted(account.code for account in missing)))
            opening = [write for account in missing for write in create_account(call.tenant, account)]
            record = Create(place, {"schema": 1, "opened": list(applied.opened)}, stamped=("recorded_at",))
            return Outcome(place, "chart.apply_template", applied, (*opening, record))

        return self._desk.perform(call, [place, *wanted], decide, _read_applied)

    def account(self, tenant: TenantId, code: AccountCode) -> Account:
        """One account.

        Raises:
            AccountNotFound: the chart has none under this code.
        """
        missing = AccountNotFound("the chart has no such account", field="code")
        return read_account(document_at(self._desk.store, account_ref(tenant, code), missing))

    def page(self, tenant: TenantId, within: AccountCode | None, limit: int, cursor: str | None) -> Listing[Account]:
        """Accounts by code, a page at a time: all, or one and those below it in the hierarchy."""
        where = (Where("within", "array_contains", within.rstrip(":")),) if within else ()
        page = self._desk.store.query(Query("accounts", tenant, where, limit=limit, after=cursor))
        return Listing(tuple(read_account(document) for document in page.documents), page.cursor)

    def periods(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Period]:
        """Months that were posted to or closed, in order, a page at a time."""
        page = self._desk.store.query(Query("periods", tenant, limit=limit, after=cursor))
        return Listing(tuple(read_period(document) for document in page.documents), page.cursor)


def _read_applied(document: Document) -> TemplateApplied:
    return TemplateApplied(tuple(cast("list[str]", document["opened"])))
