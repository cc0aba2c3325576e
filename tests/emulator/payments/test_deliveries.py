"""Deliveries of every partner: many events at once, each stored once; forged ones among them; secrets that change."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared import counters
from shared.faults import Refused
from shared.payments.model import EventState
from shared.payments.refusals import BadSignature, OutsideReplayWindow, UnknownPartner
from shared.payments.use_cases.inbox import RawEvent
from shared.ports import Query
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import Switch, lost, unsent
from tests.emulator.payments.conftest import received, told_by
from tests.unit.payments.partner_events import (
    PARTNERS,
    adyen_body,
    adyen_signed,
    delivery,
    secret_of,
    signed,
)
from tests.unit.payments.partner_samples import adyen, gocardless, paid, standard


def stored(house: Instance, collection: str = "inbox") -> int:
    """How many documents a collection has."""
    return int(house.store.aggregate(Query(collection, ACME))["count"])


def a_batch(number: int, first: int = 0) -> list[dict[str, Any]]:
    """So many events of GoCardless."""
    return [gocardless(event=f"EV{one}", payment=f"PM{one}") for one in range(first, first + number)]


@pytest.mark.parametrize("partner", PARTNERS)
def test_every_partners_payment_is_taken_in_once_however_often_it_is_told(house: Instance, partner: str) -> None:
    """By its own id, on its own account."""
    first, again = (told_by(house, partner, paid(partner)) for _ in range(2))
    assert (first.replayed, again.replayed, len(first.answer)) == (False, True, 1)
    assert (again.answer, stored(house)) == (first.answer, 1)
    assert first.answer[0].event.partner == partner


def test_250_events_of_one_delivery_are_one_commit(house: Instance) -> None:
    """Each with its audit record and the row of its command, and none is read.

    The rows that were sent, one of before among them, go in another. Told again they are what they were.
    """
    told_by(house, "gocardless", *a_batch(1, 900))
    spent = counters.begin()
    done = told_by(house, "gocardless", *a_batch(250))
    assert (spent.reads, spent.rpcs, spent.writes, spent.deletes) == (0, 2, 750, 251)
    assert (len(done.answer), stored(house), stored(house, "audit")) == (250, 251, 251)
    again = told_by(house, "gocardless", *a_batch(250))
    assert (again.replayed, again.answer) == (True, done.answer)


def test_a_delivery_that_is_known_in_part_stores_the_rest(house: Instance) -> None:
    """Partners send what was not acknowledged in other bundles."""
    told_by(house, "gocardless", *a_batch(5))
    done = told_by(house, "gocardless", *a_batch(10))
    assert (done.replayed, len(done.answer), stored(house), stored(house, "audit")) == (False, 10, 10, 10)


def test_the_same_event_twice_in_a_delivery_is_one(house: Instance) -> None:
    """A batch may repeat itself."""
    done = told_by(house, "gocardless", *a_batch(2), *a_batch(2))
    assert (len(done.answer), stored(house)) == (2, 2)


def test_eight_overlapping_deliveries_at_once_store_each_event_once(house: Instance) -> None:
    """Whoever is second finds what is there and stores the rest."""
    told_by(house, "gocardless", *a_batch(1, 900))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: house.again(lambda: told_by(house, "gocardless", *a_batch(10, n * 5))), range(8)))
    assert (stored(house), stored(house, "audit")) == (1 + 45, 1 + 45)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_batchs_commit_without_an_answer_stores_each_event_once(house: Instance, fault: Switch) -> None:
    """Whether it landed or not."""
    told_by(house, "gocardless", *a_batch(1, 900))
    house.line.commits.append(fault)
    told_by(house, "gocardless", *a_batch(10))
    assert (stored(house), stored(house, "audit")) == (11, 11)


def test_killed_at_any_moment_a_batch_is_whole_when_it_is_told_again(house: Instance, another: More) -> None:
    """Three events of which each has a command to hand over."""
    for moment in range(20):
        fate = Fate()
        mortal = another(fate)
        told_by(mortal, "adyen", paid("adyen", f"warm-{moment}"))
        fate.left = moment
        batch = [paid("adyen", f"psp-{moment}-{one}") for one in range(3)]
        try:
            told_by(mortal, "adyen", *batch)
        except Killed:
            done = told_by(house, "adyen", *batch)
            assert len(done.answer) == 3
            assert {message.id for message in done.messages} <= set(house.post.tasks)
        else:
            assert moment == 8, "a commit and three tasks have eight moments"
            return
    pytest.fail("it never lived to the end")


def test_one_unreadable_event_of_a_batch_is_kept_apart(house: Instance) -> None:
    """The others are not held up by it."""
    done = told_by(house, "gocardless", gocardless(event="EV1"), {"hello": "world"}, gocardless(event="EV2"))
    assert sorted(one.state.value for one in done.answer) == ["quarantined", "received", "received"]


def test_a_proven_body_that_is_no_batch_is_kept_whole(house: Instance) -> None:
    """Nothing that is signed is lost."""
    body = b'{"events": "none"}'
    done = received(house, RawEvent("gocardless", body, signed("gocardless", body)))
    assert done.answer.state is EventState.QUARANTINED


def test_a_forged_item_of_an_adyen_batch_is_refused_and_the_others_are_taken_in(house: Instance) -> None:
    """Adyen's library looks at the first item alone. The delivery is refused, so that Adyen sends all of it again."""
    forged = adyen_signed(adyen(pspReference="FORGED", value=10**9))
    forged["NotificationRequestItem"]["amount"]["value"] = 10**10
    body = adyen_body([adyen_signed(adyen(pspReference="GOOD1")), forged, adyen_signed(adyen(pspReference="GOOD2"))])
    for _ in range(2):
        with capture_logs() as lines, pytest.raises(BadSignature, match="1 of the events"):
            house.inbox.receive(a_call(""), RawEvent("adyen", body, {}))
        assert [line["log_level"] for line in lines if line["event"] == "webhook_partly_forged"] == ["error"]
    events = house.inbox.page(ACME, 10, None, state=None, partner="adyen").items
    assert sorted(one.event.payment for one in events) == ["GOOD1", "GOOD2"]


