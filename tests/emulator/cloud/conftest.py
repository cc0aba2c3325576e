"""Example doors in a folder of their own, and a cloud that serves them."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulators.catalogue import REPOSITORY
from emulators.cloud import LocalCloud
from emulators.processes import interpreter
from emulators.state import Home
from tests.emulator.cloud.example_doors import DOORS, EXAMPLE, Daybook, Eventually, ExampleDoors


@pytest.fixture(scope="session")
def write_doors(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], ExampleDoors]:
    """Write a new set of example doors beside a copy of our catalogue."""

    def write() -> ExampleDoors:
        root = tmp_path_factory.mktemp("doors")
        for name, domain in DOORS.items():
            folder = root / "functions" / domain
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.py").write_text(EXAMPLE.format(name=name))
        catalogue = REPOSITORY / "functions" / "catalogue.yaml"
        (root / "functions" / "catalogue.yaml").write_bytes(catalogue.read_bytes())
        return ExampleDoors(root)

    return write


@pytest.fixture(scope="session")
def doors(write_doors: Callable[[], ExampleDoors]) -> ExampleDoors:
    """The example doors that the shared cloud serves."""
    return write_doors()


@pytest.fixture(scope="session")
def cloud(doors: ExampleDoors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud that serves the example doors; tests leave it up."""
    with LocalCloud(tmp_path_factory.mktemp("home"), doors.names, doors.root) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def daybook_at() -> Callable[[Home], Daybook]:
    """The `daybook` command on some home."""

    def at(home: Home) -> Daybook:
        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = interpreter("emulators.cli", "--home", str(home.path), *arguments)
            return subprocess.run(  # noqa: S603 - our own command, no shell
                command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=60
            )

        return run

    return at


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Wait for a condition; its absence after 20 seconds is the failure."""

    def wait(condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def gone() -> Callable[[int], bool]:
    """Whether a process has ended; one that only waits to be reaped has."""

    def is_gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            pass
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return Path("/proc").exists()

    return is_gone
