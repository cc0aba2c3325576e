"""The process: one event loop, one gRPC port with the three services, one HTTP port, until SIGTERM."""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from emulators.services import grpc_server
from emulators.services.alarms import Alarms
from emulators.services.kms.service import KmsService
from emulators.services.oidc import Issuer
from emulators.services.outcalls import Outcalls
from emulators.services.relay import Relay
from emulators.services.scheduler.service import SchedulerService
from emulators.services.state import StateFile
from emulators.services.tasks.service import TasksService
from emulators.services.web import Web
from emulators.services.world import World
from shared.clock import SettableClock, SystemClock

GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; addresses are on the loopback interface only."""

    grpc_port: int
    http_port: int
    state_file: Path
    clock: Path | None
    doors_url: str
    issuer: str


async def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    world = _world(options)
    tasks, kms, scheduler = TasksService(world), KmsService(world), SchedulerService(world)
    relay = Relay(options.doors_url, world.issuer, world.outcalls)
    runner = web.AppRunner(Web(world, tasks, scheduler, relay).application(), access_log=None)
    server = await grpc_server.serve(options.grpc_port, (tasks.handler(), kms.handler(), scheduler.handler()))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.http_port, reuse_port=False).start()
    watch = asyncio.create_task(world.alarms.watch())
    print("ready", flush=True)  # noqa: T201 - the supervisor waits for this line
    await stop.wait()
    watch.cancel()
    tasks.close()
    scheduler.close()
    await server.stop(GRACE_SECONDS)
    await runner.cleanup()
    await world.outcalls.close()


def _world(options: Options) -> World:
    clock = SettableClock(options.clock) if options.clock else SystemClock()
    state = StateFile(options.state_file)
    issuer = Issuer(options.issuer or f"http://127.0.0.1:{options.http_port}", clock, state)
    return World(clock, Alarms(clock), state, issuer, Outcalls(clock))
