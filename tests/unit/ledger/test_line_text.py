"""A line as one text: what is written is read back, and nothing else is a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.line_text import read_line, read_lines, write_lines
from shared.ledger.model import Line, Side
from shared.limits import AMOUNT_MINOR
from shared.money import MINOR_DIGITS, Money

ACCOUNTS = st.from_regex(r"[a-z0-9:_-]{1,128}", fullmatch=True).filter(lambda code: code.strip("_") != "")
LINES = st.builds(
    Line,
    ACCOUNTS,
    st.sampled_from(Side),
    st.builds(Money, st.integers(1, AMOUNT_MINOR), st.sampled_from(sorted(MINOR_DIGITS))),
)


@given(st.lists(LINES, max_size=5))
def test_lines_are_read_back_as_they_were(lines: list[Line]) -> None:
    """Whatever their accounts, sides, amounts and currencies, and in their order."""
    assert read_lines(write_lines(lines)) == tuple(lines)


def test_a_line_reads_like_the_journal() -> None:
    """Side, minor units, currency, account."""
    assert write_lines([Line("assets:bank", Side.DEBIT, Money(12_000, "GBP"))]) == ["debit 12000 GBP assets:bank"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "debit 12000 GBP",
        "debit  12000 GBP assets:bank",
        "debit 12000 GBP assets:bank ",
        "debit 12000 GBP assets:bank\n",
        "Debit 12000 GBP assets:bank",
        "debit +12000 GBP assets:bank",
        "debit -12000 GBP assets:bank",
        "debit 012000 GBP assets:bank",
        "debit 12_000 GBP assets:bank",
        "debit \uff11\uff12 GBP assets:bank",
        "debit 0 GBP assets:bank",
        "debit 120.5 GBP assets:bank",
        "debit 12000 XYZ assets:bank",
        "debit 12000 GBP Assets:Bank",
        f"debit {AMOUNT_MINOR + 1} GBP assets:bank",
        f"debit {'9' * 5_000} GBP assets:bank",
    ],
)
def test_what_is_never_written_is_no_line(text: str) -> None:
    """One line has one spelling, so that a changed one cannot pass for it."""
    with pytest.raises(ValueError, match="no line of an entry"):
        read_line(text)
