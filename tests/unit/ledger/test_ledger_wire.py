"""What the ledger's doors take."""

import json
from datetime import date

import pytest

from shared.http.bodies import parse, parse_strings
from shared.http.problems import InvalidFields
from shared.ledger.wire.accounts import NewAccount, ReshardOrder, TemplateOrder
from shared.ledger.wire.entries import AccountPath, NewEntry, RangeQuery
from shared.ledger.wire.statements import OpeningRowWire, StatementQuery, UntilQuery
from shared.wire import Wire

LINES = """[{"account":"assets:bank","side":"debit","amount":{"amount":1,"currency":"EUR"}},
            {"account":"revenue:sales","side":"credit","amount":{"amount":1,"currency":"EUR"}}]"""


@pytest.mark.parametrize("code", ["..", ".", "__a__", "A", ""])
def test_a_path_that_no_account_can_have_is_a_wrong_field(code: str) -> None:
    """A code that the store cannot keep is the caller's mistake, not ours."""
    with pytest.raises(InvalidFields):
        parse_strings(AccountPath, {"code": code})


@pytest.mark.parametrize(
    ("query", "asked", "field"),
    [
        (RangeQuery, {"through": "2026-01", "first": "2026-12"}, "first"),
        (StatementQuery, {"from": "2026-12-01", "to": "2026-11-30"}, "to"),
        (UntilQuery, {"through": "2026-01", "on": "2026-01-31"}, "on"),
        (UntilQuery, {}, "on"),
    ],
)
def test_what_does_not_go_together_names_a_field(query: type[Wire], asked: dict[str, str], field: str) -> None:
    """An income statement from December to January was answered, with nothing in it."""
    with pytest.raises(InvalidFields) as refused:
        parse_strings(query, asked)
    assert [error["field"] for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("order", "asked", "field"),
    [
        (NewAccount, {"floor": {"currency": "EUR", "limit": 0}, "shards": 8}, "floor"),
        (NewAccount, {"metadata": {"__a__": "x"}}, "metadata"),
        (
            TemplateOrder,
            {"accounts": [{"code": "assets:q", "type": t, "name": "Q"} for t in ("asset", "equity")]},
            "accounts",
        ),
        (ReshardOrder, {"shards": 8, "rate": "2"}, "rate"),
        (ReshardOrder, {}, "rate"),
        (OpeningRowWire, {"debit": 1, "credit": 1}, "credit"),
        (OpeningRowWire, {}, "credit"),
    ],
)
def test_what_no_account_can_be_names_its_field(order: type[Wire], asked: dict[str, object], field: str) -> None:
    """A floor's guard is one document; Firestore keeps `__a__` for itself; one of two, and not both."""
    needed: dict[type[Wire], dict[str, object]] = {
        NewAccount: {"code": "liabilities:w", "type": "liability", "name": "W"},
        TemplateOrder: {},
        ReshardOrder: {"reason": "r"},
        OpeningRowWire: {"account": "assets:bank", "currency": "EUR"},
    }
    with pytest.raises(InvalidFields) as refused:
        parse(order, json.dumps(needed[order] | asked).encode())
    assert [error["field"].split(".")[0] for error in refused.value.errors] == [field]


def test_an_account_with_a_floor_has_one_shard_unless_it_says_so() -> None:
    """Said or not, it is the same one."""
    body: dict[str, object] = {"code": "liabilities:w", "type": "liability", "name": "W"}
    body["floor"] = {"currency": "EUR", "limit": 0}
    for more in ({}, {"shards": 1}, {"declared_rate": "9"}):
        assert parse(NewAccount, json.dumps(body | more).encode()).account().shards == 1


@pytest.mark.parametrize("text", ["0", "1763251200", "2026-11-16T00:00:00", "2026-1-1", ""])
def test_an_effective_date_is_a_calendar_day(text: str) -> None:
    """Seconds since 1970 are no date, though they would pass for one."""
    with pytest.raises(InvalidFields):
        parse(NewEntry, f'{{"lines":{LINES},"effective_on":"{text}"}}'.encode())


def test_an_effective_date_is_read_as_written() -> None:
    """YYYY-MM-DD."""
    read = parse(NewEntry, f'{{"lines":{LINES},"effective_on":"2026-11-16"}}'.encode())
    assert read.effective_on == date(2026, 11, 16)
