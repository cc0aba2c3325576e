"""A line as documents and exports keep it: one text, `debit 12000 GBP assets:bank`, the amount in minor units.

One text reads like the trade's own journal, in the console too, and costs less to write and to keep than a map of four
values (docs/decisions/0010). It has one spelling, so that a changed one cannot pass for it.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from shared.faults import Refused
from shared.ledger.model import Line, Side
from shared.money import Money

_LINE: Final = re.compile(r"(debit|credit) ([1-9][0-9]{0,18}) ([A-Z]{3}) ([^ ]+)")


def write_lines(lines: Iterable[Line]) -> list[str]:
    """Lines of an entry or a hold, in their order."""
    return [f"{line.side.value} {line.money.amount} {line.money.currency} {line.account}" for line in lines]


def read_lines(texts: Iterable[str]) -> tuple[Line, ...]:
    """What `write_lines` wrote.

    Raises:
        ValueError: a text that it never writes.
        TypeError: no text at all.
    """
    return tuple(map(read_line, texts))


def read_line(text: str) -> Line:
    """One line; raises as `read_lines` does."""
    found = _LINE.fullmatch(text)
    if found:
        side, amount, currency, account = found.groups()
        with suppress(Refused):
            return Line(account, Side(side), Money(int(amount), currency))
    message = f"no line of an entry: {text[:80]!r}"
    raise ValueError(message)
