"""The HTTP side: public keys, the Pub/Sub relay, and what a driver of the local cloud asks of it.

`/admin/idle` is computed by the clock at the moment of the question, so right after a jump of the
clock it already counts what the jump made due: a driver may advance, then poll until idle.
"""

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aiohttp import web

from emulators.services.relay import Relay
from emulators.services.scheduler.service import SchedulerService
from emulators.services.tasks.queue import LiveQueue, QueuedTask
from emulators.services.tasks.service import TasksService
from emulators.services.world import World

BODY_BYTES = 16 * 1024 * 1024


class Web:
    """Routes over the running services."""

    def __init__(self, world: World, tasks: TasksService, scheduler: SchedulerService, relay: Relay) -> None:
        """Look into these."""
        self._world = world
        self._tasks = tasks
        self._scheduler = scheduler
        self._relay = relay

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(client_max_size=BODY_BYTES)
        application.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.get("/jwks", self.jwks),
                web.get("/.well-known/openid-configuration", self.configuration),
                web.post("/push/{function}/projects/{project}/topics/{topic}", self._relay.push),
                web.get("/admin/idle", self.idle),
                web.get("/admin/tasks", self.tasks),
                web.get("/admin/dispatched", self.dispatched),
                web.get("/admin/bodies", self.bodies),
                web.post("/admin/token", self.token),
            ]
        )
        return application

    async def healthz(self, _: web.Request) -> web.Response:
        """Alive."""
        return web.json_response({"status": "ok"})

    async def jwks(self, _: web.Request) -> web.Response:
        """The keys that verify our tokens."""
        return web.json_response(self._world.issuer.jwks())

    async def configuration(self, _: web.Request) -> web.Response:
        """Where the keys are."""
        return web.json_response(self._world.issuer.configuration())

    async def idle(self, _: web.Request) -> web.Response:
        """Counts of what waits, is due now and runs; `idle` when nothing is due and nothing runs."""
        now = self._world.clock.now()
        queues, jobs = self._tasks.queues.values(), self._scheduler.jobs.values()
        counts = {
            "tasks": {
                "pending": sum(len(queue.tasks) for queue in queues),
                "due": sum(queue.due(now) for queue in queues),
                "running": sum(queue.running for queue in queues),
                "exhausted": sum(len(queue.exhausted) for queue in queues),
            },
            "jobs": {"due": sum(job.due(now) for job in jobs), "running": sum(job.running for job in jobs)},
            "pushes": {"running": self._relay.running},
        }
        busy = sum(part.get(state, 0) for part in counts.values() for state in ("due", "running"))
        next_due_at = min((at for queue in queues if (at := queue.next_due_at())), default=None)
        return web.json_response({"idle": not busy, **counts, "next_due_at": _text(next_due_at)})

    async def tasks(self, request: web.Request) -> web.Response:
        """Pending and given-up tasks, of all queues or of `?queue=` (short or full name); bodies are never shown."""
        wanted = request.query.get("queue", "")
        queues = [
            queue
            for name, queue in self._tasks.queues.items()
            if not wanted or wanted in {name, name.rpartition("/")[2]}
        ]
        return web.json_response(
            {
                "pending": [_pending(task) for queue in queues for task in queue.tasks.values()],
                "exhausted": [row for queue in queues for row in _exhausted(queue)],
            }
        )

    async def dispatched(self, _: web.Request) -> web.Response:
        """Counters since the process started, by queue, by job, and of the relay."""
        return web.json_response(
            {
                "queues": {n.rpartition("/")[2]: asdict(queue.tally) for n, queue in self._tasks.queues.items()},
                "jobs": {n.rpartition("/")[2]: asdict(job.tally) for n, job in self._scheduler.jobs.items()},
                "pushes": self._relay.pushed,
            }
        )

    async def bodies(self, _: web.Request) -> web.Response:
        """What the latest calls to doors carried, of tasks, jobs and pushes: headers (no token), bodies in base64."""
        kept = [
            {
                "url": call.url,
                "headers": {name: text for name, text in call.headers.items() if name != "Authorization"},
                "body": base64.b64encode(call.body).decode("ascii"),
            }
            for call in self._world.outcalls.kept
        ]
        return web.json_response({"calls": kept})

    async def token(self, request: web.Request) -> web.Response:
        """A token for {"audience", "email"}, as a caller of private doors would carry."""
        asked: dict[str, Any] = await request.json()
        return web.json_response({"token": self._world.issuer.token(asked["email"], asked["audience"])})


def _pending(task: QueuedTask) -> dict[str, Any]:
    return {
        "name": task.message.name,
        "url": task.message.http_request.url,
        "due_at": _text(task.due),
        "running": task.ticket is None,
        "attempts": task.history.attempts,
        "last_status": task.history.previous,
    }


def _exhausted(queue: LiveQueue) -> list[dict[str, Any]]:
    return [asdict(task) | {"gave_up_at": _text(task.gave_up_at)} for task in queue.exhausted]


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
