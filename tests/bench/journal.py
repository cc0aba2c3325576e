"""A journal from end to end: imported, sealed, exported, verified, bean-checked; then one byte is changed and named.

`python -m tests.bench.journal --entries 100000` on a local cloud of its own. Everything goes the way
that a person would go: over the API's doors, with the commands' own code, and `bean-check` as the
program that it is. The byte is changed straight in the store, behind the doors' back.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: every run invents the same journal
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from emulators.catalogue import REPOSITORY
from emulators.cloud import LocalCloud
from shared.calls import Call
from shared.cli.client import Client
from shared.cli.importing import import_records
from shared.cli.journal_records import in_file, line_of, over_api, to_verify
from shared.cli.signatures import trusted
from shared.clock import SystemClock
from shared.faults import Retryable
from shared.gcp import firestore_methods as methods
from shared.gcp.firestore import resource_headers
from shared.gcp.firestore_values import write_value
from shared.gcp.rpc import Rpc
from shared.identity import Cause, StoredId, SystemIds, TenantId, stored_id
from shared.ledger.records import entry_ref
from shared.ledger.rules.journal_text import beancount
from shared.ledger.rules.verifying import Verdict, verify
from shared.settings import Settings
from shared.wiring import House

TENANT: Final = TenantId("archive")
DOORS: Final = ("accounts", "batches", "journal", "periods", "seals", "tenants")
AGAIN: Final = 2_000
"""Lines of the second import: that it posts nothing is shown by a part of it."""

ACCOUNTS: Final = (
    ("assets:bank:main", "asset"),
    ("assets:bank:eur_2", "asset"),
    ("assets:receivable", "asset"),
    ("liabilities:vat:gb", "liability"),
    ("revenue:sales", "revenue"),
    ("revenue:sales:on-line", "revenue"),
    ("expenses:fees", "expense"),
)


def main() -> int:
    """Run it all and print the figures; exit code 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.journal", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    entries: int = parser.parse_args().entries
    console = Console()
    with tempfile.TemporaryDirectory(prefix="daybook-journal-") as folder:
        run = Run(Path(folder), entries, console)
        with LocalCloud(Path(folder) / "cloud", DOORS) as cloud:
            run.all(cloud)
    run.show()
    return 0 if run.sound else 1


