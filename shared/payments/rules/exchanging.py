"""An allocation in another currency than its payment: what it takes, and the difference that its receivable realises.

The rate is that of the day on which the money came, so that the same order made later says the same. All slices
together are converted once, rounded half to even, and what they take is split so that the parts add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.invoicing.model import Invoice
from shared.money import Money, allocate
from shared.payments.allocations import KeptRate
from shared.payments.exchange_rates import ExchangeRates
from shared.payments.model import Payment
from shared.payments.refusals import AllocationTooSmall


@dataclass(frozen=True, slots=True)
class Exchange:
    """Prices slices at published rates; `books` is the currency that the tenant counts in."""

    rates: ExchangeRates
    books: str

    def kept_rate(self, payment: Payment, currency: str) -> KeptRate:
        """One unit of the invoices' currency in the payment's, on the day that the money came.

        Raises:
            NoExchangeRate: nobody published it.
        """
        return self.rates.rate(currency, payment.currency, _day(payment))

    def price(self, payment: Payment, wanted: Sequence[tuple[Invoice, Money]]) -> Sequence[tuple[int, int]]:
        """What each slice takes of the payment, and the realised difference of its receivable.

        Raises:
            NoExchangeRate: nobody published a rate that is needed.
            AllocationTooSmall: a slice comes to less than one minor unit of the payment's currency.
        """
        currency = wanted[0][0].currency
        amounts = [money.amount for _, money in wanted]
        taken = allocate(self.kept_rate(payment, currency).rate.converted(sum(amounts)), amounts)
        if min(taken) <= 0:
            message = "the amount is less than one minor unit of the payment's currency"
            raise AllocationTooSmall(message, field="lines")
        return [(part, self._gain(payment, *one, part)) for one, part in zip(wanted, taken, strict=True)]

    def _gain(self, payment: Payment, invoice: Invoice, money: Money, taken: int) -> int:
        """What the receivable came to when the money came, less what it was booked at: in the books' currency."""
        if invoice.currency == self.books:
            return 0
        came_to = taken if payment.currency == self.books else self._worth(money, _day(payment))
        return came_to - self._worth(money, invoice.issued_on)

    def _worth(self, money: Money, on: date) -> int:
        return self.rates.rate(money.currency, self.books, on).rate.converted(money.amount)


def _day(payment: Payment) -> date:
    return payment.occurred_at.date()
