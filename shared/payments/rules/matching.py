"""Which invoices a payment that found none by itself is for: by the numbers it names, or by customer and amount.

Only what leaves no doubt is proposed; the rest is for people.
"""

from collections.abc import Iterable, Sequence

from shared.invoicing.model import Invoice
from shared.limits import ALLOCATION_INVOICES
from shared.money import Money
from shared.payments.allocations import Slice
from shared.payments.model import Payment


def by_reference(payment: Payment, invoices: Sequence[Invoice]) -> tuple[Slice, ...]:
    """The invoices that the payment named, in the order of their due days, as far as its cash goes.

    Nothing unless all are of one customer, the payment's if it has one, and in the payment's currency.
    """
    customers = {invoice.customer_id for invoice in invoices} | ({payment.customer} if payment.customer else set())
    if len(customers) != 1 or any(invoice.currency != payment.currency for invoice in invoices):
        return ()
    slices, left = list[Slice](), payment.unapplied
    for invoice in sorted(invoices, key=lambda invoice: (invoice.due_on, invoice.number)):
        amount = min(left, invoice.open.amount)
        if amount:
            slices.append(Slice(invoice.id, Money(amount, payment.currency)))
            left -= amount
    return tuple(slices[:ALLOCATION_INVOICES])


def by_amount(payment: Payment, invoices: Iterable[Invoice]) -> tuple[Slice, ...]:
    """The one open invoice of the payment's customer over exactly what is unapplied; nothing if there are more."""
    cash = Money(payment.unapplied, payment.currency)
    exact = [invoice for invoice in invoices if invoice.customer_id == payment.customer and invoice.open == cash]
    return (Slice(exact[0].id, cash),) if len(exact) == 1 and cash.amount else ()
