"""The RPCs of google.cloud.scheduler.v1.CloudScheduler over the live jobs. Jobs survive a restart; runs do not."""

import base64
import re
from datetime import timedelta

import grpc
from google.cloud import scheduler_v1

from emulators.services.declined import already_exists, invalid, not_emulated, not_found, wrong_state
from emulators.services.grpc_server import Message, Rpc, service
from emulators.services.listing import one_page
from emulators.services.scheduler import messages as wire
from emulators.services.scheduler.calendar import Calendar
from emulators.services.scheduler.live_job import LiveJob, State
from emulators.services.world import World

SECTION = "jobs"
ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
DEADLINE = timedelta(minutes=3)
MIN_DEADLINE, MAX_DEADLINE = timedelta(seconds=15), timedelta(minutes=30)
MIN_BACKOFF, MAX_BACKOFF, DOUBLINGS = timedelta(seconds=5), timedelta(hours=1), 5
MAX_RETRIES = 5
OUTPUT_ONLY = ("user_update_time", "state", "status", "schedule_time", "last_attempt_time")


class SchedulerService:
    """Jobs by their full names."""

    def __init__(self, world: World) -> None:
        """Take up the jobs kept in the state file."""
        self._world = world
        self._made = 0
        self.jobs: dict[str, LiveJob] = {}
        for text in world.state.read(SECTION) or ():
            message = wire.Job.FromString(base64.b64decode(text))
            job = self.jobs[message.name] = LiveJob(message, world)
            job.plan()

    def handler(self) -> grpc.GenericRpcHandler:
        """The gRPC service."""
        return service(
            wire.SERVICE,
            (
                Rpc("CreateJob", self.create_job, wire.CreateJobRequest, wire.Job),
                Rpc("GetJob", self.get_job, wire.GetJobRequest, wire.Job),
                Rpc("ListJobs", self.list_jobs, wire.ListJobsRequest, wire.ListJobsResponse),
                Rpc("UpdateJob", self.update_job, wire.UpdateJobRequest, wire.Job),
                Rpc("DeleteJob", self.delete_job, wire.DeleteJobRequest, wire.Empty),
                Rpc("PauseJob", self.pause_job, wire.PauseJobRequest, wire.Job),
                Rpc("ResumeJob", self.resume_job, wire.ResumeJobRequest, wire.Job),
                Rpc("RunJob", self.run_job, wire.RunJobRequest, wire.Job),
            ),
        )

    def close(self) -> None:
        """Stop every job."""
        for job in self.jobs.values():
            job.close()

    async def create_job(self, request: Message) -> Message:
        """Make a job."""
        message = wire.Job()
        message.CopyFrom(request.job)
        message.name = message.name or self._spare_name(request.parent)
        parent, _, short = message.name.rpartition("/jobs/")
        if parent != request.parent or not ID.fullmatch(short):
            text = "Job name must be projects/P/locations/L/jobs/J under the request's parent."
            raise invalid(text)
        if message.name in self.jobs:
            text = f"Job {message.name} already exists."
            raise already_exists(text)
        for field in OUTPUT_ONLY:
            message.ClearField(field)
        message.state = State.ENABLED
        fill(message)
        job = self.jobs[message.name] = LiveJob(message, self._world)
        return self._changed(job)

    async def get_job(self, request: Message) -> Message:
        """One job, with the status of its last attempt."""
        return self._job(request.name).message

    async def list_jobs(self, request: Message) -> Message:
        """The jobs of a location."""
        named = ((n, job.message) for n, job in self.jobs.items() if n.startswith(f"{request.parent}/jobs/"))
        page, token = one_page(named, request.page_size, request.page_token)
        return wire.ListJobsResponse(jobs=page, next_page_token=token)

    async def update_job(self, request: Message) -> Message:
        """Replace the fields named by the mask; all that a client may set when it is empty."""
        job = self._job(request.job.name)
        paths = [path.split(".")[0] for path in request.update_mask.paths] or [
            field.name for field in wire.Job.DESCRIPTOR.fields if field.name not in (*OUTPUT_ONLY, "name")
        ]
        changed, given = wire.Job(), wire.Job()
        changed.CopyFrom(job.message)
        given.CopyFrom(request.job)
        for field in wire.Job.DESCRIPTOR.fields:
            (changed if field.name in paths else given).ClearField(field.name)
        changed.MergeFrom(given)
        changed.name, changed.state = job.message.name, job.message.state
        fill(changed)
        job.message.CopyFrom(changed)
        return self._changed(job)

    async def delete_job(self, request: Message) -> Message:
        """Forget a job."""
        self._job(request.name).close()
        del self.jobs[request.name]
        self._keep()
        return wire.Empty()

    async def pause_job(self, request: Message) -> Message:
        """Let the calendar pass by."""
        return self._turn(request.name, State.ENABLED, State.PAUSED)

    async def resume_job(self, request: Message) -> Message:
        """Follow the calendar again."""
        return self._turn(request.name, State.PAUSED, State.ENABLED)

    async def run_job(self, request: Message) -> Message:
        """Run now."""
        job = self._job(request.name)
        job.run_now()
        return job.message

    def _turn(self, name: str, before: int, after: int) -> Message:
        job = self._job(name)
        if job.message.state != before:
            message = f"The job's state is {State(job.message.state).name}."
            raise wrong_state(message)
        job.message.state = after
        return self._changed(job)

    def _changed(self, job: LiveJob) -> Message:
        job.message.user_update_time.FromDatetime(self._world.clock.now())
        job.plan()
        self._keep()
        return job.message

    def _keep(self) -> None:
        messages = [job.message.SerializeToString() for job in self.jobs.values()]
        self._world.state.keep(SECTION, [base64.b64encode(message).decode() for message in messages])

    def _job(self, name: str) -> LiveJob:
        if name not in self.jobs:
            message = "Job not found."
            raise not_found(message)
        return self.jobs[name]

    def _spare_name(self, parent: str) -> str:
        self._made += 1
        return f"{parent}/jobs/{int(self._world.clock.now().timestamp())}{self._made:06d}"


