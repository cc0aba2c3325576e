"""Employees: taken on with their personal data sealed at the door, listed, disclosed for a purpose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, document_at
from shared.identity import TenantId
from shared.listing import Listing, every
from shared.payroll.model import YearToDate
from shared.payroll.records import (
    EMPLOYEES,
    employee_ref,
    read_employee,
    read_sealed,
    reference_ref,
    write_employee,
    write_year,
    year_ref,
)
from shared.payroll.refusals import ReferenceTaken, UnknownEmployee
from shared.payroll.runs import Employee
from shared.ports import Create, Document, Query, View, Write
from shared.privacy import Disclosed, Disclosures, Place, Purpose, Vault


@dataclass(frozen=True, slots=True)
class NewEmployee:
    """An employee to take on; `personal` maps each of SEALED_FIELDS to its text and is never printed."""

    employee: Employee
    personal: Mapping[str, str] = field(repr=False)
    year: YearToDate | None = None


class Employees:
    """The employees of every tenant."""

    def __init__(self, desk: Desk, vault: Vault, disclosures: Disclosures) -> None:
        """Write through `desk`, seal with `vault`."""
        self._desk, self._vault, self._disclosures = desk, vault, disclosures

    def take_on(self, call: Call, new: NewEmployee) -> Done[Employee]:
        """Add an employee; the personal fields leave this call only as ciphertext.

        Raises:
            ReferenceTaken: another employee has the reference.
            Retryable: keys or store did not answer.
        """
        employee = replace(new.employee, id=call.cause.stored_id("employee"))
        place = Place(call.tenant, EMPLOYEES, employee.id)
        sealer = self._vault.create_subject(call.tenant, employee.id)
        sealed = {name: sealer.seal(place, name, text) for name, text in new.personal.items()}
        ref, unique = employee_ref(call.tenant, employee.id), reference_ref(call.tenant, employee.reference)

        def decide(view: View) -> Outcome[Employee]:
            if view[unique] is not None:
                message = "another employee has this reference"
                raise ReferenceTaken(message, field="reference")
            writes: list[Write] = [
                Create(ref, write_employee(employee, sealed)),
                Create(unique, {"schema": 1, "employee_id": employee.id}),
            ]
            if new.year:
                writes.append(Create(year_ref(call.tenant, employee.id, new.year.tax_year), write_year(new.year)))
            return Outcome(ref, "employee.take_on", employee, tuple(writes))

        return self._desk.perform(call, [unique], decide, read_employee)

    def employee(self, tenant: TenantId, employee_id: str) -> Employee:
        """One employee.

        Raises:
            UnknownEmployee: there is none under this id.
        """
        return read_employee(self._document(tenant, employee_id))

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Employee]:
        """Employees in the order of their ids, a page at a time."""
        page = self._desk.store.query(Query(EMPLOYEES, tenant, limit=limit, after=cursor))
        return Listing(tuple(read_employee(document) for document in page.documents), page.cursor)

    def ids(self, tenant: TenantId) -> Iterator[str]:
        """The ids of all employees."""
        employees = every(self._desk.store, Query(EMPLOYEES, tenant, only=("schema",)))
        return (document.ref.key for document in employees)

    def disclose(self, call: Call, employee_id: str, fields: tuple[str, ...], purpose: Purpose) -> Done[Disclosed]:
        """Show personal fields to a person, with a record of who asked and why.

        Raises:
            UnknownEmployee: there is none under this id.
            PersonalDataUnreadable: a key is gone.
        """
        sealed = read_sealed(self._document(call.tenant, employee_id))
        place = Place(call.tenant, EMPLOYEES, employee_id)
        return self._disclosures.disclose(call, place, {name: sealed[name] for name in fields}, purpose)

    def _document(self, tenant: TenantId, employee_id: str) -> Document:
        missing = UnknownEmployee("no such employee", field="id")
        return document_at(self._desk.store, employee_ref(tenant, employee_id), missing)
