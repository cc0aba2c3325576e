"""Cold start of the webhook's door: from spawning its process to the first webhook acknowledged.

The process is what the platform starts: functions-framework's own server on the door's bundle, one
worker. Tenant, keyset and signing secret are there; the webhook is really signed, and its 200 means
that its commit and its task are made. Byte code lives in a cache of its own (PYTHONPYCACHEPREFIX),
so that both states, compiled as deployed and not compiled, can be had without touching anything.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from emulators.addresses import LOOPBACK, Leases
from emulators.catalogue import load_catalogue
from emulators.processes import inherited_environment
from infra.bundle import bundle
from tests.bench.rows import Row, middle
from tests.bench.webhook import Webhook, deliver, signed
from tests.bench.world import DOOR, World

STARTS: Final = 7
BAR: Final = 1.2
SLOWEST_IMPORTS: Final = 10
PATIENCE_SECONDS: Final = 30
HOW: Final = f"functions-framework on the bundle, one worker; median of {STARTS} starts"

EMPTY_DOOR: Final = f"""import functions_framework

@functions_framework.http
def {DOOR}(request):
    return "ok"
"""

_IMPORT: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +([\w.]+)")


@dataclass(frozen=True, slots=True)
class Stage:
    """A bundle on disk, a port for its server, its environment, and where its byte code is kept."""

    folder: Path
    port: int
    environment: Mapping[str, str]
    byte_code: Path

    def serving(self, folder: Path) -> "Stage":
        """The same with another bundle."""
        return replace(self, folder=folder)


def rows(world: World) -> Iterator[Row]:
    """Seconds to the first acknowledged webhook, compiled and not, and what importing costs in them."""
    with tempfile.TemporaryDirectory(prefix="daybook-cold-") as name, closing(Leases(Path(name))) as leases:
        yield from _measure(world, _stage(world, Path(name).resolve(), leases.lease()))


def _stage(world: World, folder: Path, port: int) -> Stage:
    bundle(load_catalogue().function(DOOR), folder / "door")
    (folder / "empty").mkdir()
    (folder / "empty" / "main.py").write_text(EMPTY_DOOR, encoding="utf-8")
    environment = {**inherited_environment(world.cloud.environment()), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.pop("PYTHONPATH", None)
    return Stage(folder / "door", port, environment, folder / "compiled")


def _measure(world: World, stage: Stage) -> Iterator[Row]:
    empty = stage.serving(stage.folder.with_name("empty"))
    for one in (stage, empty):
        _start(world, one)  # makes the byte code, and the month's keyset
    door, nothing, fresh = [], [], []
    made = []
    for _ in range(STARTS):
        before = world.taken_in()
        door.append(_start(world, stage))
        made.append(tuple(after - earlier for earlier, after in zip(before, world.taken_in(), strict=True)))
        nothing.append(_start(world, empty))
        fresh.append(_start(world, _without_byte_code(stage)))
    yield Row("cold start, webhook door", middle(door), "s", f"compiled; {HOW}").at_most(BAR)
    how = f"least of {STARTS} starts, counted in store and queue after each"
    yield Row("cold start: events stored", min(events for events, _ in made), "documents", how).exactly(1)
    yield Row("cold start: tasks made", min(tasks for _, tasks in made), "tasks", how).exactly(1)
    yield Row("cold start, empty door", middle(nothing), "s", f"the framework alone, compiled; {HOW}")
    yield Row("cold start, not compiled", middle(fresh), "s", f"neither bundle nor packages compiled; {HOW}")
    for package, seconds in _slowest_imports(world, stage):
        yield Row(f"  importing {package}", seconds, "s", "its own modules' time in one start with -X importtime")


def _without_byte_code(stage: Stage) -> Stage:
    """The same start without the byte code of bundle and packages; Python's own library is always compiled."""
    kept = stage.byte_code.with_name("not-compiled")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(stage.byte_code, kept)
    for path in (stage.folder, Path(sysconfig.get_path("purelib"))):
        shutil.rmtree(kept.joinpath(*path.parts[1:]), ignore_errors=True)
    return replace(stage, environment={**stage.environment, "PYTHONPYCACHEPREFIX": str(kept)})


def _start(world: World, stage: Stage, *switches: str, errors: int = subprocess.DEVNULL) -> float:
    """Seconds from spawning the door's server to its first 200; the process is gone afterwards."""
    address = ("--host", LOOPBACK, "--port", str(stage.port))
    webhook = signed(world)
    started = time.monotonic()
    server = subprocess.Popen(  # noqa: S603 - our own command
        (sys.executable, *switches, "-m", "functions_framework", "--target", DOOR, "--source", "main.py", *address),
        cwd=stage.folder,
        env=stage.environment,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,
    )
    try:
        _first_answer(stage.port, webhook, server)
        return time.monotonic() - started
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        _wait_until_refused(stage.port)


def _first_answer(port: int, webhook: Webhook, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection(LOOPBACK, port, timeout=PATIENCE_SECONDS)
        try:
            connection.connect()
        except ConnectionRefusedError:
            time.sleep(0.002)
            continue
        with closing(connection):
            return deliver(connection, webhook)
    message = "the door's server ended or did not answer"
    raise RuntimeError(message)


def _wait_until_refused(port: int) -> None:
    """A killed worker holds the port for a moment longer than its master."""
    while True:
        try:
            HTTPConnection(LOOPBACK, port, timeout=1).connect()
        except ConnectionRefusedError:
            return
        except OSError:
            continue


def _slowest_imports(world: World, stage: Stage) -> list[tuple[str, float]]:
    """The packages whose own modules take longest to import, in seconds, slowest first."""
    log = stage.folder.with_name("imports.log")
    with log.open("wb") as errors:
        _start(world, stage, "-X", "importtime", errors=errors.fileno())
    return slowest(log.read_text(encoding="utf-8", errors="replace"))[:SLOWEST_IMPORTS]


def slowest(importtime: str) -> list[tuple[str, float]]:
    """Packages by the time of their own modules, seconds, slowest first, from what `-X importtime` wrote."""
    microseconds: Counter[str] = Counter()
    for spent, module in _IMPORT.findall(importtime):
        microseconds[package_of(module)] += int(spent)
    return [(package, spent / 1_000_000) for package, spent in microseconds.most_common()]


def package_of(module: str) -> str:
    """What a module belongs to: its first name, or the first three of Google's shared name space."""
    names = module.split(".")
    return ".".join(names[:3]) if names[0] == "google" else names[0]
