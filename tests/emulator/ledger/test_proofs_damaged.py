"""Entries and totals that are none any more, and places that a sample must come upon: proofs go on and name them."""

from typing import cast

import pytest

from shared.ledger.model import JournalEntry, credit, debit
from shared.ledger.records import entry_ref, guard_ref
from shared.ledger.refusals import JournalAltered
from shared.ledger.use_cases import proofs as sampling
from shared.ports import Decision, Delete, Increment, Put, Query, Ref, Value, View, Where, Write
from shared.settings import Settings
from tests.builders import ACME, TODAY, a_call, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.sealing import a_double
from tests.emulator.ledger.test_proofs import (
    MONTH,
    RECEIVABLE,
    WALLET,
    a_wallet,
    post,
    repaired,
    samples,
    totals_of,
    whole,
)

pytestmark = pytest.mark.emulator


def write(kept: Bookkeeping, *writes: Write) -> None:
    """Write past the ledger."""

    def damage(_: View) -> Decision[None]:
        return Decision(None, writes)

    kept.store.transact((), damage)


def altered(kept: Bookkeeping, name: str, **changes: Value) -> Ref:
    """An entry's document with other fields."""
    place = entry_ref(ACME, entry_id(name))
    document = kept.store.get([place])[place]
    assert document is not None
    write(kept, Put(place, {**document.fields, **changes}))
    return place


def lines_of(kept: Bookkeeping, name: str) -> list[str]:
    """An entry's lines as they are kept."""
    place = entry_ref(ACME, entry_id(name))
    document = kept.store.get([place])[place]
    assert document is not None
    return list(cast("list[str]", document["lines"]))


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": "one amount"},
        {"lines": []},
        {"kind": "poem"},
        {"effective_on": "yesterday"},
        {"accounts": ["assets:elsewhere"]},
        {"month": "2026-10"},
        {"content_hash": None},
    ],
    ids="-".join,
)
def test_an_entry_that_is_none_any_more_is_named_and_the_proof_goes_on(
    kept: Bookkeeping, changes: dict[str, Value]
) -> None:
    """One line's amount, an odd kind, or only what queries find it by: a proof that falls over alerts nobody."""
    post(kept, "a", "b")
    if changes.get("lines") == "one amount":
        first, second = lines_of(kept, "a")
        side, _, rest = first.split(" ", 2)
        changes = {"lines": [f"{side} 999 {rest}", second]}
    place = altered(kept, "a", **changes)
    proof = whole(kept, "before")
    assert (proof.altered, proof.holds) == (1, False)
    assert f"entries/{place.key}" in proof.named


def test_a_line_that_is_a_double_is_named_whole_and_by_sample(kept: Bookkeeping, settings: Settings) -> None:
    """The store takes one from anybody; the books never write it. A repair is refused, the totals stay."""
    post(kept, "a", "b")
    place = entry_ref(ACME, entry_id("a"))
    a_double(settings, place, "lines", "0")
    proofs = [whole(kept, "before"), *samples(kept, 1)]
    assert all(f"entries/{place.key}" in proof.named for proof in proofs)
    with pytest.raises(JournalAltered):
        repaired(kept, "repair", RECEIVABLE)


@pytest.mark.parametrize("path", [("debits",), ("count",), ("d", "16", "debits")])
def test_a_total_that_is_a_double_is_a_difference_and_no_crash(
    kept: Bookkeeping, settings: Settings, path: tuple[str, ...]
) -> None:
    """Its place is named; nothing is reckoned with it."""
    post(kept, "a")
    a_double(settings, totals_of(kept, RECEIVABLE)[0].ref, *path)
    place = f"{RECEIVABLE}/EUR/{MONTH}/regular"
    assert whole(kept, "before").named == (place,)
    assert place in {name for proof in samples(kept, 2) for name in proof.named}


def test_what_a_guard_holds_without_a_hold_is_set_free_by_a_repair(kept: Bookkeeping) -> None:
    """Held by nobody, it would be refused to everybody for ever."""
    a_wallet(kept)
    write(kept, Increment(guard_ref(ACME, WALLET.code), {("held",): 30}, must_exist=True))
    assert whole(kept, "before").floors == 1
    (change,) = repaired(kept, "repair", WALLET.code, None)
    assert (change.field, change.before, change.after) == ("held", 30, 0)
    assert whole(kept, "after").holds


def test_every_account_of_a_long_entry_is_come_upon(kept: Bookkeeping) -> None:
    """The totals of its last account are gone: only the entry leads there, and not always by its first accounts."""
    codes = [f"assets:bank:b{number}" for number in range(8)]
    for code in codes:
        account = next(iter(kept.store.query(Query("accounts", ACME, limit=1)).documents))
        write(kept, Put(Ref(f"tenants/{ACME}/accounts/{code}"), {**account.fields, "type": "asset", "floor": None}))
    lines = [debit(code, euros(10)) for code in codes]
    entry = JournalEntry(entry_id("long"), (*lines, credit("revenue:sales", euros(80))), TODAY, "long", "hash-1")
    kept.books.post(a_call("long"), entry)
    write(kept, *(Delete(document.ref) for document in totals_of(kept, codes[-1])))
    named = {name for proof in samples(kept, 24) for name in proof.named}
    assert f"{codes[-1]}/EUR/{MONTH}/regular" in named


def test_a_sample_counts_no_further_than_it_would_read(kept: Bookkeeping, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count of a month of millions outlasts every call, and the sample would stand before it for ever."""
    post(kept, *"abcdef")
    monkeypatch.setattr(sampling, "SAMPLE_ENTRIES", 2)
    bounded = Query("entries", ACME, (Where("month", "==", MONTH),), limit=3)
    assert kept.store.aggregate(bounded)["count"] == 3
    (proof,) = samples(kept, 1)
    assert (proof.entries, proof.left_out > 0) == (0, True)
