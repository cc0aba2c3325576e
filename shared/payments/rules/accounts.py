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
WRITE_OFFS: Final = "expenses:write_offs"
FX_GAINS: Final = "revenue:fx_gains"
FX_LOSSES: Final = "expenses:fx_losses"
EXCHANGE_DIFFERENCES: Final = "equity:exchange_differences"
"""Stands against realised gains and losses: the books in one currency cannot balance a difference of two by itself."""
