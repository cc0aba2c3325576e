"""Announcements told to endpoints, on the real emulator: each once to whoever wants it, whatever comes between."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.identity import TenantId
from shared.limits import WEBHOOK_PAYLOAD_BYTES
from shared.webhooks.model import DeliveryState, Trouble
from shared.webhooks.refusals import PayloadTooLarge
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Killed
from tests.emulator.lines import Switch, lost, unsent
from tests.emulator.webhooks.stations import DELIVER, More, Station
from tests.unit.webhooks.parts import an_announcement


def test_an_announcement_is_told_to_every_endpoint_that_wants_it(station: Station) -> None:
    """A delivery and a command for each; nothing for the others."""
    wanting = {station.an_endpoint("all")[0], station.an_endpoint("group", filters=("payment.*",))[0]}
    station.an_endpoint("none", filters=("invoice.issued",))
    gone, _ = station.an_endpoint("gone")
    station.house.webhooks.endpoints.disable(a_call("disable", once=True), gone)
    message = station.tell(an_announcement()).answer
    assert message is not None
    assert {task.body["endpoint"] for task in station.post.take(DELIVER)} == wanting
    deliveries = station.documents("webhook_deliveries")
    assert {document["endpoint"] for document in deliveries} == wanting
    assert {document.ref.key for document in deliveries} == set(message.deliveries)
    assert station.audited("webhook.fan_out") == [f"tenants/acme/webhook_messages/{message.id}"]


def test_endpoints_are_told_in_the_order_of_their_ids(station: Station) -> None:
    """Their document is a map, which comes in any order: once a seed was another day in each process."""
    wanting = sorted(station.an_endpoint(f"erp-{number}")[0] for number in range(8))
    station.tell(an_announcement())
    assert [task.body["endpoint"] for task in station.post.take(DELIVER)] == wanting


def test_what_is_told_is_ids_and_figures(station: Station) -> None:
    """The announcement's data, its subject and the subject's version."""
    station.an_endpoint()
    message = station.tell(an_announcement(subject_version=7)).answer
    assert message is not None
    assert json.loads(message.body)["data"] == {"received": 1_050, "currency": "EUR", "id": "payment-1", "version": 7}


def test_where_nobody_listens_nothing_is_written(station: Station) -> None:
    """An announcement costs a tenant without endpoints one read."""
    assert station.tell(an_announcement()).answer is None
    station.an_endpoint(filters=("invoice.*",))
    before = len(station.documents("audit"))
    assert station.tell(an_announcement()).answer is None
    assert len(station.documents("audit")) == before
    assert not station.documents("webhook_messages")


def test_another_tenants_endpoints_hear_nothing(station: Station) -> None:
    """Routes are a tenant's own."""
    rival = TenantId("rival")
    station.house.vault.ensure_tenant(rival)
    station.an_endpoint("rival", tenant=rival)
    assert station.tell(an_announcement()).answer is None
    told = station.tell(an_announcement(tenant=rival)).answer
    assert told is not None
    assert not station.documents("webhook_deliveries", ACME)


def test_told_twice_it_is_delivered_once(station: Station, another: More) -> None:
    """The second finds the message, and who came meanwhile is not told of it."""
    station.an_endpoint()
    first = station.tell(an_announcement()).answer
    station.an_endpoint("late")
    for process in (station, another()):
        done = process.tell(an_announcement())
        assert (done.answer, done.replayed) == (first, True)
    assert len(station.post.tasks) == len(station.documents("webhook_deliveries")) == 1


def test_told_by_many_at_once_it_is_delivered_once(station: Station, another: More) -> None:
    """Whoever loses reads what the winner wrote."""
    station.an_endpoint()
    processes = [another() for _ in range(4)]
    with ThreadPoolExecutor(len(processes)) as pool:
        answers = list(pool.map(lambda one: one.again(lambda: one.tell(an_announcement())).answer, processes))
    assert len({answer.deliveries for answer in answers}) == 1
    assert len(station.post.tasks) == len(station.documents("webhook_deliveries")) == 1


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_tells_once(station: Station, fault: Switch) -> None:
    """Whether it landed or not, the command goes out before the answer."""
    station.an_endpoint()
    station.line.commits.append(fault)
    assert station.tell(an_announcement()).answer is not None
    assert len(station.post.tasks) == len(station.documents("webhook_deliveries")) == 1


def test_killed_at_any_moment_redelivery_tells_everybody_once(station: Station, another: More) -> None:
    """Dead between any two calls to store and queue."""
    endpoints = {station.an_endpoint("one")[0], station.an_endpoint("two")[0]}
    for moment in range(20):
        fate, told = Fate(), an_announcement(f"event-{moment}")
        mortal, fate.left = another(fate), moment
        try:
            mortal.tell(told)
        except Killed:
            killed = True
        else:
            killed = False
        station.tell(told)
        tasks = (mortal.post.tasks | station.post.tasks).values()
        assert {task.body["endpoint"] for task in tasks if task.body["message"] == told.id} == endpoints
        if not killed:
            break
    assert not killed
    assert moment > 4, "reading, committing and telling twice have more moments"
    assert len(station.documents("webhook_deliveries")) == 2 * (moment + 1)


def test_what_the_queue_does_not_take_the_sweep_sends(station: Station) -> None:
    """The rows stand for themselves."""
    station.an_endpoint()
    station.post.down = True
    station.tell(an_announcement())
    assert station.post.tasks == {}
    station.post.down = False
    assert station.house.outbox.sweep(NOON.replace(hour=13)) == 1
    assert len(station.post.take(DELIVER)) == 1


def test_what_is_too_large_is_on_record_as_failed(station: Station) -> None:
    """It is not sent, and cannot be sent again; nobody loses it in silence."""
    endpoint, _ = station.an_endpoint()
    large = an_announcement(data={"reference": "x" * WEBHOOK_PAYLOAD_BYTES})
    message = station.tell(large).answer
    assert message is not None
    assert station.post.tasks == {}
    (delivery,) = station.house.webhooks.log.page(ACME, endpoint, None, limit=5, cursor=None).items
    assert (delivery.state, delivery.trouble) == (DeliveryState.FAILED, Trouble.PAYLOAD_TOO_LARGE)
    with pytest.raises(PayloadTooLarge):
        station.house.webhooks.resending.one(a_call("resend", once=True), endpoint, delivery.id)
