import asyncio
from datetime import UTC, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)

from emulators.services.outcalls import Answer, Outcall, Outcalls
from shared.clock import SystemClock
from tests.emulator.services.doors import Door
from tests.emulator.services.patience import eventually
from tests.emulator.services.rig import Services, TasksBench

SLOW = {"retry_config": {"min_backoff": timedelta(seconds=10), "max_backoff": timedelta(seconds=300)}}


def _retry_after(bench: TasksBench, name: str, failures: int) -> timedelta:
    """How long a task that has failed so often will wait, from its last answer."""

    def answered() -> Any:
        found = bench.client.get_task(name=name)
        return found if found.response_count == failures else None

    task = eventually(answered)
    wait: timedelta = task.schedule_time - task.last_attempt.response_time
    return wait


def test_an_attempt_carries_the_recorded_headers(bench: TasksBench) -> None:
    """The first attempt tells queue, task, counts of zero and its instant, and nothing of an earlier answer."""
    bench.open()
    task = bench.create("first", http_request={"headers": {"traceparent": "00-aa-bb-01", "X-CloudTasks-Forged": "yes"}})
    headers = bench.door.wait_for(1)[0].headers
    assert headers["User-Agent"] == "Google-Cloud-Tasks"
    assert headers["X-CloudTasks-QueueName"] == bench.queue.rpartition("/")[2]
    assert headers["X-CloudTasks-TaskName"] == "first"
    assert headers["X-CloudTasks-TaskRetryCount"] == "0"
    assert headers["X-CloudTasks-TaskExecutionCount"] == "0"
    assert headers["X-CloudTasks-TaskETA"].partition(".")[0] == str(int(task.schedule_time.timestamp()))
    assert headers["traceparent"] == "00-aa-bb-01"
    assert not {"X-CloudTasks-TaskPreviousResponse", "X-CloudTasks-TaskRetryReason", "X-CloudTasks-Forged"} & set(
        headers
    )


def test_a_task_arrives_as_it_was_made(bench: TasksBench) -> None:
    """Method and body pass through; without a content type of its own a body is octets."""
    bench.open()
    bench.create(http_request={"http_method": "PUT", "body": b"\x00\xff"})
    hit = bench.door.wait_for(1)[0]
    assert (hit.method, hit.body, hit.headers["Content-Type"]) == ("PUT", b"\x00\xff", "application/octet-stream")


def test_retries_count_every_attempt_but_executions_leave_out_5xx(services: Services, bench: TasksBench) -> None:
    """503, 404, 200 gives RetryCount 0, 1, 2 and ExecutionCount 0, 0, 1, and each retry names the answer before it."""
    bench.open(**SLOW)
    bench.door.answers(503, 404, 200)
    name = bench.create("retried").name
    for failures in (1, 2):
        _retry_after(bench, name, failures)
        services.advance(minutes=5)
    hits = [hit.headers for hit in bench.door.wait_for(3)]
    assert [hit["X-CloudTasks-TaskRetryCount"] for hit in hits] == ["0", "1", "2"]
    assert [hit["X-CloudTasks-TaskExecutionCount"] for hit in hits] == ["0", "0", "1"]
    assert [hit.get("X-CloudTasks-TaskPreviousResponse") for hit in hits] == [None, "503", "404"]
    assert [hit.get("X-CloudTasks-TaskRetryReason") for hit in hits] == [None, "", ""]


def test_a_failed_task_waits_by_the_backoff_and_leaves_on_success(services: Services, bench: TasksBench) -> None:
    """Waits of 10 and 20 seconds by the settable clock, then the task is gone."""
    bench.open(**SLOW)
    bench.door.answers(500, 500, 200)
    name = bench.create("patient").name
    assert _retry_after(bench, name, 1) == timedelta(seconds=10)
    services.advance(seconds=10)
    assert _retry_after(bench, name, 2) == timedelta(seconds=20)
    services.advance(seconds=20)
    bench.door.wait_for(3)
    services.wait_until_idle()
    with pytest.raises(NotFound):
        bench.client.get_task(name=name)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_lengthens_the_wait(bench: TasksBench, status: int) -> None:
    """A door that asks for two minutes gets two minutes, though the backoff is ten seconds."""
    bench.open(**SLOW)
    bench.door.answers(status, Retry_After="120")
    assert _retry_after(bench, bench.create().name, 1) == timedelta(seconds=120)


