"""A file is judged by what it says alone: forged, told twice, in another order, without an end, or honest."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.cli.journal_records import to_verify
from shared.cli.signatures import trusted
from shared.identity import TenantId
from shared.ledger.rules import verifying
from shared.ledger.rules.low_s import low_s
from shared.ledger.rules.seals import (
    Leaf,
    Seal,
    Window,
    instant_of,
    leaf_of,
    leaves_list,
    next_seal,
    read_leaves_list,
    root_over,
)
from shared.ledger.rules.verifying import Finding, Verdict, verify
from tests.local_keys import LocalSigner

SIGNER = LocalSigner()
Record = dict[str, Any]


def an_entry(name: str, created: int, amount: int = 100, account: str = "assets:bank") -> Record:
    """A posted entry's record."""
    lines = [f"debit {amount} EUR {account}", f"credit {amount} EUR revenue:sales"]
    fields = {"outcome": "posted", "month": "2026-11", "kind": "regular", "lines": lines, "reference": name}
    return {"kind": "entry", "id": name, "created": created, "fields": fields}


def sealed(last: Seal | None, through: int, *entries: Record) -> tuple[Seal, Record]:
    """A seal over entries, and the page of its leaves."""
    leaves = tuple(sorted(leaf_of(one["id"], one["created"], one["fields"]) for one in entries))
    seal = next_seal(TenantId("acme"), last, Window(leaves, instant_of(through)), page=2_000, key_version="key/1")
    seal = seal.signed(low_s(SIGNER.sign(seal.statement)))
    return seal, {"kind": "leaves", "seal": seal.number, "page": 0, "leaves": leaves_list(leaves)}


def a_total(account: str, debits: int, credits_: int, count: int) -> Record:
    """What an account's month came to."""
    place = {"account": account, "currency": "EUR", "month": "2026-11", "entry_kind": "regular"}
    return {"kind": "total", **place, "debits": debits, "credits": credits_, "count": count}


def an_account(code: str, kind: str) -> Record:
    """An account of the chart."""
    told = {"name": code, "state": "open", "shards": 1, "declared_rate": None, "floor": None, "currencies": []}
    return {"kind": "account", "code": code, "type": kind, **told, "metadata": {}}


CHART = (an_account("assets:bank", "asset"), an_account("revenue:sales", "revenue"))


def a_journal() -> list[Record]:
    """Two seals over two entries each, and one entry that is not sealed yet."""
    entries = [an_entry(name, created) for name, created in (("a", 1), ("b", 2), ("c", 11), ("d", 12), ("young", 21))]
    one, first = sealed(None, 10, *entries[:2])
    two, second = sealed(one, 20, *entries[2:4])
    totals = [a_total("assets:bank", 500, 0, 5), a_total("revenue:sales", 0, 500, 5)]
    head = [{"kind": "journal", "schema": 1, "tenant": "acme"}, two.as_json(), second, one.as_json(), first]
    return [*head, *deepcopy(CHART), *entries, *totals, {"kind": "end", "entries": 5, "read_at": 30}]


def judged(records: list[Record], known: tuple[int, str] | None = None) -> Verdict:
    """What verifying comes to."""
    return verify(records, trusted(SIGNER.public_key()), known)


def first_of(records: list[Record]) -> Finding:
    """The first finding."""
    return judged(records).findings[0]


def place_of(records: list[Record], kind: str, name: object = None) -> int:
    """Where the record of a kind stands, that of a name or number where one is given."""
    names = (None, name)
    return next(
        place
        for place, record in enumerate(records)
        if record["kind"] == kind and (name is None or record.get("id", record.get("number")) in names)
    )


def test_an_honest_journal_is_sound() -> None:
    """Nothing is found, and what no seal covers yet is counted."""
    found = judged(a_journal())
    assert (found.findings, found.found, found.seals, found.unsealed) == ((), 0, 2, 1)
    assert judged(
        [{"kind": "journal", "schema": 1, "tenant": "acme"}, {"kind": "end", "entries": 0, "read_at": 0}]
    ).sound


def test_seals_behind_the_entries_are_not_believed() -> None:
    """Entries first, seals last: nothing would have been held against anything, and all of it called sound."""
    journal = a_journal()
    altered = [{**one, "fields": {**one["fields"], "reference": "X"}} for one in journal if one["kind"] == "entry"]
    seals = [one for one in journal if one["kind"] in {"seal", "leaves"}]
    others = [one for one in journal if one["kind"] in {"total", "end"}]
    assert not judged([journal[0], *altered, *seals, *others]).sound


def test_a_forged_seal_behind_the_entries_is_named() -> None:
    """It would have been shown as the head, unsigned."""
    journal = a_journal()
    forged = {**journal[1], "number": 3}
    found = first_of([*journal[:-1], forged, journal[-1]])
    assert (found.what, found.name) == ("seal_broken", "3")


