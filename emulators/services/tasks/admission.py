"""What a task must be to enter a queue. Pure: a request and an instant in, a complete task out."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from google.cloud import tasks_v2

from emulators.services.declined import invalid, not_emulated
from emulators.services.grpc_server import Message
from emulators.services.tasks.messages import Task

MAX_AHEAD = timedelta(days=30)
DEADLINE = timedelta(minutes=10)
MIN_DEADLINE = timedelta(seconds=15)
MAX_DEADLINE = timedelta(minutes=30)
TASK_BYTES = 1024 * 1024 - 7
URL_CHARACTERS = 2_083
BODY_METHODS = frozenset({tasks_v2.HttpMethod.POST, tasks_v2.HttpMethod.PUT, tasks_v2.HttpMethod.PATCH})
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


def admitted(asked: Message, queue: str, spare_id: str, now: datetime) -> Message:
    """The task as the queue keeps it, named `spare_id` when its maker named none.

    Raises:
        Declined: INVALID_ARGUMENT, or UNIMPLEMENTED for a target that is not emulated.
    """
    task = Task()
    task.CopyFrom(asked)
    _check_size(task)
    _check_name(task, queue)
    _check_target(task)
    _check_times(task, now)
    task.name = task.name or f"{queue}/tasks/{spare_id}"
    task.http_request.http_method = task.http_request.http_method or tasks_v2.HttpMethod.POST
    task.create_time.FromDatetime(now)
    if not task.HasField("schedule_time") or task.schedule_time.ToDatetime(now.tzinfo) < now:
        task.schedule_time.FromDatetime(now)
    if not task.HasField("dispatch_deadline"):
        task.dispatch_deadline.FromTimedelta(DEADLINE)
    return task


def _check_size(task: Message) -> None:
    if task.ByteSize() > TASK_BYTES:
        message = f"Task size too large: {task.ByteSize()} bytes, at most {TASK_BYTES}."
        raise invalid(message)


def _check_name(task: Message, queue: str) -> None:
    if not task.name:
        return
    parent, _, short = task.name.rpartition("/tasks/")
    if parent != queue:
        message = f"The queue name from request ('{queue}') must be the same as the queue name in the named task."
        raise invalid(message)
    if not TASK_ID.fullmatch(short):
        message = "Task ID must contain only letters, numbers, hyphens or underscores, at most 500 of them."
        raise invalid(message)


def _check_target(task: Message) -> None:
    if not task.HasField("http_request"):
        message = "Only tasks with an HTTP target are emulated."
        raise not_emulated(message)
    request = task.http_request
    if request.HasField("oauth_token"):
        message = "OAuth tokens are not emulated; use an OIDC token."
        raise not_emulated(message)
    _check_url(request.url)
    _check_headers(request)
    if request.body and (request.http_method or tasks_v2.HttpMethod.POST) not in BODY_METHODS:
        message = "HTTP request body is only allowed with POST, PUT or PATCH."
        raise invalid(message)
    if request.HasField("oidc_token") and not request.oidc_token.service_account_email:
        message = "HttpRequest.oidcToken.serviceAccountEmail must be set."
        raise invalid(message)


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        message = "HttpRequest.url must start with 'http://' or 'https://'."
        raise invalid(message)
    if len(url) > URL_CHARACTERS or not _host(url):
        message = "HttpRequest.url must be a valid URL of at most 2083 characters."
        raise invalid(message)


def _check_headers(request: Message) -> None:
    if request.http_method not in tasks_v2.HttpMethod.__members__.values():
        message = "HttpRequest.httpMethod is unknown."
        raise invalid(message)
    for name, value in request.headers.items():
        if not HEADER_NAME.fullmatch(name) or CONTROL.search(value):
            message = "HttpRequest.headers must be valid HTTP headers."
            raise invalid(message)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _check_times(task: Message, now: datetime) -> None:
    if task.HasField("schedule_time") and task.schedule_time.ToDatetime(now.tzinfo) > now + MAX_AHEAD:
        message = "The Task.scheduleTime is too far in the future; it must be no more than 720h0m0s ahead."
        raise invalid(message)
    if not task.HasField("dispatch_deadline"):
        return
    if not MIN_DEADLINE <= task.dispatch_deadline.ToTimedelta() <= MAX_DEADLINE:
        message = "Task.dispatchDeadline must be between [15s, 30m]."
        raise invalid(message)
