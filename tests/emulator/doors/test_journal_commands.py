"""`daybook export`, `import` and `verify` at the real doors: what goes out comes in, once, and is held to its seals."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulators.catalogue import REPOSITORY
from emulators.cloud import LocalCloud
from emulators.processes import interpreter
from shared.clock import SystemClock
from shared.identity import StoredId, TenantId
from shared.ledger.records import entry_ref
from shared.ledger.use_cases.seals import seal_ref
from shared.ports import Decision, Fields, Ref, Update, View
from shared.wiring import House
from tests.builders import a_call
from tests.emulator.doors.conftest import Tenant, a_tenant

pytestmark = pytest.mark.emulator

Daybook = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def source(cloud: LocalCloud) -> Tenant:
    """A tenant with a journal: sales, a refusal, an account of their own."""
    tenant = a_tenant(cloud, "source")
    account = {"code": "assets:till_1", "type": "asset", "name": "Till", "shards": 1}
    assert tenant.owner.post("/v1/ledger/accounts", account).status_code == 201
    for number in range(5):
        assert tenant.owner.post("/v1/ledger/entries", a_sale(number), key=f"sale-{number}").status_code == 201
    assert tenant.owner.post("/v1/ledger/entries", a_sale(9, bank="assets:none")).status_code == 422
    return tenant


def a_sale(number: int, bank: str = "assets:till_1") -> dict[str, Any]:
    """A sale of so many pence and ten more."""
    amount = {"amount": 10 + number, "currency": "GBP"}
    lines = [
        {"account": bank, "side": "debit", "amount": amount},
        {"account": "revenue:sales", "side": "credit", "amount": amount},
    ]
    return {"lines": lines, "effective_on": "2026-11-16", "reference": f"INV-{number}", "metadata": {"n": str(number)}}


@pytest.fixture
def daybook(cloud: LocalCloud) -> Daybook:
    """The command, as whoever holds a key types it."""

    def run(*arguments: str, key: str = "") -> "subprocess.CompletedProcess[str]":
        options = ("--url", cloud.doors_url, "--key", key) if key else ()
        command = interpreter("emulators.cli", "--home", str(cloud.home_path), *arguments, *options)
        return subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=120
        )

    return run


def seal(cloud: LocalCloud, tenant: Tenant, key: str) -> None:
    """Seal the tenant's journal, two seconds later than it could be."""
    house = House(cloud.settings())
    past = house.store.read_time()
    while house.store.read_time() - past < 1.05 * _settled(house):
        pass
    house.seals.seal(a_call(key, tenant=TenantId(tenant.name), at=SystemClock().now()))


def _settled(house: House) -> Any:
    return house.seals._settled


