"""A draft becomes an invoice."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid, TooLarge
from shared.invoicing.model import TRANSITIONS, DraftLine, Happening, InvoiceState
from shared.invoicing.refusals import NothingToPay, WrongState
from shared.invoicing.rules.issuing import (
    NumberSeries,
    draft_net,
    draft_nets,
    issue,
    issue_lines,
    next_number,
    tax_question,
)
from shared.invoicing.rules.states import discard, require
from shared.ledger.model import Line, credit, currencies_out_of_balance, debit
from shared.tax.model import Buyer, BuyerKind, Category
from shared.tax.rates import published_rates
from shared.tax.rules import calculate
from tests.unit.invoicing.drafts import ISSUED_ON, SELLER, a_draft, a_line, an_invoice, pounds


def test_issuing_fixes_the_figures_and_the_dates() -> None:
    """Net, tax and gross come from the day of issue, the due date from the draft's days."""
    invoice = an_invoice(a_line(10_000), a_line(333, quantity="1.5", category=Category.REDUCED))
    assert (invoice.net, invoice.tax, invoice.gross) == (pounds(10_500), pounds(2_025), pounds(12_525))
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 11, 16), date(2026, 12, 16))
    assert (invoice.state, invoice.paid, invoice.open) == (InvoiceState.ISSUED, 0, invoice.gross)
    assert [line.net.amount for line in invoice.lines] == [10_000, 500]
    assert invoice.version == 2


def test_a_drafts_net_is_that_of_its_invoice() -> None:
    """The same rounding, before and after issue."""
    lines = (a_line(333, quantity="0.5"), a_line(1, quantity="0.5"))
    assert draft_nets(a_draft(*lines)) == (pounds(167), pounds(1))
    assert draft_net(a_draft(*lines)) == an_invoice(*lines).net


def test_issuing_posts_gross_to_the_receivable_net_to_sales_and_tax_to_its_country() -> None:
    """Tax of all rates of one country is one line."""
    assert issue_lines(an_invoice(a_line(10_000), a_line(10_000, category=Category.REDUCED))) == (
        debit("assets:receivable", pounds(22_500)),
        credit("revenue:sales", pounds(20_000)),
        credit("liabilities:vat:gb", pounds(2_500)),
    )


def test_a_reverse_charge_owes_no_tax() -> None:
    """Gross is net, and no VAT account is touched."""
    invoice = an_invoice(buyer=Buyer("DE", BuyerKind.BUSINESS, "DE136695976"))
    assert issue_lines(invoice) == (
        debit("assets:receivable", pounds(10_000)),
        credit("revenue:sales", pounds(10_000)),
    )


