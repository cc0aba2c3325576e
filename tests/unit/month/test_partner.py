import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.month.clearing import told_payouts
from emulators.month.expectations import events
from emulators.month.inputs import MonthInputs, Told
from emulators.month.partner import KINDS, Invoices, Telling, payouts_told, shuffled, told
from emulators.partners import PARTNERS
from emulators.partners.keys import signing_secret
from shared.identity import SystemIds
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners import partner_named
from shared.payments.partners.secrets import live_secrets

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
ID, NUMBER = "a" * 52, "INV-2026-000001"


def invoices(example: MonthInputs) -> Invoices:
    """An id and a number for every invoice."""
    return Invoices(dict.fromkeys(example.invoices, ID), dict.fromkeys(example.invoices, NUMBER))


def everything(example: MonthInputs) -> list[Telling]:
    """All that partners tell in the month."""
    return [*told(list(events(example)), example, invoices(example)), *payouts_told(list(told_payouts(example)))]


def test_every_event_is_told_twice_in_an_order_of_its_own(example: MonthInputs) -> None:
    """The same order in every run."""
    happened = everything(example)
    deliveries = shuffled(happened, "2026-11-10")
    assert set(Counter((each.partner, each.event_id) for each in deliveries).values()) == {2}
    assert [each.event_id for each in deliveries[: len(happened)]] != [each.event_id for each in happened]
    assert deliveries == shuffled(happened, "2026-11-10")


@pytest.fixture
def understood(example: MonthInputs, tmp_path: Path) -> list[tuple[Telling, PartnerEvent]]:
    """What the doors' adapters prove and read of every event of the month."""
    found = []
    for telling in everything(example):
        secret = signing_secret(tmp_path, "acme", telling.partner, SystemIds())
        body = PARTNERS[telling.partner].body([telling.event], secret)
        headers = PARTNERS[telling.partner].headers(body, NOON, secret)
        lines = (tmp_path / f"webhook-acme-{telling.partner}").read_bytes().splitlines()
        (piece,) = partner_named(telling.partner).prove(body, headers, live_secrets(lines, NOON), NOON).pieces
        found.append((telling, partner_named(telling.partner).parse(piece.raw, NOON)))
    return found


def test_every_event_is_one_that_its_partner_tells(
    example: MonthInputs, understood: list[tuple[Telling, PartnerEvent]]
) -> None:
    """Proven by the partner's scheme, under the id that is expected of it, with its amount, fee and invoice."""
    wanted = list(events(example))
    for (telling, event), expectation in zip(understood, wanted, strict=False):
        each, partner = expectation.settlement, telling.partner
        assert event.id == telling.event_id
        assert event.kind is KINDS[each.kind]
        assert event.money
        assert (event.money.amount, event.money.currency) == (expectation.amount, example.currency_of(each))
        assert (event.fee is not None) == (each.kind is Told.PAYMENT and partner in {"square", "standard"})
        if each.kind is Told.PAYMENT:
            assert (event.invoice_id, event.reference) == (
                ("", NUMBER) if partner in {"adyen", "square"} else (ID, event.reference)
            )
    payouts = [event for _, event in understood[len(wanted) :]]
    assert {event.kind for event in payouts} == {EventKind.PAYOUT_PAID}
    assert {event.partner for event in payouts} == {"stripe", "airwallex", "square", "standard"}


def test_every_event_names_its_payer(example: MonthInputs) -> None:
    """As in life, so that a month shows that no name comes out of the seal."""
    paid = next(telling for telling in everything(example) if telling.partner == "adyen")
    assert any(customer.name in json.dumps(paid.event, ensure_ascii=False) for customer in example.customers)
