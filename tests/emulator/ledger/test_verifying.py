"""What anybody does to a sealed journal behind its back is named: which entry, under which seal."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from shared.cli.signatures import trusted
from shared.ledger.rules.seals import Seal, micros, read_leaves, write_leaves, write_seal
from shared.ledger.rules.verifying import Verdict, verify
from shared.ledger.use_cases.export import Journals
from shared.ledger.use_cases.seals import leaves_ref, seal_ref
from shared.ports import Document, Query, Value
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale, entry_id
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.sealing import Office, a_double, a_stray
from tests.local_keys import LocalSigner

pytestmark = pytest.mark.emulator

NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.fixture
def office(kept: Bookkeeping, settings: Settings) -> Office:
    """Books with two seals of three sales each, a refusal among them, and an entry that is not sealed yet."""
    office = Office(kept, settings)
    office.sell("a", "b")
    with pytest.raises(Exception, match="no such account"):
        kept.books.post(a_call("no"), a_sale(name="no", to="assets:none"))
    office.seal()
    office.sell("d", "e", NFC)
    office.seal()
    office.sell("young")
    return office


def records(office: Office) -> list[dict[str, Any]]:
    """The export, once through JSON as a file would take it."""
    journals = Journals(office.kept.desk, office.seals)
    return [json.loads(json.dumps(record, ensure_ascii=False)) for record in journals.records(ACME)]


def verdict(office: Office, known: tuple[int, str] | None = None) -> Verdict:
    """What verifying the export comes to, with the public key alone."""
    return verify(records(office), trusted(office.signer.public_key()), known)


def one(office: Office, name: str) -> Document:
    """The document of a named entry."""
    document = office.kept.store.get([ref := a_ref(office, name)])[ref]
    assert document
    return document


def a_ref(office: Office, name: str) -> Any:
    """Where a named entry is kept."""
    return next(document.ref for document in office.entries() if document.ref.key == entry_id(name))


def test_sound_books_verify(office: Office) -> None:
    """Nothing is found, everything is counted, and what no seal covers yet is said."""
    found = verdict(office)
    assert found.findings == ()
    assert (found.sound, found.entries, found.seals, found.unsealed) == (True, 7, 2, 1)


FIELDS: dict[str, Value] = {
    "schema": 2,
    "outcome": "refused",
    "accounts": ["assets:receivable"],
    "effective_on": "2026-11-17",
    "month": "2026-12",
    "kind": "adjusting",
    "cause": "another",
    "reference": "X",
    "request_hash": "hash-2",
    "content_hash": "0" * 64,
    "lines": [],
    "surprise": None,
}


CHANGED: dict[str, Callable[[str], str]] = {
    "one amount": lambda line: line.replace(" 12000 ", " 12001 "),
    "one currency": lambda line: line.replace(" EUR ", " GBP "),
    "one side": lambda line: line.replace("debit", "credit"),
    "one spelling": lambda line: line.replace(" 12000 ", " 012000 "),
}


@pytest.mark.parametrize("name", [*FIELDS, "recorded_at", *CHANGED])
def test_one_changed_field_is_found_whichever_it_is(office: Office, name: str) -> None:
    """The first altered entry is named with its seal; nothing else is blamed before it."""
    document = one(office, "e")
    field, value = name, FIELDS.get(name)
    if name == "recorded_at":
        value = document.created_at
    if name.startswith("one "):
        field = "lines"
        first, second = cast("list[str]", document["lines"])
        value = [CHANGED[name](first), second]
    office.alter(document.ref, field, value)
    first_finding = verdict(office).findings[0]
    assert (first_finding.what, first_finding.seal, first_finding.name) == ("altered", 2, entry_id("e"))


def test_a_refusal_that_becomes_a_posting_is_found(office: Office) -> None:
    """Refused entries are under seal as well."""
    office.alter(a_ref(office, "no"), "outcome", "posted")
    first = verdict(office).findings[0]
    assert (first.what, first.seal, first.name) == ("altered", 1, entry_id("no"))


def test_the_same_text_in_another_spelling_is_an_alteration(office: Office) -> None:
    """NFC and NFD look alike; the bytes differ, and bytes are what was sealed. Untouched, either verifies."""
    document = one(office, NFC)
    assert document["cause"] == NFC
    office.alter(document.ref, "cause", NFD)
    assert verdict(office).findings[0].name == entry_id(NFC)
    office.alter(document.ref, "cause", NFC)
    assert verdict(office).sound


def test_a_line_that_becomes_a_double_is_named_as_altered(office: Office) -> None:
    """A kind of value that the books never write stops neither the export nor the verifier nor the next seal."""
    sealed, young = one(office, "e").ref, one(office, "young").ref
    a_double(office.settings, sealed, "lines", "0")
    found = verdict(office).findings
    assert (found[0].what, found[0].seal, found[0].name) == ("altered", 2, entry_id("e"))
    a_double(office.settings, young, "schema")
    assert office.seal().made == 1
    assert [one.name for one in verdict(office).findings if one.what == "altered"] == [entry_id("e")]


def test_a_total_that_becomes_a_double_is_named(office: Office) -> None:
    """The export says null, which is no sum of any entries."""
    total = office.kept.store.query(Query("totals", ACME)).documents[0]
    a_double(office.settings, total.ref, "debits")
    (only,) = verdict(office).findings
    assert (only.what, only.name.startswith(str(total["account"]))) == ("total_differs", True)


def test_a_document_recorded_long_before_its_commit_is_named_as_added(office: Office) -> None:
    """No posting has such an instant: no seal vouches for it, though the next one covers its commit."""
    stray = a_stray(office, "smuggled", one(office, "a").created_at - timedelta(hours=1))
    office.seal()
    first = verdict(office).findings[0]
    assert (first.what, first.seal, first.name) == ("added", 3, stray.key)


def test_an_entry_deleted_and_made_anew_before_the_next_seal_is_named(office: Office) -> None:
    """The next seal covers what took its place, honestly signed: the seal before still says what was posted."""
    document = one(office, "d")
    office.remove(document.ref)
    office.put(document.ref, {**document.fields, "reference": "X", "recorded_at": office.kept.store.read_time()})
    office.seal()
    first = verdict(office).findings[0]
    assert (first.what, first.seal, first.name) == ("altered", 2, entry_id("d"))


def test_a_removed_entry_is_missing(office: Office) -> None:
    """Its leaf is there; the totals tell as well, after it."""
    office.remove(a_ref(office, "b"))
    found = verdict(office).findings
    assert (found[0].what, found[0].seal, found[0].name) == ("missing", 1, entry_id("b"))
    assert {one.what for one in found[1:]} == {"total_differs"}


def test_an_entry_that_was_written_again_is_found_by_its_instant(office: Office) -> None:
    """The same fields, another commit: the verdict says that only the instant differs."""
    document = one(office, "d")
    office.remove(document.ref)
    office.put(document.ref, document.fields)
    first = verdict(office).findings[0]
    assert (first.what, first.name) == ("altered", entry_id("d"))
    assert "instant" in first.why


def test_an_added_entry_is_named(office: Office) -> None:
    """An entry whose commit claims a sealed stretch of time, and which no leaf names."""
    lines = records(office)
    like = next(record for record in lines if record.get("id") == entry_id("b"))
    lines.insert(-1, {**like, "id": "smuggled", "created": like["created"] + 1})
    lines[-1]["entries"] += 1
    first = verify(lines, trusted(office.signer.public_key())).findings[0]
    assert (first.what, first.seal, first.name) == ("added", 1, "smuggled")


def test_an_entry_told_twice_is_named(office: Office) -> None:
    """A second line of one entry would count it twice."""
    lines = records(office)
    like = next(record for record in lines if record.get("id") == entry_id("b"))
    lines.insert(-1, like)
    lines[-1]["entries"] += 1
    first = verify(lines, trusted(office.signer.public_key())).findings[0]
    assert (first.what, first.name) == ("added", entry_id("b"))


def test_totals_that_are_not_the_fold_of_the_entries_are_named(office: Office) -> None:
    """Account, currency, month and kind."""
    total = office.kept.store.query(Query("totals", ACME)).documents[0]
    office.alter(total.ref, "debits", 1)
    (only,) = verdict(office).findings
    assert only.what == "total_differs"
    assert only.name.startswith(str(total["account"]))


# --- the chain ---------------------------------------------------------------------------


def leaves_of(office: Office, number: int) -> list[Any]:
    """The leaves of a seal."""
    return list(office.seals.leaves(ACME, number, 0))


def swap(office: Office) -> None:
    """Two leaves in another order."""
    first, second, *more = leaves_of(office, 1)
    office.alter(leaves_ref(ACME, 1, 0), "leaves", write_leaves([second, first, *more]))


def drop_leaf(office: Office) -> None:
    """A leaf and its entry taken away."""
    more = leaves_of(office, 1)[1:]
    office.alter(leaves_ref(ACME, 1, 0), "leaves", write_leaves(more))


def reseal(office: Office, seal: Seal, **changes: Any) -> None:
    """A seal with other contents, signed by a key that nobody trusts."""
    forged = replace(seal, **changes)
    forged = forged.signed(LocalSigner().sign(forged.statement))
    office.remove(seal_ref(ACME, seal.number))
    office.put(seal_ref(ACME, seal.number), write_seal(forged))


CHAIN: dict[str, tuple[Callable[[Office], None], str, int]] = {
    "leaves swapped": (swap, "seal_broken", 1),
    "leaf dropped": (drop_leaf, "seal_broken", 1),
    "leaves gone": (lambda office: office.remove(leaves_ref(ACME, 1, 0)), "seal_broken", 1),
    "first seal gone": (lambda office: office.remove(seal_ref(ACME, 1)), "seal_missing", 1),
    "signature forged": (lambda office: office.alter(seal_ref(ACME, 2), "signature", b"forged"), "seal_forged", 2),
    "count altered": (lambda office: office.alter(seal_ref(ACME, 2), "count", 4), "seal_broken", 2),
    "root altered": (lambda office: office.alter(seal_ref(ACME, 1), "root", "0" * 64), "seal_broken", 1),
    "instant moved": (
        lambda office: office.alter(seal_ref(ACME, 1), "through", office.seals.one(ACME, 2).through),
        "seal_forged",
        1,
    ),
    "leaves garbled": (lambda office: office.alter(leaves_ref(ACME, 1, 0), "leaves", "[1]"), "seal_broken", 1),
    "signed by another key": (lambda office: reseal(office, office.seals.one(ACME, 1)), "seal_forged", 1),
}


@pytest.mark.parametrize("name", CHAIN)
def test_whatever_is_done_to_the_chain_names_the_seal(office: Office, name: str) -> None:
    """The seal's number, whether it was touched, forged or taken away."""
    tamper, what, number = CHAIN[name]
    tamper(office)
    found = verdict(office).findings
    assert number == found[0].seal
    assert what in {one.what for one in found if one.seal == number}


