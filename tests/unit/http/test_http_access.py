import pytest

from shared.http.access import PREFIXES, ROLES, ROUTES, may

WRITING = {scope for (method, rule), scope in ROUTES.items() if method == "POST" and rule != "/v1/tax/calculations"}


def test_every_scope_of_a_route_is_carried_by_a_role() -> None:
    """A route that nobody may use is a mistake, and so is a scope that opens nothing."""
    carried = frozenset().union(*ROLES.values())
    assert set(ROUTES.values()) == carried


def test_every_route_lies_under_a_door() -> None:
    """The load balancer sends each path to one door."""
    for _, rule in ROUTES:
        assert sum(rule == prefix or rule.startswith(f"{prefix}/") for prefix in PREFIXES.values()) == 1


def test_an_auditor_changes_nothing() -> None:
    """No scope of a writing route, disclosures of personal data included."""
    assert not ROLES["auditor"] & WRITING


def test_the_platform_key_opens_no_books() -> None:
    """Tenants and keys, nothing of a tenant's business."""
    assert ROLES["platform"] == {"tenants:write", "tenants:read", "keys:write", "keys:read"}


@pytest.mark.parametrize("role", ["accountant", "payroll_preparer", "auditor", "platform"])
def test_approving_a_payroll_run_is_not_everyones(role: str) -> None:
    """Only the approver and the owner carry it; the same principal never approves what they prepared."""
    assert not may(role, "payroll:approve")


@pytest.mark.parametrize("role", ["accountant", "payroll_approver", "auditor", "platform"])
def test_preparing_payroll_and_disclosing_people_is_the_preparers(role: str) -> None:
    """Approvers judge figures; they neither prepare them nor open bank accounts."""
    assert not may(role, "payroll:prepare")
    assert not may(role, "employees:disclose")


@pytest.mark.parametrize("role", ["owner", "accountant", "payroll_preparer", "payroll_approver", "auditor"])
def test_no_role_of_a_tenant_makes_tenants(role: str) -> None:
    """Tenants are the platform's."""
    assert not may(role, "tenants:write")


def test_an_unknown_role_may_nothing() -> None:
    """A role that the table does not know opens no route."""
    assert not any(may("root", scope) for scope in ROUTES.values())
