"""Balances, statements, opening balances and a year's end over the real doors."""

from urllib.parse import quote

import pytest

from emulators.cloud import LocalCloud
from tests.emulator.doors.conftest import Tenant, a_tenant

ACCOUNTS = "/v1/ledger/accounts"
BANK = f"{ACCOUNTS}/assets:bank"


def line(account: str, side: str, amount: int) -> dict[str, object]:
    """A line in pounds."""
    return {"account": account, "side": side, "amount": {"amount": amount, "currency": "GBP"}}


@pytest.fixture(scope="module")
def migrated(cloud: LocalCloud) -> Tenant:
    """A tenant that brought 500 pounds along and sold for 10, 20 and 30 in November 2025."""
    tenant = a_tenant(cloud, "migrated")
    rows = [{"account": "assets:bank", "currency": "GBP", "debit": 50_000}]
    brought = tenant.accountant.post("/v1/ledger/opening_balances", {"on": "2025-10-31", "rows": rows})
    assert (brought.status_code, [item["outcome"] for item in brought.json()["items"]]) == (201, ["posted"])
    for number in (10, 20, 30):
        lines = [line("assets:bank", "debit", number * 100), line("revenue:sales", "credit", number * 100)]
        body = {"lines": lines, "effective_on": f"2025-11-{number:02d}"}
        assert tenant.accountant.post("/v1/ledger/entries", body).status_code == 201
    return tenant


def test_a_balance_on_a_day_by_either_day_of_its_entries(migrated: Tenant) -> None:
    """All was posted today and is effective a year ago."""

    def balance(query: str) -> list[int]:
        answer = migrated.auditor.get(f"{BANK}/balance{query}")
        assert answer.status_code == 200, answer.text
        return [row["balance"] for row in answer.json()["items"]]

    assert balance("?on=2025-11-15") == [51_000]
    assert balance("?on=2025-11-30") == [56_000]
    assert balance("?on=2025-11-30&by=posted") == []
    assert balance("?by=posted") == balance("") == [56_000]


def test_a_statement_pages_by_its_own_cursor_and_nobody_elses(migrated: Tenant, rival: Tenant) -> None:
    """Another tenant, another account or another range cannot use it."""
    asked = f"{BANK}/statement?from=2025-11-01&to=2025-11-30&limit=2"
    first = migrated.auditor.get(asked).json()
    assert (first["opening"], [item["balance"] for item in first["items"]]) == ({"GBP": 50_000}, [51_000, 53_000])
    cursor = quote(first["next_cursor"])
    second = migrated.auditor.get(f"{asked}&cursor={cursor}").json()
    assert ([item["balance"] for item in second["items"]], second["next_cursor"]) == ([56_000], None)
    assert second["read_at"] == first["read_at"]
    sales = asked.replace("assets:bank", "revenue:sales")
    for client, path in ((rival.auditor, asked), (migrated.auditor, sales), (migrated.auditor, f"{asked}&by=posted")):
        answer = client.get(f"{path}&cursor={cursor}")
        assert (answer.status_code, answer.json()["code"]) == (400, "foreign_cursor")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{BANK}/balance?on=2025-13-01", 422),
        (f"{BANK}/balance?by=booked", 422),
        (f"{BANK}/balance?surprise=1", 422),
        (f"{ACCOUNTS}/assets:none/balance", 404),
        (f"{BANK}/statement", 422),
        (f"{BANK}/statement?from=2025-11-01", 422),
        (f"{BANK}/statement?from=2025-11-02&to=2025-11-01", 422),
        (f"{BANK}/statement?from=2025-11-01&to=2025-11-02&limit=201", 422),
        (f"{BANK}/statement?from=2025-11-01&to=2025-11-02&cursor=x", 400),
        (f"{ACCOUNTS}/assets:none/statement?from=2025-11-01&to=2025-11-02", 404),
        ("/v1/ledger/reports/trial_balance", 422),
        ("/v1/ledger/reports/trial_balance?through=2025-11&on=2025-11-02", 422),
        ("/v1/ledger/reports/balance_sheet?on=2025-11-31", 422),
    ],
)
def test_a_question_that_makes_no_sense_is_a_problem(migrated: Tenant, path: str, status: int) -> None:
    """Each is refused in words, never answered with something else."""
    answer = migrated.auditor.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text


def test_a_year_is_closed_and_its_balances_carried_forward(migrated: Tenant) -> None:
    """Income is equity then, and reports say the same as before."""
    for month in ("2025-10", "2025-11", "2025-12"):
        assert migrated.accountant.post(f"/v1/ledger/periods/{month}/close", {"kind": "soft"}).status_code == 200
    closed = migrated.accountant.post("/v1/ledger/years/2025/close", {"reason": "approved"})
    assert (closed.status_code, closed.json()["state"]) == (200, "closed"), closed.text
    sheet = migrated.auditor.get("/v1/ledger/reports/balance_sheet?on=2025-12-31").json()
    assert sheet["unclosed_income"] == {"GBP": 0}
    equity = {row["account"]: row["balance"] for row in sheet["rows"]}
    assert equity["equity:retained_earnings"] == 6_000
    income = migrated.auditor.get("/v1/ledger/reports/income_statement?first=2025-01&through=2025-12").json()
    assert income["net_income"] == {"GBP": 6_000}
    again = migrated.accountant.post("/v1/ledger/years/2025/close", {"reason": "approved"})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
