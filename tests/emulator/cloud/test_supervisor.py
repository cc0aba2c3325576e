import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.addresses import fetch
from emulators.catalogue import REPOSITORY
from emulators.processes import CloudFault, Program, start
from emulators.state import AlreadyUp, Home, State
from emulators.supervisor import Wish, bring_down, bring_up
from tests.emulator.cloud.example_doors import Eventually, ExampleDoors

pytestmark = pytest.mark.emulator


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose cloud, if any, is down after the test."""
    home = Home(tmp_path / "home")
    yield home
    bring_down(home)


@pytest.fixture
def up(home: Home, doors: ExampleDoors) -> State:
    """A cloud of the test's own, which may be broken."""
    return bring_up(home, Wish(doors.names, datetime(2026, 11, 1, 8, tzinfo=UTC), doors.root), lambda _: None)


def _pids(state: State) -> list[int]:
    health = json.loads(fetch(f"{state.environment['DAYBOOK_DOORS_URL']}/healthz") or b"{}")
    return [state.runner.pid, *(process.pid for process in state.processes.values()), health["worker"]]


def test_a_supervised_cloud_outlives_the_command_and_ends_on_demand(
    home: Home, up: State, gone: Callable[[int], bool]
) -> None:
    """Up twice is refused, down leaves no process, down twice is harmless."""
    pids = _pids(up)
    with pytest.raises(AlreadyUp):
        bring_up(home, Wish(), lambda _: None)
    assert bring_down(home)
    assert all(gone(pid) for pid in pids)
    assert not bring_down(home)


def test_nothing_survives_a_killed_supervisor(
    home: Home, up: State, eventually: Eventually, gone: Callable[[int], bool]
) -> None:
    """Kill -9 of the parent takes Java, services, host and workers along, and the next cloud can start."""
    pids = _pids(up)
    os.kill(up.runner.pid, signal.SIGKILL)
    eventually(lambda: all(gone(pid) for pid in pids), "the end of all processes")
    assert home.running() is None


def test_a_lost_emulator_ends_the_cloud(
    up: State, home: Home, eventually: Eventually, gone: Callable[[int], bool]
) -> None:
    """Without its books a cloud is no use: everything ends and the log says why."""
    os.kill(up.processes["firestore"].pid, signal.SIGKILL)
    eventually(lambda: gone(up.runner.pid), "the supervisor's end")
    assert "firestore ended" in home.log("supervisor").read_text()


def test_a_door_that_cannot_be_loaded_is_said_in_one_line(home: Home, write_doors: Callable[[], ExampleDoors]) -> None:
    """The reason is the last line of the host's log, and nothing is left running."""
    doors = write_doors()
    (doors.root / "functions" / "platform" / "tenants.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(CloudFault, match="No module named 'nothing_of_this_name'") as caught:
        bring_up(home, Wish(("tenants",), root=doors.root), lambda _: None)
    assert len(str(caught.value).splitlines()) == 1
    assert home.runner() is None


def test_a_child_dies_with_a_parent_that_is_killed(
    tmp_path: Path, eventually: Eventually, gone: Callable[[int], bool]
) -> None:
    """Even a child that ignores every polite signal."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from emulators.processes import Program, start\n"
        "stubborn = 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)'\n"
        "child = start(Program('stubborn', (sys.executable, '-c', stubborn), Path(sys.argv[1]) / 'log'))\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, str(script), str(tmp_path)]
    environment = {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:  # noqa: S603 - our own script
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    eventually(lambda: gone(child), "the child's end")


def test_a_child_that_will_not_end_is_made_to(tmp_path: Path, gone: Callable[[int], bool]) -> None:
    """Killing takes the whole group."""
    child = start(Program("sleeper", ("sleep", "600"), tmp_path / "log"))
    child.kill()
    assert gone(child.pid)
