"""Who is slow waits with its like: attempts to it are handed over to a queue of their own, on the real emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from queue import Queue
from threading import Semaphore, Thread

import pytest

from shared.events import Command
from shared.faults import Retryable
from shared.webhooks.model import Answer, DeliveryState, Posting, Trouble
from shared.webhooks.rules.pace import SLOW_FOR
from shared.webhooks.use_cases.rooms import Webhooks
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Killed, Post
from tests.emulator.webhooks.stations import DELIVER, DELIVER_SLOW, More, Station
from tests.unit.webhooks.parts import an_announcement

HUNG = Answer(trouble=Trouble.TIMEOUT, duration=timedelta(seconds=20))
MESSAGES, WORKERS, SECONDS = 50, 10, 60


@pytest.fixture
def slow(station: Station) -> str:
    """An endpoint that has hung once."""
    endpoint, _ = station.an_endpoint()
    station.tell(an_announcement("first"))
    station.receiver.answers = [HUNG]
    station.attempt_next()
    station.tell(an_announcement())
    return endpoint


def test_an_attempt_to_a_slow_endpoint_is_handed_over_and_made_there(station: Station, slow: str) -> None:
    """The first queue sends nothing and records nothing; the other one does both."""
    seen = station.house.webhooks.endpoints.endpoint(ACME, slow)
    assert seen.slow_since == NOON
    handed = station.attempt_next()
    assert (handed.state, handed.attempts, len(station.receiver.postings)) == (DeliveryState.PENDING, 0, 1)
    made = station.attempt(station.next_task(DELIVER_SLOW))
    assert (made.state, made.attempts, len(station.receiver.postings)) == (DeliveryState.DELIVERED, 1, 2)


def test_an_attempt_is_handed_over_once_however_often_its_task_comes(station: Station, slow: str) -> None:
    """Its command has one name; once it is recorded, nothing is handed over any more."""
    task = station.next_task()
    station.attempt(task)
    station.attempt(task)
    assert len(station.post.take(DELIVER_SLOW)) == 1, slow
    station.attempt(station.next_task(DELIVER_SLOW))
    before = list(station.post.handed_over)
    assert station.attempt(task).state is DeliveryState.DELIVERED
    assert station.post.handed_over == before


def test_while_the_queue_is_silent_the_task_comes_again(station: Station, slow: str) -> None:
    """Nothing is lost between the two queues, and nothing is sent meanwhile."""
    task = station.next_task()
    station.post.down = True
    with pytest.raises(Retryable):
        station.attempt(task)
    assert len(station.receiver.postings) == 1, slow
    station.post.down = False
    station.attempt(task)
    assert station.attempt(station.next_task(DELIVER_SLOW)).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("moment", range(4))
def test_whoever_dies_while_handing_over_does_it_again(station: Station, another: More, slow: str, moment: int) -> None:
    """Before and after each of its two calls; the message is sent once, from the other queue."""
    task, fate = station.next_task(), Fate()
    mortal = another(fate, Post(fate, tasks=station.post.tasks))
    fate.left = moment
    with pytest.raises(Killed):
        mortal.attempt(task)
    station.attempt(task)
    assert station.attempt(station.next_task(DELIVER_SLOW)).state is DeliveryState.DELIVERED
    assert len(station.receiver.postings) == 2, slow


def test_what_is_under_way_to_a_slow_endpoint_that_is_disabled_fails_at_once(station: Station, slow: str) -> None:
    """There is nothing to wait for."""
    station.house.webhooks.endpoints.disable(a_call("disable", once=True), slow)
    assert station.attempt_next().trouble is Trouble.ENDPOINT_DISABLED
    assert station.post.take(DELIVER_SLOW) == []


def test_an_endpoint_that_is_quick_again_is_served_by_the_first_queue(station: Station, slow: str) -> None:
    """After five minutes, by an attempt that was quick."""
    station.attempt_next()
    station.attempt(station.next_task(DELIVER_SLOW), NOON + SLOW_FOR)
    assert station.house.webhooks.endpoints.endpoint(ACME, slow).slow_since is None
    station.tell(an_announcement("later"))
    station.attempt_next()
    assert len(station.receiver.postings) == 3


# --- fifty and fifty ---------------------------------------------------------------------


@dataclass
class Lanes(Post):
    """Both queues, each served by so many workers; what is to be tried again later is of no interest here."""

    lanes: dict[str, "Queue[Command | None]"] = field(default_factory=lambda: {DELIVER: Queue(), DELIVER_SLOW: Queue()})

    def enqueue(self, command: Command) -> None:
        """Take a command that is due."""
        if command.not_before is None or command.not_before <= NOON:
            self.lanes[command.door].put(command)

    def wait_until_done(self, door: str) -> None:
        """Wait until everything that a queue was given is done."""
        lane = self.lanes[door]
        with lane.all_tasks_done:
            assert lane.all_tasks_done.wait_for(lambda: not lane.unfinished_tasks, SECONDS / 2)


@dataclass
class OneHangs:
    """Two receivers: one answers, the other holds on until the test says that the time is over."""

    hung: Semaphore = field(default_factory=lambda: Semaphore(0))
    over: Semaphore = field(default_factory=lambda: Semaphore(0))
    heard: dict[str, list[str]] = field(default_factory=lambda: {"healthy": [], "hanging": []})

    def deliver(self, posting: Posting) -> Answer:
        """Take a message, or hold on to it."""
        name = posting.url.removeprefix("https://").partition(".")[0]
        self.heard[name].append(posting.headers["webhook-id"])
        if name == "healthy":
            return Answer(204, duration=timedelta(milliseconds=50))
        self.hung.release()
        assert self.over.acquire(timeout=SECONDS)
        return HUNG

    def wait_until_hung(self, times: int) -> None:
        """Wait until so many more messages are held."""
        assert all(self.hung.acquire(timeout=SECONDS) for _ in range(times))


@contextmanager
def working(stations: list[Station], lanes: Lanes) -> Iterator[None]:
    """Each station serves one lane, one task after the other, as a queue with so many dispatches at once."""

    def work(station: Station, lane: "Queue[Command | None]") -> None:
        while task := lane.get(timeout=SECONDS):
            station.again(partial(station.attempt, task))
            lane.task_done()

    served = [*[lanes.lanes[DELIVER]] * WORKERS, *[lanes.lanes[DELIVER_SLOW]] * WORKERS]
    threads = [Thread(target=work, args=pair, daemon=True) for pair in zip(stations, served, strict=True)]
    for thread in threads:
        thread.start()
    yield
    for lane in served:
        lane.put(None)
    for thread in threads:
        thread.join(SECONDS)


def test_one_endpoint_that_hangs_does_not_starve_the_others(another: More, station: Station) -> None:
    """It holds the first queue for one timeout; after that the healthy one is told everything while it still hangs."""
    lanes, receivers = Lanes(Fate()), OneHangs()
    stations = [another(None, lanes) for _ in range(2 * WORKERS)]
    for one in stations:
        house = one.house
        rooms = Webhooks(
            house.desk, partial(getattr, house, "vault"), house.ids, lambda _: receivers, to_loopback=False
        )
        house.__dict__.update(webhooks=rooms)
    for name in ("hanging", "healthy"):
        station.an_endpoint(name)
    for number in range(MESSAGES):
        stations[0].tell(an_announcement(f"event-{number}"))
    with working(stations, lanes):
        receivers.wait_until_hung(WORKERS)
        assert len(set(receivers.heard["healthy"])) < MESSAGES, "every worker waits for the one that hangs"
        for _ in range(WORKERS):
            receivers.over.release()
        receivers.wait_until_hung(WORKERS)
        lanes.wait_until_done(DELIVER)
        assert len(set(receivers.heard["healthy"])) == MESSAGES
        assert len(receivers.heard["hanging"]) == 2 * WORKERS, "and it still hangs"
        receivers.over.release(10 * MESSAGES)
        lanes.wait_until_done(DELIVER_SLOW)
    assert len(set(receivers.heard["hanging"])) == MESSAGES
