"""Files that are not as an export wrote them: what is imported of them, and that the whole one still can be."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulators.cloud import LocalCloud
from shared.cli import importing
from shared.cli.client import Client
from shared.cli.importing import Imported, import_records
from shared.cli.journal_records import in_file
from shared.identity import SystemIds
from tests.emulator.doors.conftest import Tenant, a_tenant
from tests.emulator.doors.test_journal_commands import Daybook, daybook, exported

pytestmark = pytest.mark.emulator

__all__ = ["daybook"]

TILL = "assets:till"
BOOKED = ("income", "sale", "gift", "refund", "tip", "change", "loan")
Record = dict[str, Any]


@pytest.fixture(scope="module")
def closed(cloud: LocalCloud) -> Tenant:
    """A tenant with an account of its own and a month that is closed for good."""
    tenant = a_tenant(cloud, "closed")
    assert tenant.owner.post("/v1/ledger/accounts", {"code": TILL, "type": "asset", "name": "Till"}).status_code == 201
    money = {"amount": 100, "currency": "GBP"}
    sides = ((TILL, "debit"), ("revenue:sales", "credit"))
    lines = [{"account": code, "side": side, "amount": money} for code, side in sides]
    for name in BOOKED:
        body = {"lines": lines, "effective_on": "2026-10-16", "reference": name}
        assert tenant.owner.post("/v1/ledger/entries", body).status_code == 201
    body = {"reason": "done", "kind": "hard"}
    assert tenant.owner.post("/v1/ledger/periods/2026-10/close", body).status_code == 200
    return tenant


def written(path: Path, records: list[Record]) -> Path:
    """A journal's file."""
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path


def imported(cloud: LocalCloud, tenant: Tenant, path: Path, key: str = "") -> Imported:
    """What an import of a file comes to."""
    client = Client(cloud.doors_url, key or tenant.owner.key, SystemIds())
    return import_records(client, lambda: in_file(path, lambda _: None), lambda _: None)


def months(tenant: Tenant) -> list[str]:
    """The months that are not open."""
    items = tenant.owner.get("/v1/ledger/periods?limit=100").json()["items"]
    return [one["period"] for one in items if one["state"] != "open"]