def test_an_altered_entry_under_a_whole_new_chain_is_a_forged_chain(office: Office) -> None:
    """Who alters an entry, its leaf and every seal still lacks the key: the public one given out of band says so."""
    document = one(office, "a")
    office.alter(document.ref, "reference", "X")
    for number in (1, 2):
        office.remove(seal_ref(ACME, number))
        office.remove(leaves_ref(ACME, number, 0))
    thief = Office(office.kept, office.settings)
    thief.seal()
    found = verdict(office).findings
    assert (found[0].what, found[0].seal) == ("seal_forged", 1)
    assert verify(records(office), trusted(thief.signer.public_key())).sound


def test_a_cut_off_end_is_seen_by_who_noted_the_last_seal(office: Office) -> None:
    """Without the last seal and its entries the rest is sound: one noted number and hash tell."""
    last = office.seals.one(ACME, 2)
    assert verdict(office, (2, last.hash)).sound
    lines = [record for record in records(office) if _is_early(record, micros(last.after))]
    totals = [record for record in lines if record["kind"] != "total"]
    totals[-1]["entries"] = sum(record["kind"] == "entry" for record in totals)
    keys = trusted(office.signer.public_key())
    assert {one.what for one in verify(totals, keys).findings} == {"total_differs"}
    assert verify(totals, keys, (2, last.hash)).findings[0].what == "seal_missing"


