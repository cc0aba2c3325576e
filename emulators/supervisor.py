"""The process behind `daybook up`: parent of the whole local cloud, detached from the terminal.

It says on its log what comes up, restarts a functions host that dies, and ends everything on
SIGTERM or when an emulator ends. If it is killed itself, the kernel ends its children.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from emulators.catalogue import REPOSITORY
from emulators.cloud import LocalCloud
from emulators.processes import CloudFault, inherited_environment, interpreter
from emulators.state import AlreadyUp, Home, State

TEND_SECONDS: Final = 0.2
UP_SECONDS: Final = 120.0
DOWN_SECONDS: Final = 30.0
FAILURE: Final = "error: "


@dataclass(frozen=True, slots=True)
class Wish:
    """What kind of cloud is wanted.

    Which doors (all when empty), beginning when (None: the machine's time), from which folder that
    holds functions/.
    """

    doors: tuple[str, ...] = ()
    starts_at: datetime | None = None
    root: Path = REPOSITORY


def bring_up(home: Home, wish: Wish, tell: Callable[[str], None]) -> State:
    """Start a supervisor and wait until its cloud is up; `tell` hears its progress.

    Raises:
        AlreadyUp: one is already running, or starting, in this home.
        CloudFault: it failed, for the reason given.
    """
    if home.runner():
        message = f"a local cloud is already up in {home.path}"
        raise AlreadyUp(message)
    home.prepare()
    log = home.log("supervisor")
    log.unlink(missing_ok=True)
    process = _detach(home, wish, log)
    try:
        return _wait(home, process, log, tell)
    except BaseException:
        process.terminate()
        process.wait(DOWN_SECONDS)
        raise


def bring_down(home: Home) -> bool:
    """End the cloud of this home and wait until it is gone; False when there was none."""
    runner = home.runner()
    if runner is None:
        home.forget()
        return False
    deadline = time.monotonic() + DOWN_SECONDS
    _signal(runner.pid, signal.SIGTERM)
    while runner.alive():
        if time.monotonic() > deadline:
            _signal(runner.pid, signal.SIGKILL)
        time.sleep(0.02)
    home.forget()
    return True


def run(home: Home, wish: Wish) -> None:
    """Be the supervisor until told to stop.

    Raises:
        CloudFault: the cloud did not come up, or an emulator ended.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _stop(stop))
    cloud = LocalCloud(home.path, wish.doors, wish.root, starts_at=wish.starts_at, tell=_say)
    try:
        with cloud:
            while not stop.wait(TEND_SECONDS):
                cloud.tend()
    except _Stopped:
        cloud.stop()


class _Stopped(Exception):
    """Asked to stop while starting."""


def _stop(stop: threading.Event) -> None:
    if stop.is_set():
        return
    stop.set()
    raise _Stopped


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _detach(home: Home, wish: Wish, log: Path) -> subprocess.Popen[bytes]:
    starts_at = ("--at", wish.starts_at.isoformat()) if wish.starts_at else ()
    doors = ("--doors", ",".join(wish.doors)) if wish.doors else ()
    places = ("--home", str(home.path), "--root", str(wish.root))
    command = interpreter("emulators.supervisor", *places, *starts_at, *doors)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=inherited_environment({"PYTHONPATH": str(REPOSITORY)}),
            cwd=REPOSITORY,
            start_new_session=True,
        )


def _wait(home: Home, process: subprocess.Popen[bytes], log: Path, tell: Callable[[str], None]) -> State:
    told = 0
    deadline = time.monotonic() + UP_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        progress, _, reason = log.read_text(encoding="utf-8").partition(FAILURE)
        lines = progress.splitlines()
        for line in lines[told:]:
            tell(line)
        told = len(lines)
        if (state := home.running()) and state.runner.pid == process.pid:
            return state
        if ended:
            raise CloudFault(reason.strip() or f"the supervisor ended; see {log}")
        time.sleep(0.05)
    message = f"not up after {UP_SECONDS:.0f} s; see {home.path}/logs"
    raise CloudFault(message)


def _options() -> tuple[Home, Wish]:
    parser = argparse.ArgumentParser(prog="emulators.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--at", type=datetime.fromisoformat, default=None)
    parser.add_argument("--doors", default="")
    given = parser.parse_args()
    return Home(given.home), Wish(tuple(filter(None, given.doors.split(","))), given.at, given.root)


if __name__ == "__main__":
    try:
        run(*_options())
    except CloudFault as fault:
        _say(f"{FAILURE}{fault}")
        sys.exit(1)
