"""A page of leaves is not signed itself: only its hashes lead to the root. What it says beside them may be altered."""

from collections.abc import Callable

import pytest

from tests.unit.ledger.test_verifier import Record, a_journal, judged, place_of

Rows = list[list[object]]


def ids_swapped(rows: Rows) -> None:
    """Each leaf under the other's id."""
    rows[0][1], rows[1][1] = rows[1][1], rows[0][1]


def instants_swapped(rows: Rows) -> None:
    """Each leaf at the other's instant."""
    rows[0][0], rows[1][0] = rows[1][0], rows[0][0]


def another_instant(rows: Rows) -> None:
    """Within the seal's stretch."""
    rows[1][0] = 13


def a_strangers_id(rows: Rows) -> None:
    """An entry that is nowhere."""
    rows[0][1] = "stranger"


def a_young_ones_id(rows: Rows) -> None:
    """An entry that no seal covers."""
    rows[0][1] = "young"


def its_neighbours_id(rows: Rows) -> None:
    """One entry twice."""
    rows[0][1] = rows[1][1]


def an_older_ones_id(rows: Rows) -> None:
    """An entry of the seal before."""
    rows[1][1] = "a"


@pytest.mark.parametrize(
    "change",
    [
        ids_swapped,
        instants_swapped,
        another_instant,
        a_strangers_id,
        a_young_ones_id,
        its_neighbours_id,
        an_older_ones_id,
    ],
)
def test_a_page_that_names_another_entry_or_instant_accuses_no_entry(change: Callable[[Rows], None]) -> None:
    """The entries are as they were sealed, by the very hashes: they were called altered, added, missing."""
    journal = a_journal()
    change(journal[2]["leaves"])
    found = judged(journal)
    assert {(one.what, one.seal, one.name) for one in found.findings} == {("seal_broken", 2, "2")}
    assert "its page of leaves names another entry or instant" in {one.why for one in found.findings}
    assert found.unsealed == 1


def test_an_altered_entry_is_named_though_its_page_was_altered_too() -> None:
    """Its hash is under no seal any more, and the leaf of its name is another entry's."""
    journal = a_journal()
    ids_swapped(journal[2]["leaves"])
    journal[place_of(journal, "entry", "c")]["fields"]["reference"] = "X"
    assert [(one.what, one.name) for one in judged(journal).findings][:2] == [("seal_broken", "2"), ("added", "c")]


def test_an_entry_whose_page_was_altered_is_told_once() -> None:
    """A second line of it would count it twice."""
    journal = a_journal()
    a_strangers_id(journal[2]["leaves"])
    again: Record = journal[place_of(journal, "entry", "c")]
    journal.insert(-3, again)
    assert ("added", "c") in {(one.what, one.name) for one in judged(journal).findings}