def _is_early(record: dict[str, Any], through: int) -> bool:
    kind = record["kind"]
    if kind == "entry":
        return bool(record["created"] <= through)
    return not ((kind == "seal" and record["number"] == 2) or (kind == "leaves" and record["seal"] == 2))


def test_a_file_cut_in_the_middle_is_not_sound(office: Office) -> None:
    """The last record says how many entries there are."""
    found = verify(records(office)[:-1], trusted(office.signer.public_key())).findings
    assert found[-1].name == "end"


def test_records_that_cannot_be_read_are_findings_and_no_crash(office: Office) -> None:
    """Whatever stands in a file is judged."""
    odd: list[dict[str, Any]] = [
        {},
        {"kind": "seal"},
        {"kind": "seal", "number": 1, "after": 1, "through": "x"},
        {"kind": "leaves", "seal": 1, "page": 0, "leaves": [1]},
        {"kind": "entry", "id": 1, "created": "x", "fields": None},
        {"kind": "entry", "id": "x", "created": 2**80, "fields": {}},
        {"kind": "poem"},
    ]
    keys = trusted(office.signer.public_key())
    assert not verify(odd, keys).sound
    for record in odd:
        assert not verify([*records(office)[:-1], record], keys).sound


def test_two_seals_keep_two_keys(office: Office) -> None:
    """After the key's next version both public keys are given; one alone calls the other's seals forged."""
    first = office.signer
    office.signer = LocalSigner("local/cryptoKeyVersions/2")
    office.seal()
    both = trusted(first.public_key() + office.signer.public_key())
    assert verify(records(office), both).sound
    assert {one.what for one in verdict(office).findings} == {"seal_forged"}
    assert read_leaves("[]") == ()
