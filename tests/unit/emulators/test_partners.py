from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.partners import PARTNERS
from emulators.partners.keys import signing_secret
from emulators.partners.telling import Happening, NoSuchEvent, Payer, in_words
from emulators.processes import CloudFault
from emulators.trigger import happenings, kind_named, kinds_told
from shared.identity import SystemIds
from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.partners import PARTNERS as ADAPTERS
from shared.payments.partners.secrets import live_secrets

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
ALL = [(partner, kind) for partner in PARTNERS for kind in kinds_told()]
TOLD = [(partner, kind) for partner, kind in ALL if kind in PARTNERS[partner].kinds]
NAMES = [f"{partner} {kind.value}" for partner, kind in TOLD]


def happening(kind: EventKind) -> Happening:
    """10.50 euro, of which 0.10 were kept."""
    family = kind.value.partition("_")[0]
    return Happening(
        kind,
        "evt_1",
        NOON,
        Money(1050, "EUR"),
        payment="" if family == "payout" else "p-1",
        object="" if family == "payment" else "o-1",
        fee=Money(10, "EUR"),
        payer=Payer("Jo Canary", "jo@example.com", "DE"),
    )


def read(folder: Path, partner: str, kind: EventKind) -> PartnerEvent:
    """What the doors prove and read of an event, under the secrets as they find them."""
    secret = signing_secret(folder, "acme", partner, SystemIds())
    body = PARTNERS[partner].body([PARTNERS[partner].event(happening(kind))], secret)
    live = live_secrets((folder / f"webhook-acme-{partner}").read_bytes().splitlines(), NOON)
    (piece,) = ADAPTERS[partner].prove(body, PARTNERS[partner].headers(body, NOON, secret), live, NOON).pieces
    return ADAPTERS[partner].parse(piece.raw, NOON)


@pytest.mark.parametrize(("partner", "kind"), TOLD, ids=NAMES)
def test_what_is_told_is_understood(tmp_path: Path, partner: str, kind: EventKind) -> None:
    """The adapter proves the signature and reads the same kind, payment and amount."""
    event = read(tmp_path, partner, kind)
    assert event.kind is kind
    assert event.payment in {"p-1", ""}
    assert event.money in {Money(1050, "EUR"), None}
    assert (event.fee is None) or kind in PARTNERS[partner].fees or partner in {"square", "standard"}
    assert (event.fee == Money(10, "EUR")) if kind in PARTNERS[partner].fees else True
    assert "Canary" not in repr(event)


def test_every_kind_that_the_adapters_know_can_be_told() -> None:
    """By one partner at least; and every adapter has its sender."""
    assert set(kinds_told()) == set(EventKind) - {EventKind.OTHER, EventKind.UNREADABLE}
    assert set(PARTNERS) == set(ADAPTERS)
    assert [kind_named(in_words(kind)) for kind in kinds_told()] == list(kinds_told())
    with pytest.raises(CloudFault, match=r"no event is called payment\.vanished"):
        kind_named("payment.vanished")


@pytest.mark.parametrize(("partner", "kind"), sorted(set(ALL) - set(TOLD), key=str), ids=str)
def test_what_a_partner_does_not_tell_is_said(partner: str, kind: EventKind) -> None:
    """Before anything is told, with what it does tell."""
    with pytest.raises(NoSuchEvent, match=f"no event that tells {in_words(kind)}"):
        list(happenings(partner, happening(kind), SystemIds()))


CHAINS = {
    ("adyen", EventKind.DISPUTE_LOST): [EventKind.PAYMENT_SUCCEEDED, EventKind.DISPUTE_OPENED],
    ("square", EventKind.REFUND_FAILED): [EventKind.PAYMENT_SUCCEEDED, EventKind.REFUND_SUCCEEDED],
    ("stripe", EventKind.REFUND_FAILED): [EventKind.PAYMENT_SUCCEEDED, EventKind.REFUND_SUCCEEDED],
    ("wise", EventKind.PAYOUT_FAILED): [EventKind.PAYOUT_PAID],
    ("stripe", EventKind.PAYMENT_SUCCEEDED): [],
}


@pytest.mark.parametrize(("about", "before"), CHAINS.items(), ids=str)
def test_what_comes_before_is_told_first(about: tuple[str, EventKind], before: list[EventKind]) -> None:
    """All of one payment and one object, each under an id of its own."""
    partner, kind = about
    asked = Happening(kind, "evt_1", NOON, Money(1050, "EUR"))
    told = list(happenings(partner, asked, SystemIds()))
    assert [each.kind for each in told] == [*before, kind]
    assert len({each.id for each in told}) == len(told)
    assert len({each.payment for each in told}) == 1
    assert len({each.object for each in told if each.object}) <= 1


def test_what_is_known_is_not_told_again() -> None:
    """A payment that is named was told; a dispute that is named was opened."""
    paid = Happening(EventKind.DISPUTE_LOST, "evt_1", NOON, Money(1050, "EUR"), payment="p-1")
    opened = Happening(EventKind.DISPUTE_LOST, "evt_1", NOON, Money(1050, "EUR"), payment="p-1", object="d-1")
    assert [each.kind for each in happenings("square", paid, SystemIds())] == [
        EventKind.DISPUTE_OPENED,
        EventKind.DISPUTE_LOST,
    ]
    assert list(happenings("square", opened, SystemIds())) == [opened]
