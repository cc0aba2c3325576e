from dataclasses import replace
from decimal import Decimal

import pytest

from emulators.month.clearing import positions, statement_of
from emulators.month.expectations import balances
from emulators.month.inputs import MonthInputs, Payout, Settlement, Told
from emulators.month.mistakes_clearing import payouts
from emulators.month.scale import shrunk

SCALES = ("0.03", "0.05", "0.2", "1")


@pytest.mark.parametrize("scale", SCALES)
def test_what_a_partner_holds_is_its_reserve_and_what_is_not_settled(example: MonthInputs, scale: str) -> None:
    """Told from what happened, and from the statements, it is the same."""
    month = shrunk(example, Decimal(scale))
    found = positions(month)
    assert {name: each.held for name, each in found.items()} == {
        name: each.reserve + each.unsettled for name, each in found.items()
    }
    assert len({partner for partner, _ in found}) == 5


@pytest.mark.parametrize("scale", SCALES)
def test_a_small_months_payouts_still_settle_what_they_say(example: MonthInputs, scale: str) -> None:
    """A batch that came to nothing went into the next."""
    assert list(payouts(shrunk(example, Decimal(scale)))) == []


@pytest.mark.parametrize("scale", SCALES)
def test_the_expected_books_balance_with_partners_in_them(example: MonthInputs, scale: str) -> None:
    """Debits equal credits in every currency."""
    sums: dict[str, int] = {}
    for (_, currency), amount in balances(shrunk(example, Decimal(scale))).items():
        sums[currency] = sums.get(currency, 0) + amount
    assert set(sums.values()) == {0}


def of(example: MonthInputs, partner: str) -> Payout:
    """A partner's payout."""
    return next(each for each in example.payouts if each.row.partner == partner)


def test_an_accountant_posts_only_what_no_event_tells(example: MonthInputs) -> None:
    """All of Adyen's payout, the fees of Stripe's payments, and of those who tell everything nothing."""
    adyen, stripe = statement_of(of(example, "adyen")), statement_of(of(example, "stripe"))
    assert adyen
    assert adyen.paid_out == int(of(example, "adyen").row.amount * 100)
    assert stripe
    assert (stripe.paid_out, stripe.fees) == (0, int(sum(line.fee for line in of(example, "stripe").lines) * 100))
    assert statement_of(of(example, "square")) is None
    assert statement_of(of(example, "standard")) is None


def test_a_lost_dispute_stays_taken_and_a_won_one_comes_back(example: MonthInputs) -> None:
    """Lost after it was opened takes nothing more."""
    disputed = [each for each in example.settlements if each.kind is Told.DISPUTE]
    ends = {each.payment: each.kind for each in example.settlements if each.kind is not Told.DISPUTE and ends_it(each)}
    lost = sum(int(each.amount * 100) for each in disputed if ends[each.payment] is Told.DISPUTE_LOST)
    assert lost
    assert sum(each.disputes for each in positions(example).values()) == lost
    opened = replace(example, settlements=tuple(each for each in example.settlements if not ends_it(each)))
    assert sum(each.disputes for each in positions(opened).values()) == sum(int(each.amount * 100) for each in disputed)


def ends_it(each: Settlement) -> bool:
    """Whether it ends a dispute."""
    return each.kind in {Told.DISPUTE_WON, Told.DISPUTE_LOST}
