"""Customers are added with their personal data sealed, listed without it, and disclosed for a purpose."""

from collections.abc import Sequence
from dataclasses import replace

from shared.calls import Call, Done, Outcome
from shared.customers.model import Customer, NewCustomer, PersonalField
from shared.customers.records import (
    CUSTOMERS,
    customer_place,
    customer_ref,
    read_customer,
    read_sealed,
    reference_ref,
    write_customer,
)
from shared.customers.refusals import NotStated, ReferenceTaken, UnknownCustomer
from shared.desk import Desk, document_at
from shared.identity import TenantId
from shared.listing import Listing
from shared.ports import Document, Query, View
from shared.privacy import Disclosed, Disclosures, Purpose, Vault


class Customers:
    """The customers of every tenant."""

    def __init__(self, desk: Desk, vault: Vault, disclosures: Disclosures) -> None:
        """Write through `desk`, seal with `vault`, show with `disclosures`."""
        self._desk, self._vault, self._disclosures = desk, vault, disclosures

    def add(self, call: Call, new: NewCustomer) -> Done[Customer]:
        """Add a customer; its personal fields leave this call only as ciphertext.

        Raises:
            ReferenceTaken: another customer has the reference.
            PersonalDataUnreadable: the tenant's key is gone.
            Retryable: keys or store did not answer.
        """
        customer = replace(new.customer, id=call.cause.stored_id("customer"))
        place = customer_place(call.tenant, customer.id)
        sealer = self._vault.create_subject(call.tenant, customer.id)
        sealed = {field: sealer.seal(place, field.value, text) for field, text in new.personal.items()}
        ref, unique = customer_ref(call.tenant, customer.id), reference_ref(call.tenant, customer.reference)

        def decide(view: View) -> Outcome[Customer]:
            if view.failures and view[unique] is not None:
                message = "another customer has this reference"
                raise ReferenceTaken(message, field="reference")
            return Outcome(ref, "customer.add", customer, write_customer(call.tenant, customer, sealed, call.at))

        return self._desk.perform(call, (), decide, read_customer)

    def customer(self, tenant: TenantId, customer_id: str) -> Customer:
        """One customer, without its personal fields.

        Raises:
            UnknownCustomer: there is none under this id.
        """
        return read_customer(self._document(tenant, customer_id))

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Customer]:
        """Customers in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query(CUSTOMERS, tenant, limit=limit, after=cursor))
        return Listing(tuple(read_customer(document) for document in page.documents), page.cursor)

    def disclose(
        self, call: Call, customer_id: str, fields: Sequence[PersonalField], purpose: Purpose
    ) -> Done[Disclosed]:
        """Show personal fields to a person, with a record of who asked and why.

        Raises:
            UnknownCustomer: there is none under this id.
            NotStated: the customer has no such field.
            PersonalDataUnreadable: a key is gone.
        """
        sealed = read_sealed(self._document(call.tenant, customer_id))
        for field in fields:
            if field not in sealed:
                message = "the customer never gave this field"
                raise NotStated(message, field="fields", detail={"missing": field.value})
        shown = {field.value: sealed[field] for field in fields}
        return self._disclosures.disclose(call, customer_place(call.tenant, customer_id), shown, purpose)

    def _document(self, tenant: TenantId, customer_id: str) -> Document:
        missing = UnknownCustomer("no such customer", field="id")
        return document_at(self._desk.store, customer_ref(tenant, customer_id), missing)
