"""Exchange rates from a dated file, and what an allocation in another currency takes, settles and realises."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid, Refused
from shared.invoicing.model import Invoice, InvoiceState
from shared.invoicing.rules.accounts import RECEIVABLE
from shared.ledger.entry_data import EntryData
from shared.ledger.model import JournalEntry, credit, debit
from shared.money import Money
from shared.payments.exchange_rates import REACH_DAYS, ExchangeRates, published_rates, read_rates
from shared.payments.refusals import AllocationTooSmall, NoExchangeRate
from shared.payments.rules.accounts import EXCHANGE_DIFFERENCES, FX_GAINS, FX_LOSSES, UNAPPLIED_CASH, WRITE_OFFS
from shared.payments.rules.allocating import Allocated, Terms
from shared.payments.rules.exchanging import Exchange
from tests.builders import TODAY, entry_id
from tests.unit.invoicing.drafts import pounds
from tests.unit.payments.allocated import Office, invoices
from tests.unit.payments.some_rates import SOME_RATES

FRIDAY = date(2026, 11, 13)
CONVERSION = "equity:conversion"


# --- rates -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "quote", "rate"),
    [("EUR", "GBP", "0.85"), ("USD", "EUR", "0.8333333333"), ("GBP", "USD", "1.4117647059"), ("JPY", "GBP", "0.005")],
)
def test_a_rate_is_the_published_one_or_the_quotient_of_two(base: str, quote: str, rate: str) -> None:
    """Ten digits behind the point; the day that published it and its source are kept."""
    kept = SOME_RATES.rate(base, quote, FRIDAY)
    assert (kept.rate.rate, kept.rate.source, kept.published_on) == (Decimal(rate), "TEST", FRIDAY)


def test_a_day_without_a_publication_has_the_last_one_shortly_before() -> None:
    """A weekend has Friday's; nothing is taken from the future, nor from long ago."""
    for number in (14, 15, 16, 17):
        assert SOME_RATES.rate("EUR", "GBP", date(2026, 11, number)).published_on == FRIDAY
    for day in (date(2026, 11, 12), date(2026, 11, 5), date(2026, 11, 18 + REACH_DAYS + 1)):
        with pytest.raises(NoExchangeRate) as refusal:
            SOME_RATES.rate("EUR", "GBP", day)
        assert refusal.value.detail == {"base": "EUR", "quote": "GBP", "on": day.isoformat()}


def test_a_currency_that_was_not_published_that_day_has_no_rate() -> None:
    """Not even if an earlier day had it: the last publication says so."""
    with pytest.raises(NoExchangeRate):
        SOME_RATES.rate("JPY", "EUR", date(2026, 11, 18))
    with pytest.raises(NoExchangeRate):
        SOME_RATES.rate("EUR", "KWD", FRIDAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema": 2, "source": "X", "base": "EUR", "days": {}}',
        '{"schema": 1, "source": "X", "base": "XXX", "days": {}}',
        '{"schema": 1, "source": "X", "base": "EUR", "days": {"2026-11-31": {}}}',
        '{"schema": 1, "source": "X", "base": "EUR", "days": {"2026-11-13": {"GBP": 0.85}}}',
        '{"schema": 1, "source": "X", "base": "EUR", "days": {"2026-11-13": {"GBP": "0"}}}',
        '{"schema": 1, "source": "X", "base": "EUR", "days": {"2026-11-13": {"GBP": "-1"}}}',
        '{"schema": 1, "source": "X", "base": "EUR", "days": {"2026-11-13": {"GBP": "NaN"}}}',
        '{"schema": 1, "source": "X", "base": "EUR", "days": {"2026-11-13": {"GBP": "many"}}}',
    ],
)
def test_what_is_no_file_of_rates_is_refused(text: str) -> None:
    """As a whole: no figure of it is used."""
    with pytest.raises(Refused) as refusal:
        read_rates(text)
    assert isinstance(refusal.value, Invalid) or refusal.value.code == "not_supported"


def test_the_houses_file_says_what_the_ecb_published() -> None:
    """28 June 2024: 1.0705 dollars, 0.84638 pounds for one euro."""
    rates = published_rates()
    day = date(2024, 6, 28)
    assert (rates.rate("EUR", "USD", day).rate.text, rates.rate("EUR", "GBP", day).rate.text) == ("1.0705", "0.84638")
    with pytest.raises(NoExchangeRate):
        rates.rate("EUR", "USD", date(2024, 7, 28))


# --- exchanging --------------------------------------------------------------------------


def an_office(books: str, paid: str, amount: int, rates: ExchangeRates = SOME_RATES, limit: int = 0) -> Office:
    """Invoices in pounds, issued on the 6th, and money that came on the 16th, at Friday's rate."""
    bills: dict[str, Invoice] = {
        key: replace(bill, issued_on=date(2026, 11, 6)) for key, bill in invoices(10_000, 5_000).items()
    }
    terms = Terms("", limit, Exchange(rates, books).price, books)
    office = Office(bills, terms=terms)
    office.receive("p0", amount, currency=paid)
    return office


def judged(office: Office, made: Allocated) -> None:
    """The ledger takes the entry with its rate."""
    kept = Exchange(SOME_RATES, "").kept_rate(office.payments["p0"], "GBP")
    JournalEntry(entry_id("x"), made.lines, TODAY, "x", "x", data=EntryData(rates=(kept.rate,)))