def fill(job: Message) -> None:
    """Put the defaults (google.cloud.scheduler.v1.Job, .RetryConfig) into a job, in place, and check it.

    Raises:
        Declined: INVALID_ARGUMENT, or UNIMPLEMENTED for a target that is not emulated.
    """
    job.time_zone = job.time_zone or "Etc/UTC"
    job.http_target.http_method = job.http_target.http_method or scheduler_v1.HttpMethod.POST
    if not job.HasField("attempt_deadline"):
        job.attempt_deadline.FromTimedelta(DEADLINE)
    retries = job.retry_config
    retries.max_doublings = retries.max_doublings or DOUBLINGS
    if not retries.HasField("min_backoff_duration"):
        retries.min_backoff_duration.FromTimedelta(MIN_BACKOFF)
    if not retries.HasField("max_backoff_duration"):
        retries.max_backoff_duration.FromTimedelta(MAX_BACKOFF)
    _check(job)


def _check(job: Message) -> None:
    Calendar.read(job.schedule, job.time_zone)
    target = job.http_target
    if not target.uri.startswith(("http://", "https://")):
        message = "Only jobs with an HTTP target are emulated, its uri http:// or https://."
        raise invalid(message)
    if target.HasField("oauth_token"):
        message = "OAuth tokens are not emulated; use an OIDC token."
        raise not_emulated(message)
    if not MIN_DEADLINE <= job.attempt_deadline.ToTimedelta() <= MAX_DEADLINE:
        message = "Job.attemptDeadline must be between [15s, 30m]."
        raise invalid(message)
    if not 0 <= job.retry_config.retry_count <= MAX_RETRIES:
        message = "RetryConfig.retryCount must be between 0 and 5."
        raise invalid(message)
