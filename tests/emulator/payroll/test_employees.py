"""Employees: taken on with their personal data sealed, known by their reference once, shown for a purpose."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.identity import TenantId
from shared.money import Money
from shared.payroll.model import YearToDate
from shared.payroll.records import SEALED_FIELDS, read_year, year_ref
from shared.payroll.refusals import ReferenceTaken, UnknownEmployee
from shared.ports import Query
from shared.privacy import Purpose
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance, More
from tests.emulator.lines import Switch, lost, unsent
from tests.emulator.payroll.conftest import NAME, a_new_employee, employ


def stored(house: Instance, collection: str) -> int:
    """How many documents a collection has."""
    return len(house.store.query(Query(collection, ACME)).documents)


def test_an_employee_told_twice_is_taken_on_once(house: Instance, another: More) -> None:
    """A retry is answered the employee that it made, with the year to date that came along."""
    year = YearToDate.opening("2026-27", Money(100, "GBP"), Money(10, "GBP"))
    call = a_call("employ", once=True)
    done = house.employees.take_on(call, a_new_employee(year=year))
    again = another().employees.take_on(call, a_new_employee(year=year))
    assert (again.replayed, again.answer) == (True, done.answer)
    ref = year_ref(ACME, done.answer.id, "2026-27")
    document = house.store.get([ref])[ref]
    assert document is not None
    assert (read_year(document.fields), stored(house, "employees")) == (year, 1)


def test_a_reference_names_one_employee(house: Instance) -> None:
    """Eight at once: one is taken on; a refused one leaves no employee."""

    def take_on(number: int) -> bool:
        call = a_call(f"employ-{number}", once=True)
        try:
            house.again(lambda: house.employees.take_on(call, a_new_employee("E-1")))
        except ReferenceTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(take_on, range(8))).count(True) == 1
    assert (stored(house, "employees"), stored(house, "employee_references")) == (1, 1)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_takes_on_one(house: Instance, fault: Switch) -> None:
    """Whether it landed or not; and it is not refused by its own reference."""
    house.line.commits.append(fault)
    employ(house)
    assert stored(house, "employees") == 1


def test_personal_data_is_in_no_document(house: Instance) -> None:
    """Sealed at the door: name, account and tax id, in no encoding."""
    employ(house)
    everything = [
        document.fields
        for collection in ("employees", "employee_references", "audit", "idempotency", "outbox")
        for document in house.store.query(Query(collection, ACME)).documents
    ]
    assert NAME not in repr(everything)
    raw = b"".join(value for fields in everything for value in fields.values() if isinstance(value, bytes))
    assert raw
    for form in (NAME.encode(), NAME.encode("utf-16-le"), base64.b64encode(NAME.encode())):
        assert form not in raw


def test_personal_data_is_shown_for_a_purpose_and_on_record(house: Instance) -> None:
    """Who asked and why stands in the audit; another tenant has no such employee."""
    employee = employ(house)
    shown = house.employees.disclose(a_call("show", once=True), employee, SEALED_FIELDS, Purpose.SUPPORT)
    assert shown.answer.values == dict.fromkeys(SEALED_FIELDS, NAME)
    with pytest.raises(UnknownEmployee):
        house.employees.disclose(
            a_call("steal", tenant=TenantId("rival"), once=True), employee, SEALED_FIELDS, Purpose.SUPPORT
        )
