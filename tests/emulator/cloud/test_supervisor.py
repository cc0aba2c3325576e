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
from emulators.processes import CloudFault, Program, interpreter, start
from emulators.state import AlreadyUp, Home, State
from emulators.supervisor import Wish, bring_down, bring_up
from tests.emulator.cloud.example_doors import Eventually, ExampleDoors

pytestmark = pytest.mark.emulator

Daybook = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose cloud, if any, is down after the test."""
    home = Home(tmp_path / "home")
    yield home
    bring_down(home)


@pytest.fixture
def up(home: Home, doors: ExampleDoors) -> State:
    """A cloud that a supervisor runs, begun on the first of November."""
    return bring_up(home, Wish(doors.names, datetime(2026, 11, 1, 8, tzinfo=UTC), doors.root), lambda _: None)


@pytest.fixture
def daybook(home: Home) -> Daybook:
    """The `daybook` command on that home."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = interpreter("emulators.cli", "--home", str(home.path), *arguments)
        return subprocess.run(  # noqa: S603 - our own command, no shell
            command, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=60
        )

    return run


def _pids(state: State) -> list[int]:
    health = json.loads(fetch(f"{state.environment['DAYBOOK_DOORS_URL']}/healthz") or b"{}")
    return [process.pid for process in state.processes.values()] + [health["worker"]]


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
    eventually(lambda: all(gone(pid) for pid in pids), "the end of all children")
    assert home.running() is None


def test_a_killed_host_is_started_again_by_the_supervisor(home: Home, up: State, eventually: Eventually) -> None:
    """The supervisor notices by itself and writes down the new process."""
    killed = up.processes["host"]
    os.killpg(killed.pid, signal.SIGKILL)
    eventually(lambda: (now := home.running()) and now.processes["host"] != killed, "another host")
    assert fetch(f"{up.environment['DAYBOOK_DOORS_URL']}/healthz")


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


def test_the_command_shows_and_moves_the_clock(up: State, daybook: Daybook) -> None:
    """Time moves forward only, for every process at once."""
    assert up
    assert daybook("clock", "show").stdout.startswith("2026-11-01 08:00")
    assert daybook("clock", "advance", "1d2h").stdout.startswith("2026-11-02 10:00")
    assert daybook("clock", "set", "2026-11-30T00:00Z").stdout.startswith("2026-11-30 00:00")
    back = daybook("clock", "set", "2026-11-01")
    assert back.returncode == 1
    assert "only moves forward" in back.stderr


def test_the_command_calls_doors_and_jobs(
    up: State, daybook: Daybook, doors: ExampleDoors, eventually: Eventually
) -> None:
    """A private door is given a token, an event door a push, a job is run, a name that is none is refused."""
    assert up
    private = json.loads(daybook("trigger", "prove_ledger", '{"tenant": "acme"}').stdout.removeprefix("200 "))
    assert private["token"].startswith("Bearer ey")
    assert json.loads(private["body"]) == {"tenant": "acme"}
    event = json.loads(daybook("trigger", "issue_receipt", "{}").stdout.removeprefix("200 "))
    assert json.loads(event["body"])["message"]["data"] == "e30="
    before = len(doors.told())
    assert daybook("fire", "prove-ledgers").returncode == 0
    eventually(lambda: len(doors.told()) > before, "the job's call")
    assert "no function is called nobody" in daybook("trigger", "nobody").stderr


def test_the_command_makes_tenants_and_keys(up: State, home: Home, daybook: Daybook) -> None:
    """A new tenant's key is kept for later commands, and its partner can sign."""
    assert up
    assert daybook("tenant", "create", "acme").returncode == 0
    assert home.keys()["acme"] == "db_acme_k1_secret"
    assert (home.secrets / "webhook-acme-stripe").read_text().startswith("whsec_")
    made = json.loads(daybook("keys", "create", "user:bob", "--role", "auditor", "--tenant", "acme").stdout)
    assert made["token"] == "Bearer db_acme_k1_secret"  # noqa: S105 - what the example door hands out
    assert json.loads(made["body"]) == {"principal": "user:bob", "role": "auditor"}
    revoked = json.loads(daybook("keys", "revoke", "k2", "--tenant", "acme").stdout)
    assert revoked["path"] == "/v1/api_keys/k2/revoke"


def test_status_says_what_is_well(up: State, daybook: Daybook) -> None:
    """Every process with its address; exit code 0."""
    shown = daybook("status")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in ("firestore", "pubsub", "services", "host"))
    assert str(up.ports["doors"]) in shown.stdout


def test_errors_are_one_line(daybook: Daybook) -> None:
    """Where nothing is up, every verb says so and how to go on."""
    for arguments in (["status"], ["clock", "show"], ["fire", "sweep-outbox"], ["tenant", "create", "acme"]):
        answer = daybook(*arguments)
        assert answer.returncode == 1
        assert answer.stderr.strip().endswith("start one with `daybook up`") or "no key of" in answer.stderr
        assert len(answer.stderr.strip().splitlines()) == 1


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