def exported(daybook: Daybook, tenant: Tenant, path: Path) -> list[dict[str, Any]]:
    """The records of an export."""
    done = daybook("export", "--output", str(path), key=tenant.owner.key)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_journal_goes_out_is_verified_and_comes_in_once(
    cloud: LocalCloud, source: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """Export, verify, import, import again: the copy has every posting once, under other ids."""
    seal(cloud, source, "seal-1")
    path, pem = tmp_path / "journal.jsonl", tmp_path / "seals.pem"
    records = exported(daybook, source, path)
    pem.write_text(House(cloud.settings()).signer.public_key(), encoding="ascii")
    verified = daybook("verify", str(path), "--public-key", str(pem))
    assert (verified.returncode, "sound: 6 entries of source, 1 seals" in verified.stderr) == (0, True), verified.stderr
    assert daybook("verify", "--public-key", str(pem), key=source.owner.key).returncode == 0

    copy = a_tenant(cloud, "copy")
    first = daybook("import", str(path), key=copy.owner.key)
    assert (first.returncode, "5 posted; 0 there already" in first.stderr) == (0, True), first.stderr
    again = daybook("import", str(path), key=copy.owner.key)
    assert (again.returncode, "0 posted; 5 there already" in again.stderr) == (0, True), again.stderr
    copied = exported(daybook, copy, tmp_path / "copy.jsonl")

    def postings(all_records: list[dict[str, Any]]) -> list[str]:
        fields = [one["fields"] for one in all_records if one["kind"] == "entry"]
        kept = ("lines", "effective_on", "reference", "metadata", "kind")
        return sorted(
            json.dumps([one[name] for name in kept], sort_keys=True) for one in fields if one["outcome"] == "posted"
        )

    assert postings(copied) == postings(records)
    assert [one for one in copied if one["kind"] == "total"] == [one for one in records if one["kind"] == "total"]


def test_one_bad_line_says_which_and_why_and_the_rest_stands(
    cloud: LocalCloud, source: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """No JSON, no entry, off balance, no such account, a float: each by its line's number."""
    records = exported(daybook, source, tmp_path / "good.jsonl")
    entries = [one for one in records if one["kind"] == "entry" and one["fields"]["outcome"] == "posted"]

    def broken(number: int, *, amount: str = "", account: str = "") -> str:
        entry = json.loads(json.dumps(entries[number]))
        side, was, currency, code = entry["fields"]["lines"][0].split(" ")
        entry["fields"]["lines"][0] = f"{side} {amount or was} {currency} {account or code}"
        return json.dumps(entry)

    chart = [json.dumps(one) for one in records if one["kind"] == "account"]
    bad = [
        "{no json",
        json.dumps({"kind": "poem"}),
        broken(0, amount="11111"),
        broken(1, account="assets:nowhere"),
        broken(2, amount="1.5"),
        json.dumps({"kind": "entry", "id": "x", "fields": {"outcome": "posted"}}),
    ]
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join([*chart, *bad, *map(json.dumps, entries[3:])]) + "\n", encoding="utf-8")
    tenant = a_tenant(cloud, "careful")
    done = daybook("import", str(path), key=tenant.owner.key)
    assert done.returncode == 1
    first = len(chart) + 1
    for number in range(first, first + len(bad)):
        assert f"line {number}: " in done.stderr, done.stderr
    assert "2 posted; 0 there already; 7 faults" in done.stderr  # the seventh: it has no end
    assert "unknown_account" in done.stderr
    assert "unbalanced_entry" in done.stderr


def test_a_bad_account_and_a_number_that_json_has_not_cost_their_own_lines_alone(
    cloud: LocalCloud, source: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """An account of no known type ended the whole import; an infinite amount took its batch along, and said nothing."""
    records = exported(daybook, source, tmp_path / "good.jsonl")
    accounts = [json.dumps(one) for one in records if one["kind"] == "account"]
    entries = [json.dumps(one) for one in records if one["kind"] == "entry" and one["fields"]["outcome"] == "posted"]
    odd = json.dumps({"kind": "account", "code": "no code!", "type": "poem", "name": "x", "shards": 1, "floor": None})
    endless = [entries[0].replace('"lines": [', f'"lines": [{odd_number}, ', 1) for odd_number in ("1e400", "NaN")]
    path = tmp_path / "odd.jsonl"
    path.write_text("\n".join([odd, *accounts, *endless, *entries[1:]]) + "\n", encoding="utf-8")
    tenant = a_tenant(cloud, "patient")
    done = daybook("import", str(path), key=tenant.owner.key)
    numbers = (1, 2 + len(accounts), 3 + len(accounts))
    assert done.returncode == 1
    assert all(f"line {number}: " in done.stderr for number in numbers), done.stderr
    assert f"{len(entries) - 1} posted; 0 there already; 4 faults" in done.stderr  # the fourth: it has no end


def test_an_altered_file_is_named_and_the_exit_code_says_so(
    cloud: LocalCloud, source: Tenant, daybook: Daybook, tmp_path: Path
) -> None:
    """One byte of one line."""
    path, pem = tmp_path / "journal.jsonl", tmp_path / "seals.pem"
    seal(cloud, source, "seal-2")
    records = exported(daybook, source, path)
    pem.write_text(House(cloud.settings()).signer.public_key(), encoding="ascii")
    victim = next(one for one in records if one["kind"] == "entry" and one["fields"]["reference"] == "INV-3")
    path.write_text(path.read_text(encoding="utf-8").replace('"INV-3"', '"INV-4"'), encoding="utf-8")
    done = daybook("verify", str(path), "--public-key", str(pem))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith(f"seal 1: altered {victim['id']}")
    assert "NOT SOUND" in done.stderr
    pem.write_text("no key", encoding="ascii")
    assert daybook("verify", str(path), "--public-key", str(pem)).returncode == 2


def test_the_beancount_export_passes_bean_check(source: Tenant, daybook: Daybook, tmp_path: Path) -> None:
    """Written by the command, judged by the program; refused entries are left out, and counted so."""
    path = tmp_path / "journal.beancount"
    done = daybook("export", "--format", "beancount", "--output", str(path), key=source.owner.key)
    assert done.returncode == 0, done.stderr
    written = sum(" * " in line for line in path.read_text(encoding="utf-8").splitlines())
    assert f"{written} entries in {path}; 1 refused ones left out" in done.stderr
    program = Path(interpreter("x")[0]).with_name("bean-check")
    judged = subprocess.run(  # noqa: S603 - our own words
        (str(program), "--no-cache", str(path)), capture_output=True, text=True, check=False
    )
    assert (judged.returncode, judged.stderr) == (0, "")
    assert "Assets:Till-1  0.13 GBP" in path.read_text(encoding="utf-8")


def test_without_a_key_nothing_is_asked(daybook: Daybook, tmp_path: Path) -> None:
    """One line says what is missing."""
    for arguments in (("export", "--output", str(tmp_path / "x")), ("verify", "--public-key", __file__)):
        done = daybook(*arguments)
        assert done.returncode in {1, 2}
        assert "Traceback" not in done.stderr


def test_a_garbled_seal_stops_neither_the_list_nor_the_command(
    cloud: LocalCloud, daybook: Daybook, tmp_path: Path
) -> None:
    """Of an older one the gap tells; the newest leaves none, and is named all the same."""
    tenant, pem = a_tenant(cloud, "garbled"), tmp_path / "seals.pem"
    account = {"code": "assets:till_1", "type": "asset", "name": "Till", "shards": 1}
    assert tenant.owner.post("/v1/ledger/accounts", account).status_code == 201
    for number in range(2):
        assert tenant.owner.post("/v1/ledger/entries", a_sale(number)).status_code == 201
        seal(cloud, tenant, f"garbled-{number}")
    pem.write_text(House(cloud.settings()).signer.public_key(), encoding="ascii")
    asked = daybook("verify", "--public-key", str(pem), key=tenant.owner.key)
    assert asked.returncode == 0, asked.stderr
    for number, left, told in ((1, [2], "seal_missing 1"), (2, [], "unreadable 1")):
        garble(cloud, seal_ref(TenantId(tenant.name), number), {"count": "1"})
        listed = tenant.auditor.get("/v1/ledger/seals")
        assert (listed.status_code, [one["number"] for one in listed.json()["items"]]) == (200, left)
        answer = tenant.auditor.get(f"/v1/ledger/seals/{number}")
        assert (answer.status_code, answer.json()["code"]) == (409, "journal_altered")
        asked = daybook("verify", "--public-key", str(pem), key=tenant.owner.key)
        assert (asked.returncode, told in asked.stderr) == (1, True), asked.stderr


def test_damaged_books_are_not_written_for_beancount_and_one_line_says_why(
    cloud: LocalCloud, daybook: Daybook, tmp_path: Path
) -> None:
    """It was a traceback; and no half of a file is left."""
    tenant, output = a_tenant(cloud, "damaged"), tmp_path / "journal.beancount"
    entry = tenant.owner.post("/v1/ledger/entries", a_sale(1, bank="assets:bank")).json()["id"]
    garble(cloud, entry_ref(TenantId(tenant.name), StoredId(entry)), {"lines": "debit 11 GBP assets:bank"})
    done = daybook("export", "--format", "beancount", "--output", str(output), key=tenant.owner.key)
    told = f"daybook: entry {entry} cannot be written: run daybook verify"
    assert (done.returncode, done.stderr.strip().splitlines(), list(tmp_path.iterdir())) == (1, [told], [])


def garble(cloud: LocalCloud, ref: Ref, fields: Fields) -> None:
    """Write over fields of a document, behind the books' back: its `create_time` stays."""

    def decide(view: View) -> Decision[None]:
        return Decision(None, (Update(ref, fields, view.named(ref).version),))

    House(cloud.settings()).store.transact((ref,), decide)


# --- the doors ---------------------------------------------------------------------------


def test_seals_leaves_and_inclusion_are_read_by_an_auditor(cloud: LocalCloud, source: Tenant) -> None:
    """The list, one, its leaves, and an entry's way to the root."""
    seal(cloud, source, "seal-3")
    listed = source.auditor.get("/v1/ledger/seals").json()["items"]
    newest = listed[0]
    assert source.auditor.get(f"/v1/ledger/seals/{newest['number']}").json() == newest
    leaves = source.auditor.get(f"/v1/ledger/seals/{newest['number']}/leaves?page=0").json()["leaves"]
    assert len(leaves) == newest["count"]
    _, entry, digest = leaves[0]
    proof = source.auditor.get(f"/v1/ledger/entries/{entry}/inclusion").json()
    assert (proof["leaf"], proof["index"], proof["seal"]) == (digest, 0, newest)


def test_bad_questions_are_problems(cloud: LocalCloud, source: Tenant) -> None:
    """No such seal, page or entry; numbers that are none; cursors from elsewhere."""
    seal(cloud, source, "seal-4")
    asked = {
        "/v1/ledger/seals/99": (404, "unknown_seal"),
        "/v1/ledger/seals/1/leaves?page=7": (404, "unknown_seal"),
        "/v1/ledger/seals/0": (422, "invalid_fields"),
        "/v1/ledger/seals/one": (422, "invalid_fields"),
        "/v1/ledger/seals/1/leaves?page=-1": (422, "invalid_fields"),
        "/v1/ledger/seals/1/leaves?surprise=1": (422, "invalid_fields"),
        "/v1/ledger/seals?limit=201": (422, "invalid_fields"),
        "/v1/ledger/seals?cursor=x": (400, "malformed"),
        "/v1/ledger/journal?limit=0": (422, "invalid_fields"),
        "/v1/ledger/journal?cursor=x": (400, "malformed"),
        "/v1/ledger/journal?cursor=WzEsMl0=": (400, "malformed"),
        "/v1/ledger/journal?cursor=WzEsIngiXQ==": (409, "stale_cursor"),  # of 1970, which no store can read
        "/v1/ledger/journal?cursor=WzQ1MDM1OTk2MjczNzA0OTYsIngiXQ==": (400, "malformed"),  # of 2112
        "/v1/ledger/journal?cursor=e30=": (400, "malformed"),
        f"/v1/ledger/entries/{'a' * 52}/inclusion": (404, "unknown_entry"),
        "/v1/ledger/entries/nothing/inclusion": (404, "not_found"),
    }
    for path, expected in asked.items():
        answer = source.auditor.get(path)
        assert (answer.status_code, answer.json().get("code")) == expected, (path, answer.text)


def test_another_tenants_journal_is_not_shown(source: Tenant, rival: Tenant) -> None:
    """A cursor of one tenant's opens nothing of another's."""
    page = source.owner.get("/v1/ledger/journal?limit=1").json()
    assert page["next_cursor"]
    answer = rival.owner.get(f"/v1/ledger/journal?limit=1&cursor={page['next_cursor']}")
    assert answer.status_code == 400
    assert rival.owner.get("/v1/ledger/seals/1").status_code == 404


def test_all_pages_of_a_journal_are_of_one_instant(source: Tenant) -> None:
    """What is posted between two pages is not in the second."""
    page = source.owner.get("/v1/ledger/journal?limit=2").json()
    before = [*page["items"]]
    assert page["chart"]
    assert source.owner.post("/v1/ledger/entries", a_sale(50)).status_code == 201
    while page["next_cursor"]:
        page = source.owner.get(f"/v1/ledger/journal?limit=2&cursor={page['next_cursor']}").json()
        before += page["items"]
    assert not [one for one in before if one["fields"]["reference"] == "INV-50"]
    assert page["totals"]
    assert page["chart"] is None
