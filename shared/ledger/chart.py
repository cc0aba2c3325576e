"""The chart of accounts that a tenant starts with, from a template file that anyone can read."""

import json
from functools import cache
from importlib.resources import files

from shared.identity import TenantId
from shared.ledger.model import Account, AccountType
from shared.ledger.records import create_account
from shared.ports import Create

RECEIVABLE = "assets:receivable"
CUSTOMER_CREDIT = "liabilities:customer_credit"
SALES = "revenue:sales"
WAGES = "expenses:wages"
EMPLOYER_CONTRIBUTIONS = "expenses:employer_contributions"
INCOME_TAX_WITHHELD = "liabilities:payroll:income_tax"
SOCIAL_CONTRIBUTIONS = "liabilities:payroll:social_contributions"
STUDENT_LOANS_WITHHELD = "liabilities:payroll:student_loans"
NET_PAY = "liabilities:payroll:net_pay"


def clearing(partner: str) -> str:
    """Money that a payment partner has taken and not yet paid out."""
    return f"assets:clearing:{partner}"


def tax_collected(country: str) -> str:
    """VAT owed to a country."""
    return f"liabilities:vat:{country.lower()}"


@cache
def template() -> tuple[Account, ...]:
    """The accounts of chart.json."""
    rows = json.loads(files("shared.ledger").joinpath("chart.json").read_text(encoding="utf-8"))["accounts"]
    return tuple(Account(row["code"], AccountType(row["type"]), row["name"], shards=row["shards"]) for row in rows)


def opening_chart(tenant: TenantId) -> tuple[Create, ...]:
    """The documents of a new tenant's chart."""
    return tuple(write for account in template() for write in create_account(tenant, account))