@dataclass
class Run:
    """One run: its files, its seconds, and whether all was as it must be."""

    folder: Path
    entries: int
    console: Console
    rows: list[tuple[str, float, str]] = field(default_factory=list)
    sound: bool = True

    def all(self, cloud: LocalCloud) -> None:
        """Every step in turn."""
        source, journal, text = (self.folder / name for name in ("in.jsonl", "out.jsonl", "out.beancount"))
        with self.step("write the input"), source.open("w", encoding="utf-8") as file:
            file.writelines(map(line_of, invented(self.entries)))
        house, client = House(cloud.settings()), Client(cloud.doors_url, _owner_key(cloud), SystemIds())
        with self.step("import over the API", self.entries):
            first = import_records(client, lambda: in_file(source, _silent), lambda _: None)
        # What a try posted whose answer was lost, the next one finds there.
        self.must("every entry is there", (first.posted + first.known, first.faults) == (self.entries, []), first)
        part = min(AGAIN, self.entries)
        with self.step(f"import {part:,} again", part):
            again = import_records(client, lambda: _some(source, part), lambda _: None)
        self.must("a second import posts nothing", (again.posted, again.known) == (0, part), again)
        with self.step("seal", self.entries):
            seals = _seal(house)
        with self.step("export JSON Lines over the API", self.entries), journal.open("w", encoding="utf-8") as file:
            file.writelines(map(line_of, over_api(client)))
        is_signed = trusted(house.signer.public_key())
        with self.step("verify the file", self.entries):
            verdict = verify(to_verify(journal, _silent), is_signed)
        self.must(
            f"{self.entries:,} entries under {seals} seals are sound",
            verdict.sound and (verdict.entries, verdict.seals, verdict.unsealed) == (self.entries, seals, 0),
            verdict.findings[:3],
        )
        with self.step("write it as beancount", self.entries), text.open("w", encoding="utf-8") as file:
            file.writelines(beancount(record for _, record in in_file(journal, _silent) if record))
        with self.step("bean-check", self.entries):
            done = _bean_check(text)
        self.must("bean-check passes", done.returncode == 0, (done.stdout + done.stderr)[:500])
        self.tampering(house, verdict)

    def tampering(self, house: House, sound: Verdict) -> None:
        """One byte of one entry, changed in the store; verifying straight from the store names it."""
        victim = _victim(self.entries)
        one_byte_more(house.settings, victim)
        is_signed = trusted(house.signer.public_key())
        with self.step("verify the store, one byte changed", self.entries):
            verdict = verify(house.journals.records(TENANT), is_signed)
        first = verdict.findings[0] if verdict.findings else None
        named = first is not None and (first.what, first.name) == ("altered", victim)
        self.must(f"the altered entry is named: {first}", named and len(verdict.findings) == 1, verdict.findings[:3])
        self.must("nothing else has changed", verdict.head == sound.head, verdict.head)

    def must(self, law: str, holds: bool, told: object) -> None:  # noqa: FBT001 - the law's own truth
        """Say whether a law holds, and what was seen where it does not."""
        self.sound = self.sound and holds
        self.console.print(f"  {'ok ' if holds else 'NOT'} {law}" + ("" if holds else f": {told}"), markup=False)

    @contextmanager
    def step(self, name: str, count: int = 0) -> Iterator[None]:
        """Time a step."""
        self.console.print(f"{name} ...", style="dim", markup=False)
        begun = time.monotonic()
        yield
        seconds = time.monotonic() - begun
        self.rows.append((name, seconds, f"{count / seconds:,.0f}" if count else ""))

    def show(self) -> None:
        """The table."""
        table = Table("step", "seconds", "entries/s", title=f"a journal of {self.entries:,} entries")
        for name, seconds, rate in self.rows:
            table.add_row(name, f"{seconds:,.1f}", rate)
        self.console.print(table)
        own, children = (
            resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        self.console.print(f"peak memory: this program {own:,} MiB, its largest child {children:,} MiB")


def invented(entries: int) -> Iterator[dict[str, Any]]:
    """A journal of so many entries over three years: two to four lines, three currencies, causes in many letters."""
    chance = Random(entries)  # noqa: S311 - invented sales, no secrets
    yield {"kind": "journal", "schema": 1, "tenant": "elsewhere"}
    for code, kind in ACCOUNTS:
        yield {"kind": "account", "code": code, "type": kind, "name": code, "shards": 4, "floor": None}
    for number in range(entries):
        day = f"{2024 + number % 3}-{1 + number % 12:02d}-{1 + chance.randrange(28):02d}"
        yield {"kind": "entry", "id": _id(number), "created": number, "fields": _fields(chance, number, day)}
    yield {"kind": "end", "entries": entries}


def _fields(chance: Random, number: int, day: str) -> dict[str, Any]:
    currency, amount = chance.choice(("GBP", "EUR", "USD")), chance.randrange(100, 5_000_000)
    tax = amount // 6
    sides = [("assets:receivable", "debit", amount), ("revenue:sales", "credit", amount - tax)]
    sides += [("liabilities:vat:gb", "credit", tax)]
    if number % 3 == 0:
        sides = [("assets:bank:main", "debit", amount), ("revenue:sales:on-line", "credit", amount)]
    if number % 7 == 0:
        sides = [("assets:bank:eur_2", "debit", amount - tax), ("expenses:fees", "debit", tax)]
        sides += [("assets:receivable", "credit", amount)]
    lines = [f"{side} {money} {currency} {code}" for code, side, money in sides]
    return {
        "outcome": "posted",
        "lines": lines,
        "effective_on": day,
        "kind": "regular",
        "reference": f"INV-{number:06d}",
        "metadata": {"order": str(number)},
    }


def one_byte_more(settings: Settings, entry: StoredId) -> None:
    """Change the reference's last byte of an entry's document, straight in the store: its commit's instant stays."""
    database = f"projects/{settings.project}/databases/{settings.database}"
    rpc = Rpc("", settings.firestore_endpoint, metadata=resource_headers(settings, settings.database))
    request = methods.COMMIT.request(database=database)
    write = request.writes.add()
    write.update.name = f"{database}/documents/{entry_ref(TENANT, entry).path}"
    write.update_mask.field_paths.append("reference")
    write_value(write.update.fields["reference"], "INV-00000X")
    rpc.ask(methods.COMMIT, request)
    rpc.close()


def _id(number: int) -> StoredId:
    return stored_id("bench journal", str(number))


def _victim(entries: int) -> StoredId:
    """The id under which the import's batch posted one of the entries."""
    key = f"{TENANT}:{_id(entries // 2)}"
    return Cause("api", "POST /v1/ledger/batches", key).stored_id("entry")


def _seal(house: House) -> int:
    call = Call(
        tenant=TENANT,
        principal="system:bench",
        cause=Cause("system", "bench", "seal"),
        request_id="bench",
        request_hash="bench",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        at=SystemClock().now(),
    )
    time.sleep(3)  # a seal ends two seconds before now
    for _ in range(100):
        try:
            last = house.seals.seal(call).answer.last
        except Retryable:
            continue
        return last.number if last else 0
    message = "sealing did not come to its end"
    raise RuntimeError(message)


def _owner_key(cloud: LocalCloud) -> str:
    body = {"tenant": TENANT, "legal_name": "Archive Ltd", "country": "GB", "currency": "GBP", "owner": "user:bench"}
    answer = Client(cloud.doors_url, cloud.platform_key, SystemIds()).post("/v1/tenants", body)
    return str(answer["owner_key"])


def _some(path: Path, entries: int) -> Iterable[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if number > len(ACCOUNTS) + 1 + entries:
                return
            yield number, json.loads(line)


def _bean_check(path: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("bean-check")
    return subprocess.run(  # noqa: S603 - our own words
        (str(program), "--no-cache", str(path)), capture_output=True, text=True, check=False, cwd=REPOSITORY
    )


def _silent(_: int) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    sys.exit(main())
