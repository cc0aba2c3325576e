"""What the ledger's doors take."""

from datetime import date

import pytest

from shared.http.bodies import parse, parse_strings
from shared.http.problems import InvalidFields
from shared.ledger.wire.entries import AccountPath, NewEntry

LINES = """[{"account":"assets:bank","side":"debit","amount":{"amount":1,"currency":"EUR"}},
            {"account":"revenue:sales","side":"credit","amount":{"amount":1,"currency":"EUR"}}]"""


@pytest.mark.parametrize("code", ["..", ".", "__a__", "A", ""])
def test_a_path_that_no_account_can_have_is_a_wrong_field(code: str) -> None:
    """A code that the store cannot keep is the caller's mistake, not ours."""
    with pytest.raises(InvalidFields):
        parse_strings(AccountPath, {"code": code})


@pytest.mark.parametrize("text", ["0", "1763251200", "2026-11-16T00:00:00", "2026-1-1", ""])
def test_an_effective_date_is_a_calendar_day(text: str) -> None:
    """Seconds since 1970 are no date, though they would pass for one."""
    with pytest.raises(InvalidFields):
        parse(NewEntry, f'{{"lines":{LINES},"effective_on":"{text}"}}'.encode())


def test_an_effective_date_is_read_as_written() -> None:
    """YYYY-MM-DD."""
    read = parse(NewEntry, f'{{"lines":{LINES},"effective_on":"2026-11-16"}}'.encode())
    assert read.effective_on == date(2026, 11, 16)
