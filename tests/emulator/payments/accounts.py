"""What a payment leaves behind: itself, its invoice, its entries, and the accounts that it moves."""

from datetime import timedelta
from typing import Final

from shared.invoicing.model import Invoice
from shared.limits import WAIT_FOR_OBJECT_DAYS
from shared.payments.model import Payment
from shared.payments.records import payment_id
from shared.payments.rules.accounts import UNAPPLIED_CASH
from shared.ports import Query, Where
from tests.builders import ACME, NOON
from tests.emulator.instances import Instance

CLEARING: Final = "assets:clearing:stripe"
RECEIVABLE: Final = "assets:receivable"
CREDIT: Final = "liabilities:customer_credit"
WAITED: Final = NOON + timedelta(days=WAIT_FOR_OBJECT_DAYS)


def payment(house: Instance, reference: str = "pi_1") -> Payment:
    """A payment as it stands."""
    return house.payments.payment(ACME, payment_id("stripe", reference))


def invoice_now(house: Instance, invoice: Invoice) -> Invoice:
    """An invoice as it stands."""
    now = house.invoicing.invoice(ACME, invoice.id)
    assert isinstance(now, Invoice)
    return now


def balances(house: Instance) -> dict[str, int]:
    """What stands on the accounts that payments move."""
    return {account: house.balance(account) for account in (CLEARING, RECEIVABLE, CREDIT, UNAPPLIED_CASH)}


def entries(house: Instance, outcome: str = "posted") -> int:
    """Entries that payments caused."""
    where = (Where("outcome", "==", outcome), Where("accounts", "array_contains", CLEARING))
    return len(house.store.query(Query("entries", ACME, where)).documents)