def test_a_redirect_is_a_failure(bench: TasksBench) -> None:
    """Only 2xx is success; nothing is followed."""
    bench.open(**SLOW)
    bench.door.answers(302, Location=bench.door.url)
    _retry_after(bench, bench.create().name, 1)
    assert len(bench.door.hits) == 1


def test_a_task_ends_only_when_attempts_and_duration_are_both_used_up(services: Services, bench: TasksBench) -> None:
    """Two attempts allowed within the hour: the third is made all the same, the first after the hour is the last."""
    retries = SLOW["retry_config"] | {"max_attempts": 2, "max_retry_duration": timedelta(hours=1)}
    bench.open(retry_config=retries)
    bench.door.answers(*[500] * 9)
    name = bench.create("doomed").name
    for failures in (1, 2):
        _retry_after(bench, name, failures)
        services.advance(minutes=5)
    _retry_after(bench, name, 3)
    services.advance(hours=1)
    bench.door.wait_for(4)
    services.wait_until_idle()
    report = services.ask(f"/admin/tasks?queue={bench.queue}")
    assert report["pending"] == []
    assert [(row["name"], row["attempts"], row["last_status"]) for row in report["exhausted"]] == [(name, 4, 500)]
    with pytest.raises(NotFound):
        bench.client.get_task(name=name)


def test_a_tasks_own_retry_rule_beats_the_queues(services: Services, bench: TasksBench) -> None:
    """A task that allows one attempt is given up after it."""
    bench.open(**SLOW)
    bench.door.answers(500)
    bench.create(retry_config={"max_attempts": 1})
    bench.door.wait_for(1)
    services.wait_until_idle()
    assert len(services.ask(f"/admin/tasks?queue={bench.queue}")["exhausted"]) == 1


def test_a_name_is_taken_while_it_lives_and_for_a_day_after(services: Services, bench: TasksBench) -> None:
    """The same name twice is refused until 24 hours after the first was done."""
    bench.open()
    bench.client.pause_queue(name=bench.queue)
    bench.create("once")
    with pytest.raises(AlreadyExists, match="Requested entity already exists"):
        bench.create("once")
    bench.client.resume_queue(name=bench.queue)
    bench.door.wait_for(1)
    services.wait_until_idle()
    with pytest.raises(AlreadyExists, match="too recently"):
        bench.create("once")
    services.advance(hours=25)
    bench.create("once")
    bench.door.wait_for(2)


def test_a_jump_of_the_clock_wakes_scheduled_tasks(services: Services, bench: TasksBench) -> None:
    """A task for tomorrow waits, is not due, and goes as soon as the clock says tomorrow."""
    bench.open()
    tomorrow = services.clock.now() + timedelta(days=1)
    bench.create(schedule_time=tomorrow)
    assert services.wait_until_idle()["tasks"]["pending"] == 1
    services.advance(days=1)
    hit = bench.door.wait_for(1)[0]
    eta = hit.headers["X-CloudTasks-TaskETA"]
    assert eta.partition(".")[0] == str(int(tomorrow.timestamp()))


def test_due_tasks_go_in_the_order_of_their_instants(services: Services, bench: TasksBench) -> None:
    """Of two tasks that one jump makes due, the earlier goes first, whichever was created first."""
    bench.open(rate_limits={"max_concurrent_dispatches": 1})
    now = services.clock.now()
    bench.create(schedule_time=now + timedelta(hours=2), http_request={"body": b"later"})
    bench.create(schedule_time=now + timedelta(hours=1), http_request={"body": b"earlier"})
    services.advance(hours=3)
    assert [hit.body for hit in bench.door.wait_for(2)] == [b"earlier", b"later"]


