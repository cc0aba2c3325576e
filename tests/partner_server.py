"""The emulated partners' APIs on a loopback port of their own, in a thread of the test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from emulators.partner_apis.driver import PartnersDriver
from emulators.partner_apis.web import PartnersWeb

LOOPBACK = "127.0.0.1"


@contextmanager
def partners_serving() -> Iterator[PartnersDriver]:
    """Partners who know nothing yet."""
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), list[int]()
    runner = web.AppRunner(PartnersWeb().application(), access_log=None, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        ports.append(runner.addresses[0][1])
        ready.set()

    async def stop() -> None:
        """Nobody is left waiting for what hangs."""
        await runner.cleanup()
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield PartnersDriver(f"http://{LOOPBACK}:{ports[0]}")
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
