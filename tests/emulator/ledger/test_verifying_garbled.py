"""One field of a seal, an account, a month or a total made another kind: the export goes on, and verifying names it."""

import pytest
from structlog.testing import capture_logs

from shared.ledger.model import Period, PeriodState
from shared.ledger.records import account_ref, period_ref, write_period
from shared.ledger.refusals import JournalAltered
from shared.ledger.rules.seals import SURE_PAGES
from shared.ledger.use_cases.seals import seal_ref
from shared.ports import Query, Value
from tests.builders import ACME, entry_id
from tests.emulator.ledger.sealing import Office, a_double
from tests.emulator.ledger.test_verifying import office, records, verdict

pytestmark = pytest.mark.emulator

__all__ = ["office"]

ANOTHER_KIND: dict[str, Value] = {
    "tenant": 5,
    "number": "1",
    "after": "1970",
    "through": None,
    "count": "3",
    "root": b"x",
    "previous": None,
    "cumulative": [3],
    "counted": True,
    "pages": "1",
    "key_version": {},
    "signature": "text",
}


def named(office: Office) -> list[tuple[str, str]]:
    """What verifying finds, and where."""
    return [(one.what, one.name) for one in verdict(office).findings]


@pytest.mark.parametrize("name", ANOTHER_KIND)
@pytest.mark.parametrize("number", [1, 2])
def test_a_seal_that_cannot_be_read_is_named(office: Office, number: int, name: str) -> None:
    """The export ended in a TypeError: nobody could tell that something was wrong, nor where."""
    office.alter(seal_ref(ACME, number), name, ANOTHER_KIND[name])
    assert named(office)[0] == ("unreadable", str(number))


@pytest.mark.parametrize("name", ["number", "count"])
def test_a_seals_number_that_becomes_a_double_is_named(office: Office, name: str) -> None:
    """A kind that the books never write."""
    a_double(office.settings, seal_ref(ACME, 1), name)
    assert named(office)[0] == ("unreadable", "1")
    assert entry_id("e") not in {name for _, name in named(office)}


def test_nothing_is_sealed_over_a_newest_seal_that_cannot_be_read_and_the_log_says_why(office: Office) -> None:
    """The next seal would have to name its hash. It was a TypeError, hour after hour."""
    office.alter(seal_ref(ACME, 2), "signature", None)
    office.sell("later")
    with capture_logs() as logs, pytest.raises(JournalAltered) as refused:
        office.seal()
    assert refused.value.detail == {"seal": 2}
    assert {"log_level": "error", "event": "ledger_seal_unreadable", "tenant": ACME, "number": 2} in logs
    with pytest.raises(JournalAltered):
        office.seals.one(ACME, 2)
    with pytest.raises(JournalAltered):
        office.seals.inclusion(ACME, entry_id("e"))


def test_the_list_of_seals_leaves_out_what_cannot_be_read_and_says_so(office: Office) -> None:
    """One garbled seal hid all others."""
    office.alter(seal_ref(ACME, 1), "count", "3")
    with capture_logs() as logs:
        assert [seal.number for seal in office.seals.page(ACME, 10, None).items] == [2]
    assert [(one["event"], one["number"]) for one in logs] == [("ledger_seal_unreadable", 1)]


def test_a_seal_of_a_thousand_million_pages_is_exported_soon(office: Office) -> None:
    """Its pages were asked for one by one."""
    office.alter(seal_ref(ACME, 1), "pages", 10**9)
    assert named(office)[0] == ("seal_broken", "1")
    assert sum(one["kind"] == "leaves" for one in records(office)) <= SURE_PAGES + 1


ACCOUNT: dict[str, Value] = {
    "type": "poem",
    "name": 5,
    "state": None,
    "shards": "4",
    "floor": {"currency": "EUR"},
    "currencies": [1],
    "metadata": ["x"],
    "declared_rate": "much",
}


@pytest.mark.parametrize("name", ACCOUNT)
def test_an_account_that_cannot_be_read_is_named(office: Office, name: str) -> None:
    """Be it one that nobody posts to."""
    office.alter(account_ref(ACME, "expenses:wages"), name, ACCOUNT[name])
    assert named(office) == [("unreadable", "expenses:wages")]


def test_an_account_whose_number_becomes_a_double_is_named(office: Office) -> None:
    """A kind that the books never write."""
    a_double(office.settings, account_ref(ACME, "expenses:wages"), "shards")
    assert named(office) == [("unreadable", "expenses:wages")]


@pytest.mark.parametrize("state", ["poem", None, 5, ["open"]])
def test_a_month_that_cannot_be_read_is_named(office: Office, state: Value) -> None:
    """It may be one that was closed."""
    office.put(period_ref(ACME, "2026-10"), {**write_period(Period("2026-10", PeriodState.OPEN, 1)), "state": state})
    assert named(office) == [("unreadable", "2026-10")]


@pytest.mark.parametrize(("name", "value"), [("account", 5), ("month", None), ("currency", ["EUR"]), ("kind", b"x")])
def test_a_total_that_is_nobodys_is_named(office: Office, name: str, value: Value) -> None:
    """And so is the sum that it leaves."""
    total = office.kept.store.query(Query("totals", ACME)).documents[0]
    office.alter(total.ref, name, value)
    assert set(named(office)) >= {("unreadable", total.ref.key)}
    assert {what for what, _ in named(office)} == {"unreadable", "total_differs"}