def test_the_rate_holds_tasks_back(services: Services, bench: TasksBench) -> None:
    """At one dispatch in 100 seconds, each 100 seconds let exactly one more go."""
    bench.open(rate_limits={"max_dispatches_per_second": 0.01})
    for _ in range(3):
        bench.create()
    for sent in (1, 2):
        bench.door.wait_for(sent)
        counts = eventually(lambda: (c := services.ask("/admin/idle")["tasks"])["running"] == 0 and c)
        assert (len(bench.door.hits), counts["due"]) == (sent, 3 - sent)
        services.advance(seconds=100)
    bench.door.wait_for(3)


def test_so_many_run_at_once_and_no_more(services: Services, bench: TasksBench) -> None:
    """With one dispatch at a time the second task waits for the first one's answer."""
    bench.open(rate_limits={"max_concurrent_dispatches": 1})
    bench.door.open.clear()
    for _ in range(2):
        bench.create()
    bench.door.wait_for(1)
    counts = services.ask("/admin/idle")["tasks"]
    assert (counts["running"], counts["due"]) == (1, 1)
    bench.door.open.set()
    bench.door.wait_for(2)


def test_a_paused_queue_sends_nothing_but_what_is_run_by_hand(services: Services, bench: TasksBench) -> None:
    """Pause holds tasks, RunTask attempts one all the same, resume lets the others go."""
    bench.open()
    assert bench.client.pause_queue(name=bench.queue).state.name == "PAUSED"
    bench.create("held", http_request={"body": b"held"})
    bench.create("pushed", http_request={"body": b"pushed"})
    bench.client.run_task(name=f"{bench.queue}/tasks/pushed")
    assert [hit.body for hit in bench.door.wait_for(1)] == [b"pushed"]
    assert services.wait_until_idle()["tasks"]["pending"] == 1
    bench.client.resume_queue(name=bench.queue)
    assert [hit.body for hit in bench.door.wait_for(2)] == [b"pushed", b"held"]


def test_purged_and_deleted_tasks_never_leave(services: Services, bench: TasksBench) -> None:
    """What was dropped before its instant is not sent when the instant comes."""
    bench.open()
    later = services.clock.now() + timedelta(hours=1)
    bench.client.delete_task(name=bench.create("deleted", schedule_time=later).name)
    bench.create("purged", schedule_time=later)
    bench.client.purge_queue(name=bench.queue)
    assert not list(bench.client.list_tasks(parent=bench.queue))
    services.advance(hours=2)
    services.wait_until_idle()
    assert bench.door.hits == []


def test_a_door_that_cannot_be_reached_is_tried_again(bench: TasksBench) -> None:
    """A refused connection is a failed attempt like any other."""
    bench.open(**SLOW)
    task = bench.create(http_request={"url": "http://127.0.0.1:9/nobody"})
    assert _retry_after(bench, task.name, 1) == timedelta(seconds=10)


