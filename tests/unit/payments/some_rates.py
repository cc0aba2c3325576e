"""Exchange rates made up for tests, in the form of the house's file."""

from typing import Final

from shared.payments.exchange_rates import ExchangeRates, read_rates

TEXT: Final = """
{
  "schema": 1,
  "source": "TEST",
  "base": "EUR",
  "days": {
    "2026-11-06": {"GBP": "0.80", "USD": "1.10", "JPY": "160"},
    "2026-11-13": {"GBP": "0.85", "USD": "1.20", "JPY": "170"},
    "2026-11-18": {"GBP": "0.90", "USD": "1.25"}
  }
}
"""
SOME_RATES: Final[ExchangeRates] = read_rates(TEXT)
