"""Chart templates: what is read from one, and what none may be."""

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.faults import Invalid
from shared.invoicing.rules import accounts as billed
from shared.ledger.chart import NEEDED, is_posted_to, read_template, template
from shared.ledger.model import Account, AccountType, Floor
from shared.payments.rules import accounts as paid

ROOTS = {"assets", "liabilities", "equity", "revenue", "expenses"}
TILL = {"code": "assets:till", "type": "asset", "name": "Till", "shards": 1}


def a_template(*rows: Any, schema: int = 1, without: str = "") -> str:
    """The accounts that every template needs, and some more."""
    needed = [
        {"code": code, "type": kind.value, "name": code, "shards": 1}
        for code, kind in NEEDED.items()
        if code != without
    ]
    return json.dumps({"schema": schema, "accounts": [*needed, *rows]})


def test_the_standard_chart_has_what_the_house_posts_to() -> None:
    """Retained earnings, the conversion account and payroll's accounts among them."""
    assert NEEDED.keys() <= {account.code for account in template()}


def test_an_account_declares_all_it_can() -> None:
    """Rate, floor, currencies and short codes; the shards follow from the rate."""
    row = {"code": "liabilities:wallet", "type": "liability", "name": "Wallet", "rate": "2.5"}
    more = {"floor": {"currency": "EUR", "limit": 100}, "currencies": ["EUR"], "metadata": {"bank": "B-1"}}
    assert read_template(a_template(row | more))[-1] == Account(
        "liabilities:wallet",
        AccountType.LIABILITY,
        "Wallet",
        shards=4,
        floor=Floor("EUR", 100),
        currencies=("EUR",),
        metadata={"bank": "B-1"},
        declared_rate=Decimal("2.5"),
    )


@pytest.mark.parametrize(
    "row",
    [
        TILL | {"code": "A"},
        TILL | {"type": "money"},
        TILL | {"shards": 65},
        TILL | {"shards": "4"},
        TILL | {"rate": 2.5},
        TILL | {"rate": "many"},
        TILL | {"name": None},
        TILL | {"colour": "blue"},
        TILL | {"currencies": ["XYZ"]},
        TILL | {"currencies": ["EUR"], "floor": {"currency": "GBP", "limit": 0}},
        TILL | {"floor": {"currency": "EUR"}},
        TILL | {"floor": {"currency": "EUR", "limit": -1}},
        TILL | {"metadata": {"Key": "x"}},
        {"code": "assets:till", "type": "asset", "name": "Till"},
        ["assets:till"],
        None,
    ],
    ids=str,
)
def test_a_bad_row_is_refused_with_its_place(row: Any) -> None:
    """The template's author finds it by the field."""
    with pytest.raises(Invalid) as refused:
        read_template(a_template(row))
    assert refused.value.field == f"accounts.{len(NEEDED)}"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"schema": 1}',
        a_template(schema=2),
        a_template(without="equity:retained_earnings"),
        a_template(without="equity:conversion"),
        a_template(TILL, TILL),
        a_template({**TILL, "code": "equity:conversion"}, without="equity:conversion"),
    ],
)
def test_what_is_no_chart_for_the_house_is_refused(text: str) -> None:
    """Broken, of another schema, with an account twice, or without one that the house posts to."""
    with pytest.raises(Invalid) as refused:
        read_template(text)
    assert refused.value.field == "accounts"


def test_whatever_the_domains_post_to_stays_open() -> None:
    """Each account that invoicing and payments name, and those they make up of a country or a partner."""
    named = [value for module in (billed, paid) for value in vars(module).values() if isinstance(value, str)]
    codes = [value for value in named if value.partition(":")[0] in ROOTS and value.count(":")]
    assert len(codes) > len(ROOTS)
    assert [code for code in codes if not is_posted_to(code)] == []
    assert is_posted_to(billed.vat_account("GB"))
    assert is_posted_to(billed.clearing_account("stripe"))
    assert not is_posted_to("assets:till")
