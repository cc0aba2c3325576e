"""Good bodies for every POST, and what makes a bad one of them."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

NOBODY = "a" * 52
"""A well-formed id of nothing."""

BALANCED = [
    {"account": "assets:bank", "side": "debit", "amount": {"amount": 100, "currency": "GBP"}},
    {"account": "equity:share_capital", "side": "credit", "amount": {"amount": 100, "currency": "GBP"}},
]

WITHOUT_KEY = {"/v1/tax/calculations", "/v1/ledger/entries/dry_run", "/v1/ledger/batches/dry_run"}
"""POSTs that write nothing, so nothing of theirs is done once."""

GOOD: Mapping[str, Mapping[str, Any]] = {
    "/v1/tenants": {
        "tenant": "third",
        "legal_name": "Third Ltd",
        "country": "GB",
        "currency": "GBP",
        "owner": "user:olga",
    },
    "/v1/api_keys": {"principal": "user:ann", "role": "auditor"},
    "/v1/customers": {"reference": "C-9", "name": "Jo", "country": "DE", "kind": "consumer", "currency": "EUR"},
    "/v1/invoices": {
        "customer_id": NOBODY,
        "currency": "EUR",
        "supply": "service",
        "lines": [{"description": "Work", "quantity": "1.5", "unit_price": 100}],
    },
    "/v1/tax/calculations": {
        "seller": {"country": "GB", "registrations": {"GB": "GB980780684"}},
        "buyer": {"country": "GB", "kind": "consumer"},
        "supply": "service",
        "date": "2026-11-16",
        "currency": "GBP",
        "lines": [{"quantity": "1", "unit_price": 100, "category": "standard"}],
        "prices_include_tax": False,
    },
    "/v1/employees": {
        "reference": "E-9",
        "name": "Jo",
        "bank_account": "GB33BUKB20201555555555",
        "tax_id": "QQ123456C",
        "tax_code": "1257L",
        "ni_category": "A",
        "annual_salary": {"amount": 3_000_000, "currency": "GBP"},
    },
    "/v1/payroll_runs": {"period": "2026-11", "pay_date": "2026-11-27"},
    "/v1/ledger/accounts": {"code": "assets:petty_cash", "type": "asset", "name": "Petty cash"},
    "/v1/ledger/entries": {
        "lines": [
            {"account": "assets:bank", "side": "debit", "amount": {"amount": 100, "currency": "GBP"}},
            {"account": "equity:share_capital", "side": "credit", "amount": {"amount": 100, "currency": "GBP"}},
        ]
    },
    "/v1/ledger/holds": {
        "lines": [
            {"account": "assets:bank", "side": "credit", "amount": {"amount": 100, "currency": "GBP"}},
            {"account": "equity:share_capital", "side": "debit", "amount": {"amount": 100, "currency": "GBP"}},
        ],
        "expires_at": "2026-12-01T12:00:00Z",
        "reference": "H-1",
    },
    f"/v1/ledger/holds/{NOBODY}/post": {"final": True},
    "/v1/ledger/entries/dry_run": {"lines": BALANCED},
    "/v1/ledger/batches": {"mode": "linked", "entries": [{"key": "a", "lines": BALANCED}]},
    "/v1/ledger/batches/dry_run": {"mode": "independent", "entries": [{"lines": BALANCED}]},
    "/v1/ledger/periods/2026-10/close": {"kind": "soft"},
    "/v1/ledger/accounts/assets:bank/freeze": {"reason": "inquiry"},
    "/v1/ledger/accounts/assets:bank/unfreeze": {"reason": "over"},
    "/v1/ledger/accounts/assets:bank/close": {"reason": "moved to another bank"},
    "/v1/ledger/accounts/assets:bank/reshard": {"rate": "2.5", "reason": "a busy season"},
    "/v1/ledger/accounts/assets:bank/currencies": {"currencies": ["GBP"], "reason": "one currency"},
    "/v1/ledger/accounts/assets:bank/floor": {"floor": {"currency": "GBP", "limit": 0}, "reason": "no overdraft"},
    "/v1/ledger/accounts/apply_template": {
        "accounts": [{"code": "assets:till", "type": "asset", "name": "Till"}],
    },
    "/v1/ledger/periods/2026-10/reopen": {"state": "open", "reason": "a late invoice"},
    "/v1/ledger/years/2025/close": {"reason": "accounts are approved", "last_month": 12},
    "/v1/ledger/opening_balances": {
        "on": "2026-01-01",
        "rows": [{"account": "assets:bank", "currency": "GBP", "debit": 100}],
    },
    "/v1/ledger/monitors": {
        "account": "assets:bank",
        "currency": "GBP",
        "measure": "available",
        "direction": "below",
        "amount": 100_000,
        "reference": "LOW-1",
    },
    "/v1/ledger/reports/proofs": {"reason": "year end"},
    "/v1/ledger/reports/repairs": {"account": "assets:bank", "month": "2026-11", "reason": "the proof of today"},
    f"/v1/employees/{NOBODY}/disclosures": {"fields": ["name"], "purpose": "support"},
    f"/v1/customers/{NOBODY}/disclosures": {"fields": ["name"], "purpose": "support"},
    f"/v1/ledger/entries/{NOBODY}/reverse": {"effective_on": "2026-11-16", "reference": "CN-1"},
    f"/v1/ledger/entries/{NOBODY}/disclosures": {"fields": ["memo"], "purpose": "audit"},
    "/v1/webhook_endpoints": {"url": "https://erp.example.com/", "filters": ["payment.*"], "description": "ERP"},
    f"/v1/payouts/{NOBODY}/pages": {
        "page": 1,
        "items": [
            {
                "kind": "payment",
                "reference": "pi_1",
                "amount": {"amount": 100, "currency": "GBP"},
                "fee": {"amount": 3, "currency": "GBP"},
            }
        ],
        "last": True,
    },
    f"/v1/webhook_endpoints/{NOBODY}/update": {"url": "https://erp.example.com/", "filters": ["*"]},
    "/v1/refunds": {
        "payment_id": NOBODY,
        "amount": {"amount": 100, "currency": "GBP"},
        "kind": "invoice",
        "reason": "duplicate",
    },
    "/v1/refunds/approval_limits": {"limits": [{"amount": 10_000, "currency": "GBP"}]},
    f"/v1/refunds/{NOBODY}/resolve": {"reference": "re_1"},
    f"/v1/payments/{NOBODY}/allocations": {
        "lines": [{"invoice_id": NOBODY, "amount": {"amount": 100, "currency": "GBP"}, "write_off": True}]
    },
    f"/v1/payments/{NOBODY}/allocations/{NOBODY}/undo": {"reason": "another customer's"},
    "/v1/payments/virtual_accounts": {"number": "GB33BUKB20201555555555", "customer_id": NOBODY},
    f"/v1/payments/virtual_accounts/{'0' * 64}/release": {"reason": "closed"},
    "/v1/payments/write_off_limits": {"limit": {"amount": 100, "currency": "GBP"}, "reason": "bank charges"},
    f"/v1/webhook_endpoints/{NOBODY}/resends": {"since": "2026-11-15T00:00:00Z", "until": "2026-11-16T00:00:00Z"},
}
"""A good body for every POST that takes one; each bad case breaks one thing of it."""

WITHOUT_BODY = (
    f"/v1/invoices/{NOBODY}/issue",
    f"/v1/payroll_runs/{NOBODY}/approve",
    f"/v1/api_keys/{NOBODY}/revoke",
    f"/v1/ledger/holds/{NOBODY}/void",
    f"/v1/payments/events/{NOBODY}/replay",
    f"/v1/refunds/{NOBODY}/approve",
    f"/v1/refunds/{NOBODY}/reject",
    f"/v1/refunds/{NOBODY}/cancel",
    f"/v1/ledger/monitors/{NOBODY}/end",
    f"/v1/webhook_endpoints/{NOBODY}/disable",
    f"/v1/webhook_endpoints/{NOBODY}/enable",
    f"/v1/webhook_endpoints/{NOBODY}/rotate_secret",
    f"/v1/webhook_endpoints/{NOBODY}/deliveries/{NOBODY}/resend",
)


@dataclasses.dataclass(frozen=True)
class Case:
    """One bad request and what it must be answered."""

    name: str
    path: str
    body: bytes
    status: int
    code: str | None = None
    field: str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


def changed(path: str, **fields: object) -> bytes:
    """The good body with some fields replaced."""
    return json.dumps({**GOOD[path], **fields}).encode()
