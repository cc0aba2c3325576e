"""The process: one event loop, one gRPC port with the three services, one HTTP port, until SIGTERM."""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from emulators.partner_apis.web import PartnersWeb
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
    partners_port: int
    state_file: Path
    clock: Path | None
    doors_url: str
    issuer: str


async def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        OSError: a port is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as closing:
        await _serve(options, closing)
        print("ready", flush=True)  # noqa: T201 - whoever started us waits for this line
        await stop.wait()


async def _serve(options: Options, closing: AsyncExitStack) -> None:
    """Start everything; `closing` ends it in reverse."""
    world = _world(options)
    closing.push_async_callback(world.outcalls.close)
    tasks, kms, scheduler = TasksService(world), KmsService(world), SchedulerService(world)
    closing.callback(tasks.close)
    closing.callback(scheduler.close)
    relay = Relay(options.doors_url, world.issuer, world.outcalls)
    runner = web.AppRunner(Web(world, tasks, scheduler, relay).application(), access_log=None)
    await runner.setup()
    closing.push_async_callback(runner.cleanup)
    server = await grpc_server.serve(options.grpc_port, (tasks.handler(), kms.handler(), scheduler.handler()))
    closing.push_async_callback(server.stop, GRACE_SECONDS)
    await web.TCPSite(runner, "127.0.0.1", options.http_port, reuse_port=False).start()
    await _serve_partners(options, closing)
    closing.callback(asyncio.create_task(world.alarms.watch()).cancel)


async def _serve_partners(options: Options, closing: AsyncExitStack) -> None:
    """Partners' APIs, on a port of their own: their paths begin at its root."""
    runner = web.AppRunner(PartnersWeb().application(), access_log=None, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    closing.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", options.partners_port, reuse_port=False).start()


def _world(options: Options) -> World:
    clock = SettableClock(options.clock) if options.clock else SystemClock()
    state = StateFile(options.state_file)
    issuer = Issuer(options.issuer or f"http://127.0.0.1:{options.http_port}", clock, state)
    return World(clock, Alarms(clock), state, issuer, Outcalls(clock))
