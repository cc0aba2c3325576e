"""How much a delivery may hold: Firestore's limit of a commit, and events that no document holds."""

import json
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from shared.gcp.rpc import Method
from shared.limits import WEBHOOK_BYTES, WEBHOOK_PIECE_BYTES
from shared.payments.model import EventState
from shared.payments.partners.adyen import MOST_ITEMS
from shared.payments.partners.gocardless import MOST_EVENTS
from shared.payments.refusals import EventTooLarge
from shared.payments.use_cases.inbox import RawEvent
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance
from tests.emulator.payments.conftest import received
from tests.unit.payments.partner_events import adyen_body, adyen_signed, signed
from tests.unit.payments.partner_samples import adyen, gocardless, standard

COMMIT_BYTES: Final = 10 * 1_048_576
"""Firestore's limit of a request (its documentation, "Usage and limits", read 2026-11)."""

EMULATOR_BYTES: Final = 4 * 1_048_576
"""What gRPC takes in one message where nobody says otherwise, and so the emulator."""

WORST: Final = "\u00e9"
"""Two bytes on the wire; each is a character of its own in what is sealed, and so four bytes there."""


@pytest.fixture
def sizes(house: Instance, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each commit from now on has."""
    seen: list[int] = []
    send = house.line.send_on

    def weigh(method: Method, request: Any, timeout_seconds: float) -> Any:
        if method.path.endswith("/Commit"):
            seen.append(request.ByteSize())
        return send(method, request, timeout_seconds)

    monkeypatch.setattr(house.line, "send_on", weigh)
    return seen


def inbox_count(house: Instance) -> int:
    """Events in the inbox."""
    return int(house.store.aggregate(Query("inbox", ACME))["count"])


def filled(events: list[dict[str, Any]], most: int) -> bytes:
    """A batch of GoCardless that is as long as it may be, in the letters that grow most when they are sealed."""
    each = (most - len(_batch(events))) // (2 * len(events)) - 20
    body = _batch([event | {"resource_metadata": {"note": WORST * each}} for event in events])
    return body + b" " * (most - len(body))


def _batch(events: list[dict[str, Any]]) -> bytes:
    return json.dumps({"events": events}, ensure_ascii=False).encode()


def test_250_events_with_full_metadata_are_one_commit_below_firestores_limit(house: Instance, sizes: list[int]) -> None:
    """The largest delivery that the door takes, sealed, with its audit records."""
    events = [gocardless(event=f"EV{number}", payment=f"PM{number}") for number in range(MOST_EVENTS)]
    body = filled(events, WEBHOOK_BYTES)
    assert len(body) == WEBHOOK_BYTES
    done = house.inbox.receive(a_call(""), RawEvent("gocardless", body, signed("gocardless", body)))
    assert (len(done.answer), inbox_count(house)) == (MOST_EVENTS, MOST_EVENTS)
    assert {event.state for event in done.answer} == {EventState.RECEIVED}
    assert max(sizes) < EMULATOR_BYTES < COMMIT_BYTES


def test_a_full_delivery_whose_events_all_have_commands_stays_below_the_limit_too(
    house: Instance, sizes: list[int]
) -> None:
    """Event, audit record and outbox row of each."""
    each = WORST * ((WEBHOOK_BYTES - 100_000) // (2 * MOST_ITEMS))
    items = [adyen_signed(adyen(pspReference=f"PSP{number}", reason=each)) for number in range(MOST_ITEMS)]
    body = json.dumps(json.loads(adyen_body(items)), ensure_ascii=False).encode()
    assert WEBHOOK_BYTES * 0.9 < len(body) <= WEBHOOK_BYTES
    done = house.inbox.receive(a_call(""), RawEvent("adyen", body, {}))
    assert (len(done.messages), inbox_count(house)) == (MOST_ITEMS, MOST_ITEMS)
    assert max(sizes) < EMULATOR_BYTES


def test_an_event_that_no_document_holds_is_refused_aloud_and_the_others_are_taken_in(house: Instance) -> None:
    """The partner keeps it, an operator hears of it, and nothing is acknowledged that is not here."""
    large = gocardless(event="EV2") | {"resource_metadata": {"note": "x" * WEBHOOK_PIECE_BYTES}}
    body = _batch([gocardless(event="EV1"), large, gocardless(event="EV3")])
    for _ in range(2):
        with capture_logs() as lines, pytest.raises(EventTooLarge, match="1 of the events") as refusal:
            house.inbox.receive(a_call(""), RawEvent("gocardless", body, signed("gocardless", body)))
        assert refusal.value.detail == {"limit_bytes": WEBHOOK_PIECE_BYTES}
        assert [line["log_level"] for line in lines if line["event"] == "webhook_event_too_large"] == ["error"]
    events = house.inbox.page(ACME, 10, None, state=None, partner="gocardless").items
    assert sorted(one.event.id for one in events) == ["EV1", "EV3"]


def test_an_event_by_itself_has_the_same_limit(house: Instance) -> None:
    """To the byte: one that is as long as may be is kept, one that is a byte longer is not."""
    body = json.dumps(standard()).encode()
    full = body + b" " * (WEBHOOK_PIECE_BYTES - len(body))
    assert received(house, RawEvent("standard", full, signed("standard", full))).answer.state is EventState.RECEIVED
    longer = full + b" "
    with pytest.raises(EventTooLarge):
        house.inbox.receive(a_call(""), RawEvent("standard", longer, signed("standard", longer)))
    assert inbox_count(house) == 1
