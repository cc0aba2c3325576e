"""Deliveries sent again, on the real emulator: one at once, ranges page by page, each page once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from shared.faults import Refused
from shared.limits import WEBHOOK_ATTEMPTS, WEBHOOK_ATTEMPTS_IN_ALL, WEBHOOK_RESEND_PAGE
from shared.ports import Decision, Update, View
from shared.webhooks.model import Answer, Delivery, DeliveryState, Range, Resend, ResendState
from shared.webhooks.records import delivery_ref
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Killed
from tests.emulator.webhooks.stations import DELIVER, DOWN, RESEND, More, Station
from tests.unit.webhooks.parts import an_announcement

HOUR = timedelta(hours=1)
LATER = NOON + timedelta(days=1)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two deliveries a page, so that five are three."""
    monkeypatch.setattr("shared.webhooks.use_cases.resending.WEBHOOK_RESEND_PAGE", 2)


def delivered(station: Station, number: int, answer: Answer | None = None) -> Delivery:
    """A message told in the hour of that number, and its first attempt."""
    at = NOON + number * HOUR
    station.tell(an_announcement(f"event-{number}"), at)
    station.receiver.answers = [answer] if answer else []
    return station.attempt(station.next_task(), at)


def gone_and_back(station: Station, count: int) -> tuple[str, list[Delivery]]:
    """An endpoint that was away for some hours: disabled by 410 each time, and enabled again."""
    endpoint, _ = station.an_endpoint()
    failed = []
    for number in range(count):
        failed.append(delivered(station, number, Answer(410)))
        station.house.webhooks.endpoints.enable(a_call(f"enable-{number}", once=True), endpoint)
    station.receiver.postings.clear()
    return endpoint, failed


def begin(station: Station, endpoint: str, key: str = "range", **changes: Any) -> Resend:
    """Ask for a range: all that failed until now."""
    wanted: dict[str, Any] = {"since": NOON, "until": LATER, "state": DeliveryState.FAILED}
    call = a_call(key, once=True, at=LATER)
    return station.house.webhooks.resending.begin(call, Range(endpoint, **(wanted | changes))).answer


def page_all(station: Station) -> Resend:
    """The queue brings page after page."""
    for number in range(100):
        tasks = station.post.take(RESEND)
        if len(tasks) <= number:
            break
        done = station.resend_page(tasks[number], LATER)
    return done


def asked(station: Station) -> list[Any]:
    """Deliveries whose second attempt was asked for."""
    return [task.body["delivery"] for task in station.post.take(DELIVER) if task.body["number"] == 2]


# --- one ---------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Answer(204), Answer(410), DOWN], ids=["delivered", "failed", "pending"])
def test_a_delivery_is_sent_again_whatever_became_of_it(station: Station, answer: Answer) -> None:
    """Now, in a new round, under the same `webhook-id`."""
    endpoint, _ = station.an_endpoint()
    delivery = delivered(station, 0, answer)
    station.house.webhooks.endpoints.enable(a_call("enable", once=True), endpoint)
    call = a_call("resend", once=True, at=LATER)
    again = station.house.webhooks.resending.one(call, endpoint, delivery.id).answer
    assert (again.state, again.next_attempt_at) == (DeliveryState.PENDING, LATER)
    assert station.attempt_next().state is DeliveryState.DELIVERED
    first, second = (posting.headers["webhook-id"] for posting in station.receiver.postings)
    assert first == second
    assert len(station.house.webhooks.log.delivery(ACME, endpoint, delivery.id).attempts) == 2


def test_asked_twice_it_is_sent_again_once(station: Station) -> None:
    """One Idempotency-Key, one round."""
    endpoint, _ = station.an_endpoint()
    delivery = delivered(station, 0, DOWN)
    call = a_call("resend", once=True, at=LATER)
    first, again = (station.house.webhooks.resending.one(call, endpoint, delivery.id) for _ in range(2))
    assert (first.replayed, again.replayed, again.answer) == (False, True, first.answer)
    assert len(asked(station)) == 2, "the schedule's, which will come too late, and the resend's"


def test_what_was_scheduled_before_a_resend_comes_too_late(station: Station) -> None:
    """The attempt that it asks for is made by then."""
    endpoint, _ = station.an_endpoint()
    delivery = delivered(station, 0, DOWN)
    scheduled = station.next_task()
    station.house.webhooks.resending.one(a_call("resend", once=True), endpoint, delivery.id)
    station.attempt_next()
    assert station.attempt(scheduled).attempts == 2
    assert len(station.receiver.postings) == 2


