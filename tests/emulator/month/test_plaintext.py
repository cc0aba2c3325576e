import pytest

from emulators.month.report import MonthReport
from tests.emulator.month.conftest import Looking

pytestmark = pytest.mark.emulator

Run = tuple[MonthReport, Looking]


def canaries(looking: Looking) -> list[str]:
    """Names, accounts and tax ids of employees, names and addresses of customers: the first, one within, the last."""
    assert looking.inputs
    employees, customers = looking.inputs.employees, looking.inputs.customers
    people = [employees[0], employees[len(employees) // 2], employees[-1]]
    buyers = [customers[0], customers[len(customers) // 2], customers[-1]]
    return [
        *(text for each in people for text in (each.name, each.bank_account, each.tax_id)),
        *(text for each in buyers for text in (each.name, str(each.email))),
    ]


def test_no_personal_data_is_readable_anywhere(undisturbed: Run) -> None:
    """Not in a document, a task, a push or a log, in none of its forms."""
    _, looking = undisturbed
    assert {text: where for text in canaries(looking) if (where := looking.exposure.where(text))} == {}


def test_the_search_sees_a_whole_cloud(undisturbed: Run) -> None:
    """What is looked through holds documents of both databases, calls and request lines."""
    _, looking = undisturbed
    assert {place for place in looking.exposure.places if not place.startswith("log ")} == {
        "firestore (default)",
        "firestore keysets",
        "tasks, jobs and pushes",
    }
    assert looking.exposure.where("payment.applied")
    assert "log doors.log" in looking.exposure.where("apply_payment_event")


def test_the_same_search_finds_what_is_not_sealed(unsealed: Run) -> None:
    """With sealing switched off every canary lies in the store, and the month is as sound."""
    report, looking = unsealed
    assert report.sound
    missed = [text for text in canaries(looking) if "firestore (default)" not in looking.exposure.where(text)]
    assert missed == []