@given(
    st.lists(
        st.builds(
            DraftLine,
            st.just("x"),
            st.decimals("0.001", 1_000, places=3),
            st.integers(0, 1_000_000),
            st.sampled_from([Category.STANDARD, Category.REDUCED, Category.ZERO]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_issuing_posts_balances(lines: list[DraftLine]) -> None:
    """Debits are credits whatever is invoiced; an invoice over nothing is refused instead."""
    try:
        posted: tuple[Line, ...] = issue_lines(an_invoice(*lines))
    except NothingToPay:
        assert not draft_net(a_draft(*lines)).amount
    else:
        assert currencies_out_of_balance(posted) == []


def test_an_invoice_over_nothing_is_refused() -> None:
    """It would ask for no money."""
    with pytest.raises(NothingToPay):
        an_invoice(a_line(0))


def test_a_discarded_draft_cannot_be_issued_or_discarded_again() -> None:
    """Void is the end."""
    void = discard(a_draft())
    assert void.state is InvoiceState.VOID
    tax = calculate(tax_question(void, SELLER, Buyer("GB", BuyerKind.CONSUMER), ISSUED_ON), published_rates())
    with pytest.raises(WrongState):
        issue(void, "INV-2026-000001", ISSUED_ON, tax)
    with pytest.raises(WrongState):
        discard(void)


def test_the_table_knows_every_state_and_leads_only_to_states_it_knows() -> None:
    """No state is a trap by forgetting, and only a void invoice takes nothing more."""
    assert set(TRANSITIONS) == set(InvoiceState)
    assert [state for state, happenings in TRANSITIONS.items() if not happenings] == [InvoiceState.VOID]
    reached = {to for happenings in TRANSITIONS.values() for states in happenings.values() for to in states}
    assert reached == set(InvoiceState) - {InvoiceState.DRAFT}


@pytest.mark.parametrize("state", [InvoiceState.ISSUED, InvoiceState.PARTLY_PAID, InvoiceState.PAID])
def test_an_issued_invoice_is_neither_issued_again_nor_discarded(state: InvoiceState) -> None:
    """Its number is in the series for ever; the refusal names state and action."""
    for happening in (Happening.ISSUE, Happening.DISCARD):
        with pytest.raises(WrongState) as refusal:
            require(state, happening)
        assert refusal.value.detail == {"state": state.value, "action": happening.value}


# --- numbers -----------------------------------------------------------------------------


def test_numbers_carry_the_year_and_run_on_over_it() -> None:
    """One series a tenant: the year is told, the count goes on."""
    last = next_number(NumberSeries(122, date(2026, 12, 30)), date(2026, 12, 31))
    assert last.number == "INV-2026-000123"
    assert next_number(last.series, date(2027, 1, 1)).number == "INV-2027-000124"


def test_the_first_number_is_one() -> None:
    """A new tenant's series starts at one, on today."""
    assert next_number(NumberSeries(), ISSUED_ON).number == "INV-2026-000001"


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), max_size=40))
def test_numbers_have_no_gap_and_dates_never_decrease(days: list[date]) -> None:
    """Even when the clock of one instance is behind the last one's."""
    series, given_out = NumberSeries(), []
    for today in days:
        following = next_number(series, today)
        given_out.append(following)
        series = following.series
    assert [int(one.number[-6:]) for one in given_out] == list(range(1, len(days) + 1))
    assert [one.issued_on for one in given_out] == sorted(one.issued_on for one in given_out)
    assert all(one.issued_on >= today for one, today in zip(given_out, days, strict=True))


# --- what cannot be built ----------------------------------------------------------------


@pytest.mark.parametrize("quantity", [1.0, 1, "1", Decimal(-1), Decimal(0), Decimal("1E-7")])
def test_an_invoice_line_has_an_exact_positive_quantity(quantity: object) -> None:
    """Taking back is a credit note's affair."""
    with pytest.raises(Invalid):
        DraftLine("x", cast("Any", quantity), 100, Category.STANDARD)


def test_a_draft_has_lines_and_a_time_to_pay() -> None:
    """Without lines, with too many, or due in the past or too far away it cannot be built."""
    with pytest.raises(Invalid):
        replace(a_draft(), lines=())
    with pytest.raises(TooLarge):
        a_draft(*[a_line()] * 101)
    for days in (-1, 366):
        with pytest.raises(Invalid):
            a_draft(due_days=days)


@pytest.mark.parametrize(
    ("field", "value", "law"),
    [
        ("net", pounds(1), "net and tax are the gross"),
        ("lines", (), "its lines are the net"),
        ("breakdown", (), "its bases are the net"),
        ("paid", 20_000, "no more is paid than asked"),
        ("paid", -1, "no more is paid than asked"),
        ("credited", 5, "nothing is credited before all is paid"),
        ("refunded", -1, "counters are not negative"),
        ("state", InvoiceState.PAID, "its state is that of what is paid"),
        ("due_on", date(2026, 11, 15), "it is not due before it is issued"),
    ],
)
def test_an_invoice_whose_figures_disagree_cannot_exist(field: str, value: object, law: str) -> None:
    """Such figures are a bug, so they raise as one and name the law."""
    change: dict[str, Any] = {field: value}
    with pytest.raises(ValueError, match=law):
        replace(an_invoice(), **change)
