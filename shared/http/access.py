"""Who may pass which door, as data: every route names its scope, every role its scopes, every private door its callers.

Duties are separated here: whoever prepares a payroll run cannot approve it by role alone, an
auditor changes nothing, and the platform's key opens tenants and keys and no tenant's books.
"""

from collections.abc import Mapping
from typing import Final

ROUTES: Final[Mapping[tuple[str, str], str]] = {
    # platform
    ("POST", "/v1/tenants"): "tenants:write",
    ("GET", "/v1/tenants"): "tenants:read",
    ("POST", "/v1/api_keys"): "keys:write",
    ("GET", "/v1/api_keys"): "keys:read",
    ("POST", "/v1/api_keys/{id}/revoke"): "keys:write",
    # customers and invoices
    ("POST", "/v1/customers"): "customers:write",
    ("GET", "/v1/customers"): "customers:read",
    ("GET", "/v1/customers/{id}"): "customers:read",
    ("POST", "/v1/customers/{id}/disclosures"): "customers:disclose",
    ("POST", "/v1/invoices"): "invoices:write",
    ("GET", "/v1/invoices"): "invoices:read",
    ("GET", "/v1/invoices/receivables_by_age"): "invoices:read",
    ("GET", "/v1/invoices/{id}"): "invoices:read",
    ("POST", "/v1/invoices/{id}/issue"): "invoices:issue",
    # webhooks
    ("POST", "/v1/webhook_endpoints"): "webhooks:write",
    ("GET", "/v1/webhook_endpoints"): "webhooks:read",
    ("GET", "/v1/webhook_endpoints/{id}"): "webhooks:read",
    ("POST", "/v1/webhook_endpoints/{id}/update"): "webhooks:write",
    ("POST", "/v1/webhook_endpoints/{id}/disable"): "webhooks:write",
    ("POST", "/v1/webhook_endpoints/{id}/enable"): "webhooks:write",
    ("POST", "/v1/webhook_endpoints/{id}/rotate_secret"): "webhooks:write",
    ("GET", "/v1/webhook_endpoints/{id}/deliveries"): "webhooks:read",
    ("GET", "/v1/webhook_endpoints/{id}/deliveries/{delivery}"): "webhooks:read",
    ("POST", "/v1/webhook_endpoints/{id}/deliveries/{delivery}/resend"): "webhooks:write",
    ("POST", "/v1/webhook_endpoints/{id}/resends"): "webhooks:write",
    ("GET", "/v1/webhook_endpoints/{id}/resends/{resend}"): "webhooks:read",
    # tax
    ("POST", "/v1/tax/calculations"): "tax:calculate",
    # payments
    ("GET", "/v1/payments"): "payments:read",
    ("GET", "/v1/payments/events"): "payments:read",
    ("GET", "/v1/payments/events/{id}"): "payments:read",
    ("POST", "/v1/payments/events/{id}/replay"): "payments:replay",
    ("GET", "/v1/payments/{id}"): "payments:read",
    ("GET", "/v1/payouts"): "payments:read",
    ("GET", "/v1/payouts/{id}"): "payments:read",
    ("GET", "/v1/payouts/{id}/pages/{number}"): "payments:read",
    ("POST", "/v1/payouts/{id}/pages"): "payments:settle",
    # refunds
    ("POST", "/v1/refunds"): "refunds:request",
    ("GET", "/v1/refunds"): "payments:read",
    ("GET", "/v1/refunds/approval_limits"): "payments:read",
    ("POST", "/v1/refunds/approval_limits"): "refunds:control",
    ("GET", "/v1/refunds/{id}"): "payments:read",
    ("POST", "/v1/refunds/{id}/approve"): "refunds:approve",
    ("POST", "/v1/refunds/{id}/reject"): "refunds:approve",
    ("POST", "/v1/refunds/{id}/cancel"): "refunds:request",
    ("POST", "/v1/refunds/{id}/resolve"): "refunds:control",
    ("POST", "/v1/payments/{id}/allocations"): "payments:allocate",
    ("GET", "/v1/payments/{id}/allocations"): "payments:read",
    ("POST", "/v1/payments/{id}/allocations/{allocation}/undo"): "payments:allocate",
    ("POST", "/v1/payments/virtual_accounts"): "payments:assign",
    ("GET", "/v1/payments/virtual_accounts"): "payments:read",
    ("POST", "/v1/payments/virtual_accounts/{id}/release"): "payments:assign",
    ("GET", "/v1/payments/write_off_limits"): "payments:read",
    ("POST", "/v1/payments/write_off_limits"): "payments:limit",
    # payroll
    ("POST", "/v1/employees"): "employees:write",
    ("GET", "/v1/employees"): "employees:read",
    ("GET", "/v1/employees/{id}"): "employees:read",
    ("POST", "/v1/employees/{id}/disclosures"): "employees:disclose",
    ("POST", "/v1/payroll_runs"): "payroll:prepare",
    ("GET", "/v1/payroll_runs"): "payroll:read",
    ("GET", "/v1/payroll_runs/{id}"): "payroll:read",
    ("GET", "/v1/payroll_runs/{id}/payslips"): "payroll:read",
    ("POST", "/v1/payroll_runs/{id}/approve"): "payroll:approve",
    # ledger
    ("GET", "/v1/ledger/accounts"): "ledger:read",
    ("POST", "/v1/ledger/accounts"): "ledger:control",
    ("POST", "/v1/ledger/accounts/{code}/freeze"): "ledger:control",
    ("POST", "/v1/ledger/accounts/{code}/unfreeze"): "ledger:control",
    ("POST", "/v1/ledger/accounts/apply_template"): "ledger:control",
    ("GET", "/v1/ledger/accounts/{code}"): "ledger:read",
    ("POST", "/v1/ledger/accounts/{code}/close"): "ledger:control",
    ("POST", "/v1/ledger/accounts/{code}/reshard"): "ledger:control",
    ("POST", "/v1/ledger/accounts/{code}/currencies"): "ledger:control",
    ("POST", "/v1/ledger/accounts/{code}/floor"): "ledger:control",
    ("POST", "/v1/ledger/entries"): "ledger:post",
    ("POST", "/v1/ledger/entries/dry_run"): "ledger:post",
    ("POST", "/v1/ledger/batches"): "ledger:post",
    ("POST", "/v1/ledger/batches/dry_run"): "ledger:post",
    ("GET", "/v1/ledger/entries"): "ledger:read",
    ("GET", "/v1/ledger/entries/{id}"): "ledger:read",
    ("POST", "/v1/ledger/entries/{id}/reverse"): "ledger:post",
    ("GET", "/v1/ledger/entries/{id}/reversals"): "ledger:read",
    ("POST", "/v1/ledger/entries/{id}/disclosures"): "ledger:disclose",
    ("POST", "/v1/ledger/holds"): "ledger:post",
    ("GET", "/v1/ledger/holds"): "ledger:read",
    ("GET", "/v1/ledger/holds/{id}"): "ledger:read",
    ("POST", "/v1/ledger/holds/{id}/post"): "ledger:post",
    ("POST", "/v1/ledger/holds/{id}/void"): "ledger:post",
    ("GET", "/v1/ledger/entries/{id}/inclusion"): "ledger:read",
    ("GET", "/v1/ledger/seals"): "ledger:read",
    ("GET", "/v1/ledger/seals/{number}"): "ledger:read",
    ("GET", "/v1/ledger/seals/{number}/leaves"): "ledger:read",
    ("GET", "/v1/ledger/journal"): "ledger:read",
    ("GET", "/v1/ledger/accounts/{code}/balance"): "ledger:read",
    ("GET", "/v1/ledger/accounts/{code}/statement"): "ledger:read",
    ("POST", "/v1/ledger/years/{year}/close"): "ledger:control",
    ("POST", "/v1/ledger/opening_balances"): "ledger:control",
    ("GET", "/v1/ledger/periods"): "ledger:read",
    ("POST", "/v1/ledger/periods/{period}/close"): "ledger:control",
    ("POST", "/v1/ledger/periods/{period}/reopen"): "ledger:control",
    ("POST", "/v1/ledger/monitors"): "ledger:control",
    ("GET", "/v1/ledger/monitors"): "ledger:read",
    ("POST", "/v1/ledger/monitors/{id}/end"): "ledger:control",
    ("GET", "/v1/ledger/reports/trial_balance"): "ledger:read",
    ("GET", "/v1/ledger/reports/income_statement"): "ledger:read",
    ("GET", "/v1/ledger/reports/balance_sheet"): "ledger:read",
    ("GET", "/v1/ledger/reports/proofs"): "ledger:read",
    ("POST", "/v1/ledger/reports/proofs"): "ledger:control",
    ("GET", "/v1/ledger/reports/proofs/{id}"): "ledger:read",
    ("GET", "/v1/ledger/reports/samples"): "ledger:read",
    ("POST", "/v1/ledger/reports/repairs"): "ledger:control",
    ("GET", "/v1/ledger/reports/repairs"): "ledger:read",
}
"""The scope of every route; a door that registers another one does not load."""

