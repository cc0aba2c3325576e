"""The accounts that payments post to, besides invoicing's."""

from typing import Final

UNAPPLIED_CASH: Final = "liabilities:unapplied_cash"
REFUNDS_PAYABLE: Final = "liabilities:refunds_payable"
BANK: Final = "assets:bank"
DISPUTED: Final = "assets:disputed"
CHARGEBACKS: Final = "expenses:chargebacks"
FEES: Final = "expenses:payment_fees"
RESERVED: Final = "assets:reserved"
"""What a partner holds back of what it owes us, for disputes that may come."""
