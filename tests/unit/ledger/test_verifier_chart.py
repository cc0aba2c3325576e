"""Nothing is sealed about the chart, the months and the end of a file; what cannot be true of them is named last."""

from collections.abc import Callable

import pytest

from tests.unit.ledger.test_verifier import Record, a_journal, an_account, first_of, judged, place_of


def a_floor_of_no_limit(account: Record) -> None:
    """Half a floor."""
    account["floor"] = {"currency": "EUR"}


def a_type_that_is_none(account: Record) -> None:
    """What decides on which side it stands."""
    account["type"] = "poem"


def no_state(account: Record) -> None:
    """Whether it takes postings."""
    del account["state"]


def a_currency_that_is_none(account: Record) -> None:
    """As an export spells a double."""
    account["currencies"] = [{"$double_value": "1.5"}]


@pytest.mark.parametrize("change", [a_floor_of_no_limit, a_type_that_is_none, no_state, a_currency_that_is_none])
def test_an_account_that_is_none_is_named(change: Callable[[Record], None]) -> None:
    """Accounts were passed over, whatever stood there."""
    journal = a_journal()
    change(journal[place_of(journal, "account")])
    assert [(one.what, one.name) for one in judged(journal).findings] == [("unreadable", "assets:bank")]


@pytest.mark.parametrize("code", [None, 5, ["assets:bank"]])
def test_an_account_without_a_code_is_named_and_the_one_that_is_then_missing(code: object) -> None:
    """Nobody can tell which it was."""
    journal = a_journal()
    journal[place_of(journal, "account")]["code"] = code
    assert [one.what for one in judged(journal).findings] == ["missing", "unreadable"]
    assert judged(journal).findings[0].name == "assets:bank"


def test_an_account_told_twice_is_named() -> None:
    """The last would be believed, whatever the first said."""
    journal = a_journal()
    journal.insert(place_of(journal, "entry"), an_account("assets:bank", "liability"))
    assert [(one.what, one.name) for one in judged(journal).findings] == [("unreadable", "assets:bank")]


def test_a_chart_without_an_account_that_was_posted_to_is_named_after_what_is_sealed() -> None:
    """All accounts taken out: sound. Now each is missing, once, and an altered entry is still the first finding."""
    journal = [one for one in a_journal() if one["kind"] != "account"]
    assert [(one.what, one.seal, one.name) for one in judged(journal).findings] == [
        ("missing", 0, "assets:bank"),
        ("missing", 0, "revenue:sales"),
    ]
    journal[place_of(journal, "entry", "c")]["fields"]["reference"] = "X"
    assert (first_of(journal).what, first_of(journal).name) == ("altered", "c")


@pytest.mark.parametrize(
    "months",
    [
        [{"kind": "period", "month": "2026-11", "state": "poem"}],
        [{"kind": "period", "month": 11, "state": "soft_closed"}],
        [{"kind": "period", "month": "2026-13", "state": "soft_closed"}],
        [{"kind": "period", "state": "soft_closed"}],
        [{"kind": "period", "month": "2026-11", "state": state} for state in ("soft_closed", "hard_closed")],
    ],
)
def test_a_month_that_is_none_or_told_twice_is_named(months: list[Record]) -> None:
    """Months were passed over, whatever stood there."""
    journal = a_journal()
    journal[-1:-1] = months
    assert [one.what for one in judged(journal).findings] == ["unreadable"]
    journal[-len(months) - 1 : -1] = [{"kind": "period", "month": "2026-11", "state": "year_end"}]
    assert judged(journal).sound


def test_an_entry_of_after_the_journals_own_instant_is_named() -> None:
    """No seal covers it yet, and none ever would: the journal was read before it is said to have come."""
    journal = a_journal()
    journal[place_of(journal, "entry", "young")]["created"] = 31
    assert [(one.what, one.seal, one.name) for one in judged(journal).findings] == [("added", 0, "young")]
    journal[place_of(journal, "entry", "young")]["created"] = 30
    assert judged(journal).sound


@pytest.mark.parametrize("count", [5.0, "5"])
def test_a_total_that_is_no_whole_number_is_named(count: object) -> None:
    """5.0 is equal to 5, and no export writes it."""
    journal = a_journal()
    journal[place_of(journal, "total")]["count"] = count
    assert "unreadable" in {one.what for one in judged(journal).findings}


def test_an_end_without_an_instant_is_none() -> None:
    """The journal is of one instant, and says which."""
    for read_at in (None, "30", 30.5, True):
        journal = a_journal()
        journal[-1]["read_at"] = read_at
        assert not judged(journal).sound
