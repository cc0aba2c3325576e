"""Child processes with a name, a log and no afterlife: whatever ends the parent ends them too."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0

_TETHER: Final = Path(__file__).with_name("tether.py")
_LOST_RACE: Final = ("address already in use", "failed to bind", "connection in use")


class CloudFault(Exception):
    """The local cloud cannot go on; the message is one a person can act on."""


class PortTaken(CloudFault):
    """Another program took a port between the moment it was found free and its use."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: `output` takes stdout (None: the log as well), `log` takes stderr."""

    name: str
    command: tuple[str, ...]
    log: Path
    output: Path | None = None
    environment: Mapping[str, str] | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """A program that was started, leader of its own process group."""

    program: Program
    process: subprocess.Popen[bytes]

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int:
        """The process id, which is also the group's."""
        return self.process.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """Kill -9 the whole group and reap the leader."""
        _signal_group(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end; after `STOP_SECONDS` insist."""
        if self.alive():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self.kill()

    def last_words(self, lines: int) -> str:
        """The end of its log, for an error message."""
        text = self.program.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.strip().splitlines()[-lines:])


def start(program: Program) -> Child:
    """Start a program tied to this process's life.

    The kernel ties it to the thread that forks, so one thread that lives as long as this process
    starts them all: callers may be on any thread.
    """
    return _forker().submit(_start, program).result()


def wait_until_ready(
    waiting: Mapping[str, tuple[Child, Callable[[], bool]]],
    *,
    heard: Callable[[str], None] = lambda _name: None,
    seconds: float = READY_SECONDS,
) -> None:
    """Poll until every child's condition holds; `heard` is told the name of each as it does.

    Raises:
        PortTaken: a child ended because its port was taken.
        CloudFault: a child ended, or the time is over.
    """
    deadline = time.monotonic() + seconds
    left = dict(waiting)
    while left:
        for name, (child, ready) in tuple(left.items()):
            if ready():
                del left[name]
                heard(name)
            if not child.alive():
                raise _died(child)
        if left and time.monotonic() > deadline:
            message = f"not ready after {seconds:.0f} s: {', '.join(left)}; see {child.program.log.parent}"
            raise CloudFault(message)
        time.sleep(0.02 if left else 0)


def inherited_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment plus `extra`, with loopback traffic kept away from any proxy."""
    inherited = dict(os.environ)  # noqa: TID251 - children get the user's environment; nothing here is read as a setting
    loopback = ",".join(filter(None, (inherited.get("no_proxy", ""), "127.0.0.1,localhost")))
    return {**inherited, "no_proxy": loopback, "NO_PROXY": loopback, **extra}


@functools.cache
def _forker() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")


def _start(program: Program) -> Child:
    command = (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *program.command)
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log, (program.output or program.log).open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            env=program.environment,
            cwd=program.folder,
            start_new_session=True,
        )
    return Child(program, process)


def _died(child: Child) -> CloudFault:
    words = child.last_words(20)
    kind = PortTaken if any(sign in words.lower() for sign in _LOST_RACE) else CloudFault
    last = words.splitlines()[-1] if words else "it said nothing"
    return kind(f"{child.name} ended with code {child.process.returncode}: {last} (log: {child.program.log})")


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def interpreter(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs one of our modules with this interpreter."""
    return (sys.executable, "-m", module, *arguments)
