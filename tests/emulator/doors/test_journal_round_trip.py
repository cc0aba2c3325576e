"""A journal with all that accounts and months can be, taken to another tenant and exported from there, line by line."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 - seeded, the same every time
from typing import Any

import pytest

from emulators.cloud import LocalCloud
from tests.emulator.doors.conftest import Tenant, a_tenant, everything
from tests.emulator.doors.test_journal_commands import Daybook, daybook, exported

pytestmark = pytest.mark.emulator

__all__ = ["daybook"]

ACCOUNTS = "/v1/ledger/accounts"
TRANSLATED = {"closing": "adjusting"}
"""A year's end closes no books but its own."""
WHY = {"reason": "as it was"}


def an_account(code: str, **more: Any) -> dict[str, Any]:
    """An account to open."""
    return {"code": code, "type": "asset" if code.startswith("assets") else "liability", "name": code, **more}


CHART = (
    an_account("assets:till", shards=2, metadata={"shop": "S-1", "area": "North"}),
    an_account("assets:euros", currencies=["EUR", "GBP"], declared_rate="2.5"),
    an_account("assets:frozen", metadata={"until": "2027"}),
    an_account("assets:gone"),
    an_account("assets:narrow"),
    an_account("liabilities:wallet:a", floor={"currency": "GBP", "limit": 0}),
    an_account("liabilities:wallet:b", floor={"currency": "GBP", "limit": 5_000}, currencies=["GBP"]),
    an_account("liabilities:later"),
)


@pytest.fixture(scope="module")
def rich(cloud: LocalCloud) -> Tenant:
    """A tenant with every setting: floors, currencies, metadata, shards, frozen, closed, closed months."""
    tenant = a_tenant(cloud, "rich")
    for account in CHART:
        done(tenant, ACCOUNTS, account, 201)
    done(tenant, "/v1/ledger/batches", {"mode": "linked", "entries": list(_entries(Random(7)))})  # noqa: S311 - no secret
    done(tenant, f"{ACCOUNTS}/assets:narrow/currencies", {**WHY, "currencies": ["GBP"]})
    done(tenant, f"{ACCOUNTS}/liabilities:later/floor", {**WHY, "floor": {"currency": "GBP", "limit": 700}})
    done(tenant, f"{ACCOUNTS}/assets:till/reshard", {**WHY, "rate": "5"})
    done(tenant, f"{ACCOUNTS}/assets:bank/reshard", {**WHY, "shards": 8})
    done(tenant, f"{ACCOUNTS}/assets:frozen/freeze", WHY)
    done(tenant, f"{ACCOUNTS}/assets:gone/close", WHY)
    done(tenant, "/v1/ledger/periods/2026-08/close", {**WHY, "kind": "hard"})
    done(tenant, "/v1/ledger/periods/2026-09/close", {**WHY, "kind": "soft"})
    done(tenant, "/v1/ledger/periods/2026-10/close", {**WHY, "kind": "soft"})
    done(tenant, "/v1/ledger/periods/2026-10/reopen", {**WHY, "state": "open"})
    late = moved("assets:bank", "equity:share_capital", 44, effective_on="2026-09-30", kind="adjusting")
    done(tenant, "/v1/ledger/entries", late, 201)
    posted = done(tenant, "/v1/ledger/entries", moved("assets:bank", "assets:till", 9, effective_on="2026-11-02"), 201)
    done(tenant, f"/v1/ledger/entries/{posted['id']}/reverse", {"effective_on": "2026-11-03"}, 201)
    done(tenant, "/v1/ledger/entries", moved("liabilities:wallet:a", "assets:bank", 10**9), 409)
    return tenant


