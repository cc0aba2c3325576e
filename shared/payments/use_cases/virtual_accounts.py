"""Virtual accounts: a number that money can come to, given to one customer, so that whoever pays there is known.

A number is never kept: its document is called by a keyed blind index of it, which nobody can guess without the tenant's
key. So it can be looked up by who has the number, and not be read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from shared.calls import Call, Done, Outcome
from shared.customers.records import customer_ref
from shared.desk import Desk
from shared.identity import TenantId
from shared.invoicing.refusals import UnknownCustomer
from shared.listing import Listing
from shared.payments.records import VIRTUAL_ACCOUNTS, virtual_account_ref
from shared.payments.refusals import UnknownVirtualAccount, VirtualAccountTaken
from shared.ports import Create, Document, Fields, Query, Update, View, Write
from shared.privacy import LookupField, Vault


@dataclass(frozen=True, slots=True)
class VirtualAccount:
    """An account by the blind index of its number, and whose it is; nobody's once it was released."""

    id: str
    customer_id: str


class VirtualAccounts:
    """The virtual accounts of every tenant."""

    def __init__(self, desk: Desk, vault: Callable[[], Vault]) -> None:
        """Write through `desk`; the vault is asked for only when a number is to be looked up."""
        self._desk, self._vault = desk, vault

    def assign(self, call: Call, number: str, customer_id: str) -> Done[VirtualAccount]:
        """From now on money that comes to this account is its customer's.

        Raises:
            UnknownCustomer: there is no such customer.
            VirtualAccountTaken: it is another customer's, and was not released; recorded.
            PersonalDataUnreadable: the tenant's key is gone.
            Retryable: keys or store did not answer.
        """
        index = account_index(self._vault(), call.tenant, number)
        ref, customer = virtual_account_ref(call.tenant, index), customer_ref(call.tenant, customer_id)
        fields: Fields = {"schema": 1, "customer_id": customer_id, "by": call.principal, "at": call.at}

        def decide(view: View) -> Outcome[VirtualAccount]:
            view.need((ref, customer))
            known = view[ref]
            if view[customer] is None:
                message = "no such customer"
                raise UnknownCustomer(message, field="customer_id")
            if known and known["customer_id"] not in {"", customer_id}:
                message = "the account is another customer's"
                taken = VirtualAccountTaken(message, field="number")
                # recorded, or a late copy of this request would take the account once it is released
                return Outcome(ref, "virtual_account.assign", _read(known), refusal=taken)
            again = known is not None and known["customer_id"] == customer_id
            since: Fields = {**fields, "at": known["at"]} if known and again else fields
            write: Write = Update(ref, since, known.version) if known else Create(ref, since)
            return Outcome(ref, "virtual_account.assign", VirtualAccount(index, customer_id), (write,))

        return self._desk.perform(call, [ref, customer], decide, _read)

    def release(self, call: Call, account: str) -> Done[VirtualAccount]:
        """From now on money that comes to this account is nobody's; what came before stays whose it was.

        Raises:
            UnknownVirtualAccount: there is none under this id.
            Retryable: contention or silence outlasted the attempts.
        """
        ref = virtual_account_ref(call.tenant, account)

        def decide(view: View) -> Outcome[VirtualAccount]:
            known = view[ref]
            if known is None:
                message = "no such virtual account"
                raise UnknownVirtualAccount(message, field="id")
            write = Update(ref, {"customer_id": "", "by": call.principal, "at": call.at}, known.version)
            return Outcome(ref, "virtual_account.release", VirtualAccount(account, ""), (write,))

        return self._desk.perform(call, [ref], decide, _read)

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[VirtualAccount]:
        """Virtual accounts in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query(VIRTUAL_ACCOUNTS, tenant, limit=limit, after=cursor))
        return Listing(tuple(_read(document) for document in page.documents), page.cursor)


def account_index(vault: Vault, tenant: TenantId, number: str) -> str:
    """The blind index of an account's number, hex: what of it is ever kept.

    Raises:
        PersonalDataUnreadable: the tenant's key is gone.
        Retryable: keys or store did not answer.
    """
    return vault.lookup_ref(tenant, LookupField.VIRTUAL_ACCOUNT, number).key.rpartition("~")[2]


def _read(document: Document) -> VirtualAccount:
    return VirtualAccount(document.ref.key, cast("str", document["customer_id"]))