def test_a_disabled_endpoint_is_sent_nothing_again(station: Station) -> None:
    """Neither one delivery nor a range."""
    endpoint, _ = station.an_endpoint()
    delivery = delivered(station, 0, Answer(410))
    with pytest.raises(Refused) as refusal:
        station.house.webhooks.resending.one(a_call("resend", once=True), endpoint, delivery.id)
    assert refusal.value.code == "webhook_endpoint_disabled"
    with pytest.raises(Refused) as refusal:
        begin(station, endpoint)
    assert refusal.value.code == "webhook_endpoint_disabled"


def test_a_delivery_of_another_endpoint_or_none_is_not_found(station: Station) -> None:
    """An endpoint's log is its own."""
    endpoint, _ = station.an_endpoint("none", filters=("invoice.issued",))
    station.an_endpoint()
    delivery = delivered(station, 0)
    for key in (delivery.id, "a" * 52):
        with pytest.raises(Refused) as refusal:
            station.house.webhooks.resending.one(a_call(f"resend-{key}", once=True), endpoint, key)
        assert refusal.value.code == "unknown_webhook_delivery"
        with pytest.raises(Refused):
            station.house.webhooks.log.delivery(ACME, endpoint, key)


def test_a_delivery_is_tried_only_so_often_in_all(station: Station) -> None:
    """A clear refusal, before the log outgrows what is read at once."""
    endpoint, _ = station.an_endpoint()
    delivery = delivered(station, 0)
    ref = delivery_ref(ACME, delivery.id)

    def wear_out(view: View) -> Decision[None]:
        document = view[ref]
        assert document is not None
        worn = {"attempts": WEBHOOK_ATTEMPTS_IN_ALL - WEBHOOK_ATTEMPTS + 1}
        return Decision(None, (Update(ref, worn, document.version),))

    station.house.store.transact([ref], wear_out)
    with pytest.raises(Refused) as refusal:
        station.house.webhooks.resending.one(a_call("resend", once=True), endpoint, delivery.id)
    assert refusal.value.code == "too_many_webhook_attempts"


# --- ranges ------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_pages")
def test_a_range_is_sent_again_page_by_page(station: Station) -> None:
    """All of it, each once; the answer says how many."""
    endpoint, failed = gone_and_back(station, 5)
    assert begin(station, endpoint).state is ResendState.RUNNING
    done = page_all(station)
    assert (done.state, done.pages, done.resent, done.left_out) == (ResendState.DONE, 3, 5, 0)
    assert sorted(asked(station)) == sorted(delivery.id for delivery in failed)
    assert station.house.webhooks.resending.resend(ACME, endpoint, done.id) == done


def test_a_range_has_its_ends_and_its_state(station: Station) -> None:
    """From the first instant on, before the last one; delivered ones only where they are asked for."""
    endpoint, failed = gone_and_back(station, 4)
    fine = delivered(station, 2 * 2)
    begin(station, endpoint, "ends", since=NOON + HOUR, until=NOON + 3 * HOUR)
    page_all(station)
    assert sorted(asked(station)) == sorted(delivery.id for delivery in failed[1:3])
    begin(station, endpoint, "all", since=NOON + 4 * HOUR, state=None)
    station.resend_page(station.next_task(RESEND), LATER)
    assert asked(station)[-1] == fine.id


@pytest.mark.parametrize(("since", "until"), [(NOON, NOON), (LATER, NOON), (NOON, LATER + timedelta.resolution)])
def test_a_range_begins_before_it_ends_and_ends_by_now(station: Station, since: Any, until: Any) -> None:
    """What is not told yet cannot be in it."""
    endpoint, _ = station.an_endpoint()
    with pytest.raises(Refused) as refusal:
        begin(station, endpoint, since=since, until=until)
    assert refusal.value.code == "empty_range"


