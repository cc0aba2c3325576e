"""Whose tax a supply bears."""

from datetime import date
from decimal import Decimal

import pytest

from shared.faults import Invalid, NotSupported
from shared.tax.model import Buyer, BuyerKind, LegalNote, Seller, Supply, TaxTreatment, VatCode
from shared.tax.rates import RateTable
from shared.tax.refusals import TaxNotDetermined
from shared.tax.rules import calculate, determine
from tests.unit.tax.questions import BRITISH, IDS, a_business, a_consumer, a_question

DOMESTIC, REVERSE_CHARGE, DESTINATION = TaxTreatment.DOMESTIC, TaxTreatment.REVERSE_CHARGE, TaxTreatment.DESTINATION
GERMAN = Seller("DE", {"DE": IDS["DE"], "FR": IDS["FR"]})
SERVICE, DIGITAL = Supply.SERVICE, Supply.DIGITAL_SERVICE
NOT_SUPPORTED, NOT_DETERMINED = "not_supported", "tax_not_determined"


@pytest.mark.parametrize(
    ("seller", "buyer", "supply", "expected"),
    [
        pytest.param(BRITISH, a_consumer("GB"), SERVICE, (DOMESTIC, "GB"), id="consumer at home"),
        pytest.param(BRITISH, a_consumer("GB"), DIGITAL, (DOMESTIC, "GB"), id="consumer at home, digital"),
        pytest.param(BRITISH, a_business("GB"), SERVICE, (DOMESTIC, "GB"), id="business at home"),
        pytest.param(BRITISH, Buyer("GB", BuyerKind.BUSINESS), SERVICE, (DOMESTIC, "GB"), id="business at home, no id"),
        pytest.param(BRITISH, a_business("DE"), SERVICE, (REVERSE_CHARGE, "DE"), id="business from GB to DE"),
        pytest.param(BRITISH, a_business("FR"), DIGITAL, (REVERSE_CHARGE, "FR"), id="business from GB to FR, digital"),
        pytest.param(GERMAN, a_business("NL"), SERVICE, (REVERSE_CHARGE, "NL"), id="business inside the Union"),
        pytest.param(GERMAN, a_business("GB"), SERVICE, (REVERSE_CHARGE, "GB"), id="business from DE to GB"),
        pytest.param(
            GERMAN, a_business("FR"), SERVICE, (REVERSE_CHARGE, "FR"), id="registered at the business's place"
        ),
        pytest.param(BRITISH, a_business("GR"), SERVICE, (REVERSE_CHARGE, "GR"), id="Greek ids start with EL"),
        pytest.param(BRITISH, a_consumer("IE"), SERVICE, (DOMESTIC, "GB"), id="consumer elsewhere, general service"),
        pytest.param(GERMAN, a_consumer("FR"), DIGITAL, (DESTINATION, "FR"), id="consumer elsewhere, digital"),
    ],
)
def test_place_and_kind_of_buyer_decide_whose_tax_it_is(
    seller: Seller, buyer: Buyer, supply: Supply, expected: tuple[TaxTreatment, str], table: RateTable
) -> None:
    """Each case of the table falls under its treatment and its country."""
    answer = determine(a_question(seller=seller, buyer=buyer, supply=supply), table)
    assert (answer.treatment, answer.country) == expected


