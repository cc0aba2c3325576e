"""Which invoices a payment is for: proposed only where there is no doubt."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.invoicing.model import Invoice
from shared.invoicing.rules.settling import apply_payment
from shared.payments.allocations import Slice
from shared.payments.model import Payment, Stage
from shared.payments.partners.reading import our_reference
from shared.payments.rules.matching import by_amount, by_reference
from tests.builders import NOON
from tests.unit.invoicing.drafts import pounds
from tests.unit.payments.allocated import invoices


def cash(amount: int, customer: str = "customer1", currency: str = "GBP") -> Payment:
    """Unapplied cash."""
    return Payment(
        "p", "standard", "p", currency, Stage.SUCCEEDED, NOON, customer_id=customer, received=amount, unapplied=amount
    )


def due_in_turn(*nets: int) -> list[Invoice]:
    """Invoices whose due days are the other way round than their numbers."""
    made = list(invoices(*nets).values())
    days = [timedelta(days=len(made) - place) for place in range(len(made))]
    return [replace(one, due_on=one.due_on + later) for one, later in zip(made, days, strict=True)]


def test_named_invoices_are_settled_in_the_order_of_their_due_days() -> None:
    """What is due first is paid first; the last gets what is left."""
    first, second, third = due_in_turn(1_000, 2_000, 3_000)
    assert by_reference(cash(6_500, ""), [first, second, third]) == (
        Slice(third.id, pounds(3_600)),
        Slice(second.id, pounds(2_400)),
        Slice(first.id, pounds(500)),
    )


def test_what_is_paid_of_the_named_is_left_out() -> None:
    """Nothing is paid twice."""
    first, second = due_in_turn(1_000, 2_000)
    paid = apply_payment(second, second.open).invoice
    assert by_reference(cash(9_000), [first, paid]) == (Slice(first.id, pounds(1_200)),)


def test_named_invoices_of_two_customers_or_in_another_currency_are_for_people() -> None:
    """A doubt is no proposal."""
    first, second = due_in_turn(1_000, 2_000)
    theirs = replace(second, customer_id="customer2")
    assert by_reference(cash(9_000, ""), [first, theirs]) == ()
    assert by_reference(cash(9_000, "customer2"), [first, second]) == ()
    assert by_reference(cash(9_000, currency="EUR"), [first, second]) == ()
    assert by_reference(cash(9_000, ""), []) == ()


def test_the_only_open_invoice_over_the_amount_is_matched() -> None:
    """Several or none: the cash stays the customer's."""
    first, second = due_in_turn(1_000, 2_000)
    assert by_amount(cash(1_200), [first, second]) == (Slice(first.id, pounds(1_200)),)
    assert by_amount(cash(1_199), [first, second]) == ()
    assert (
        by_amount(
            cash(1_200),
            [
                first,
                replace(
                    second,
                    id="i9",
                    gross=first.gross,
                    net=first.net,
                    tax=first.tax,
                    lines=first.lines,
                    breakdown=first.breakdown,
                ),
            ],
        )
        == ()
    )
    assert by_amount(cash(1_200, "customer2"), [first, second]) == ()
    assert by_amount(cash(1_200, currency="EUR"), [first, second]) == ()


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=6), st.integers(1, 40_000))
def test_no_more_is_proposed_than_the_cash_or_than_is_open(nets: list[int], amount: int) -> None:
    """In any order that they are named, the proposal is the same."""
    bills = due_in_turn(*nets)
    slices = by_reference(cash(amount), bills)
    wanted = {one.invoice_id: one.amount.amount for one in slices}
    opened = {bill.id: bill.open.amount for bill in bills}
    assert sum(wanted.values()) == min(amount, sum(opened.values()))
    assert all(0 < part <= opened[key] for key, part in wanted.items())
    assert by_reference(cash(amount), list(reversed(bills))) == slices


def test_a_reference_names_several_numbers_and_nothing_else() -> None:
    """Each once, in order; too many are for people."""
    assert our_reference("for inv-2026-000002 and INV-2026-000001, INV-2026-000002 Jo") == (
        "INV-2026-000001 INV-2026-000002"
    )
    assert our_reference(" ".join(f"I{place}" for place in range(30))) == ""
    many = "".join(f"INV-2026-{place:06d}," for place in range(12))
    assert len(our_reference(many).split()) == 12


def test_a_long_text_names_what_it_says_to_its_end() -> None:
    """A regression: it was cut at 255 characters, so the last number became another invoice's, or was not seen."""
    assert our_reference("x" * 240 + "INV-2026-0000012345") == "INV-2026-0000012345"
    assert len(our_reference("".join(f"INV-2026-{place:06d}," for place in range(20))).split()) == 20
    assert our_reference("".join(f"INV-2026-{place:06d}," for place in range(21))) == ""