def test_a_range_that_is_too_large_is_refused(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of it is sent; a shorter one is taken."""
    endpoint, failed = gone_and_back(station, 3)
    monkeypatch.setattr("shared.webhooks.use_cases.resending.WEBHOOK_RESENDS", 2)
    with pytest.raises(Refused) as refusal:
        begin(station, endpoint)
    assert refusal.value.code == "range_too_large"
    assert station.post.take(RESEND) == []
    begin(station, endpoint, "shorter", since=NOON + HOUR)
    assert page_all(station).resent == 2
    assert failed[0].id not in asked(station)


def test_an_empty_range_is_done_at_its_first_page(station: Station) -> None:
    """Nothing is in it."""
    endpoint, _ = station.an_endpoint()
    begin(station, endpoint)
    assert page_all(station).state is ResendState.DONE


@pytest.mark.usefixtures("small_pages")
def test_asked_twice_a_range_is_sent_again_once(station: Station, another: More) -> None:
    """The request and every page of it."""
    endpoint, _ = gone_and_back(station, 3)
    first = begin(station, endpoint)
    assert begin(station, endpoint) == first
    page_all(station)
    for task in station.post.take(RESEND):
        assert another().resend_page(task, LATER).resent == 3
    assert len(asked(station)) == 3


@pytest.mark.usefixtures("small_pages")
def test_pages_that_come_at_once_are_sent_once(station: Station, another: More) -> None:
    """Whoever loses reads what the winner wrote."""
    endpoint, _ = gone_and_back(station, 3)
    begin(station, endpoint)
    task, processes = station.next_task(RESEND), [another() for _ in range(4)]
    with ThreadPoolExecutor(len(processes)) as pool:
        pages = list(pool.map(lambda one: one.again(lambda: one.resend_page(task, LATER)), processes))
    assert {page.resent for page in pages} == {2}
    assert (len(asked(station)), len(station.post.take(RESEND))) == (2, 2)


@pytest.mark.usefixtures("small_pages")
def test_killed_at_any_moment_a_page_is_sent_once(station: Station, another: More) -> None:
    """Dead between any two calls: redelivered, each delivery was asked for once and the next page too."""
    endpoint, _ = gone_and_back(station, 3)
    for moment in range(20):
        begin(station, endpoint, f"range-{moment}", state=None)
        task, fate = station.next_task(RESEND), Fate()
        mortal, fate.left = another(fate), moment
        try:
            mortal.resend_page(task, LATER)
        except Killed:
            killed = True
        else:
            killed = False
        assert station.resend_page(task, LATER).resent == 2
        tasks = (mortal.post.tasks | station.post.tasks).values()
        pages = [one for one in tasks if one.door == RESEND and one.body["resend"] == task.body["resend"]]
        assert sorted(int(str(one.body["page"])) for one in pages) == [1, 2]
        sent = {one.id for one in tasks if one.door == DELIVER and one.body["number"] == 2}
        assert len(sent) == 2 * (moment + 1)
        station.post.tasks.update(mortal.post.tasks)
        if not killed:
            break
    assert not killed
    assert moment > 6, "reading, looking, committing and telling have more moments"


@pytest.mark.usefixtures("small_pages")
def test_a_range_stops_when_its_endpoint_is_disabled(station: Station) -> None:
    """What was sent again was; the rest was not."""
    endpoint, _ = gone_and_back(station, 3)
    begin(station, endpoint)
    station.resend_page(station.next_task(RESEND), LATER)
    station.house.webhooks.endpoints.disable(a_call("disable", once=True), endpoint)
    stopped = station.resend_page(station.next_task(RESEND), LATER)
    assert (stopped.state, stopped.resent) == (ResendState.STOPPED, 2)
    assert len(station.post.take(RESEND)) == 2


def test_what_cannot_be_sent_again_is_counted(station: Station) -> None:
    """It stands in nobody's way."""
    endpoint, _ = gone_and_back(station, 1)
    station.tell(an_announcement("large", data={"reference": "x" * 30_000}), NOON + HOUR)
    begin(station, endpoint)
    done = page_all(station)
    assert (done.state, done.resent, done.left_out) == (ResendState.DONE, 1, 1)


def test_a_page_is_one_commit(station: Station) -> None:
    """Deliveries, commands and how far it has come: far below what a commit can hold."""
    assert WEBHOOK_RESEND_PAGE * 2 + 4 < 100
    endpoint, _ = gone_and_back(station, 2)
    begin(station, endpoint)
    task = station.next_task(RESEND)
    station.line.paths.clear()
    station.resend_page(task, LATER)
    assert station.line.paths == ["BatchGetDocuments", "RunQuery", "BatchGetDocuments", "Commit"]


def test_another_endpoints_resend_is_not_found(station: Station) -> None:
    """Nor one that never was."""
    endpoint, _ = station.an_endpoint()
    other, _ = station.an_endpoint("other")
    resend = begin(station, endpoint)
    for key, of in ((resend.id, other), ("a" * 52, endpoint)):
        with pytest.raises(Refused) as refusal:
            station.house.webhooks.resending.resend(ACME, of, key)
        assert refusal.value.code == "unknown_webhook_resend"