@pytest.mark.parametrize("number", [0, -1, 10**15])
def test_a_seals_number_out_of_the_chain_is_named_and_soon(number: int) -> None:
    """None before the first; and a gap of any length is one finding, not a loop over it."""
    journal = a_journal()
    journal.insert(1, {**journal[1], "number": number})
    found = judged(journal)
    assert not found.sound
    assert {one.what for one in found.findings} >= {"seal_forged"}
    assert found.found < 20


def test_an_entry_written_again_and_sealed_again_is_named_as_altered() -> None:
    """Deleted and made anew before the next seal, which honestly covers it: the first seal is what was posted."""
    journal = a_journal()
    again = an_entry("a", 15, amount=900)
    one = Seal.of_json(journal[place_of(journal, "seal", 1)])
    two, leaves = sealed(
        one, 20, journal[place_of(journal, "entry", "c")], journal[place_of(journal, "entry", "d")], again
    )
    journal[1:3] = [two.as_json(), leaves]
    journal[place_of(journal, "entry", "a")] = again
    journal[-3:-1] = [a_total("assets:bank", 1_300, 0, 5), a_total("revenue:sales", 0, 1_300, 5)]
    found = first_of(journal)
    assert (found.what, found.seal, found.name) == ("altered", 1, "a")


def test_a_young_entry_told_twice_is_named() -> None:
    """And one that takes a sealed entry's id is the same entry told twice, however late it says it came."""
    for name in ("young", "a"):
        journal = a_journal()
        journal[-3:-1] = [a_total("assets:bank", 600, 0, 6), a_total("revenue:sales", 0, 600, 6)]
        journal.insert(-3, an_entry(name, 25))
        journal[-1]["entries"] = 6
        found = judged(journal)
        assert [(one.what, one.name) for one in found.findings] == [("added", name)]


def test_a_total_told_twice_is_named() -> None:
    """The last would have been believed, whatever the first said."""
    journal = a_journal()
    journal.insert(-3, a_total("assets:bank", 999, 0, 5))
    assert [one.name for one in judged(journal).findings] == ["assets:bank/EUR/2026-11/regular"]


def test_leaves_without_their_seal_tell_of_it() -> None:
    """The newest seal alone was taken away."""
    journal = a_journal()
    del journal[1]
    found = first_of(journal)
    assert (found.what, found.seal) == ("seal_missing", 2)


def without_lines(fields: Record) -> None:
    """No lines at all."""
    del fields["lines"]


def with_a_double(fields: Record) -> None:
    """As an export spells a line that somebody made a double."""
    fields["lines"][0] = {"$double_value": "100.5"}


def with_a_fraction(fields: Record) -> None:
    """A fraction of a minor unit."""
    fields["lines"][0] = "debit 100.5 EUR assets:bank"


def with_no_account(fields: Record) -> None:
    """A line on no account."""
    fields["lines"][0] = "debit 100 EUR"


def with_no_currency_of_ours(fields: Record) -> None:
    """A currency that the books do not know."""
    fields["lines"][0] = "debit 100 XYZ assets:bank"


@pytest.mark.parametrize(
    "change", [without_lines, with_a_double, with_a_fraction, with_no_account, with_no_currency_of_ours]
)
def test_an_entry_that_cannot_be_added_up_is_named_as_altered_first(change: Callable[[Record], None]) -> None:
    """What is wrong with its sums is said after that, not before it and in its stead."""
    journal = a_journal()
    change(journal[place_of(journal, "entry", "c")]["fields"])
    found = first_of(journal)
    assert (found.what, found.seal, found.name) == ("altered", 2, "c")


@pytest.mark.parametrize("record", [{"seal": "x"}, {"page": "x"}, {"seal": None}, {"seal": [1]}, {"page": True}])
def test_a_page_of_leaves_out_of_any_order_is_a_finding_and_no_crash(record: Record) -> None:
    """Numbers are what puts pages in order."""
    journal = a_journal()
    journal.insert(1, {**journal[2], **record})
    assert [one.what for one in judged(journal).findings] == ["unreadable"]


