"""Attempts against lost answers, rivals and death: each is recorded once, and what was sent may be sent again."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.faults import Retryable
from shared.webhooks.model import Answer, DeliveryState, DisabledBecause
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Killed
from tests.emulator.lines import Switch, lost, unsent
from tests.emulator.webhooks.stations import DELIVER, DOWN, More, Station
from tests.unit.webhooks.parts import an_announcement


def recorded(station: Station) -> list[int]:
    """Numbers of the attempts on record."""
    return sorted(document["number"] for document in station.documents("webhook_attempts"))


@pytest.mark.parametrize("answer", [DOWN, Answer(204)])
def test_a_task_that_comes_again_sends_nothing(station: Station, another: More, answer: Answer) -> None:
    """The attempt is on record; the next one, if there is one, is asked for by the same command."""
    station.an_endpoint()
    station.tell(an_announcement())
    task = station.next_task()
    station.receiver.answers = [answer]
    first = station.attempt(task)
    other = another()
    assert [one.attempt(task) for one in (station, other)] == [first, first]
    assert (len(station.receiver.postings), other.receiver.postings, recorded(station)) == (1, [], [1])
    assert len(station.post.take(DELIVER)) == (2 if answer is DOWN else 1)


def test_two_that_attempt_at_once_record_one(station: Station, another: More) -> None:
    """Both have sent: the receiver tells by `webhook-id` that it is the same."""
    station.an_endpoint()
    station.tell(an_announcement())
    task, other = station.next_task(), another()
    other.receiver.answers = [DOWN]
    station.receiver.then = lambda: other.attempt(task)
    assert station.attempt(task).last_status == 500, "what the first one recorded stands"
    assert recorded(station) == [1]
    sent = [*station.receiver.postings, *other.receiver.postings]
    assert len(sent) == 2
    assert len({posting.headers["webhook-id"] for posting in sent}) == 1


def test_many_that_attempt_at_once_record_one(station: Station, another: More) -> None:
    """And ask for one attempt after it."""
    station.an_endpoint()
    station.tell(an_announcement())
    task, processes = station.next_task(), [another() for _ in range(4)]
    for process in processes:
        process.receiver.answers = [DOWN] * 10
    with ThreadPoolExecutor(len(processes)) as pool:
        answers = list(pool.map(lambda one: one.again(lambda: one.attempt(task)), processes))
    assert {answer.attempts for answer in answers} == {1}
    assert (recorded(station), len(station.post.take(DELIVER))) == ([1], 2)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_is_recorded_once(station: Station, fault: Switch) -> None:
    """Whether it landed or not, the message is sent once and the next attempt asked for."""
    station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [DOWN]
    station.line.commits.append(fault)
    assert station.attempt_next().attempts == 1
    assert (len(station.receiver.postings), recorded(station), len(station.post.take(DELIVER))) == (1, [1], 2)


@pytest.mark.parametrize("answer", [DOWN, Answer(204), Answer(410)], ids=["failure", "success", "gone"])
def test_killed_at_any_moment_the_attempt_is_recorded_once(station: Station, another: More, answer: Answer) -> None:
    """Dead between any two calls to store, receiver, queue and bus: redelivered, at most one more message was sent."""
    endpoint, _ = station.an_endpoint()
    heard: set[str] = set()
    for moment in range(20):
        station.house.webhooks.endpoints.enable(a_call(f"enable-{moment}", once=True), endpoint)
        station.tell(an_announcement(f"event-{moment}"))
        task, fate = station.next_task(), Fate()
        mortal, fate.left = another(fate), moment
        mortal.receiver.answers, station.receiver.answers = [answer], [answer]
        try:
            mortal.attempt(task)
        except Killed:
            killed = True
        else:
            killed = False
        delivery = station.attempt(task)
        assert (delivery.attempts, delivery.last_status) == (1, answer.status)
        tasks = (mortal.post.tasks | station.post.tasks).values()
        numbers = {one.body["number"] for one in tasks if one.body["delivery"] == delivery.id}
        assert numbers == ({1, 2} if answer is DOWN else {1})
        heard |= mortal.post.told.keys() | station.post.told.keys()
        assert len(heard) == (moment + 1 if answer.status == 410 else 0), "each disabling is announced once"
        sent = len(mortal.receiver.postings) + len(station.receiver.postings)
        assert 1 <= sent <= 2
        station.receiver.postings.clear()
        if not killed:
            break
    assert not killed
    assert moment > 5, "reading, sending, committing and telling have more moments"
    assert recorded(station) == [1] * (moment + 1)


def test_dead_after_sending_it_sends_again_under_the_same_id(station: Station, another: More) -> None:
    """At least once: nobody can send and record in one step."""
    station.an_endpoint()
    station.tell(an_announcement())
    task, mortal = station.next_task(), another(Fate())

    def die() -> None:
        raise Killed

    mortal.receiver.then = die
    with pytest.raises(Killed):
        mortal.attempt(task)
    assert station.attempt(task).state is DeliveryState.DELIVERED
    sent = [*mortal.receiver.postings, *station.receiver.postings]
    assert [posting.headers["webhook-id"] for posting in sent] == [sent[0].headers["webhook-id"]] * 2


def test_when_the_store_is_silent_the_task_comes_again(station: Station, another: More) -> None:
    """Nothing is taken for recorded that is not."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    task, mute = station.next_task(), another(Fate())
    mute.line.silent_about = endpoint
    with pytest.raises(Retryable):
        mute.attempt(task)
    assert recorded(station) == []
    assert station.attempt(task).state is DeliveryState.DELIVERED


def test_a_success_beside_the_failure_of_another_leaves_no_days_to_count(station: Station, another: More) -> None:
    """The endpoint is written unchanged since it was read: the success sees the failure, and clears it."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement("one"))
    one = station.next_task()
    station.tell(an_announcement("two"))
    two, other = station.next_task(), another()
    other.receiver.answers = [DOWN]
    station.receiver.then = lambda: other.attempt(two)
    station.attempt(one)
    assert station.house.webhooks.endpoints.endpoint(ACME, endpoint).failing_since is None


def test_two_that_disable_at_once_announce_it_once(station: Station, another: More) -> None:
    """Whoever comes second finds it disabled."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement("one"))
    one = station.next_task()
    station.tell(an_announcement("two"))
    two, other = station.next_task(), another()
    station.receiver.answers, other.receiver.answers = [Answer(410)], [Answer(410)]
    station.receiver.then = lambda: other.attempt(two)
    assert station.attempt(one).state is DeliveryState.FAILED
    seen = station.house.webhooks.endpoints.endpoint(ACME, endpoint)
    assert (seen.disabled_because, seen.version) == (DisabledBecause.GONE, 2)
    assert len(station.post.told) == 1


def test_disabled_while_a_message_is_on_its_way_nothing_follows(station: Station) -> None:
    """A failure then is the last one; the endpoint stays as the person left it."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement())
    station.receiver.answers = [DOWN]
    endpoints = station.house.webhooks.endpoints
    station.receiver.then = lambda: endpoints.disable(a_call("disable", once=True, at=NOON), endpoint)
    assert station.attempt_next().state is DeliveryState.FAILED
    assert endpoints.endpoint(ACME, endpoint).disabled_because is DisabledBecause.ASKED
    assert len(station.post.take(DELIVER)) == 1