def test_a_file_that_lacks_an_entry_closes_no_month_and_the_whole_one_can_still_be_imported(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Closed over it, the month refused that entry under its very key, for ever."""
    records = exported(daybook, closed, tmp_path / "whole.jsonl")
    lost = next(one for one in records if one["kind"] == "entry")
    tenant = a_tenant(cloud, "lacking")
    first = imported(cloud, tenant, written(tmp_path / "x.jsonl", [one for one in records if one is not lost]))
    assert (first.posted, len(first.faults), first.restored, months(tenant)) == (len(BOOKED) - 1, 1, 0, [])
    again = imported(cloud, tenant, tmp_path / "whole.jsonl")
    assert (again.posted, again.known, again.faults) == (1, len(BOOKED) - 1, [])
    assert months(tenant) == ["2026-10"]


def test_accounts_behind_their_entries_are_opened_before_them(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry was refused for an unknown account, and that refusal stood under its key."""
    monkeypatch.setattr(importing, "BATCH", 2)
    records = exported(daybook, closed, tmp_path / "whole.jsonl")
    chart = [one for one in records if one["kind"] == "account"]
    tenant = a_tenant(cloud, "backwards")
    path = written(tmp_path / "x.jsonl", [*(one for one in records if one not in chart), *chart])
    first = imported(cloud, tenant, path)
    assert (first.posted, first.faults) == (len(BOOKED), [])


def test_a_file_after_itself_is_the_same_file(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Nothing twice, and the month that is in it twice is closed once."""
    records = exported(daybook, closed, tmp_path / "whole.jsonl")
    tenant = a_tenant(cloud, "doubled")
    first = imported(cloud, tenant, written(tmp_path / "x.jsonl", [*records, *records]))
    assert (first.posted, first.known, first.faults) == (len(BOOKED), len(BOOKED), [])
    assert months(tenant) == ["2026-10"]


def test_a_file_of_another_schema_is_left_alone(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Nobody here knows what its records mean."""
    records = exported(daybook, closed, tmp_path / "whole.jsonl")
    tenant = a_tenant(cloud, "later")
    first = imported(cloud, tenant, written(tmp_path / "x.jsonl", [{**records[0], "schema": 2}, *records[1:]]))
    assert (first.posted, len(first.faults)) == (0, 1)
    assert tenant.owner.get(f"/v1/ledger/accounts/{TILL}").status_code == 404


def till(tenant: Tenant) -> int:
    """What the till holds."""
    answer = tenant.owner.get(f"/v1/ledger/accounts/{TILL}/balance")
    assert answer.status_code == 200, answer.text
    return sum(row["balance"] for row in answer.json()["items"])


def test_a_journal_is_not_imported_into_the_books_that_it_is_of(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Under keys of their ids all of its entries were posted a second time, with exit code 0."""
    exported(daybook, closed, tmp_path / "whole.jsonl")
    done = imported(cloud, closed, tmp_path / "whole.jsonl")
    assert (done.posted, done.known, done.faults) == (
        0,
        0,
        ["the journal is of these very books: all of its entries are there"],
    )
    assert till(closed) == 100 * len(BOOKED)


def test_what_was_refused_once_is_posted_when_nothing_is_in_its_way_any_more(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """A line of the chart is lost: the entries on it are refused, recorded under their keys. Then the whole file."""
    records = exported(daybook, closed, tmp_path / "whole.jsonl")
    tenant = a_tenant(cloud, "refusing")
    bad = written(tmp_path / "x.jsonl", [one for one in records if one.get("code") != TILL])
    for _ in range(2):  # a second time each is refused under a second key
        assert len(imported(cloud, tenant, bad).faults) == len(BOOKED)
    mended = imported(cloud, tenant, tmp_path / "whole.jsonl")
    assert (mended.posted, mended.known, mended.faults) == (len(BOOKED), 0, [])
    again = imported(cloud, tenant, tmp_path / "whole.jsonl")
    assert (again.posted, again.known, again.faults) == (0, len(BOOKED), [])
    assert (till(tenant), months(tenant)) == (100 * len(BOOKED), ["2026-10"])


def test_what_one_principal_began_to_import_another_does_not_post_again(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Whose request an entry is belongs to it: each line says that it is there, and whose key goes on with it."""
    exported(daybook, closed, tmp_path / "whole.jsonl")
    tenant = a_tenant(cloud, "heiress")
    assert imported(cloud, tenant, tmp_path / "whole.jsonl").faults == []
    other = imported(cloud, tenant, tmp_path / "whole.jsonl", tenant.accountant.key)
    assert (other.posted, len(other.faults), till(tenant)) == (0, len(BOOKED), 100 * len(BOOKED))
    assert all("another principal's import posted it" in fault for fault in other.faults)


def test_a_field_that_says_nothing_is_a_fault_and_not_the_default(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """No day became today, an unknown kind an adjustment."""
    records = exported(daybook, closed, tmp_path / "whole.jsonl")
    dayless, odd, *_ = (one for one in records if one["kind"] == "entry")
    dayless["fields"]["effective_on"], odd["fields"]["kind"] = None, "poem"
    done = imported(cloud, a_tenant(cloud, "laconic"), written(tmp_path / "x.jsonl", records))
    assert (done.posted, len(done.faults)) == (len(BOOKED) - 2, 2)
    for entry, fault in zip((dayless, odd), done.faults, strict=True):
        assert fault.startswith(f"line {records.index(entry) + 1}: ")


def test_an_account_whose_rate_is_no_number_is_a_fault_of_its_own(
    cloud: LocalCloud, closed: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """It ended the import before the months were closed."""
    records = exported(daybook, closed, tmp_path / "whole.jsonl")
    next(one for one in records if one.get("code") == "assets:bank")["declared_rate"] = []
    tenant = a_tenant(cloud, "unrated")
    done = imported(cloud, tenant, written(tmp_path / "x.jsonl", records))
    assert (done.posted, len(done.faults), months(tenant)) == (len(BOOKED), 1, ["2026-10"])
    assert done.faults[0].startswith("account assets:bank: ")