def done(tenant: Tenant, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """Ask, and get what was to be got."""
    answer = tenant.owner.post(path, body)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def moved(to: str, of: str, amount: int, currency: str = "GBP", **more: Any) -> dict[str, Any]:
    """An entry of two lines."""
    money = {"amount": amount, "currency": currency}
    sides = {"debit": to, "credit": of}
    return {"lines": [{"account": code, "side": side, "amount": money} for side, code in sides.items()], **more}


def _entries(chance: Random) -> Iterator[dict[str, Any]]:
    """Deposits first, then withdrawals that the floors just bear, then sales of all kinds."""
    for wallet, spent in (("a", 1_000), ("b", 5_900)):
        yield moved("assets:bank", f"liabilities:wallet:{wallet}", 1_000, effective_on="2026-08-20")
        yield moved(f"liabilities:wallet:{wallet}", "assets:bank", spent, effective_on="2026-08-03")
    for code in ("assets:frozen", "assets:gone"):
        yield moved(code, "assets:bank", 70, effective_on="2026-08-05", metadata={"k": "v"})
    yield moved("assets:bank", "assets:gone", 70, effective_on="2026-08-06", reference="back")
    yield moved("assets:narrow", "equity:share_capital", 12, "USD", effective_on="2026-08-07")
    yield moved("liabilities:later", "assets:bank", 700, effective_on="2026-08-08")
    for number in range(40):
        day = f"2026-{chance.choice(('08', '09', '10', '11'))}-{chance.randint(1, 20):02d}"
        currency, to = chance.choice((("GBP", "assets:till"), ("EUR", "assets:euros"), ("GBP", "assets:euros")))
        of = "revenue:sales"
        yield moved(to, of, chance.randint(1, 9_999), currency, effective_on=day, reference=f"R-{number}")


def settled_lines(records: list[dict[str, Any]]) -> list[str]:
    """What both exports say alike, a line each: accounts, closed months and totals whole, postings but for what is new.

    New are ids, causes, hashes, instants and posting days; left behind are memos, and what a reversal reverses.
    """
    lines = [json.dumps(one) for one in records if one["kind"] in {"account", "period", "total"}]
    entries = []
    for one in records:
        if one["kind"] != "entry" or one["fields"]["outcome"] != "posted":
            continue
        fields = one["fields"]
        kept = {
            name: fields.get(name) for name in ("accounts", "effective_on", "month", "reference", "metadata", "rates")
        }
        kept["kind"] = TRANSLATED.get(fields["kind"], fields["kind"])
        kept["lines"] = fields["lines"]
        entries.append(json.dumps(kept, sort_keys=True))
    return lines + sorted(entries)


def test_an_imported_journal_is_exported_with_the_same_lines_and_a_second_import_does_nothing(
    cloud: LocalCloud, rich: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Accounts with metadata, currencies, shards, floors and states; months; totals; every posting. Then nothing."""
    path = tmp_path / "rich.jsonl"
    records = exported(daybook, rich, path)
    heir = a_tenant(cloud, "heir")
    first = daybook("import", str(path), key=heir.owner.key)
    assert first.returncode == 0, first.stderr
    copied = exported(daybook, heir, tmp_path / "heir.jsonl")
    assert settled_lines(copied) == settled_lines(records)
    assert {one["state"] for one in copied if one["kind"] == "account"} == {"open", "frozen", "closed"}
    assert [one["state"] for one in copied if one["kind"] == "period"] == ["hard_closed", "soft_closed"]
    before = {name: one for name, one in everything(cloud).items() if "/tenants/heir/" in name}
    again = daybook("import", str(path), key=heir.owner.key)
    assert (again.returncode, "0 posted" in again.stderr, "settings" in again.stderr) == (0, True, False), again.stderr
    after = {name: one for name, one in everything(cloud).items() if "/tenants/heir/" in name}
    books = ("accounts", "periods", "entries", "totals", "guards", "inflows", "shifts", "ops")
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} & {
        name for name in before.keys() | after.keys() if any(f"/{one}/" in name for one in books)
    } == set()


def test_an_import_that_is_cut_off_closes_nothing_and_the_whole_file_does_it_later(
    cloud: LocalCloud, rich: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Half a file: its postings are there, all accounts and months are open. The rest of it lands, then all is set."""
    path, half = tmp_path / "rich.jsonl", tmp_path / "half.jsonl"
    records = exported(daybook, rich, path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    half.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    tenant = a_tenant(cloud, "interrupted")
    first = daybook("import", str(half), key=tenant.owner.key)
    assert (first.returncode, "the file has no end" in first.stderr) == (1, True), first.stderr
    assert not [one for one in exported(daybook, tenant, tmp_path / "x.jsonl") if one["kind"] == "period"]
    assert daybook("import", str(path), key=tenant.owner.key).returncode == 0
    assert settled_lines(exported(daybook, tenant, tmp_path / "y.jsonl")) == settled_lines(records)


def test_with_a_fault_no_month_is_closed_and_what_cannot_be_is_said(
    cloud: LocalCloud, rich: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """An account that must not be closed, one of another type, a month that is none: each a line, exit code 1."""
    path, bad, odd = (tmp_path / f"{name}.jsonl" for name in ("rich", "bad", "odd"))
    records = exported(daybook, rich, path)
    bad.write_text(path.read_text(encoding="utf-8") + '{"kind": "period", "month": "2026-08"}\n', encoding="utf-8")
    tenant = a_tenant(cloud, "faulty")
    done_ = daybook("import", str(bad), key=tenant.owner.key)
    assert (done_.returncode, "no record of a journal" in done_.stderr) == (1, True)
    assert "there are faults: floors" in done_.stderr
    assert not [one for one in exported(daybook, tenant, tmp_path / "x.jsonl") if one["kind"] == "period"]
    for one in records:
        if one.get("code") == "assets:till":
            one["state"] = "closed"
        if one.get("code") == "assets:euros":
            one["type"] = "expense"
        if one.get("code") == "assets:frozen":
            one["name"] = "Another"
    odd.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    done_ = daybook("import", str(odd), key=tenant.owner.key)
    assert done_.returncode == 1
    for told in ("account assets:till: ", "balance_not_zero", "assets:euros: it is there as asset", "2 faults"):
        assert told in done_.stderr, done_.stderr
    assert "account assets:frozen keeps the name and metadata that it has" in done_.stderr
    states = {one["code"]: one["state"] for one in tenant.owner.get(f"{ACCOUNTS}?limit=200").json()["items"]}
    assert (states["assets:till"], states["assets:gone"], states["assets:frozen"]) == ("open", "closed", "frozen")
