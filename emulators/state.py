"""The state folder: which local cloud lives here, under which process ids and addresses.

`state.json` is written by whoever runs the cloud and read by everybody else; a file whose runner
is dead is stale and counts as nothing.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from emulators.processes import CloudFault

PROJECT: Final = "daybook-local"
REGION: Final = "europe-west2"
KMS_KEY: Final = f"projects/{PROJECT}/locations/{REGION}/keyRings/daybook/cryptoKeys/personal-data"
SEAL_KEY_VERSION: Final = (
    f"projects/{PROJECT}/locations/{REGION}/keyRings/daybook/cryptoKeys/seals-of-journals/cryptoKeyVersions/1"
)


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process that a reused number cannot be mistaken for: `started` is its start time in kernel ticks."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Whether that very process still runs."""
        return _started(self.pid) == self.started


@dataclass(frozen=True, slots=True)
class State:
    """A running local cloud: processes by name, loopback ports by name, and the variables of its processes."""

    runner: ProcessId
    processes: Mapping[str, ProcessId]
    ports: Mapping[str, int]
    environment: Mapping[str, str]
    doors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """A state folder and what is where in it."""

    path: Path

    @property
    def state(self) -> Path:
        """`state.json`."""
        return self.path / "state.json"

    @property
    def clock(self) -> Path:
        """The settable clock's file."""
        return self.path / "clock"

    @property
    def secrets(self) -> Path:
        """One file a secret, one value a line, newest first."""
        return self.path / "secrets"

    @property
    def services(self) -> Path:
        """What our emulated services remember."""
        return self.path / "services.json"

    @property
    def credentials(self) -> Path:
        """API keys that the local command uses: tenant (or `platform`) to key."""
        return self.path / "credentials.json"

    def log(self, name: str) -> Path:
        """A process's log; `doors` holds the doors' JSON lines."""
        return self.path / "logs" / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders, readable by their owner only."""
        for folder in (self.path, self.secrets, self.path / "logs"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def clear(self) -> None:
        """Remove what local clouds left here, and nothing else."""
        for folder in (self.secrets, self.path / "logs"):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.state, self.clock, self.services, self.credentials, self.path / "lock"):
            file.unlink(missing_ok=True)

    def claim(self) -> int:
        """Be the only cloud here until the returned lock is closed.

        Raises:
            AlreadyUp: another one is running, or starting.
        """
        self.prepare()
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            message = f"a local cloud is already up in {self.path}"
            raise AlreadyUp(message) from None
        os.ftruncate(lock, 0)
        os.write(lock, json.dumps(asdict(process_id(os.getpid()))).encode())
        return lock

    def runner(self) -> ProcessId | None:
        """The process that holds this home, also while it is still starting; None when there is none."""
        try:
            runner = ProcessId(**json.loads((self.path / "lock").read_text(encoding="ascii")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return runner if runner.alive() else None

    def running(self) -> State | None:
        """The cloud that runs here; None when there is none, or its runner is dead."""
        state = self._read()
        return state if state and state.runner.alive() else None

    def write(self, state: State) -> None:
        """Say what runs here."""
        write_private(self.state, json.dumps(asdict(state), indent=2))

    def forget(self) -> None:
        """Say that nothing runs here."""
        self.state.unlink(missing_ok=True)

    def keys(self) -> dict[str, str]:
        """The API keys the local command knows, by tenant; `platform` is the platform's."""
        with contextlib.suppress(FileNotFoundError):
            found: dict[str, str] = json.loads(self.credentials.read_text(encoding="utf-8"))
            return found
        return {}

    def remember_key(self, owner: str, key: str) -> None:
        """Let the local command use a key."""
        write_private(self.credentials, json.dumps(self.keys() | {owner: key}, indent=2))

    def _read(self) -> State | None:
        try:
            raw: dict[str, Any] = json.loads(self.state.read_text(encoding="utf-8"))
            return State(
                runner=ProcessId(**raw["runner"]),
                processes={name: ProcessId(**one) for name, one in raw["processes"].items()},
                ports=raw["ports"],
                environment=raw["environment"],
                doors=tuple(raw["doors"]),
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


class AlreadyUp(CloudFault):
    """The state folder is in use."""


class NotUp(CloudFault):
    """There is no running cloud in the state folder."""


def process_id(pid: int) -> ProcessId:
    """The identity of a process that runs now."""
    return ProcessId(pid, _started(pid) or 0)


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(draft).replace(path)


def _started(pid: int) -> int | None:
    """Start time of a process; 0 where the system does not say; None when it is gone or only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return _exists(pid)
    state, *rest = text.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else int(rest[18])


def _exists(pid: int) -> int | None:
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return 0
