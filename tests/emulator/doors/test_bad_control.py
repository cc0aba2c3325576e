"""Bad accounts, templates and orders to control at the doors: a problem that names its fault, and no write."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulators.cloud import LocalCloud
from tests.emulator.doors.bodies import GOOD, Case, changed
from tests.emulator.doors.conftest import Tenant, a_key, everything
from tests.emulator.doors.test_bad_input import assert_nothing_written, assert_problem

ACCOUNTS = "/v1/ledger/accounts"


def charts() -> Iterator[Case]:
    """What no account may be."""
    accounts = ACCOUNTS
    for name, value in (
        ("currencies", ["XYZ"]),
        ("currencies", "EUR"),
        ("metadata", {"Key": "x"}),
        ("metadata", {"key": "nä"}),
        ("metadata", {f"k{number}": "x" for number in range(17)}),
        ("declared_rate", 2.5),
        ("declared_rate", "0"),
        ("declared_rate", "-1"),
        ("declared_rate", "many"),
        ("shards", 65),
        ("shards", 0),
    ):
        yield Case(f"{name} {value}", accounts, changed(accounts, **{name: value}), 422, "invalid_fields", name)
    foreign = changed(accounts, currencies=["EUR"], floor={"currency": "GBP"})
    yield Case("a floor in a currency not kept", accounts, foreign, 422, "invalid", "floor")
    yield Case("another's type", f"{accounts}/apply_template", template_row(code="assets:bank", type="equity"), 409)
    yield Case("no accounts", f"{accounts}/apply_template", b'{"accounts": []}', 422, "invalid_fields", "accounts")
    yield Case("a bad code", f"{accounts}/apply_template", template_row(code="A B"), 422, "invalid_fields")


def orders() -> Iterator[Case]:
    """What no control operation may be asked."""
    accounts = ACCOUNTS
    for order in ("close", "reshard", "currencies", "floor"):
        good, path = GOOD[f"{accounts}/assets:bank/{order}"], f"{accounts}/assets:none/{order}"
        yield Case("no such account", path, json.dumps(good).encode(), 422, "unknown_account")
        yield Case("no reason", f"{accounts}/assets:bank/{order}", changed_without(order, "reason"), 422)
    reshard = f"{accounts}/assets:bank/reshard"
    yield Case("both", reshard, changed(reshard, shards=2), 422, "invalid_fields")
    yield Case("neither", reshard, b'{"reason": "x"}', 422, "invalid_fields")
    for rate in ("0", "-1", "1e3", "10001", 3):
        yield Case(f"rate {rate!r}", reshard, changed(reshard, rate=rate), 422, "invalid_fields", "rate")
    yield Case("no shards", reshard, b'{"reason": "x", "shards": 0}', 422, "invalid_fields", "shards")
    floor = f"{accounts}/assets:bank/floor"
    yield Case("a negative limit", floor, changed(floor, floor={"currency": "GBP", "limit": -1}), 422, "invalid_fields")
    yield Case("no such currency", floor, changed(floor, floor={"currency": "XYZ"}), 422, "invalid_fields", "floor")
    yield Case("no floor to remove", floor, changed(floor, floor=None), 409, "wrong_state")
    yield Case("a path of no account", f"{accounts}/A/close", b'{"reason": "x"}', 422, "invalid_fields", "code")
    reopen = "/v1/ledger/periods/2026-10/reopen"
    yield Case("an open month", reopen, changed(reopen), 409, "wrong_state")
    yield Case("no reason", reopen, b'{"state": "open"}', 422, "invalid_fields", "reason")
    yield Case("an empty reason", reopen, changed(reopen, reason=""), 422, "invalid_fields", "reason")
    yield Case("no such state", reopen, changed(reopen, state="hard_closed"), 422, "invalid_fields", "state")
    yield Case("no such month", "/v1/ledger/periods/2026-13/reopen", changed(reopen), 422, "invalid_fields", "period")


def template_row(**fields: object) -> bytes:
    """A template of one account."""
    return json.dumps({"accounts": [{"code": "assets:till", "type": "asset", "name": "Till", **fields}]}).encode()


def changed_without(order: str, name: str) -> bytes:
    """The good body of an order on an account, without a field."""
    good = dict(GOOD[f"{ACCOUNTS}/assets:bank/{order}"])
    del good[name]
    return json.dumps(good).encode()


@pytest.fixture(scope="module")
def before(cloud: LocalCloud, acme: Tenant, rival: Tenant) -> dict[str, Any]:
    """Everything that is stored before any bad request."""
    del acme, rival
    return everything(cloud)


@pytest.mark.parametrize(
    "case", [*charts(), *orders()], ids=lambda case: f"{case.path.rsplit('/', 1)[-1]}: {case.name}"
)
def test_a_bad_order_is_a_problem_and_writes_nothing(
    cloud: LocalCloud, acme: Tenant, before: dict[str, Any], case: Case
) -> None:
    """Each names its fault and leaves both databases as they were."""
    answer = acme.owner.send("POST", case.path, case.body, {"Idempotency-Key": a_key()})
    assert_problem(answer, case)
    assert_nothing_written(cloud, before, answer)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (f"{ACCOUNTS}/assets:none", 404, "unknown_account"),
        (f"{ACCOUNTS}/assets:none/balance", 404, "unknown_account"),
        (f"{ACCOUNTS}/assets:none/statement?from=2026-01-01&to=2026-01-31", 404, "unknown_account"),
        (f"{ACCOUNTS}/A", 422, "invalid_fields"),
        (f"{ACCOUNTS}?prefix=A", 422, "invalid_fields"),
        (f"{ACCOUNTS}?limit=201", 422, "invalid_fields"),
        (f"{ACCOUNTS}?cursor=x", 400, "malformed"),
        (f"{ACCOUNTS}?surprise=1", 422, "invalid_fields"),
        ("/v1/ledger/periods?limit=0", 422, "invalid_fields"),
        ("/v1/ledger/periods?cursor=x", 400, "malformed"),
    ],
)
def test_a_bad_question_is_a_problem(acme: Tenant, query: str, status: int, code: str) -> None:
    """An account of no chart, a page of no list."""
    assert_problem(acme.accountant.get(query), Case("", query, b"", status, code))
