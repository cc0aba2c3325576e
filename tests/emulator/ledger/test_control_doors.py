"""The doors of the chart and of the months, over HTTP's own bodies and paths."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.ledger.chart import template
from shared.ledger.model import EntryKind
from shared.settings import Settings
from shared.wiring import house
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Kept
from tests.emulator.offices import Office, open_office

ACCOUNTS = "/v1/ledger/accounts"
WALLET = {"code": "liabilities:wallet:ann", "type": "liability", "name": "Wallet"}
WHY = {"reason": "asked for by the board"}


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """The doors, with a queue that keeps what it is given."""
    office = open_office(settings, monkeypatch)
    office.house.__dict__["queue"] = Kept()
    yield office
    house.cache_clear()


@pytest.fixture
def key(office: Office) -> str:
    """The owner's key of a tenant."""
    return office.create_tenant()


def codes(page: Any) -> list[str]:
    """The codes of a page's accounts."""
    return [item["code"] for item in page["items"]]


def test_the_chart_is_listed_in_pages_and_by_hierarchy(office: Office, key: str) -> None:
    """Below `liabilities:vat` stands what has it as a parent, not what merely begins with it."""
    for code in ("liabilities:vat", "liabilities:vats", "liabilities:vat-x"):
        office.post(ACCOUNTS, WALLET | {"code": code}, key)
    first = office.get(f"{ACCOUNTS}?prefix=liabilities:vat&limit=20", key).json
    second = office.get(f"{ACCOUNTS}?prefix=liabilities:vat&limit=20&cursor={first['next_cursor']}", key).json
    listed = codes(first) + codes(second)
    assert listed == sorted(listed)
    wanted = {account.code for account in template() if account.code.startswith("liabilities:vat:")}
    assert (set(listed), second["next_cursor"]) == (wanted | {"liabilities:vat"}, None)
    everything = codes(office.get(f"{ACCOUNTS}?limit=200", key).json)
    assert len(everything) == len(template()) + 3


def test_an_account_is_opened_and_read_with_all_it_declares(office: Office, key: str) -> None:
    """Currencies, short codes and the rate, from which the shards follow."""
    more = {"currencies": ["EUR", "GBP"], "metadata": {"ledger": "L-1"}, "declared_rate": "5.5"}
    opened = office.post(ACCOUNTS, WALLET | more, key)
    assert opened.status_code == 201, opened.text
    assert office.get(f"{ACCOUNTS}/{WALLET['code']}", key).json == opened.json
    assert opened.json == WALLET | more | {"state": "open", "version": 1, "shards": 7, "floor": None}
    missing = office.get(f"{ACCOUNTS}/assets:none", key)
    assert (missing.status_code, missing.json["code"]) == (404, "unknown_account")


def test_a_template_applied_twice_opens_what_is_missing_once(office: Office, key: str) -> None:
    """The standard chart is there already; of one's own, what is there stays as it is."""
    assert office.post(f"{ACCOUNTS}/apply_template", {}, key).json == {"opened": []}
    rows = [WALLET, {"code": "assets:bank", "type": "asset", "name": "Another name"}]
    first = office.post(f"{ACCOUNTS}/apply_template", {"accounts": rows}, key, once="apply")
    assert first.json == {"opened": [WALLET["code"]]}
    assert office.post(f"{ACCOUNTS}/apply_template", {"accounts": rows}, key).json == {"opened": []}
    again = office.post(f"{ACCOUNTS}/apply_template", {"accounts": rows}, key, once="apply")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert office.get(f"{ACCOUNTS}/assets:bank", key).json["name"] == "Bank"


def test_every_operation_on_an_account_has_its_door(office: Office, key: str) -> None:
    """Each answers what it did and to which version; a refusal after the raise comes again as it was."""
    path = f"{ACCOUNTS}/{WALLET['code']}"
    office.post(ACCOUNTS, WALLET, key)
    orders: list[tuple[str, dict[str, object], str, int]] = [
        ("reshard", {"rate": "2.5"}, "reshard", 2),
        ("reshard", {"shards": 2}, "reshard", 3),
        ("currencies", {"currencies": ["EUR"]}, "set_currencies", 4),
        ("floor", {"floor": {"currency": "EUR", "limit": 10}}, "add_floor", 5),
        ("floor", {"floor": {"currency": "EUR", "limit": 0}}, "change_limit", 6),
        ("floor", {"floor": None}, "remove_floor", 7),
        ("freeze", {}, "freeze", 8),
        ("unfreeze", {}, "unfreeze", 9),
        ("close", {}, "close_account", 10),
    ]
    for order, body, operation, version in orders:
        answer = office.post(f"{path}/{order}", body | WHY, key)
        assert answer.status_code == 200, answer.text
        told = {name: answer.json[name] for name in ("operation", "target", "version", "done")}
        assert told == {"operation": operation, "target": WALLET["code"], "version": version, "done": True}
    account = office.get(path, key).json
    assert (account["state"], account["version"], account["currencies"]) == ("closed", 11, ["EUR"])
    actions = {row["action"]: row["reason"] for row in office.documents("audit", ACME) if row["reason"]}
    assert actions.keys() == {operation for _, _, operation, _ in orders}
    assert set(actions.values()) == {WHY["reason"]}


def test_a_refusal_decided_after_the_raise_is_the_same_again(office: Office, key: str) -> None:
    """A balance that is not zero: 409, twice, under one Idempotency-Key."""
    office.post(ACCOUNTS, WALLET, key)
    office.house.books.post(a_call("sale"), a_sale(100, of=WALLET["code"]))
    for _ in range(2):
        answer = office.post(f"{ACCOUNTS}/{WALLET['code']}/close", WHY, key, once="close")
        assert (answer.status_code, answer.json["code"]) == (409, "balance_not_zero")
    below = office.post(f"{ACCOUNTS}/assets:bank/floor", {"floor": {"currency": "EUR"}} | WHY, key)
    assert below.status_code == 200, below.text


def test_months_are_listed_closed_and_reopened(office: Office, key: str) -> None:
    """The version of a month grows with every close and reopening, and is shown."""
    for number, month in enumerate((9, 10, 11)):
        entry = a_sale(name=f"sale-{number}", on=a_sale().effective_on.replace(month=month), kind=EntryKind.REGULAR)
        office.house.books.post(a_call(f"sale-{number}"), entry)
    path = "/v1/ledger/periods"
    assert office.post(f"{path}/2026-10/close", {"kind": "hard"}, key).status_code == 200
    reopened = office.post(f"{path}/2026-10/reopen", {"state": "soft_closed"} | WHY, key)
    assert (reopened.status_code, reopened.json["version"]) == (200, 3)
    page = office.get(f"{path}?limit=2", key).json
    assert page["items"][1] == {"period": "2026-10", "state": "soft_closed", "version": 3}
    rest = office.get(f"{path}?limit=2&cursor={page['next_cursor']}", key).json
    assert ([item["period"] for item in rest["items"]], rest["next_cursor"]) == (["2026-11"], None)
