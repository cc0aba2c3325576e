from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound

from emulators.services.scheduler.calendar import Calendar
from tests.emulator.services.doors import Door
from tests.emulator.services.patience import eventually
from tests.emulator.services.rig import Client, Services

NEVER_SOON = "0 0 1 1 *"


@pytest.fixture
def scheduler(services: Services, location: str) -> Iterator[Client]:
    """Google's client of Cloud Scheduler; the test's jobs are gone when it is over."""
    client = services.scheduler
    yield client
    for job in client.list_jobs(parent=location):
        client.delete_job(name=job.name)


def _create(client: Client, location: str, door: Door, **changes: Any) -> Any:
    job = {"name": f"{location}/jobs/sweep", "schedule": NEVER_SOON, "http_target": {"uri": door.url}} | changes
    return client.create_job(parent=location, job=job)


def _attempted(client: Client, name: str, services: Services) -> Any:
    services.wait_until_idle()
    return client.get_job(name=name)


def test_a_job_run_by_hand_carries_the_schedulers_headers(scheduler: Client, location: str, door: Door) -> None:
    """RunJob calls the target now, with the job's short name and its instant in UTC."""
    job = _create(scheduler, location, door)
    scheduler.run_job(name=job.name)
    hit = door.wait_for(1)[0]
    assert hit.method == "POST"
    assert hit.headers["User-Agent"] == "Google-Cloud-Scheduler"
    assert hit.headers["X-CloudScheduler"] == "true"
    assert hit.headers["X-CloudScheduler-JobName"] == "sweep"
    assert datetime.strptime(hit.headers["X-CloudScheduler-ScheduleTime"], "%Y-%m-%dT%H:%M:%SZ").astimezone(UTC)


def test_a_jump_over_many_instants_runs_a_job_once(
    services: Services, scheduler: Client, location: str, door: Door
) -> None:
    """Three days pass in a moment: an hourly job runs once, for the latest hour."""
    name = _create(scheduler, location, door, schedule="0 * * * *").name
    services.advance(days=3)
    hit = door.wait_for(1)[0]
    job = _attempted(scheduler, name, services)
    assert len(door.hits) == 1
    latest = job.schedule_time - timedelta(hours=1)
    assert hit.headers["X-CloudScheduler-ScheduleTime"] == f"{latest.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    services.advance(hours=1)
    door.wait_for(2)


def test_jobs_follow_the_local_time_of_their_zone(scheduler: Client, location: str, door: Door) -> None:
    """A quarter past three in London is what the clock on the wall there says, summer or winter."""
    job = _create(scheduler, location, door, schedule="15 3 * * *", time_zone="Europe/London")
    local = job.schedule_time.astimezone(ZoneInfo("Europe/London"))
    assert (local.hour, local.minute) == (3, 15)


def test_a_failure_is_kept_as_the_last_status(services: Services, scheduler: Client, location: str, door: Door) -> None:
    """Without a retry rule a failed job waits for its next instant; its status tells why."""
    door.answers(503)
    name = _create(scheduler, location, door).name
    scheduler.run_job(name=name)
    door.wait_for(1)
    job = _attempted(scheduler, name, services)
    assert job.status.code == 14
    services.advance(minutes=5)
    scheduler.run_job(name=name)
    door.wait_for(2)
    assert _attempted(scheduler, name, services).status.code == 0


def test_retries_as_many_as_the_job_says(services: Services, scheduler: Client, location: str, door: Door) -> None:
    """Two retries, by the backoff and the settable clock, and no third."""
    door.answers(500, 500, 500, 500)
    retries = {"retry_count": 2, "min_backoff_duration": timedelta(minutes=1)}
    name = _create(scheduler, location, door, retry_config=retries).name
    scheduler.run_job(name=name)
    for attempts in (1, 2, 3):
        door.wait_for(attempts)
        services.wait_until_idle()
        services.advance(minutes=10)
    services.wait_until_idle()
    assert len(door.hits) == 3
    counters = eventually(lambda: services.ask("/admin/dispatched")["jobs"]["sweep"])
    assert counters == {"dispatched": 3, "succeeded": 0, "failed": 3}


def test_a_paused_job_sleeps(services: Services, scheduler: Client, location: str, door: Door) -> None:
    """Instants pass a paused job by; resumed, it takes the next one."""
    name = _create(scheduler, location, door, schedule="0 * * * *").name
    scheduler.pause_job(name=name)
    with pytest.raises(FailedPrecondition):
        scheduler.pause_job(name=name)
    services.advance(hours=5)
    services.wait_until_idle()
    assert door.hits == []
    scheduler.resume_job(name=name)
    services.advance(hours=1)
    door.wait_for(1)


def test_an_update_moves_the_next_instant(services: Services, scheduler: Client, location: str, door: Door) -> None:
    """A new line of cron counts at once, and fields outside the mask stay."""
    job = _create(scheduler, location, door, description="sweeps")
    changed = scheduler.update_job(
        job={"name": job.name, "schedule": "* * * * *", "description": "ignored"}, update_mask={"paths": ["schedule"]}
    )
    assert changed.description == "sweeps"
    assert changed.schedule_time - services.clock.now() <= timedelta(minutes=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "every day"},
        {"schedule": "* * * * * *"},
        {"schedule": "0 0 30 2 *"},
        {"time_zone": "Mars/Olympus"},
        {"http_target": {"uri": "ftp://x"}},
        {"attempt_deadline": timedelta(hours=1)},
        {"retry_config": {"retry_count": 6}},
    ],
)
def test_a_job_that_can_never_run_is_refused(
    scheduler: Client, location: str, door: Door, wrong: dict[str, Any]
) -> None:
    """Bad cron, zone, target, deadline or retries: INVALID_ARGUMENT, and nothing is kept."""
    with pytest.raises(InvalidArgument):
        _create(scheduler, location, door, **wrong)
    assert not list(scheduler.list_jobs(parent=location))


def test_jobs_have_unique_names(scheduler: Client, location: str, door: Door) -> None:
    """Twice is ALREADY_EXISTS; one that is not there NOT_FOUND."""
    _create(scheduler, location, door)
    with pytest.raises(AlreadyExists):
        _create(scheduler, location, door)
    with pytest.raises(NotFound):
        scheduler.run_job(name=f"{location}/jobs/none")


# --- the calendar, as a table: London changed its clocks on 29 March and on 25 October 2026


LONDON = "Europe/London"


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("cron", "after", "fires"),
    [
        ("15 3 * * *", "2026-03-28T04:00", ["2026-03-29T02:15", "2026-03-30T02:15"]),
        ("15 3 * * *", "2026-10-24T04:00", ["2026-10-25T03:15", "2026-10-26T03:15"]),
        ("30 1 * * *", "2026-03-28T04:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("30 1 * * *", "2026-10-24T04:00", ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"]),
    ],
)
def test_daylight_saving_in_london(cron: str, after: str, fires: list[str]) -> None:
    """Local time rules; a time that is skipped fires at the change, a time that happens twice fires twice."""
    calendar, instant, seen = Calendar.read(cron, LONDON), _utc(after), []
    for _ in fires:
        instant = calendar.after(instant)
        seen.append(instant)
    assert seen == [_utc(text) for text in fires]


def test_the_latest_instant_may_be_now() -> None:
    """At the very instant the latest is the instant itself; a moment before it is the one before."""
    calendar = Calendar.read("0 * * * *", "Etc/UTC")
    noon = _utc("2026-11-21T12:00")
    assert calendar.latest(noon) == noon
    assert calendar.latest(noon - timedelta(microseconds=1)) == noon - timedelta(hours=1)
