"""Commands on Cloud Tasks: named after their ids, so that telling the queue twice is telling it once.

The name saves work; it guarantees nothing, for queues forget names. A door must bear to hear twice.
"""

from typing import Any, Final

import grpc

from shared import counters
from shared.events import Command, Json
from shared.gcp.firestore_values import write_instant
from shared.gcp.json_text import to_json
from shared.gcp.messages import Messages
from shared.gcp.rpc import Method, Rpc, RpcFailed
from shared.settings import Settings

HOST: Final = "cloudtasks.googleapis.com"
CALLER: Final = "daybook-tasks"
"""The account whose token a task carries; the catalogue's `callers` name it too."""

_types: Final = Messages("google.cloud.tasks_v2", "cloudtasks")
_targets: Final = Messages("google.cloud.tasks_v2", "target")
_tasks: Final = Messages("google.cloud.tasks_v2", "task")
_CREATE: Final = Method(
    "/google.cloud.tasks.v2.CloudTasks/CreateTask", _types.CreateTaskRequest, _tasks.Task, route="parent"
)
_POST: Final = int(_targets.HttpMethod.POST)


class TasksQueue:
    """The queues of one project and region as the port `Queue`."""

    def __init__(self, settings: Settings, *, rpc: Rpc | None = None) -> None:
        """Hand tasks to the settings' project, through `rpc` where a test brings its own."""
        self._location = f"projects/{settings.project}/locations/{settings.region}"
        self._doors_url = settings.doors_url
        self._account = f"{CALLER}@{settings.callers_domain}"
        self._rpc = rpc or Rpc(HOST, settings.tasks_endpoint)

    def enqueue(self, command: Command) -> None:
        """Hand over one command; see the port.

        The task posts `{"id", "tenant", "body"}` to `{doors_url}/{door}` with that address as its
        token's audience, not before the command's time.
        """
        request = self._request(command)
        try:
            self._rpc.ask(_CREATE, request)
        except RpcFailed as failed:
            if failed.status is not grpc.StatusCode.ALREADY_EXISTS:
                raise
        counters.current().tasks += 1

    def _request(self, command: Command) -> Any:
        queue = f"{self._location}/queues/{command.queue}"
        request = _types.CreateTaskRequest(parent=queue)
        request.task.name = f"{queue}/tasks/{command.id}"
        if command.not_before is not None:
            write_instant(request.task.schedule_time, command.not_before)
        target = request.task.http_request
        target.url = f"{self._doors_url}/{command.door}"
        target.http_method = _POST
        target.headers.update({"Content-Type": "application/json", "traceparent": command.traceparent})
        target.body = body_of(command)
        target.oidc_token.service_account_email = self._account
        target.oidc_token.audience = target.url
        return request


def body_of(command: Command) -> bytes:
    """What the door receives, as JSON."""
    parts: dict[str, Json] = {"id": command.id, "tenant": command.tenant, "body": command.body}
    return to_json(parts)
