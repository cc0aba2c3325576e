"""The RPCs of google.cloud.tasks.v2.CloudTasks over the live queues.

Queues survive a restart of this process, tasks do not: they outlive the doors, not their own home.
"""

import base64
from datetime import datetime, timedelta

import grpc
from google.cloud import tasks_v2

from emulators.services.declined import already_exists, invalid, not_found, wrong_state
from emulators.services.grpc_server import Message, Rpc, service
from emulators.services.listing import one_page
from emulators.services.tasks import messages as wire
from emulators.services.tasks.admission import admitted
from emulators.services.tasks.defaults import fill
from emulators.services.tasks.queue import LiveQueue, QueuedTask, State
from emulators.services.world import World

SECTION = "queues"
QUEUE_NAME_KEPT = timedelta(days=3)
"""How long the name of a deleted queue stays taken (google.cloud.tasks.v2.CloudTasks.DeleteQueue)."""


class TasksService:
    """Queues by their full names."""

    def __init__(self, world: World) -> None:
        """Reopen the queues kept in the state file."""
        self._world = world
        self._deleted: dict[str, datetime] = {}
        self._spare_ids = int(world.clock.now().timestamp()) * 1_000_000_000
        self.queues: dict[str, LiveQueue] = {}
        for text in world.state.read(SECTION) or ():
            message = wire.Queue.FromString(base64.b64decode(text))
            self.queues[message.name] = LiveQueue(message, world)

    def handler(self) -> grpc.GenericRpcHandler:
        """The gRPC service."""
        return service(
            wire.SERVICE,
            (
                Rpc("CreateQueue", self.create_queue, wire.CreateQueueRequest, wire.Queue),
                Rpc("GetQueue", self.get_queue, wire.GetQueueRequest, wire.Queue),
                Rpc("ListQueues", self.list_queues, wire.ListQueuesRequest, wire.ListQueuesResponse),
                Rpc("UpdateQueue", self.update_queue, wire.UpdateQueueRequest, wire.Queue),
                Rpc("PauseQueue", self.pause_queue, wire.PauseQueueRequest, wire.Queue),
                Rpc("ResumeQueue", self.resume_queue, wire.ResumeQueueRequest, wire.Queue),
                Rpc("PurgeQueue", self.purge_queue, wire.PurgeQueueRequest, wire.Queue),
                Rpc("DeleteQueue", self.delete_queue, wire.DeleteQueueRequest, wire.Empty),
                Rpc("CreateTask", self.create_task, wire.CreateTaskRequest, wire.Task),
                Rpc("GetTask", self.get_task, wire.GetTaskRequest, wire.Task),
                Rpc("ListTasks", self.list_tasks, wire.ListTasksRequest, wire.ListTasksResponse),
                Rpc("DeleteTask", self.delete_task, wire.DeleteTaskRequest, wire.Empty),
                Rpc("RunTask", self.run_task, wire.RunTaskRequest, wire.Task),
            ),
        )

    def close(self) -> None:
        """Stop every queue."""
        for queue in self.queues.values():
            queue.close()

    # --- queues

    async def create_queue(self, request: Message) -> Message:
        """Open a queue under a name that was not used lately."""
        name = request.queue.name
        if not name.startswith(f"{request.parent}/queues/"):
            message = "Queue.name must be projects/P/locations/L/queues/Q under the request's parent."
            raise invalid(message)
        if name in self.queues:
            message = "Queue already exists"
            raise already_exists(message)
        self._refuse_reborn(name)
        return self._open(request.queue)

    async def get_queue(self, request: Message) -> Message:
        """One queue."""
        return self._queue(request.name).message

    async def list_queues(self, request: Message) -> Message:
        """The queues of a location."""
        named = ((n, q.message) for n, q in self.queues.items() if n.startswith(f"{request.parent}/queues/"))
        page, token = one_page(named, request.page_size, request.page_token)
        return wire.ListQueuesResponse(queues=page, next_page_token=token)

    async def update_queue(self, request: Message) -> Message:
        """Change rates and retries; as in the real service, a queue that is not there is made."""
        name = request.queue.name
        if name not in self.queues:
            self._refuse_reborn(name)
            return self._open(request.queue)
        queue = self.queues[name]
        changed = _copy_of(queue.message)
        paths = list(request.update_mask.paths) or ["rate_limits", "retry_config"]
        for path in paths:
            _copy_path(request.queue, changed, path.split("."))
        fill(changed)
        return self._changed(queue, changed)

    async def pause_queue(self, request: Message) -> Message:
        """Let nothing more start."""
        return self._turn(request.name, State.PAUSED)

    async def resume_queue(self, request: Message) -> Message:
        """Go on."""
        return self._turn(request.name, State.RUNNING)

    async def purge_queue(self, request: Message) -> Message:
        """Drop all tasks."""
        queue = self._queue(request.name)
        queue.purge()
        changed = _copy_of(queue.message)
        changed.purge_time.FromDatetime(self._world.clock.now())
        return self._changed(queue, changed)

    async def delete_queue(self, request: Message) -> Message:
        """Drop the queue and its tasks."""
        self._queue(request.name).close()
        del self.queues[request.name]
        self._deleted[request.name] = self._world.clock.now()
        self._keep()
        return wire.Empty()

    # --- tasks

    async def create_task(self, request: Message) -> Message:
        """Put a task into a queue; its name must not live, nor have lived in the last day."""
        queue = self._queue(request.parent)
        now = self._world.clock.now()
        self._spare_ids += 1
        task = admitted(request.task, request.parent, str(self._spare_ids), now)
        if task.name in queue.tasks:
            message = "Requested entity already exists"
            raise already_exists(message)
        if queue.names.is_held(task.name, now):
            message = "The task cannot be created because a task with this name existed too recently."
            raise already_exists(message)
        answer = _viewed(task, request.response_view)
        queue.add(task)
        return answer

    async def get_task(self, request: Message) -> Message:
        """One unfinished task."""
        _, task = self._task(request.name)
        return _viewed(task.message, request.response_view)

    async def list_tasks(self, request: Message) -> Message:
        """The unfinished tasks of a queue."""
        named = ((name, task.message) for name, task in self._queue(request.parent).tasks.items())
        page, token = one_page(named, request.page_size, request.page_token)
        tasks = [_viewed(task, request.response_view) for task in page]
        return wire.ListTasksResponse(tasks=tasks, next_page_token=token)

    async def delete_task(self, request: Message) -> Message:
        """Drop a task."""
        queue, _ = self._task(request.name)
        queue.remove(request.name)
        return wire.Empty()

    async def run_task(self, request: Message) -> Message:
        """Attempt a task at once, even in a paused queue."""
        queue, task = self._task(request.name)
        queue.run_now(task)
        return _viewed(task.message, request.response_view)

    # --- within

    def _open(self, asked: Message) -> Message:
        message = _copy_of(asked)
        message.state = State.RUNNING
        fill(message)
        queue = self.queues[message.name] = LiveQueue(message, self._world)
        return self._changed(queue, message)

    def _turn(self, name: str, state: int) -> Message:
        queue = self._queue(name)
        changed = _copy_of(queue.message)
        changed.state = state
        return self._changed(queue, changed)

    def _changed(self, queue: LiveQueue, message: Message) -> Message:
        queue.change(message)
        self._keep()
        return message

    def _keep(self) -> None:
        messages = [queue.message.SerializeToString() for queue in self.queues.values()]
        self._world.state.keep(SECTION, [base64.b64encode(message).decode() for message in messages])

    def _refuse_reborn(self, name: str) -> None:
        deleted_at = self._deleted.get(name)
        if deleted_at and self._world.clock.now() - deleted_at < QUEUE_NAME_KEPT:
            message = "The queue cannot be created because a queue with this name existed too recently."
            raise wrong_state(message)

    def _queue(self, name: str) -> LiveQueue:
        if name not in self.queues:
            message = "Queue does not exist."
            raise not_found(message)
        return self.queues[name]

    def _task(self, name: str) -> tuple[LiveQueue, QueuedTask]:
        queue = self._queue(name.partition("/tasks/")[0])
        if name in queue.tasks:
            return queue, queue.tasks[name]
        if queue.names.is_held(name, self._world.clock.now()):
            message = "The task no longer exists, though a task with this name existed recently."
            raise not_found(message)
        message = "Requested entity was not found."
        raise not_found(message)


def _copy_of(queue: Message) -> Message:
    message = wire.Queue()
    message.CopyFrom(queue)
    return message


def _viewed(task: Message, view: int) -> Message:
    """A copy for the client: BASIC, the default, leaves out the body."""
    seen = wire.Task()
    seen.CopyFrom(task)
    seen.view = view or tasks_v2.Task.View.BASIC
    if seen.view == tasks_v2.Task.View.BASIC:
        seen.http_request.ClearField("body")
    return seen


def _copy_path(source: Message, target: Message, path: list[str]) -> None:
    """Copy one field of a mask, as `retry_config.min_backoff`."""
    name, rest = path[0], path[1:]
    if name not in {field.name for field in source.DESCRIPTOR.fields}:
        message = f"update_mask names an unknown field: {name}"
        raise invalid(message)
    if rest:
        _copy_path(getattr(source, name), getattr(target, name), rest)
        return
    target.ClearField(name)
    part = type(source)()
    part.CopyFrom(source)
    for field, _ in part.ListFields():
        if field.name != name:
            part.ClearField(field.name)
    target.MergeFrom(part)
