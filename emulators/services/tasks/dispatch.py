"""A task's attempt as an HTTP request, with the headers recorded from the real service."""

from datetime import datetime

from google.cloud import tasks_v2

from emulators.services.grpc_server import Message
from emulators.services.oidc import Issuer
from emulators.services.outcalls import Outcall, passed_headers
from emulators.services.tasks.history import History

USER_AGENT = "Google-Cloud-Tasks"


def outcall_for(task: Message, due: datetime, history: History, issuer: Issuer) -> Outcall:
    """The request of the attempt that follows on `history`."""
    request = task.http_request
    headers = passed_headers(request.headers) | cloud_headers(task.name, due, history)
    if request.body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/octet-stream"
    if request.HasField("oidc_token"):
        token = request.oidc_token
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = f"Bearer {issuer.token(token.service_account_email, token.audience or request.url)}"
    return Outcall(
        method=tasks_v2.HttpMethod(request.http_method).name,
        url=request.url,
        headers=headers,
        body=request.body,
        deadline=task.dispatch_deadline.ToTimedelta(),
    )


def cloud_headers(name: str, due: datetime, history: History) -> dict[str, str]:
    """What Cloud Tasks says of the attempt; the two last only from the second attempt on."""
    queue, _, short = name.rpartition("/tasks/")
    headers = {
        "User-Agent": USER_AGENT,
        "X-CloudTasks-QueueName": queue.rpartition("/")[2],
        "X-CloudTasks-TaskName": short,
        "X-CloudTasks-TaskRetryCount": str(history.attempts),
        "X-CloudTasks-TaskExecutionCount": str(history.executions),
        "X-CloudTasks-TaskETA": f"{int(due.timestamp())}.{due.microsecond:06d}",
    }
    if history.previous is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(history.previous)
        headers["X-CloudTasks-TaskRetryReason"] = ""
    return headers
