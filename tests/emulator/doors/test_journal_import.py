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


def imported(cloud: LocalCloud, tenant: Tenant, path: Path) -> Imported:
    """What an import of a file comes to."""
    client = Client(cloud.doors_url, tenant.owner.key, SystemIds())
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