def test_tasks_are_listed_by_pages_without_their_bodies(services: Services, bench: TasksBench) -> None:
    """The basic view leaves out the body, the full view shows it."""
    bench.open()
    later = services.clock.now() + timedelta(hours=1)
    for name in ("a", "b", "c"):
        bench.create(name, schedule_time=later)
    basic = list(bench.client.list_tasks(request={"parent": bench.queue, "page_size": 2}))
    assert [(task.name.rpartition("/")[2], task.http_request.body) for task in basic] == [
        ("a", b""),
        ("b", b""),
        ("c", b""),
    ]
    full = bench.client.get_task(request={"name": f"{bench.queue}/tasks/a", "response_view": "FULL"})
    assert full.http_request.body == b"{}"
    assert full.dispatch_deadline == timedelta(minutes=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"http_request": {"url": "ftp://door.example"}},
        {"http_request": {"url": "http://"}},
        {"http_request": {"url": "http://door.example", "http_method": "GET", "body": b"a body"}},
        {"http_request": {"body": b"x" * (1024 * 1024)}},
        {"http_request": {"headers": {"X-Note": "two\r\nlines"}}},
        {"http_request": {"http_method": 99}},
        {"dispatch_deadline": timedelta(seconds=14)},
        {"dispatch_deadline": timedelta(minutes=31)},
        {"name": "projects/other/locations/l/queues/q/tasks/t"},
    ],
)
def test_a_task_that_can_never_be_right_is_refused(bench: TasksBench, wrong: dict[str, Any]) -> None:
    """Bad address, body, size, deadline or name: INVALID_ARGUMENT."""
    bench.open()
    with pytest.raises(InvalidArgument):
        bench.create(**wrong)


def test_a_task_may_wait_thirty_days_and_no_longer(services: Services, bench: TasksBench) -> None:
    """One minute less than 30 days is taken, one minute more is refused."""
    bench.open()
    limit = services.clock.now() + timedelta(days=30)
    bench.create(schedule_time=limit - timedelta(minutes=1))
    with pytest.raises(InvalidArgument):
        bench.create(schedule_time=limit + timedelta(minutes=1))


def test_what_is_not_emulated_says_so(bench: TasksBench) -> None:
    """An App Engine target is refused, not dropped in silence."""
    bench.open()
    with pytest.raises(MethodNotImplemented):
        bench.client.create_task(parent=bench.queue, task={"app_engine_http_request": {"relative_uri": "/"}})


def test_a_queue_must_exist_once_and_not_lately(bench: TasksBench) -> None:
    """No queue: NOT_FOUND. Twice: ALREADY_EXISTS. Just deleted: FAILED_PRECONDITION."""
    with pytest.raises(NotFound):
        bench.create()
    bench.open()
    with pytest.raises(AlreadyExists):
        bench.open()
    bench.client.delete_queue(name=bench.queue)
    with pytest.raises(FailedPrecondition):
        bench.open()


def test_an_update_changes_what_its_mask_names(bench: TasksBench) -> None:
    """Only the masked figure moves, and the burst follows the rate."""
    bench.open(**SLOW)
    changed = bench.client.update_queue(
        queue={"name": bench.queue, "rate_limits": {"max_dispatches_per_second": 7}},
        update_mask={"paths": ["rate_limits.max_dispatches_per_second"]},
    )
    assert (changed.rate_limits.max_dispatches_per_second, changed.rate_limits.max_burst_size) == (7, 7)
    assert changed.rate_limits.max_concurrent_dispatches == 1000
    assert changed.retry_config.min_backoff == timedelta(seconds=10)


def test_a_door_that_does_not_answer_in_time_counts_as_504(door: Door) -> None:
    """The deadline ends the attempt, and what is noted is a gateway timeout."""
    door.open.clear()

    async def attempt() -> Answer:
        outcalls = Outcalls(SystemClock())
        try:
            return await outcalls.send(Outcall("POST", door.url, {}, b"", timedelta(milliseconds=50)))
        finally:
            await outcalls.close()

    assert asyncio.run(attempt()) == Answer(504)


def test_a_task_shows_its_attempts(bench: TasksBench) -> None:
    """Dispatch and response counts, and the last answer as a google.rpc code."""
    bench.open(**SLOW)
    bench.door.answers(404)
    name = bench.create().name
    _retry_after(bench, name, 1)
    task = bench.client.get_task(name=name)
    assert (task.dispatch_count, task.response_count, task.last_attempt.response_status.code) == (1, 1, 5)
    assert task.first_attempt.dispatch_time.astimezone(UTC) <= task.last_attempt.response_time