@pytest.mark.parametrize(
    ("seller", "buyer", "supply", "expected"),
    [
        pytest.param(BRITISH, a_consumer("GB"), Supply.GOODS, (NOT_SUPPORTED, "supply"), id="goods"),
        pytest.param(BRITISH, a_consumer("US"), SERVICE, (NOT_SUPPORTED, "buyer.country"), id="buyer without rates"),
        pytest.param(
            Seller("US", {"US": "1"}),
            a_consumer("GB"),
            SERVICE,
            (NOT_SUPPORTED, "seller.country"),
            id="no seller rates",
        ),
        pytest.param(BRITISH, a_business("IM", "GB1"), SERVICE, (NOT_SUPPORTED, "buyer.country"), id="Isle of Man"),
        pytest.param(
            GERMAN, a_business("GB", "XI980780684"), SERVICE, (NOT_SUPPORTED, "buyer.vat_id"), id="Northern Ireland"
        ),
        pytest.param(
            BRITISH,
            Buyer("DE", BuyerKind.BUSINESS),
            SERVICE,
            (NOT_DETERMINED, "buyer.vat_id"),
            id="business elsewhere without an id",
        ),
        pytest.param(
            BRITISH,
            a_business("DE", "DE136695977"),
            SERVICE,
            (NOT_DETERMINED, "buyer.vat_id"),
            id="wrong check digit",
        ),
        pytest.param(
            BRITISH,
            a_business("DE", IDS["FR"]),
            SERVICE,
            (NOT_DETERMINED, "buyer.vat_id"),
            id="another country's id",
        ),
        pytest.param(
            BRITISH,
            a_consumer("DE"),
            DIGITAL,
            (NOT_DETERMINED, "seller.registrations"),
            id="digital, not registered there",
        ),
        pytest.param(
            Seller("GB"),
            a_consumer("GB"),
            SERVICE,
            (NOT_DETERMINED, "seller.registrations"),
            id="unregistered seller",
        ),
        pytest.param(
            Seller("GB"),
            a_business("DE"),
            SERVICE,
            (NOT_DETERMINED, "seller.registrations"),
            id="reverse charge needs the seller's id too",
        ),
    ],
)
def test_what_the_facts_do_not_decide_is_refused(
    seller: Seller, buyer: Buyer, supply: Supply, expected: tuple[str, str], table: RateTable
) -> None:
    """No silent zero: a refusal names the missing fact."""
    with pytest.raises((NotSupported, TaxNotDetermined)) as refusal:
        determine(a_question(seller=seller, buyer=buyer, supply=supply), table)
    assert (refusal.value.code, refusal.value.field) == expected


def test_rules_between_countries_have_a_first_day(table: RateTable) -> None:
    """The last day of 2020 is refused, the first of 2021 is answered; at home the rates alone decide."""
    business = a_business("DE")
    with pytest.raises(NotSupported) as refusal:
        determine(a_question(buyer=business, on=date(2020, 12, 31)), table)
    assert refusal.value.field == "date"
    assert determine(a_question(buyer=business, on=date(2021, 1, 1)), table).treatment is REVERSE_CHARGE
    assert determine(a_question(on=date(2020, 12, 31)), table).treatment is DOMESTIC


def test_reverse_charge_bears_no_tax_and_says_so(table: RateTable) -> None:
    """The whole price is base under code AE at rate zero, with the note that the invoice must carry."""
    answer = calculate(a_question(buyer=a_business("DE")), table)
    (row,) = answer.breakdown
    assert (row.code, row.percent, row.tax.amount, row.note) == (
        VatCode.REVERSE_CHARGE,
        Decimal(0),
        0,
        LegalNote.REVERSE_CHARGE,
    )
    assert answer.gross == answer.net == row.base
    assert answer.rates == ()


def test_digital_services_bear_the_consumers_rate(table: RateTable) -> None:
    """A German seller registered in France charges a French consumer 20 percent."""
    answer = calculate(
        a_question(buyer=a_consumer("FR"), seller=GERMAN, supply=Supply.DIGITAL_SERVICE, currency="EUR"), table
    )
    assert [(row.country, row.percent, row.tax.amount) for row in answer.breakdown] == [("FR", Decimal(20), 2_000)]


@pytest.mark.parametrize("country", ["", "gb", "GBR", "G1", "ÄÖ"])
def test_a_country_is_two_capital_letters(country: str) -> None:
    """Nothing else reaches the rules."""
    with pytest.raises(Invalid):
        Buyer(country, BuyerKind.CONSUMER)


@pytest.mark.parametrize("vat_id", ["", "X" * 25, "DE1<script>", "DE\u0661\u0662"])
def test_a_vat_id_is_short_and_plain(vat_id: str) -> None:
    """Nothing else reaches the format checks."""
    with pytest.raises(Invalid):
        Buyer("DE", BuyerKind.BUSINESS, vat_id)