def test_the_same_event_id_on_two_accounts_of_a_partner_is_two_events(house: Instance) -> None:
    """Ids are only unique within an account: two merchants, two payments."""
    for account in ("AcmeUK", "AcmeDE"):
        told_by(house, "adyen", adyen(pspReference="PSP1", merchantAccountCode=account))
    events = house.inbox.page(ACME, 10, None, state=None, partner=None).items
    assert sorted(one.event.account for one in events) == ["AcmeDE", "AcmeUK"]
    assert len({str(task.body["payment"]) for task in house.post.tasks.values()}) == 2


def a_house_with(house: Instance, **secrets: Sequence[object]) -> Instance:
    """The same house with other secrets: bytes as they are, anything else as JSON."""
    for partner, values in secrets.items():
        live = tuple(value if isinstance(value, bytes) else json.dumps(value).encode() for value in values)
        house.secrets.live = {**house.secrets.live, f"webhook-acme-{partner}": live}
    return house


def test_a_secret_counts_until_its_end_and_its_key_id_is_on_record(house: Instance) -> None:
    """Rotation: the new one beside the old one, until the old one's date."""
    old, new = secret_of("standard", "old"), secret_of("standard", "new")
    ends_at = (NOON + timedelta(hours=1)).isoformat()
    live = [
        {"key_id": "2026-11", "secret": new.value.decode()},
        {"key_id": "2026-05", "secret": old.value.decode(), "ends_at": ends_at},
    ]
    a_house_with(house, standard=live)
    for secret, key_id in ((new, "2026-11"), (old, "2026-05")):
        event = standard(event=f"evt_{key_id}")
        body, headers = delivery("standard", event, secret=secret)
        with capture_logs() as lines:
            done = received(house, RawEvent("standard", body, headers))
        assert done.answer.key_id == key_id
        assert [line["keys"] for line in lines if line["event"] == "webhook_taken_in"] == [[key_id]]
    later = NOON + timedelta(hours=1)
    body, headers = delivery("standard", standard(event="evt_late"), at=later, secret=old)
    with pytest.raises(BadSignature):
        house.inbox.receive(a_call("", at=later), RawEvent("standard", body, headers))


def test_a_secret_that_cannot_be_read_does_not_stand_in_the_way_of_the_others(house: Instance) -> None:
    """It is logged, without itself."""
    a_house_with(house, standard=[{"ends_at": "soon", "secret": "whsec_SECRET"}, secret_of("standard").value])
    with capture_logs() as lines:
        assert len(told_by(house, "standard", standard()).answer) == 1
    assert "webhook_secret_unreadable" in [line["event"] for line in lines]
    assert "SECRET" not in repr(lines)


def test_an_endpoint_whose_secrets_are_all_over_is_unknown(house: Instance) -> None:
    """As one that never was."""
    over = {"secret": secret_of("standard").value.decode(), "ends_at": NOON.isoformat()}
    a_house_with(house, standard=[over])
    with pytest.raises(UnknownPartner):
        told_by(house, "standard", standard())


@pytest.mark.parametrize("partner", ["airwallex", "standard", "stripe"])
@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_what_was_signed_long_ago_or_for_the_future_is_refused(house: Instance, partner: str, seconds: int) -> None:
    """Where a partner signs the time; libraries take one of a day ahead."""
    body, headers = delivery(partner, paid(partner), at=NOON + timedelta(seconds=seconds))
    with pytest.raises(OutsideReplayWindow):
        house.inbox.receive(a_call(""), RawEvent(partner, body, headers))
    assert stored(house) == 0


@pytest.mark.parametrize("partner", PARTNERS)
def test_a_parsed_body_breaks_the_signature(house: Instance, partner: str) -> None:
    """What a framework wrote anew from what it had read is not what was signed; but Adyen signs values, not bytes."""
    body, headers = delivery(partner, paid(partner))
    parsed = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert parsed != body
    if partner == "adyen":
        assert received(house, RawEvent(partner, parsed, headers)).answer.event.payment
        return
    with pytest.raises(Refused) as refusal:
        house.inbox.receive(a_call(""), RawEvent(partner, parsed, headers))
    assert (refusal.value.code, stored(house)) == (BadSignature.code, 0)


@pytest.mark.parametrize("partner", PARTNERS)
@pytest.mark.parametrize("other", PARTNERS)
def test_one_partners_delivery_is_no_others(house: Instance, partner: str, other: str) -> None:
    """Secrets, schemes and doors are apart."""
    if partner == other:
        return
    body, headers = delivery(partner, paid(partner))
    with pytest.raises(Refused):
        house.inbox.receive(a_call(""), RawEvent(other, body, headers))
    assert stored(house) == 0