def test_foreign_money_settles_an_invoice_in_the_books_own_currency_without_a_difference() -> None:
    """A receivable in pounds is worth what it says; what is exchanged passes through the conversion account."""
    office = an_office("GBP", "USD", 20_000)
    made = office.allocate("p0", {"i0": 12_000})
    dollars = Money(16_941, "USD")  # 120.00 at 1.4117647059
    assert made.lines == (
        debit(UNAPPLIED_CASH, dollars),
        credit(CONVERSION, dollars),
        debit(CONVERSION, pounds(12_000)),
        credit(RECEIVABLE, pounds(12_000)),
    )
    judged(office, made)
    assert (office.invoices["i0"].state, office.payments["p0"].unapplied) == (InvoiceState.PAID, 3_059)
    office.holds_together("USD")


def test_a_receivable_in_foreign_currency_realises_what_it_gained_since_it_was_issued() -> None:
    """120.00 pounds were 150.00 euros at 0.80; 141.18 came for them at 0.85."""
    office = an_office("EUR", "EUR", 20_000)
    made = office.allocate("p0", {"i0": 12_000})
    assert made.taken == Money(14_118, "EUR")
    assert (made.shares[0].gain, office.stands(FX_LOSSES, "EUR")) == (14_118 - 15_000, 882)
    assert office.stands(EXCHANGE_DIFFERENCES, "EUR") == -882
    judged(office, made)
    office.holds_together("EUR")


def test_a_third_currency_realises_against_the_books_currency() -> None:
    """Paid in dollars, counted in euros: the receivable in pounds lost as much as if euros had come."""
    office = an_office("EUR", "USD", 30_000)
    made = office.allocate("p0", {"i0": 12_000})
    assert (made.shares[0].gain, made.shares[0].books) == (-882, "EUR")
    judged(office, made)
    later = an_office("USD", "EUR", 20_000)
    gained = later.allocate("p0", {"i0": 12_000})  # 165.00 dollars at issue, 169.41 when the euros came
    assert (gained.shares[0].gain, later.stands(FX_GAINS, "USD")) == (441, -441)
    judged(later, gained)


def test_several_invoices_are_converted_once_and_split_so_that_the_parts_add_up() -> None:
    """Rounding each by itself would lose a cent, and the ledger would say so."""
    office = an_office("GBP", "USD", 50_000)
    made = office.allocate("p0", {"i0": 3_333, "i1": 3_333})
    assert made.taken.amount == sum(share.taken for share in made.shares) == round(6_666 * Decimal("1.4117647059"))
    judged(office, made)


def test_undoing_an_exchange_leaves_no_trace_on_any_account() -> None:
    """At the rate that was used, with the difference and the write-off."""
    office = an_office("EUR", "USD", 30_000, limit=100)
    before = {key: amount for key, amount in office.posted.items() if amount}
    office.allocate("p0", {"i0": 11_950, "i1": 6_000}, write_off=True)
    assert office.stands(WRITE_OFFS) == 50
    office.undo("p0", "a0")
    assert {key: amount for key, amount in office.posted.items() if amount} == before
    office.holds_together("USD")


def test_no_rate_no_allocation() -> None:
    """Neither for the day that the money came, nor for the day of issue where it is needed."""
    office = an_office("EUR", "EUR", 20_000)
    office.invoices["i0"] = replace(office.invoices["i0"], issued_on=date(2026, 10, 1))
    with pytest.raises(NoExchangeRate):
        office.allocate("p0", {"i0": 12_000})
    old = datetime(2026, 10, 1, 12, tzinfo=UTC)
    office.payments["p0"] = replace(office.payments["p0"], occurred_at=old)
    with pytest.raises(NoExchangeRate):
        office.allocate("p0", {"i1": 6_000})
    assert office.payments["p0"].unapplied == 20_000


def test_less_than_a_minor_unit_of_the_payment_is_refused() -> None:
    """One penny is less than one yen would be worth."""
    rates = read_rates('{"schema": 1, "source": "T", "base": "GBP", "days": {"2026-11-16": {"JPY": "20"}}}')
    office = an_office("GBP", "JPY", 2_000, rates)
    with pytest.raises(AllocationTooSmall):
        office.allocate("p0", {"i0": 1})


@given(
    st.sampled_from([("EUR", "EUR"), ("EUR", "USD"), ("GBP", "JPY"), ("USD", "EUR"), ("GBP", "USD")]),
    st.tuples(st.integers(1, 12_000), st.integers(1, 6_000)),
    st.lists(st.integers(1, 9_000), max_size=8),
)
def test_an_exchange_goes_back_in_any_parts_as_it_came(
    currencies: tuple[str, str], amounts: tuple[int, int], refunds: list[int]
) -> None:
    """Refunded in parts and reversed at the end, every account is where it was, to the minor unit."""
    books, paid = currencies
    office = an_office(books, paid, 60_000)
    try:
        office.allocate("p0", {"i0": amounts[0], "i1": amounts[1]})
    except AllocationTooSmall:
        return
    office.holds_together(paid)
    for amount in refunds:
        if amount <= office.payments["p0"].matched + office.payments["p0"].unapplied:
            office.refund("p0", amount)
            office.holds_together(paid)
    office.reverse("p0")
    assert not any(office.posted.values())
    assert [bill.state for bill in office.invoices.values()] == [InvoiceState.ISSUED] * 2