def test_the_first_of_very_many_findings_is_the_first_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries come by their ids: what was altered first may be read last, when a thousand others were named."""
    monkeypatch.setattr(verifying, "NAMED_FINDINGS", 3)
    entries = [an_entry(f"e{100 - created}", created) for created in range(1, 21)]
    one, leaves = sealed(None, 50, *entries)
    altered = [{**entry, "fields": {**entry["fields"], "reference": "X"}} for entry in entries]
    head = [{"kind": "journal", "schema": 1, "tenant": "acme"}, one.as_json(), leaves]
    totals = [a_total("assets:bank", 2_000, 0, 20), a_total("revenue:sales", 0, 2_000, 20)]
    end = {"kind": "end", "entries": 20, "read_at": 60}
    found = judged([*head, *CHART, *sorted(altered, key=lambda one: str(one["id"])), *totals, end])
    assert [one.name for one in found.findings] == ["e99", "e98", "e97"]
    assert found.found == 20


def test_a_member_named_twice_is_no_record(tmp_path: Path) -> None:
    """One reader takes the first of two references, another the last: both saw a sealed entry."""
    journal = a_journal()
    lines = [json.dumps(record) for record in journal]
    at = place_of(journal, "entry", "c")
    assert '"reference": "c"' in lines[at]
    lines[at] = lines[at].replace('"reference": "c"', '"reference": "x", "reference": "c"', 1)
    path = tmp_path / "journal.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    found = {(one.what, one.name) for one in judged(list(map(dict, to_verify(path, lambda _: None)))).findings}
    assert found >= {("missing", "c"), ("unreadable", f"line {at + 1}")}


def test_a_line_that_cannot_be_read_is_named_by_its_number(tmp_path: Path) -> None:
    """It was named by nothing: whoever looks for it in a file of a million lines wants its number."""
    lines = [json.dumps(record) for record in a_journal()]
    lines[6] = "{"
    path = tmp_path / "journal.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert first_of(list(map(dict, to_verify(path, lambda _: None)))).name == "line 7"


def resigned(journal: list[Record], leaves: list[Leaf], **changes: Any) -> list[Record]:
    """The journal with another second seal, signed by the very key."""
    seal = replace(Seal.of_json(journal[1]), root=root_over(leaves).hex(), **changes)
    journal[1] = seal.signed(low_s(SIGNER.sign(seal.statement))).as_json()
    journal[2]["leaves"] = leaves_list(leaves)
    return journal


def test_a_signature_does_not_make_good_what_a_seal_says() -> None:
    """Leaves in another order, of another time, or another number than the store counted: signed, and named."""
    journal = a_journal()
    leaves = list(read_leaves_list(journal[2]["leaves"]))
    assert judged(resigned(a_journal(), leaves)).sound
    for flawed, why in (
        (resigned(a_journal(), leaves[::-1]), "out of order"),
        (resigned(a_journal(), leaves, through=instant_of(11)), "or of its time"),
        (resigned(a_journal(), leaves, counted=5), "the store counted 5 entries where 4"),
    ):
        assert [(one.what, why in one.why) for one in judged(flawed).findings][:1] == [("seal_broken", True)]


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"kind": "journal", "schema": 1, "tenant": "rival"}, "more than once"),
        ({"kind": "journal", "schema": 99, "tenant": "acme"}, "schema"),
        ({"kind": "end", "entries": 5}, "behind the end"),
        ({"kind": "account"}, "behind the end"),
    ],
)
def test_a_file_says_once_whose_it_is_and_where_it_ends(odd: Record, why: str) -> None:
    """A second name was shown beside "sound", over seals that are another's."""
    journal = a_journal()
    place = len(journal) if why == "behind the end" else 1
    found = judged([*journal[:place], odd, *journal[place:]])
    assert (found.tenant, found.sound) == ("acme", False)
    assert any(why in one.why for one in found.findings)


def test_a_journal_of_another_schema_is_not_believed() -> None:
    """What its records mean is not known here."""
    journal = a_journal()
    journal[0]["schema"] = 2
    assert (first_of(journal).what, first_of(journal).name) == ("unreadable", "journal")


def test_a_seal_of_a_thousand_million_pages_is_one_finding() -> None:
    """They were counted out in memory, before anybody looked whether it is signed."""
    journal = a_journal()
    journal[1]["pages"] = 10**9
    assert "pages" in "".join(one.why for one in judged(journal).findings)


@pytest.mark.parametrize("name", ["tenant", "key_version", "root"])
def test_a_seal_that_cannot_be_stated_is_named_and_no_entry_for_it(name: str) -> None:
    """Half a character: it ended the verifying, or the first entry was blamed and the rest of the chain passed over."""
    journal = a_journal()
    journal[1][name] = "\ud800"
    found = judged(journal)
    assert ("unreadable", "2") in {(one.what, one.name) for one in found.findings}
    assert not {"a", "b", "young"} & {one.name for one in found.findings}


def test_seals_of_another_tenant_are_not_this_ones() -> None:
    """A journal may not borrow a sound chain."""
    journal = a_journal()
    journal[0]["tenant"] = "rival"
    assert "another tenant" in first_of(journal).why


def test_a_noted_seal_shows_a_chain_that_was_cut_off_or_made_anew() -> None:
    """Number and hash, both."""
    journal = a_journal()
    two = Seal.of_json(journal[1])
    assert judged(journal, (2, two.hash)).sound
    assert judged(journal, (3, two.hash)).findings[0].what == "seal_missing"
    again = two.signed(low_s(SIGNER.sign(two.statement)))
    journal[1] = again.as_json()
    assert judged(journal).sound
    assert judged(journal, (2, two.hash)).findings[0].what == "seal_missing"
