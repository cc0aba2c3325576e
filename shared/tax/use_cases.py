"""Asking for tax: nothing is read from the store and nothing is written."""

from shared.tax.model import TaxCalculation, TaxQuestion
from shared.tax.rates import RateTable, published_rates
from shared.tax.rules import calculate


class Taxes:
    """Answers tax questions from one table of rates."""

    def __init__(self, table: RateTable | None = None) -> None:
        """Use `table`, or the published rates."""
        self._table = table

    def calculate(self, question: TaxQuestion) -> TaxCalculation:
        """The tax of a supply.

        Raises:
            NotSupported: no dated source covers a country, the day or a category.
            TaxNotDetermined: a registration or the buyer's VAT id is missing or wrong.
            Invalid: an amount passes its limit.
        """
        return calculate(question, self._table or published_rates())
