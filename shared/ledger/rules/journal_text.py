"""A journal as beancount's text (https://beancount.github.io/docs/beancount_language_syntax.html), from export records.

Account names map one to one. The first segment becomes the root that the account's type asks for
(`revenue` is beancount's `Income`); a code that does not begin with its type's word keeps all its
segments below `0R`. Within a segment the first letter is upper case; after it, where codes have no
upper case, `_` is written `-`, `-` is `H` and `.` is `D`; a segment that beancount could not begin
with is preceded by `0X`. So `liabilities:customer_credit` is `Liabilities:Customer-credit`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from shared.ledger.line_text import read_lines
from shared.ledger.model import AccountCode, AccountType, Side
from shared.ledger.rules.verifying import UNREADABLE, name_of
from shared.money import minor_digits

Record: TypeAlias = Mapping[str, Any]

OPENED: Final = "0001-01-01"
"""Before any entry: when an account was opened here is no matter of its postings."""

_ROOTS: Final = {
    AccountType.ASSET: ("assets", "Assets"),
    AccountType.LIABILITY: ("liabilities", "Liabilities"),
    AccountType.EQUITY: ("equity", "Equity"),
    AccountType.REVENUE: ("revenue", "Income"),
    AccountType.EXPENSE: ("expenses", "Expenses"),
}
_TYPES: Final = {root: (kind, word) for kind, (word, root) in _ROOTS.items()}
_ROOTLESS: Final = "0R"
_STARTLESS: Final = "0X"
_ESCAPES: Final = str.maketrans({"_": "-", "-": "H", ".": "D"})
_UNESCAPES: Final = str.maketrans({"-": "_", "H": "-", "D": "."})
_STARTS: Final = re.compile(r"[a-z0-9]")
_MAX_DAY: Final = date.max


class NotWritable(ValueError):
    """A record is none, so that no text says what it says; the message is one line for a person."""


def beancount_account(code: AccountCode, kind: AccountType) -> str:
    """The name that beancount knows an account by."""
    word, root = _ROOTS[kind]
    first, *more = code.split(":")
    segments = more if first == word and more else [None, first, *more]
    return ":".join([root, *(_ROOTLESS if segment is None else _segment(segment) for segment in segments)])


def ledger_account(name: str) -> tuple[AccountCode, AccountType]:
    """The code and type of an account that `beancount_account` named.

    Raises:
        ValueError: it named none so.
    """
    root, *segments = name.split(":")
    if root not in _TYPES or not segments:
        message = f"{name} is no account of an export"
        raise ValueError(message)
    kind, word = _TYPES[root]
    codes = [_code(segment) for segment in segments[1:]]
    return ":".join(codes if segments[0] == _ROOTLESS else [word, _code(segments[0]), *codes]), kind


def _segment(text: str) -> str:
    if not _STARTS.match(text):
        return _STARTLESS + text.translate(_ESCAPES)
    return text[0].upper() + text[1:].translate(_ESCAPES)


def _code(segment: str) -> str:
    if segment.startswith(_STARTLESS):
        return segment.removeprefix(_STARTLESS).translate(_UNESCAPES)
    return segment[0].lower() + segment[1:].translate(_UNESCAPES)


# --- directives --------------------------------------------------------------------------


def beancount(records: Iterable[Record]) -> Iterator[str]:
    """The text of a journal, directive by directive; refused entries moved nothing and are left out.

    At the end the totals are asserted as balances, so that `bean-check` proves them by the transactions.

    Raises:
        NotWritable: somebody garbled a record.
    """
    names: dict[AccountCode, str] = {}
    totals: list[Record] = []
    for record in records:
        with _said_of(f"{record['kind']} {name_of(record)}"):
            yield from _directive(record, names)
        if record["kind"] == "total":
            totals.append(record)
    with _said_of("a total"):
        yield from _balances(totals, names)


def _directive(record: Record, names: dict[AccountCode, str]) -> Iterator[str]:
    match record["kind"]:
        case "journal":
            yield f'option "title" {_text("Daybook: " + record["tenant"])}\n'
        case "account":
            names[record["code"]] = beancount_account(record["code"], AccountType(record["type"]))
            yield f"{OPENED} open {names[record['code']]}\n"
        case "entry" if record["fields"]["outcome"] == "posted":
            yield _transaction(record["id"], record["fields"], names)


@contextmanager
def _said_of(name: str) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        message = f"{name} cannot be written: run daybook verify"
        raise NotWritable(message) from error


def _balances(totals: Iterable[Record], names: Mapping[AccountCode, str]) -> Iterator[str]:
    """Every account's balance after the last month, its children's included, as beancount adds them up."""
    nets: dict[tuple[str, str], int] = {}
    months = set[str]()
    for total in totals:
        months.add(total["month"])
        name, currency = names[total["account"]], total["currency"]
        parts = name.split(":")
        for length in range(2, len(parts) + 1):
            parent = ":".join(parts[:length])
            nets[parent, currency] = nets.get((parent, currency), 0) + total["debits"] - total["credits"]
    if not months or (day := _day_after(max(months))) is None:
        return
    opened = set(names.values())
    for (name, currency), net in sorted(nets.items()):
        if name in opened:
            amount, _, commodity = _amount(net, currency).partition(" ")
            yield f"{day} balance {name}  {amount} ~ 0 {commodity}\n"  # exact: beancount would let a last digit pass


def _transaction(entry_id: str, fields: Record, names: Mapping[AccountCode, str]) -> str:
    tags = "" if fields["kind"] == "regular" else f" #{fields['kind']}"
    lines = [f"{fields['effective_on']} * {_text(fields['cause'])}{tags}", f"  id: {_text(entry_id)}"]
    lines += [f"  reference: {_text(fields['reference'])}"] if fields["reference"] else []
    lines += [f"  reverses: {_text(fields['reverses'])}"] if fields.get("reverses") else []
    for key, value in sorted(fields.get("metadata", {}).items()):
        lines.append(f"  {_metadata_key(key)}: {_text(value)}")
    for line in read_lines(fields["lines"]):
        net = line.money.amount if line.side is Side.DEBIT else -line.money.amount
        lines.append(f"  {names[line.account]}  {_amount(net, line.money.currency)}")
    for rate in fields.get("rates", ()):
        # a directive of its own: each currency of the entry balances by itself, so no posting needs a price
        lines.append(f"{fields['effective_on']} price {rate['base']}  {rate['rate']} {rate['quote']}")
    return "\n".join(lines) + "\n"


def _metadata_key(key: str) -> str:
    """A key of the entry's own (a-z 0-9 _), kept apart from ours; beancount's begin with a lower-case letter."""
    return f"x-{key}"


def _amount(net: int, currency: str) -> str:
    digits = minor_digits(currency)
    sign, text = "-" if net < 0 else "", str(abs(net)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]} {currency}" if digits else f"{sign}{text} {currency}"


def _text(text: str) -> str:
    """A string as beancount reads it back."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _day_after(month: str) -> str | None:
    """The first day after a month; None after the last one that a date can have."""
    year, number = int(month[:4]), int(month[5:])
    last = date(year, number, 28)
    if (year, number) == (_MAX_DAY.year, _MAX_DAY.month):
        return None
    return (last + timedelta(days=4)).replace(day=1).isoformat()
