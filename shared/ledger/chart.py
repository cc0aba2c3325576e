"""The chart of accounts that a tenant starts with, from a template file that anyone can read."""

import json
from functools import cache
from importlib.resources import files
from typing import Final

from shared.identity import TenantId
from shared.ledger.model import Account, AccountType
from shared.ledger.records import create_account
from shared.ports import Create

WAGES: Final = "expenses:wages"
EMPLOYER_CONTRIBUTIONS: Final = "expenses:employer_contributions"
INCOME_TAX_WITHHELD: Final = "liabilities:payroll:income_tax"
SOCIAL_CONTRIBUTIONS: Final = "liabilities:payroll:social_contributions"
STUDENT_LOANS_WITHHELD: Final = "liabilities:payroll:student_loans"
NET_PAY: Final = "liabilities:payroll:net_pay"


@cache
def template() -> tuple[Account, ...]:
    """The accounts of chart.json."""
    rows = json.loads(files("shared.ledger").joinpath("chart.json").read_text(encoding="utf-8"))["accounts"]
    return tuple(Account(row["code"], AccountType(row["type"]), row["name"], shards=row["shards"]) for row in rows)


def opening_chart(tenant: TenantId) -> tuple[Create, ...]:
    """The documents of a new tenant's chart."""
    return tuple(write for account in template() for write in create_account(tenant, account))
