"""A payment in another currency than its invoice, on the real emulator: exchanged at a published rate, or refused."""

from datetime import timedelta
from typing import Final

import pytest

from shared.invoicing.model import InvoiceState
from shared.money import Money
from shared.payments.allocations import Allocation, Slice
from shared.payments.model import Payment
from shared.payments.records import payment_id
from shared.payments.refusals import NoExchangeRate
from shared.payments.rules.accounts import UNAPPLIED_CASH
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Instance
from tests.emulator.payments.accounts import RECEIVABLE, invoice_now
from tests.emulator.payments.conftest import apply, told_by
from tests.emulator.payments.test_allocations import some_invoices, undo
from tests.emulator.payments.test_lifecycles import say
from tests.unit.invoicing.drafts import pounds

CONVERSION: Final = "equity:conversion"


def dollars(house: Instance, amount: int, days_ago: int = 0) -> Payment:
    """Dollars came some days ago, for no invoice."""
    came = (NOON - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")
    event = say("payment.succeeded", payment="p-usd", amount=amount, currency="USD") | {"timestamp": came}
    (task,) = told_by(house, "standard", event).messages
    house.again(lambda: apply(house, task))  # type: ignore[arg-type]
    return house.payments.payment(ACME, payment_id("standard", "p-usd"))


def order(house: Instance, payment: Payment, slices: list[Slice]) -> Allocation:
    """Somebody allocates it."""
    made: Allocation = house.again(
        lambda: house.allocations.allocate(a_call("a", once=True), payment.id, slices)
    ).answer
    return made


def stands(house: Instance) -> dict[tuple[str, str], int]:
    """What stands on each account in each currency, but for zeros."""
    rows = house.reports.trial_balance(ACME, "2026-11").rows
    return {(row.account, row.currency): row.amount for row in rows if row.amount}


def test_dollars_settle_invoices_in_pounds_at_the_published_rate(house: Instance) -> None:
    """The entry keeps the rate and its source, the ledger judges it, and undoing leaves no trace."""
    first, second, _ = some_invoices(house)
    paid = dollars(house, 40_000)
    before = stands(house)
    made = order(house, paid, [Slice(first.id, pounds(12_000)), Slice(second.id, pounds(6_000))])
    assert made.taken == Money(25_412, "USD")  # 180.00 at 1.4117647059
    (rate,) = house.books.entry(ACME, made.entry_id).entry.data.rates  # type: ignore[arg-type]
    assert (rate.base, rate.quote, rate.text, rate.source) == ("GBP", "USD", "1.4117647059", "TEST")
    assert made.kept_rate is not None
    assert made.kept_rate.published_on.isoformat() == "2026-11-13"
    assert (invoice_now(house, first).state, invoice_now(house, second).paid) == (InvoiceState.PAID, 6_000)
    after = stands(house)
    assert (after[UNAPPLIED_CASH, "USD"], after[RECEIVABLE, "GBP"]) == (14_588, 18_000)
    assert {abs(after[CONVERSION, currency]) for currency in ("USD", "GBP")} == {25_412, 18_000}
    undo(house, "u", made)
    assert (stands(house), house.proven()) == (before, True)


def test_money_that_goes_back_goes_through_conversion_again(house: Instance) -> None:
    """A reversal in dollars opens the invoices in pounds."""
    first, *_ = some_invoices(house)
    paid = dollars(house, 17_000)
    before = stands(house)
    order(house, paid, [Slice(first.id, pounds(12_000))])
    (task,) = told_by(
        house, "standard", say("payment.reversed", payment="p-usd", amount=17_000, currency="USD")
    ).messages
    house.again(lambda: apply(house, task))  # type: ignore[arg-type]
    gone = {("assets:clearing:standard", "USD"), (UNAPPLIED_CASH, "USD")}
    assert stands(house) == {place: amount for place, amount in before.items() if place not in gone}
    assert (invoice_now(house, first).state, house.proven()) == (InvoiceState.ISSUED, True)


def test_without_a_published_rate_nothing_is_allocated(house: Instance) -> None:
    """A rate from before, or from after, is not taken."""
    first, *_ = some_invoices(house)
    paid = dollars(house, 17_000, days_ago=4)
    with pytest.raises(NoExchangeRate) as refusal:
        order(house, paid, [Slice(first.id, pounds(12_000))])
    assert refusal.value.detail == {"base": "GBP", "quote": "USD", "on": "2026-11-12"}
    assert invoice_now(house, first).paid == 0
