import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.model import AccountType
from shared.ledger.rules.journal_text import NotWritable, beancount, beancount_account, ledger_account
from tests.house.sources import EVERYTHING, place, python_files, roots

CODES = st.from_regex(r"[a-z0-9:_.-]{1,128}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


@given(code=CODES, kind=st.sampled_from(AccountType))
def test_every_account_is_named_so_that_the_name_leads_back(code: str, kind: AccountType) -> None:
    """One to one, whatever the code."""
    assert ledger_account(beancount_account(code, kind)) == (code, kind)


@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        ("assets:bank:eur", AccountType.ASSET, "Assets:Bank:Eur"),
        ("liabilities:customer_credit", AccountType.LIABILITY, "Liabilities:Customer-credit"),
        ("revenue:sales", AccountType.REVENUE, "Income:Sales"),
        ("equity:1st.half-year", AccountType.EQUITY, "Equity:1stDhalfHyear"),
        ("assets:_odd", AccountType.ASSET, "Assets:0X-odd"),
        ("assets::x", AccountType.ASSET, "Assets:0X:X"),
        ("assets", AccountType.ASSET, "Assets:0R:Assets"),
        ("bank", AccountType.ASSET, "Assets:0R:Bank"),
        ("assets:bank", AccountType.EXPENSE, "Expenses:0R:Assets:Bank"),
    ],
)
def test_names_read_as_a_bookkeeper_would_write_them(code: str, kind: AccountType, name: str) -> None:
    """And two codes never share one."""
    assert beancount_account(code, kind) == name


@pytest.mark.parametrize(
    ("garbled", "name"),
    [
        ({"kind": "entry", "id": "e", "fields": {"lines": []}}, "entry e"),
        ({"kind": "entry", "id": "e", "fields": {"outcome": "posted", "lines": "x"}}, "entry e"),
        ({"kind": "account", "code": "assets:bank", "fields": {}}, "account assets:bank"),
        ({"kind": "account", "code": "assets:bank", "type": "poem"}, "account assets:bank"),
        ({"kind": "total", "id": "t", "fields": {}}, "a total"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_line(garbled: dict[str, Any], name: str) -> None:
    """It was a traceback."""
    with pytest.raises(NotWritable, match=f"^{name} cannot be written: run daybook verify$"):
        list(beancount([garbled]))


def test_a_name_of_no_export_is_refused() -> None:
    """`Income` alone, or a root that beancount lacks."""
    for name in ("Income", "Turnover:Sales"):
        with pytest.raises(ValueError, match="no account"):
            ledger_account(name)


# --- the text ----------------------------------------------------------------------------


def an_account(code: str, kind: str) -> dict[str, Any]:
    """A record of an account."""
    return {"kind": "account", "code": code, "type": kind}


def an_entry(cause: str = "why", amount: int = 1_005, currency: str = "EUR", **changes: Any) -> dict[str, Any]:
    """A record of an entry between bank and sales."""
    lines = [f"debit {amount} {currency} assets:bank", f"credit {amount} {currency} revenue:sales"]
    usual = {"outcome": "posted", "kind": "regular", "cause": cause, "reference": "", "effective_on": "2026-11-16"}
    return {"kind": "entry", "id": "e1", "created": 1, "fields": {**usual, "lines": lines, **changes}}


def a_total(account: str, debits: int, credits_: int, **changes: Any) -> dict[str, Any]:
    """A record of a total."""
    usual = {"kind": "total", "currency": "EUR", "month": "2026-11", "entry_kind": "regular", "count": 1}
    return {**usual, "account": account, "debits": debits, "credits": credits_, **changes}


CHART = [
    {"kind": "journal", "tenant": "acme"},
    an_account("assets:bank", "asset"),
    an_account("assets:bank:till_1", "asset"),
    an_account("revenue:sales", "revenue"),
]


def written(*records: dict[str, Any]) -> str:
    """The text of a journal."""
    return "".join(beancount([*CHART, *records]))


def checked(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `bean-check` says of a text: another program, run as one."""
    path = folder / "journal.beancount"
    path.write_text(text, encoding="utf-8")
    command = (str(Path(sys.executable).with_name("bean-check")), str(path))
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words


def test_a_transaction_says_when_why_and_how_much() -> None:
    """Debits are positive, credits negative, with the currency's own digits."""
    assert written(an_entry(reference="INV-1", kind="adjusting")).splitlines()[4:] == [
        '2026-11-16 * "why" #adjusting',
        '  id: "e1"',
        '  reference: "INV-1"',
        "  Assets:Bank  10.05 EUR",
        "  Income:Sales  -10.05 EUR",
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [(5, "EUR", "0.05 EUR"), (5, "JPY", "5 JPY"), (12_345, "KWD", "12.345 KWD")]
)
def test_amounts_have_their_currencys_digits(amount: int, currency: str, text: str) -> None:
    """Two, none, three."""
    assert f"Assets:Bank  {text}\n" in written(an_entry(amount=amount, currency=currency))


def test_what_was_refused_is_left_out() -> None:
    """It moved nothing."""
    assert "why" not in written(an_entry(outcome="refused"))


def test_bean_check_passes_and_proves_the_totals(tmp_path: Path) -> None:
    """Sub-accounts, quotes, backslashes, another spelling, metadata, a reversal, rates: all of it is read."""
    till = ["debit 10 EUR assets:bank:till_1", "credit 10 EUR revenue:sales"]
    rates = [{"base": "EUR", "quote": "USD", "rate": "1.0842", "source": "ECB"}]
    entries = [
        an_entry('a "quoted" \\ cause', metadata={"a_key": "x", "9": "y"}, reverses="e0"),
        an_entry("cafe\u0301 \u20ac \u2028", rates=rates),
        an_entry("till", lines=till),
    ]
    totals = [
        a_total("assets:bank", 2_010, 0),
        a_total("assets:bank:till_1", 10, 0),
        a_total("revenue:sales", 0, 2_020),
    ]
    done = checked(written(*entries, *totals), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bean_check_finds_totals_that_are_not_the_fold(tmp_path: Path) -> None:
    """The assertions are no decoration."""
    totals = [a_total("assets:bank", 1_005, 0), a_total("revenue:sales", 0, 1_004)]
    done = checked(written(an_entry(), *totals), tmp_path)
    assert done.returncode == 1
    assert "Income:Sales" in done.stdout + done.stderr


def test_no_module_of_ours_imports_beancount() -> None:
    """It is another program, under another licence: docs/decisions/0009."""
    assert [place(path) for path in python_files(*EVERYTHING) if "beancount" in roots(path)] == []


@given(causes=st.lists(TEXTS, min_size=1, max_size=30), codes=st.lists(CODES, max_size=30, unique=True))
def test_a_text_is_one_line_a_directive_whatever_a_cause_says(causes: list[str], codes: list[str]) -> None:
    """No cause can pass itself off as a directive, no code as two accounts."""
    accounts = [an_account(code, "expense") for code in codes]
    text = "".join(beancount([*CHART, *accounts, *(an_entry(cause) for cause in causes)]))
    assert len(text.split("\n")) == len(CHART) + len(codes) + 4 * len(causes) + 1


@pytest.mark.parametrize("code", ["a", "9", ":", "a:9b:c_d-e.f", "_", "-x:.y", "z" * 128, "assets", "expenses:x"])
def test_bean_check_knows_every_name(tmp_path: Path, code: str) -> None:
    """Names that begin with a digit, a sign or nothing are accounts there too."""
    name = beancount_account(code, AccountType.EXPENSE)
    done = checked(f"0001-01-01 open {name}\n", tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), name
