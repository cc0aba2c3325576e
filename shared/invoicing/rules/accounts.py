"""The accounts that invoicing posts to."""

from typing import Final

from shared.ledger.model import AccountCode, account_code

RECEIVABLE: Final = "assets:receivable"
SALES: Final = "revenue:sales"
CUSTOMER_CREDIT: Final = "liabilities:customer_credit"


def vat_account(country: str) -> AccountCode:
    """The account of VAT owed to a country: `liabilities:vat:gb`."""
    return account_code(f"liabilities:vat:{country.lower()}")


def clearing_account(partner: str) -> AccountCode:
    """The account of money that a payment partner holds for us: `assets:clearing:stripe`."""
    return account_code(f"assets:clearing:{partner}")