_READING: Final = frozenset(
    {"customers:read", "invoices:read", "payments:read", "ledger:read", "tax:calculate", "webhooks:read"}
)
_ACCOUNTING: Final = _READING | {
    "customers:write",
    "customers:disclose",
    "invoices:write",
    "invoices:issue",
    "ledger:post",
    "ledger:disclose",
    "ledger:control",
    "payments:replay",
    "payments:settle",
    "refunds:request",
    "refunds:approve",
    "payments:allocate",
    "payments:assign",
    "payroll:read",
}

ROLES: Final[Mapping[str, frozenset[str]]] = {
    "platform": frozenset({"tenants:write", "tenants:read", "keys:write", "keys:read"}),
    "owner": _ACCOUNTING
    | {"keys:write", "keys:read", "employees:write", "employees:read", "employees:disclose"}
    | {"payroll:prepare", "payroll:approve", "webhooks:write", "refunds:control", "payments:limit"},
    "accountant": _ACCOUNTING,
    "payroll_preparer": frozenset(
        {"employees:write", "employees:read", "employees:disclose", "payroll:prepare", "payroll:read"}
    ),
    "payroll_approver": frozenset({"employees:read", "payroll:read", "payroll:approve"}),
    "auditor": _READING | {"keys:read", "employees:read", "payroll:read"},
}
"""What each role may do.

An owner may prepare and approve, but never the same run: approvals compare principals.
"""

PREFIXES: Final[Mapping[str, str]] = {
    "accounts": "/v1/ledger/accounts",
    "entries": "/v1/ledger/entries",
    "batches": "/v1/ledger/batches",
    "holds": "/v1/ledger/holds",
    "years": "/v1/ledger/years",
    "opening_balances": "/v1/ledger/opening_balances",
    "periods": "/v1/ledger/periods",
    "reports": "/v1/ledger/reports",
    "monitors": "/v1/ledger/monitors",
    "seals": "/v1/ledger/seals",
    "journal": "/v1/ledger/journal",
    "customers": "/v1/customers",
    "invoices": "/v1/invoices",
    "calculate_tax": "/v1/tax",
    "payments": "/v1/payments",
    "payouts": "/v1/payouts",
    "refunds": "/v1/refunds",
    "employees": "/v1/employees",
    "payroll_runs": "/v1/payroll_runs",
    "webhook_endpoints": "/v1/webhook_endpoints",
    "tenants": "/v1/tenants",
    "api_keys": "/v1/api_keys",
}
"""Path prefix of each API door, as in functions/catalogue.yaml; its OpenAPI document is at {prefix}/openapi.json."""

ACCOUNTS: Final[Mapping[str, str]] = {
    "tasks": "daybook-tasks",
    "scheduler": "daybook-scheduler",
    "events": "daybook-events",
}
"""Service account of each caller, as in functions/catalogue.yaml."""

CALLERS: Final[Mapping[str, tuple[str, ...]]] = {
    "run_ledger_operation": ("tasks",),
    "expire_holds": ("scheduler",),
    "start_ledger_proofs": ("scheduler",),
    "start_ledger_samples": ("scheduler",),
    "prove_ledger": ("tasks",),
    "start_balance_watches": ("scheduler",),
    "watch_balances": ("tasks",),
    "start_ledger_seals": ("scheduler",),
    "seal_ledger": ("tasks",),
    "apply_payment_event": ("tasks",),
    "settle_payout": ("events",),
    "ask_partner": ("tasks",),
    "match_payment": ("tasks",),
    "issue_receipt": ("events",),
    "send_refund": ("tasks",),
    "sweep_refunds": ("scheduler",),
    "calculate_payslips": ("tasks",),
    "post_payslips": ("tasks",),
    "sweep_payroll_runs": ("scheduler",),
    "fan_out_invoicing": ("events",),
    "fan_out_ledger": ("events",),
    "fan_out_payments": ("events",),
    "fan_out_payroll": ("events",),
    "fan_out_webhooks": ("events",),
    "deliver_webhook": ("tasks",),
    "deliver_slow_webhook": ("tasks",),
    "resend_webhooks": ("tasks",),
    "sweep_outbox": ("scheduler",),
}
"""Callers of each private door, as in functions/catalogue.yaml."""


def may(role: str, scope: str) -> bool:
    """Whether a role carries a scope; an unknown role carries none."""
    return scope in ROLES.get(role, frozenset())
